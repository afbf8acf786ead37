"""PersistentVolume, PersistentVolumeClaim, StorageClass. Source: printers.go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from semafor.kube.api.rules.rules import at
from semafor.kube.api.tables import ages
from semafor.kube.api.tables.printer import UNSET, Cell, Printer, header, meta

Doc = dict[str, Any]

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def _age(obj: Doc, now: datetime) -> str:
    return ages.since(meta(obj).get("creationTimestamp"), now)


def _modes(modes: Sequence[str] | None) -> str:
    return ",".join(_MODES.get(mode, mode) for mode in modes or ())


def _phase(obj: Doc) -> str:
    return "Terminating" if "deletionTimestamp" in meta(obj) else str(at(obj, "status.phase") or "")


def _claim(obj: Doc, now: datetime) -> Sequence[Cell]:
    bound = at(obj, "spec.volumeName") or ""
    return (
        meta(obj)["name"],
        _phase(obj),
        bound,
        str(at(obj, "status.capacity.storage") or "") if bound else "",
        _modes(at(obj, "status.accessModes")) if bound else "",
        at(obj, "spec.storageClassName") or "",
        at(obj, "spec.volumeAttributesClassName") or UNSET,
        _age(obj, now),
        at(obj, "spec.volumeMode") or UNSET,
    )


CLAIM = Printer(
    columns=header(
        "Name",
        "Status",
        "Volume",
        "Capacity",
        "Access Modes",
        "StorageClass",
        "VolumeAttributesClass",
        "Age",
        wide=("VolumeMode",),
    ),
    row=_claim,
)


def _volume(obj: Doc, now: datetime) -> Sequence[Cell]:
    claim = at(obj, "spec.claimRef") or {}
    return (
        meta(obj)["name"],
        str(at(obj, "spec.capacity.storage") or ""),
        _modes(at(obj, "spec.accessModes")),
        at(obj, "spec.persistentVolumeReclaimPolicy") or "",
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        at(obj, "spec.storageClassName") or "",
        at(obj, "spec.volumeAttributesClassName") or UNSET,
        at(obj, "status.reason") or "",
        _age(obj, now),
        at(obj, "spec.volumeMode") or UNSET,
    )


VOLUME = Printer(
    columns=header(
        "Name",
        "Capacity",
        "Access Modes",
        "Reclaim Policy",
        "Status",
        "Claim",
        "StorageClass",
        "VolumeAttributesClass",
        "Reason",
        "Age",
        wide=("VolumeMode",),
    ),
    row=_volume,
)


def _class(obj: Doc, now: datetime) -> Sequence[Cell]:
    default = (meta(obj).get("annotations") or {}).get(_DEFAULT_CLASS) == "true"
    return (
        meta(obj)["name"] + (" (default)" if default else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or UNSET,
        str(bool(obj.get("allowVolumeExpansion"))).lower(),
        _age(obj, now),
    )


CLASS = Printer(
    columns=header("Name", "Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", "Age"),
    row=_class,
)
