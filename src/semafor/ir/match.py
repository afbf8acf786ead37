"""What a request must look like for a route to take it."""

from typing import Literal

from semafor.base.struct import Value


class StringMatch(Value):
    """A test of one text. A `regex` (RE2) has to match the whole text."""

    kind: Literal["exact", "prefix", "suffix", "contains", "regex"]
    value: str
    ignore_case: bool = False


class PathMatch(Value):
    """A test of the path without its query. `prefix` compares text; `segment_prefix` compares whole segments."""

    kind: Literal["exact", "prefix", "segment_prefix", "regex"] = "prefix"
    value: str = "/"
    ignore_case: bool = False

    @property
    def is_any(self) -> bool:
        """Whether every path passes."""
        return self == PathMatch()


class HeaderMatch(Value):
    """A test of one header, pseudo-headers (`:method`, `:authority`, `:scheme`) included.

    Without `value` the header has to be present. `inverted` negates the test; `missing_as_empty` makes an absent
    header count as an empty one, so that an inverted test of the value passes when the header is absent.
    With a `claim` (the keys from the outermost to the innermost) it tests that of the request's token instead.
    """

    name: str
    value: StringMatch | None = None
    inverted: bool = False
    missing_as_empty: bool = False
    claim: tuple[str, ...] = ()


class QueryMatch(Value):
    """A test of one query parameter. Without `value` it has to be present."""

    name: str
    value: StringMatch | None = None


class RouteMatch(Value):
    """All tests have to pass; then the route takes `percent` of the requests, and leaves the others to the next."""

    path: PathMatch = PathMatch()
    headers: tuple[HeaderMatch, ...] = ()
    query: tuple[QueryMatch, ...] = ()
    percent: float = 100.0

    @property
    def is_catch_all(self) -> bool:
        """Whether every request passes."""
        return self == RouteMatch()
