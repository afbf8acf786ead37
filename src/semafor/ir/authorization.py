"""Who may do what, as the proxy of the one who is called decides it."""

from typing import Literal

from semafor.base.struct import Value
from semafor.ir.match import StringMatch
from semafor.ir.origin import Origin


class Condition(Value):
    """One of `values` has to be met.

    `identity` is what the caller's certificate proves (`spiffe://...`), `port` the destination's; `path` (without its
    query), `method` and `header` (called `name`) are a request's, so that no bytes ever meet them.
    """

    on: Literal["identity", "port", "path", "method", "header"]
    values: tuple[StringMatch, ...]
    name: str = ""

    @property
    def needs_request(self) -> bool:
        return self.on in ("path", "method", "header")


class Rule(Value):
    """One of `who` and one of `what` has to hold, each with all its conditions. No entry at all takes everything."""

    name: str
    who: tuple[tuple[Condition, ...], ...] = ()
    what: tuple[tuple[Condition, ...], ...] = ()
    origin: Origin | None = None


class Authorization(Value, cache_hash=True):
    """What one of the rules takes may pass; all else is refused."""

    allow: tuple[Rule, ...] = ()
