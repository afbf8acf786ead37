"""Node, Namespace, Event, Lease, webhook configurations. Source: printers.go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from semafor.kube.api.rules.rules import at
from semafor.kube.api.tables import ages
from semafor.kube.api.tables.printer import NONE, UNKNOWN, Cell, Printer, column, header, meta

Doc = dict[str, Any]

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE_LABEL = "kubernetes.io/role"


def _age(obj: Doc, now: datetime) -> str:
    return ages.since(meta(obj).get("creationTimestamp"), now)


def _node(obj: Doc, now: datetime) -> Sequence[Cell]:
    info = at(obj, "status.nodeInfo") or {}
    return (
        meta(obj)["name"],
        _node_status(obj),
        _roles(meta(obj).get("labels") or {}),
        _age(obj, now),
        info.get("kubeletVersion", ""),
        _address(obj, "InternalIP"),
        _address(obj, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    )


def _node_status(obj: Doc) -> str:
    ready = [item for item in at(obj, "status.conditions") or [] if item.get("type") == "Ready"]
    words = ["Ready" if item.get("status") == "True" else "NotReady" for item in ready] or ["Unknown"]
    return ",".join(words + (["SchedulingDisabled"] if at(obj, "spec.unschedulable") else []))


def _roles(labels: Doc) -> str:
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX) and key != _ROLE_PREFIX}
    if labels.get(_ROLE_LABEL):
        roles.add(labels[_ROLE_LABEL])
    return ",".join(sorted(roles)) or NONE


def _address(obj: Doc, type_: str) -> str:
    found = (item.get("address") for item in at(obj, "status.addresses") or [] if item.get("type") == type_)
    return next(found, None) or NONE


NODE = Printer(
    columns=header(
        "Name",
        "Status",
        "Roles",
        "Age",
        "Version",
        wide=("Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"),
    ),
    row=_node,
)


def _namespace(obj: Doc, now: datetime) -> Sequence[Cell]:
    return (meta(obj)["name"], at(obj, "status.phase") or "", _age(obj, now))


NAMESPACE = Printer(columns=header("Name", "Status", "Age"), row=_namespace)


def _event(obj: Doc, now: datetime) -> Sequence[Cell]:
    involved = obj.get("involvedObject") or obj.get("regarding") or {}
    first = obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime")
    last = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp") or first
    count = obj.get("count") or obj.get("deprecatedCount") or 1
    series = obj.get("series")
    if series:
        last, count = series.get("lastObservedTime") or last, series.get("count") or count
    return (
        ages.since(last, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}",
        involved.get("fieldPath") or "",
        _source(obj),
        str(obj.get("message") or obj.get("note") or "").strip(),
        ages.since(first, now),
        count,
        meta(obj)["name"],
    )


def _source(obj: Doc) -> str:
    source = obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent") or obj.get("reportingController") or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    return f"{component}, {host}" if host else component


EVENT = Printer(
    columns=(
        *header("Last Seen", "Type", "Reason", "Object", wide=("Subobject", "Source")),
        *header("Message", wide=("First Seen",)),
        column("Count", "integer", wide=True),
        column("Name", wide=True),
    ),
    row=_event,
)


def _lease(obj: Doc, now: datetime) -> Sequence[Cell]:
    return (meta(obj)["name"], at(obj, "spec.holderIdentity") or "", _age(obj, now))


LEASE = Printer(columns=header("Name", "Holder", "Age"), row=_lease)


def _webhooks(obj: Doc, now: datetime) -> Sequence[Cell]:
    return (meta(obj)["name"], len(obj.get("webhooks") or []), _age(obj, now))


WEBHOOKS = Printer(columns=(column("Name"), column("Webhooks", "integer"), column("Age")), row=_webhooks)
