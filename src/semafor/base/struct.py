"""The one base class of typed documents, so that a change of library stays in this file."""

from typing import dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Document(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """A typed, read-only view of a JSON document: camelCase outside, snake_case inside, unknown keys ignored.

    Views are for reading. What is stored is always the raw document, so nothing the view does not know is lost.
    """


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Value(msgspec.Struct, frozen=True):
    """A frozen, hashable value of our own making (the plan, a problem): tuples instead of lists and maps."""
