"""Kubernetes' rules for metadata: names, labels, annotations. Source: apimachinery's ValidateObjectMeta."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors, marks
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind

_NAMES = {"subdomain": marks.DNS_SUBDOMAIN, "label": marks.DNS_LABEL, "1035-label": marks.DNS_1035_LABEL}
_ANNOTATIONS_MAX_BYTES = 256 * 1024


def validate(kind: Kind, meta: dict[str, Any]) -> Iterator[FieldError]:
    """What is wrong with an object's metadata. A virtual kind needs no name."""
    name = meta.get("name", "")
    if name:
        yield from _name(kind, name, "metadata.name")
    elif meta.get("generateName"):
        yield from _name(kind, meta["generateName"].rstrip("-.") or "-", "metadata.generateName")
    elif not kind.virtual and not kind.default_name:
        yield errors.required("metadata.name", "name or generateName is required")
    if kind.namespaced and meta.get("namespace"):
        yield from _name_by(marks.DNS_LABEL, meta["namespace"], "metadata.namespace")
    yield from labels(meta.get("labels", {}), "metadata.labels")
    yield from annotations(meta.get("annotations", {}), "metadata.annotations")
    for index, finalizer in enumerate(meta.get("finalizers", ())):
        yield from qualified(finalizer, f"metadata.finalizers[{index}]")
    owners = [owner for owner in meta.get("ownerReferences", ()) if owner.get("controller")]
    if len(owners) > 1:
        found = " and ".join(f"{owner.get('kind')}/{owner.get('name')}" for owner in owners[:2])
        why = f'Only one reference can have Controller set to true. Found "true" in references for {found}'
        yield errors.invalid("metadata.ownerReferences", meta["ownerReferences"], why)


def _name(kind: Kind, name: str, path: str) -> Iterator[FieldError]:
    if kind.name_rule == "path-segment":
        yield from _path_segment(name, path)
    else:
        yield from _name_by(_NAMES[kind.name_rule], name, path)


def _name_by(rule: marks.Rule, name: str, path: str) -> Iterator[FieldError]:
    if why := rule.test(name):
        yield errors.invalid(path, name, why)


def _path_segment(name: str, path: str) -> Iterator[FieldError]:
    if name in {".", ".."}:
        yield errors.invalid(path, name, f"may not be '{name}'")
    yield from (errors.invalid(path, name, f"may not contain '{sign}'") for sign in "/%" if sign in name)


def labels(values: dict[str, str], path: str) -> Iterator[FieldError]:
    """Keys are qualified names, values are at most 63 characters of a small alphabet."""
    for key, value in values.items():
        yield from qualified(key, path)
        if why := marks.LABEL_VALUE.test(value):
            yield errors.invalid(path, value, why)


def annotations(values: dict[str, str], path: str) -> Iterator[FieldError]:
    """Keys are qualified names in any case; all together are at most 256 KiB."""
    for key in values:
        if why := _why_not_qualified(key.lower()):
            yield errors.invalid(path, key, why)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in values.items())
    if size > _ANNOTATIONS_MAX_BYTES:
        message = f"Too long: may not be more than {_ANNOTATIONS_MAX_BYTES} bytes"
        yield FieldError(path=path, reason="FieldValueTooLong", message=message)


def qualified(key: str, path: str) -> Iterator[FieldError]:
    """A name with an optional DNS prefix: `app`, `app.kubernetes.io/name`."""
    if why := _why_not_qualified(key):
        yield errors.invalid(path, key, why)


def _why_not_qualified(key: str) -> str:
    if len(key.rpartition("/")[2]) > 63:
        return "name part must be no more than 63 characters"
    return marks.QUALIFIED_NAME.test(key)
