"""A CustomResourceDefinition's schema as types: what `resources.shape` can read."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, cast

import msgspec

from semafor.base.struct import Document
from semafor.resources import marks

Schema = dict[str, Any]

_ROOT = ("apiVersion", "kind", "metadata")
_SCALARS: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}


def root(name: str, schema: Schema, metadata: Any) -> type[Document]:
    """The type of a whole object; `metadata` is the type of its metadata."""
    own = {"apiVersion": str, "kind": str, "metadata": metadata}
    properties = {key: value for key, value in (schema.get("properties") or {}).items() if key not in _ROOT}
    hints = {key: Annotated[type_ | None, "..."] for key, type_ in own.items()}
    hints |= {key: type_of(f"{name}{key}", value) | None for key, value in properties.items()}
    required = set(schema.get("required") or ()) - set(_ROOT)
    return _struct(name, hints, required, schema)


def type_of(name: str, schema: Schema) -> Any:
    """The type of a value with that schema; `name` is for structs made on the way."""
    return Annotated[_plain(name, schema), *_marks(schema)]


def _plain(name: str, schema: Schema) -> Any:
    if schema.get("x-kubernetes-int-or-string"):
        return int | str
    if _is_open(schema):
        return Any
    match schema.get("type"):
        case "object":
            return _object(name, schema)
        case "array":
            return tuple[type_of(f"{name}Item", schema.get("items") or {}), ...]  # type: ignore[misc]
        case str() as scalar:
            return _literal(schema) or _SCALARS.get(scalar, Any)
    return Any


def _is_open(schema: Schema) -> bool:
    """Whether anything may stand here."""
    if (_keeps_unknown(schema) and not schema.get("properties")) or "type" not in schema:
        return True
    free = not schema.get("properties") and not isinstance(schema.get("additionalProperties"), dict)
    return schema["type"] == "object" and free and bool(schema.get("additionalProperties"))


def _keeps_unknown(schema: Schema) -> bool:
    return bool(schema.get("x-kubernetes-preserve-unknown-fields"))


def _object(name: str, schema: Schema) -> Any:
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        return dict[str, type_of(f"{name}Value", values)]  # type: ignore[misc]
    properties = schema.get("properties") or {}
    hints = {key: type_of(f"{name}{key}", value) | None for key, value in properties.items()}
    return _struct(name, hints, set(schema.get("required") or ()), schema)


def _struct(name: str, hints: dict[str, Any], required: set[str], schema: Schema) -> type[Document]:
    names = {key: f"field{index}" for index, key in enumerate(hints)}
    fields = [(names[key], hint) if key in required else (names[key], hint, None) for key, hint in hints.items()]
    made = msgspec.defstruct(
        re.sub(r"\W", "_", name) or "Object",
        fields,
        bases=(Document,),
        frozen=True,
        kw_only=True,
        rename={python: key for key, python in names.items()},
        namespace={"__doc__": schema.get("description", ""), "KEEPS_UNKNOWN": _keeps_unknown(schema)},
    )
    return cast("type[Document]", made)


def _literal(schema: Schema) -> Any:
    words = schema.get("enum")
    if not words or not all(isinstance(word, str) for word in words):
        return None
    return Literal[tuple(words)]


def _marks(schema: Schema) -> list[Any]:
    found: list[Any] = [schema.get("description") or ""]
    found += [marks.OPEN] if _is_open(schema) and not schema.get("x-kubernetes-int-or-string") else []
    match schema.get("x-kubernetes-list-type"):
        case "map":
            found.append(marks.listing(*schema.get("x-kubernetes-list-map-keys", ())))
        case "set":
            found.append(marks.SET)
        case _ if schema.get("type") == "array":
            found.append(marks.ATOMIC)
    if schema.get("x-kubernetes-map-type") == "atomic":
        found.append(marks.ATOMIC)
    return [*found, *(rule for rule in _rules(schema))]


def _rules(schema: Schema) -> list[marks.Rule]:
    tests: dict[str, Callable[[Any, Any], str]] = {
        "minimum": lambda value, bound: "" if value >= bound else f"should be greater than or equal to {bound}",
        "maximum": lambda value, bound: "" if value <= bound else f"should be less than or equal to {bound}",
        "minLength": lambda value, bound: "" if len(value) >= bound else f"should be at least {bound} chars long",
        "maxLength": lambda value, bound: "" if len(value) <= bound else f"may not be more than {bound} bytes",
        "pattern": _matches,
    }
    return [_rule(name, test, schema[name]) for name, test in tests.items() if schema.get(name) is not None]


def _rule(name: str, test: Callable[[Any, Any], str], bound: Any) -> marks.Rule:
    numeric = name in ("minimum", "maximum")

    def checked(value: Any) -> str:
        fits = isinstance(value, int | float) and not isinstance(value, bool) if numeric else isinstance(value, str)
        return test(value, bound) if fits else ""

    return marks.Rule(name=f"{name}={bound}", test=checked)


def _matches(value: str, pattern: str) -> str:
    try:
        fits = re.search(pattern, value) is not None
    except re.error:
        return ""  # a pattern that only Go's engine reads is not held against the user
    return "" if fits else f"should match '{pattern}'"
