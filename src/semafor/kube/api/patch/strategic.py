"""Strategic merge patch, as k8s.io/apimachinery/pkg/util/strategicpatch has it.

Objects are merged field by field, and null removes a field. Lists are replaced, unless their shape says "merge":
objects are then merged by their merge key, scalars united. Directives inside the patch change that:

    $patch: replace | delete | merge           in an object, or in one element of a list
    $retainKeys: [...]                          of an object, remove every field that is not named
    $deleteFromPrimitiveList/FIELD: [...]       take these scalars out of the list FIELD
    $setElementOrder/FIELD: [...]               put the elements of the merged list FIELD in this order
"""

from typing import Any

from semafor.kube.api.patch import strategic_lists as lists
from semafor.kube.api.patch.documents import brief, clone, require_object, require_shallow
from semafor.kube.api.patch.errors import MalformedError
from semafor.resources.shape import Shape

_PATCH = "$patch"
_RETAIN = "$retainKeys"
_DELETE_FROM = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"


def strategic(doc: dict[str, Any], patch: Any, schema: Shape | None) -> dict[str, Any]:
    """Merge `patch` into a copy of `doc`. Fields that the schema does not know are merged as plain JSON.

    Raises MalformedError when the patch or one of its directives is not of its form.
    """
    require_shallow(patch)
    merged = _merge_object(clone(doc), require_object(patch, "a strategic merge patch"), schema)
    return merged or {}


def _merge_object(doc: dict[str, Any], patch: dict[str, Any], shape: Shape | None) -> dict[str, Any] | None:
    """The merged object; None when the patch deletes it."""
    directive = patch.get(_PATCH)
    if directive == "delete":
        return None
    if directive == "replace":
        doc = {}
    elif directive not in (None, "merge"):
        raise MalformedError(f"unknown $patch directive {brief(directive)}: it must be replace, merge or delete")
    doc = _retain_keys(doc, patch)
    orders = {key.removeprefix(_ORDER): value for key, value in patch.items() if key.startswith(_ORDER)}
    served = {key: doc.get(key) for key in orders}
    for key, value in patch.items():
        if key.startswith(_DELETE_FROM):
            _delete_from(doc, key.removeprefix(_DELETE_FROM), value)
        elif key not in (_PATCH, _RETAIN) and not key.startswith(_ORDER):
            _merge_field(doc, key, value, shape, orders.get(key))
    for key, order in orders.items():
        _set_order(doc, key, order, served[key], shape)
    return doc


def _retain_keys(doc: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    if _RETAIN not in patch:
        return doc
    kept = patch[_RETAIN]
    if not isinstance(kept, list) or not all(isinstance(key, str) for key in kept):
        raise MalformedError(f"$retainKeys must be a list of field names, not {brief(kept)}")
    for key, value in patch.items():
        if value is not None and not key.startswith("$") and key not in kept:
            raise MalformedError(f"the patch sets the field {brief(key)}, which its $retainKeys does not name")
    return {key: value for key, value in doc.items() if key in kept}


def _delete_from(doc: dict[str, Any], key: str, gone: Any) -> None:
    if not isinstance(gone, list):
        raise MalformedError(f"$deleteFromPrimitiveList/{key} must be a list, not {brief(gone)}")
    if isinstance(doc.get(key), list):
        doc[key] = lists.without(doc[key], gone)


def _merge_field(doc: dict[str, Any], key: str, value: Any, shape: Shape | None, order: Any) -> None:
    inner = shape.field(key) if shape is not None else None
    current = doc.get(key)
    if value is None:
        doc.pop(key, None)
    elif isinstance(value, dict):
        merged = _merge_object(current if isinstance(current, dict) else {}, value, inner)
        # Deleting an object through its own directive leaves an empty one, as kube-apiserver does.
        doc[key] = merged if merged is not None else {}
    elif isinstance(value, list) and _merges(inner):
        assert inner is not None
        if order is not None:
            lists.require_consistent(key, value, order, inner.patch_merge_key)
        doc[key] = _merge_list(key, current if isinstance(current, list) else [], value, inner)
    else:
        doc[key] = clone(value)


def _merges(shape: Shape | None) -> bool:
    return shape is not None and "merge" in (shape.patch_strategy or "").split(",")


def _merge_list(name: str, current: list[Any], patch: list[Any], shape: Shape) -> list[Any]:
    key = shape.patch_merge_key
    if not any(isinstance(item, dict | list) for item in (*current, *patch)):
        merged = lists.united(current, patch)
    elif key is None or not all(isinstance(item, dict) for item in (*current, *patch)):
        raise MalformedError(f"the list {name} cannot be merged: its elements must be objects with a merge key")
    else:
        current, patch = _apply_element_directives(name, current, patch, key)
        merged = _merge_elements(current, patch, shape)
    return lists.ordered(merged, by=patch, server=current, key=key)


def _apply_element_directives(name: str, current: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Both lists after `$patch: delete` and `$patch: replace` of single elements."""
    replace = False
    plain = []
    for item in patch:
        directive = item.get(_PATCH)
        if directive == "replace":
            replace = True
        elif directive == "delete":
            if key not in item:
                raise MalformedError(f"an element of {name} has $patch: delete but no merge key {key}")
            current = [each for each in current if lists.token(each, key) != lists.token(item, key)]
        elif directive in (None, "merge"):
            plain.append(item)
        else:
            raise MalformedError(f"unknown $patch directive {brief(directive)} in an element of {name}")
    return ([] if replace else current), plain


def _merge_elements(current: list[Any], patch: list[Any], shape: Shape) -> list[Any]:
    key = shape.patch_merge_key
    merged = list(current)
    places = {lists.token(item, key): at for at, item in enumerate(merged)}
    for item in patch:
        token = lists.token(item, key)
        if token is None:
            raise MalformedError(f"map: {brief(item)} does not contain declared merge key: {key}")
        at = places.setdefault(token, len(merged))
        if at == len(merged):
            merged.append({})
        merged[at] = _merge_object(merged[at], item, shape.items)
    return merged


def _set_order(doc: dict[str, Any], key: str, order: Any, served: Any, shape: Shape | None) -> None:
    if not isinstance(order, list):
        raise MalformedError(f"$setElementOrder/{key} must be a list, not {brief(order)}")
    current = doc.get(key)
    inner = shape.field(key) if shape is not None else None
    if not isinstance(current, list) or not _merges(inner):
        return
    assert inner is not None
    server = served if isinstance(served, list) else []
    doc[key] = lists.ordered(current, by=order, server=server, key=inner.patch_merge_key)
