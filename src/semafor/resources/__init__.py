"""What the user wrote: Kubernetes, Istio, Gateway API and SMI kinds, one struct per kind with every field it has.

In: JSON documents. Out: typed read-only views (`decode`), documents with the API's defaults filled in (`default`),
everything that is wrong with a document (`check.check`), the tree of a kind's fields for patches (`shape.shape_of`) and
OpenAPI schemas (`schema.components`). `registry.KINDS` names every kind.
Never: stores, changes or interprets an object, nor looks at a second one.
"""

from typing import Any

import msgspec

from semafor.base.struct import Document
from semafor.resources.errors import DecodeError, FieldError
from semafor.resources.kind import Column, Kind
from semafor.resources.shape import Shape, shape_of

__all__ = ["Column", "DecodeError", "FieldError", "Kind", "decode", "default"]


def decode(kind: Kind, doc: dict[str, Any]) -> Document:
    """The typed view of a document. Unknown fields are ignored, nulls are absent fields, aliases are resolved.

    Raises DecodeError, naming the first field that has a wrong type or is missing.
    """
    try:
        return msgspec.convert(doc, kind.document)
    except msgspec.ValidationError:
        pass
    try:
        return msgspec.convert(_normal(shape_of(kind), doc), kind.document)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        raise DecodeError(path.rstrip("`").lstrip("."), message) from None


def default(kind: Kind, doc: dict[str, Any]) -> dict[str, Any]:
    """The document as the API stores it: without nulls, with the defaults filled in. The argument is not changed."""
    from semafor.resources.check import without_nulls

    return kind.defaults(without_nulls(kind, doc))


def _normal(shape: Shape | None, value: Any) -> Any:
    """A copy without nulls and with aliases replaced by the words that they stand for."""
    if shape is None or shape.type == "any":
        return value
    if isinstance(value, dict):
        return {key: _normal(shape.field(key), item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_normal(shape.items, item) for item in value]
    return next((alias.right for alias in shape.aliases if alias.wrong == value), value)
