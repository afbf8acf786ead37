"""PersistentVolumeClaim: the default class, and a finalizer that keeps it while pods use it.

Source: the DefaultStorageClass and StorageObjectInUseProtection admission plugins, and apiserver's validation.
"""

from collections.abc import Iterator
from typing import Any

from semafor.kube.api.rules.rules import Ground, Rules, at
from semafor.resources import errors
from semafor.resources.errors import FieldError

Doc = dict[str, Any]

_PROTECTION = "kubernetes.io/pvc-protection"
_IS_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def _complete(new: Doc, old: Doc | None, ground: Ground) -> Doc:
    if old is not None:
        return new
    metadata, spec = new["metadata"], new.get("spec", {})
    kept = metadata.get("finalizers", [])
    finalizers = kept if _PROTECTION in kept else [*kept, _PROTECTION]
    default = _default_class(ground)
    if "storageClassName" not in spec and default:
        spec = {**spec, "storageClassName": default}
    return {**new, "metadata": {**metadata, "finalizers": finalizers}, "spec": spec}


def _default_class(ground: Ground) -> str | None:
    """The newest of the classes that say that they are the default."""
    classes = ground.heads("storageclasses.storage.k8s.io")
    marked = [
        each["metadata"] for each in classes if each["metadata"].get("annotations", {}).get(_IS_DEFAULT) == "true"
    ]
    newest = max(marked, key=lambda metadata: str(metadata["creationTimestamp"]), default=None)
    return newest["name"] if newest else None


def _check(new: Doc, old: Doc | None) -> Iterator[FieldError]:
    if not at(new, "spec.accessModes"):
        yield errors.required("spec.accessModes", "at least 1 access mode is required")
    if not at(new, "spec.resources.requests.storage"):
        yield errors.required("spec.resources[storage]")
    if old is not None and _fixed(new) != _fixed(old):
        why = "spec is immutable after creation except resources.requests for bound claims"
        yield errors.forbidden("spec", why)


def _fixed(claim: Doc) -> Doc:
    spec = claim.get("spec", {})
    return {field: value for field, value in spec.items() if field not in ("resources", "volumeName")}


CLAIM = Rules(complete=_complete, check=_check)
