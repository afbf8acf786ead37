"""What is written but not implemented: refused by name, never ignored."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import msgspec

from semafor.base.problem import Problem
from semafor.base.struct import Document
from semafor.ir import Origin
from semafor.planner.checks import problems


class _Field(NamedTuple):
    """A field of a document, its name in YAML, and the values that mean it was not written."""

    name: str
    written: str
    absent: tuple[object, ...]


def fields(document: Document, origin: Origin, *implemented: str) -> Iterator[Problem]:
    """A problem for each field of `document` that is set and is not one of the implemented ones.

    The list names what is implemented, so that a field nobody thought of is refused rather than ignored.
    """
    for field in _fields(type(document)):
        if field.name not in implemented and getattr(document, field.name) not in field.absent:
            yield problems.not_supported(origin, field.written)


@cache  # msgspec finds them out anew each time, which takes longer than all else that is done to a route
def _fields(type_: type[Document]) -> tuple[_Field, ...]:
    return tuple(_Field(one.name, one.encode_name, _absent(one)) for one in msgspec.structs.fields(type_))


def _absent(field: msgspec.structs.FieldInfo) -> tuple[object, ...]:
    """Values that mean the field was not written."""
    default = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
    return (default, None, "", (), {}, False, 0)
