"""Roles, bindings, certificate requests. Source: printers.go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from semafor.kube.api.tables import ages
from semafor.kube.api.tables.printer import Cell, Printer, header, meta

Doc = dict[str, Any]


def _role(obj: Doc, _: datetime) -> Sequence[Cell]:
    return (meta(obj)["name"], meta(obj).get("creationTimestamp") or "")


ROLE = Printer(columns=header("Name", "Created At"), row=_role)


def _binding(obj: Doc, now: datetime) -> Sequence[Cell]:
    ref = obj.get("roleRef") or {}
    return (
        meta(obj)["name"],
        f"{ref.get('kind', '')}/{ref.get('name', '')}",
        ages.since(meta(obj).get("creationTimestamp"), now),
        _subjects(obj, "User"),
        _subjects(obj, "Group"),
        _subjects(obj, "ServiceAccount"),
    )


def _subjects(obj: Doc, kind: str) -> str:
    found = [item for item in obj.get("subjects") or [] if item.get("kind") == kind]
    if kind == "ServiceAccount":
        return ", ".join(f"{item.get('namespace', '')}/{item.get('name', '')}" for item in found)
    return ", ".join(item.get("name", "") for item in found)


BINDING = Printer(columns=header("Name", "Role", "Age", wide=("Users", "Groups", "ServiceAccounts")), row=_binding)


def _certificate_request(obj: Doc, now: datetime) -> Sequence[Cell]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    said = [each["type"] for each in status.get("conditions") or () if each["type"] in ("Approved", "Denied", "Failed")]
    seconds = spec.get("expirationSeconds")
    return (
        meta(obj)["name"],
        ages.since(meta(obj).get("creationTimestamp"), now),
        spec.get("signerName", ""),
        spec.get("username", ""),
        ages.human(seconds) if seconds else "<none>",
        ",".join([*(said or ["Pending"]), *(["Issued"] if status.get("certificate") else [])]),
    )


CERTIFICATE_REQUEST = Printer(
    columns=header("Name", "Age", "SignerName", "Requestor", "RequestedDuration", "Condition"),
    row=_certificate_request,
)
