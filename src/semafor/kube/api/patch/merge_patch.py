"""JSON merge patch: RFC 7386."""

from typing import Any

from semafor.kube.api.patch.documents import clone, require_shallow


def merge(doc: Any, patch: Any) -> Any:
    """Merge objects field by field; null removes a field, and everything else replaces what was there.

    Raises MalformedError only for a patch that nests too deep.
    """
    require_shallow(patch)
    return _merge(clone(doc), patch)


def _merge(doc: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return clone(patch)
    merged = doc if isinstance(doc, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged
