"""ConfigMap, Secret and role bindings: what may not change once it is set. Definitions of kinds: their status."""

import base64
from collections.abc import Iterator
from typing import Any

from semafor.kube.api import custom
from semafor.kube.api.rules.rules import Ground, Rules, at
from semafor.resources import errors
from semafor.resources.errors import FieldError

Doc = dict[str, Any]


def _frozen(new: Doc, old: Doc | None) -> Iterator[FieldError]:
    """`immutable: true` cannot be taken back, and freezes the data."""
    if old is None or not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield errors.forbidden("immutable", "field is immutable when `immutable` is set")
    for field in ("data", "binaryData"):
        if (new.get(field) or {}) != (old.get(field) or {}):
            yield errors.forbidden(field, "field is immutable when `immutable` is set")


def _secret(new: Doc, old: Doc | None) -> Iterator[FieldError]:
    yield from _frozen(new, old)
    if old is not None and new.get("type") != old.get("type"):
        yield errors.invalid("type", new.get("type"), "field is immutable")


def _encoded(new: Doc, _: Doc | None, __: Ground) -> Doc:
    """`stringData` is write-only: it becomes part of `data`."""
    if "stringData" not in new:
        return new
    texts = {key: base64.b64encode(text.encode()).decode() for key, text in new["stringData"].items()}
    kept = {key: value for key, value in new.items() if key != "stringData"}
    return {**kept, "data": {**new.get("data", {}), **texts}}


def _role_binding(new: Doc, old: Doc | None) -> Iterator[FieldError]:
    if old is not None and at(new, "roleRef") != at(old, "roleRef"):
        yield errors.invalid("roleRef", new.get("roleRef"), "cannot change roleRef")


def _definition(new: Doc, _: Doc | None, ground: Ground) -> Doc:
    """A kind is served as soon as its definition is stored."""
    return custom.established(new, ground.time) if "spec" in new else new


def _request(new: Doc, old: Doc | None) -> Iterator[FieldError]:
    if old is not None and new.get("spec") != old.get("spec"):
        yield errors.forbidden("spec", "what is asked for cannot be changed; make another request")
    if gone := _decisions(old) - _decisions(new):
        yield errors.forbidden("status.conditions", f"{', '.join(sorted(gone))} cannot be taken back")
    if (made := at(old, "status.certificate")) and at(new, "status.certificate") != made:
        yield errors.forbidden("status.certificate", "field is immutable once it is set")


def _decisions(request: Doc | None) -> set[str]:
    return {str(each.get("type")) for each in at(request, "status.conditions") or ()}


CONFIG_MAP = Rules(check=_frozen)
SECRET = Rules(complete=_encoded, check=_secret)
ROLE_BINDING = Rules(check=_role_binding)
CERTIFICATE_REQUEST = Rules(check=_request)
DEFINITION = Rules(complete=_definition)
