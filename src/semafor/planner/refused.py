"""What is written but not implemented: refused by name, never ignored."""

from collections.abc import Iterator

import msgspec

from semafor.base.problem import Problem
from semafor.base.struct import Document
from semafor.ir import Origin
from semafor.planner import problems


def fields(document: Document, origin: Origin, *implemented: str) -> Iterator[Problem]:
    """A problem for each field of `document` that is set and is not one of the implemented ones.

    The list names what is implemented, so that a field nobody thought of is refused rather than ignored.
    """
    for field in msgspec.structs.fields(document):
        if field.name not in implemented and getattr(document, field.name) not in _absent(field):
            yield problems.not_supported(origin, field.encode_name)


def _absent(field: msgspec.structs.FieldInfo) -> tuple[object, ...]:
    """Values that mean the field was not written."""
    default = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
    return (default, None, "", (), {}, False, 0)
