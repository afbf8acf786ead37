"""The one base class of typed documents, so that a change of library stays in this file."""

import msgspec


class Document(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """A typed, read-only view of a JSON document: camelCase outside, snake_case inside, unknown keys ignored.

    Views are for reading. What is stored is always the raw document, so nothing the view does not know is lost.
    """


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen, hashable value of our own making (the plan, a problem): tuples instead of lists and maps."""
