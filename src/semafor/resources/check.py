"""Find everything that is wrong with a document: types, required fields, enums, patterns, then the kind's own rules."""

import functools
from collections.abc import Iterator
from typing import Any

import msgspec

from semafor.base.struct import Value
from semafor.resources import errors, metadata
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.shape import Shape, of_struct, shape_of

# Python's types of JSON values that a shape takes; whole floats count as integers, as in Kubernetes.
_LOOKS: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
    "map": frozenset({dict}),
    "integer": frozenset({int, float}),
    "number": frozenset({int, float}),
    "int-or-string": frozenset({int, str, float}),
    "quantity": frozenset({int, str, float}),
}
_TOO_DEEP = FieldError(path="<root>", reason="FieldValueTypeInvalid", message="Invalid value: nested too deeply")


class Report(Value):
    """All that is wrong with a document. `unknown` has the paths of fields that the kind does not have."""

    errors: tuple[FieldError, ...] = ()
    unknown: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class _Findings:
    """Collects while walking."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self.unknown: list[str] = []
        self.warnings: list[str] = []
        self.nulls = False


class _Duties(Value):
    """What a struct asks of its fields together. `required` has the values that do not count with each name."""

    required: tuple[tuple[str, tuple[Any, ...]], ...]
    one_of: tuple[tuple[str, ...], ...]
    exactly_one_of: tuple[tuple[str, ...], ...]


def check(kind: Kind, doc: Any) -> Report:
    """Everything that is wrong with a document; a null means that the field is absent. Never raises on any JSON."""
    found = _Findings()
    try:
        _visit(shape_of(kind), doc, "", found)
    except RecursionError:
        return Report(errors=(_TOO_DEEP,))
    if not any(error.reason == "FieldValueTypeInvalid" for error in found.errors):
        clean = without_nulls(kind, doc) if found.nulls else doc
        found.errors.extend(metadata.validate(kind, clean.get("metadata", {})))
        found.errors.extend(kind.validate(clean))
        found.warnings.extend(f"{remark.path}: {remark.message}" for remark in kind.remarks(clean))
    unique = tuple(dict.fromkeys(found.errors))
    return Report(errors=unique, unknown=tuple(found.unknown), warnings=tuple(found.warnings))


def check_part(struct: type[msgspec.Struct], doc: Any) -> Report:
    """Everything that is wrong with a document that is no object: a part of a configuration file."""
    found = _Findings()
    try:
        _visit(of_struct(struct), doc, "", found)
    except RecursionError:
        return Report(errors=(_TOO_DEEP,))
    return Report(errors=tuple(found.errors), unknown=tuple(found.unknown), warnings=tuple(found.warnings))


def without_nulls(kind: Kind, doc: dict[str, Any]) -> dict[str, Any]:
    """A copy without the fields whose value is null, as the API stores it; free content keeps its nulls."""
    cleaned: dict[str, Any] = _clean(shape_of(kind), doc)
    return cleaned


def _clean(shape: Shape | None, value: Any) -> Any:
    if shape is None or shape.type == "any":
        return value
    if isinstance(value, dict):
        return {key: _clean(shape.field(key), item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_clean(shape.items, item) for item in value]
    return value


def _visit(shape: Shape, value: Any, path: str, found: _Findings) -> None:
    if shape.type == "any":
        if shape.free_object and not isinstance(value, dict):
            found.errors.append(errors.mistyped(path, value, "object"))
        return
    if not _fits(shape, value):
        found.errors.append(errors.mistyped(path or "<root>", value, _expected(shape)))
    elif isinstance(value, dict):
        _visit_object(shape, value, path, found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _visit(shape.items or shape, item, f"{path}[{index}]", found)
    else:
        _visit_scalar(shape, value, path, found)


def _fits(shape: Shape, value: Any) -> bool:
    found = type(value)
    if found is float and shape.type in {"integer", "int-or-string"}:
        return bool(value.is_integer())
    return found in _LOOKS[shape.type]


def _expected(shape: Shape) -> str:
    return {"map": "object", "int-or-string": "integer or string", "quantity": "string"}.get(shape.type, shape.type)


def _visit_object(shape: Shape, value: dict[str, Any], path: str, found: _Findings) -> None:
    for key, item in value.items():
        inner = shape.field(key)
        where = _join(shape, path, key)
        if inner is None:
            found.unknown.append(where)
        elif item is None:
            found.nulls = True
        else:
            _visit(inner, item, where, found)
    if shape.struct is None:
        return
    duties = _duties(shape.struct)
    for name, empty in duties.required:
        if value.get(name) in empty:
            found.errors.append(errors.required(_join(shape, path, name)))
    if duties.one_of or duties.exactly_one_of:
        found.errors.extend(_choices(duties, value, path))


def _join(shape: Shape, path: str, key: str) -> str:
    if shape.type == "map":
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


@functools.cache
def _duties(struct: type[msgspec.Struct]) -> _Duties:
    fields = of_struct(struct).fields
    return _Duties(
        required=tuple((name, (None,) if one.blank else (None, "")) for name, one in fields.items() if one.required),
        one_of=getattr(struct, "ONE_OF", ()),
        exactly_one_of=getattr(struct, "EXACTLY_ONE_OF", ()),
    )


def _choices(duties: _Duties, value: dict[str, Any], path: str) -> Iterator[FieldError]:
    for names in (*duties.one_of, *duties.exactly_one_of):
        present = [name for name in names if value.get(name) is not None]
        if len(present) > 1:
            yield errors.invalid(path, present, f"only one of {', '.join(present)} may be set")
        if not present and names in duties.exactly_one_of:
            yield errors.required(path, f"one of {', '.join(names)} must be set")


def _visit_scalar(shape: Shape, value: Any, path: str, found: _Findings) -> None:
    for alias in shape.aliases:
        if value == alias.wrong:
            found.warnings.append(f'{path}: "{alias.wrong}" is not a known value; taken as "{alias.right}"')
            return
    if shape.enum and value not in shape.enum:
        if value:
            found.errors.append(errors.not_supported(path, value, shape.enum))
        return
    for rule in shape.rules:
        why = "" if value == "" else rule.test(value)
        if why:
            found.errors.append(errors.invalid(path, value, why))
