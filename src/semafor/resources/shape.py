"""The tree of a kind's fields: what patches, checks and schemas need to know, read off the structs' annotations."""

import functools
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union

import msgspec

from semafor.resources.kind import Kind
from semafor.resources.marks import Alias, Blank, Listing, Open, Rule

_PLAIN: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_NO_LISTING = Listing(kind="granular")


class Shape:
    """One node of the tree.

    `type` is OpenAPI's word, or "map" (an object with free keys and one shape of value), "int-or-string",
    "quantity" (a string or a number) or "any". Fields of an object are found by their JSON names. `blank` means that
    an empty text is a value of its own, `free_object` that "any" must at least be an object.
    """

    __slots__ = (
        "_struct",
        "aliases",
        "blank",
        "default",
        "description",
        "enum",
        "free_object",
        "items",
        "listing",
        "required",
        "rules",
        "type",
    )

    def __init__(self, type_: str, *, items: "Shape | None" = None, struct: type[msgspec.Struct] | None = None) -> None:
        self.type = type_
        self.items = items
        self.description = ""
        self.enum: tuple[str, ...] = ()
        self.rules: tuple[Rule, ...] = ()
        self.aliases: tuple[Alias, ...] = ()
        self.listing = _NO_LISTING
        self.required = False
        self.blank = False
        self.free_object = False
        self.default: Any = msgspec.NODEFAULT
        self._struct = struct

    @property
    def struct(self) -> type[msgspec.Struct] | None:
        """The struct that an object's fields come from."""
        return self._struct

    @property
    def fields(self) -> "dict[str, Shape]":
        """The fields of an object by JSON name; empty for everything else."""
        return _fields(self._struct) if self._struct is not None else {}

    def field(self, name: str) -> "Shape | None":
        """The shape of an object's field or of a map's value; None for an unknown field.

        Structs with KEEPS_UNKNOWN have every field: what they do not name may be anything.
        """
        if self._struct is not None:
            keeps = getattr(self._struct, "KEEPS_UNKNOWN", False)
            return _fields(self._struct).get(name) or (_ANYTHING if keeps else None)
        return self.items if self.type == "map" else None

    @property
    def list_type(self) -> Literal["atomic", "set", "map"]:
        return "atomic" if self.listing.kind == "granular" else self.listing.kind

    @property
    def list_keys(self) -> tuple[str, ...]:
        return self.listing.keys

    @property
    def patch_merge_key(self) -> str | None:
        return self.listing.patch_key

    @property
    def patch_strategy(self) -> str | None:
        """What strategic merge does with the field: "merge", "retainKeys", both with a comma, or None (replace)."""
        return self.listing.patch_strategy

    @property
    def map_type(self) -> Literal["granular", "atomic"]:
        return "atomic" if self.listing.kind == "atomic" else "granular"

    @property
    def preserve_unknown(self) -> bool:
        return self.type == "any"

    def __repr__(self) -> str:
        return f"Shape({self._struct.__name__ if self._struct else self.type})"


_ANYTHING = Shape("any")


def shape_of(kind: Kind) -> Shape:
    """The tree of a kind's fields; children are built when first asked for, once per struct."""
    return of_struct(kind.document)


@functools.cache
def of_struct(struct: type[msgspec.Struct]) -> Shape:
    """The tree of one struct's fields."""
    shape = Shape("object", struct=struct)
    shape.description = summary(struct)
    return shape


def summary(struct: type[msgspec.Struct]) -> str:
    """The struct's docstring, when it has one of its own."""
    return " ".join((struct.__dict__.get("__doc__") or "").split())


@functools.cache
def _fields(struct: type[msgspec.Struct]) -> dict[str, Shape]:
    hints = typing.get_type_hints(struct, include_extras=True)
    return {field.encode_name: _field(hints[field.name], field) for field in msgspec.structs.fields(struct)}


def _field(hint: Any, field: msgspec.structs.FieldInfo) -> Shape:
    shape = _of_type(hint)
    shape.required = field.required
    shape.default = field.default
    return shape


def _of_type(hint: Any) -> Shape:
    plain, extras = _unwrap(hint)
    shape = _of_plain(plain)
    for extra in extras:
        _mark(shape, extra)
    if _is_number_or_string(plain):
        shape.type = "quantity" if any(rule.name == "quantity" for rule in shape.rules) else "int-or-string"
    return shape


def _unwrap(hint: Any) -> tuple[Any, list[Any]]:
    """The bare type under Annotated and Optional, and all marks on the way, the inner ones first."""
    extras: list[Any] = []
    while True:
        if typing.get_origin(hint) is Annotated:
            extras = [*hint.__metadata__, *extras]
            hint = hint.__origin__
            continue
        choices = _choices(hint)
        if len(choices) == 2 and type(None) in choices:
            hint = next(choice for choice in choices if choice is not type(None))
            continue
        return hint, extras


def _choices(hint: Any) -> tuple[Any, ...]:
    return typing.get_args(hint) if typing.get_origin(hint) in (Union, types.UnionType) else ()


def _is_number_or_string(plain: Any) -> bool:
    choices = set(_choices(plain)) - {type(None)}
    return {int, str} <= choices <= {int, str, float}


def _of_plain(plain: Any) -> Shape:
    if plain in _PLAIN:
        return Shape(_PLAIN[plain])
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if origin is Literal:
        shape = Shape("string")
        shape.enum = tuple(arguments)
        return shape
    if origin is tuple:
        return Shape("array", items=_of_type(arguments[0]))
    if origin is dict:
        return Shape("map", items=_of_type(arguments[1]))
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return Shape("object", struct=plain)
    return Shape("any")


def _mark(shape: Shape, extra: Any) -> None:
    match extra:
        case str():
            shape.description = extra
        case Listing():
            shape.listing = extra
        case Rule():
            shape.rules = (*shape.rules, extra)
        case Alias():
            shape.aliases = (*shape.aliases, extra)
        case Blank():
            shape.blank = True
        case Open():
            shape.free_object = shape.type in {"map", "object"}
            shape.type, shape.items, shape._struct = "any", None, None  # noqa: SLF001 - building it


def walk(document: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """Every struct that a document's type reaches, itself first, each once."""
    seen: dict[type[msgspec.Struct], None] = {}
    todo = [document]
    while todo:
        struct = todo.pop()
        if struct in seen:
            continue
        seen[struct] = None
        yield struct
        todo.extend(_inner(shape) for shape in reversed(_fields(struct).values()) if _inner(shape) is not None)


def _inner(shape: Shape) -> Any:
    while shape.items is not None:
        shape = shape.items
    return shape.struct
