"""Kubernetes' rules for containers that types alone cannot say. Source: Kubernetes' core validation."""

from collections.abc import Iterable, Iterator
from typing import Any

from semafor.resources import errors, marks, quantity
from semafor.resources.core import volume_rules
from semafor.resources.errors import FieldError

Doc = dict[str, Any]

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
_VALUE_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef")
_FIELD_PATHS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)


def container(doc: Doc, volumes: set[str], path: str) -> Iterator[FieldError]:
    """What every container of a pod must keep to."""
    image = doc.get("image", "")
    if not image:
        yield errors.required(f"{path}.image")
    elif image != image.strip():
        yield errors.invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    yield from _ports(doc.get("ports", ()), f"{path}.ports")
    for index, variable in enumerate(doc.get("env", ())):
        yield from _variable(variable, f"{path}.env[{index}]")
    for index, source in enumerate(doc.get("envFrom", ())):
        yield from _exactly_one(source, ("configMapRef", "secretRef"), f"{path}.envFrom[{index}]", "source")
    yield from volume_rules.mounts(doc.get("volumeMounts", []), volumes, f"{path}.volumeMounts")
    yield from resources(doc.get("resources", {}), f"{path}.resources")
    for name in _PROBES:
        if name in doc:
            yield from _probe(doc[name], name, f"{path}.{name}")
    for name, hook in doc.get("lifecycle", {}).items():
        yield from _handler(hook, _HOOK_HANDLERS, f"{path}.lifecycle.{name}")


def _ports(ports: Iterable[Doc], path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, port in enumerate(ports):
        name = port.get("name")
        if name and name in seen:
            yield errors.duplicate(f"{path}[{index}].name", name)
        seen.add(name or "")


def _variable(doc: Doc, path: str) -> Iterator[FieldError]:
    source = doc.get("valueFrom")
    if source is None:
        return
    if doc.get("value"):
        yield errors.invalid(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
    present = [name for name in _VALUE_SOURCES if name in source]
    if not present:
        words = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        yield errors.invalid(f"{path}.valueFrom", "", words)
    if len(present) > 1:
        yield errors.invalid(f"{path}.valueFrom", "", "may not have more than one field specified at a time")
    yield from _field_path(source.get("fieldRef", {}).get("fieldPath", ""), f"{path}.valueFrom.fieldRef.fieldPath")


def _field_path(value: str, path: str) -> Iterator[FieldError]:
    indexed = value.startswith(("metadata.labels['", "metadata.annotations['")) and value.endswith("']")
    if value and value not in _FIELD_PATHS and not indexed:
        yield errors.not_supported(path, value, _FIELD_PATHS)


def _exactly_one(doc: Doc, names: tuple[str, ...], path: str, what: str) -> Iterator[FieldError]:
    present = [name for name in names if name in doc]
    if not present:
        yield errors.invalid(path, "", "must specify one of: " + " or ".join(f"`{name}`" for name in names))
    if len(present) > 1:
        yield errors.invalid(path, "", f"may not have more than one {what} specified at a time")


def resources(doc: Doc, path: str) -> Iterator[FieldError]:
    """Amounts are not negative, and a request is never above its limit."""
    limits = doc.get("limits", {})
    for group in ("limits", "requests"):
        for name, value in doc.get(group, {}).items():
            amount = _amount(value)
            where = f"{path}.{group}[{name}]"
            if amount is not None and amount < 0:
                yield errors.invalid(where, value, "must be greater than or equal to 0")
            limit = _amount(limits.get(name))
            if group == "requests" and amount is not None and limit is not None and amount > limit:
                why = f"must be less than or equal to {name} limit of {limits[name]}"
                yield errors.invalid(f"{path}.{group}", value, why)


def _amount(value: Any) -> Any:
    try:
        return quantity.parse(value)
    except ValueError:
        return None


def _probe(doc: Doc, name: str, path: str) -> Iterator[FieldError]:
    yield from _handler(doc, _PROBE_HANDLERS, path)
    if name != "readinessProbe" and doc.get("successThreshold", 1) not in (0, 1):
        yield errors.invalid(f"{path}.successThreshold", doc["successThreshold"], "must be 1")


def _handler(doc: Doc, names: tuple[str, ...], path: str) -> Iterator[FieldError]:
    present = [name for name in names if name in doc]
    if not present:
        yield errors.required(path, "must specify a handler type")
    yield from (
        errors.forbidden(f"{path}.{extra}", "may not specify more than 1 handler type") for extra in present[1:]
    )
    for name in ("httpGet", "tcpSocket"):
        if name in doc:
            yield from port(doc[name].get("port"), f"{path}.{name}.port")
    if "exec" in doc and not doc["exec"].get("command"):
        yield errors.required(f"{path}.exec.command")


def port(value: Any, path: str) -> Iterator[FieldError]:
    """A port by number or by name; None is not looked at."""
    if value is None:
        return
    if why := (marks.PORT_NAME.test(value) if isinstance(value, str) else marks.PORT.test(value)):
        yield errors.invalid(path, value, why)


def init_container(doc: Doc, path: str) -> Iterator[FieldError]:
    """An init container that ends has no probes and no hooks; a sidecar may have them."""
    if doc.get("restartPolicy") == "Always":
        return
    for name in ("lifecycle", *_PROBES):
        if name in doc:
            yield errors.forbidden(f"{path}.{name}", "may not be set for init containers without restartPolicy=Always")


def main_container(doc: Doc, path: str) -> Iterator[FieldError]:
    """Only init containers have a restart policy of their own."""
    if "restartPolicy" in doc:
        yield errors.forbidden(f"{path}.restartPolicy", "may not be set for non-init containers")
