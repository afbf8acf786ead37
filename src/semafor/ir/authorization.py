"""Who may do what, as the proxy of the one who is called decides it."""

from typing import Literal

from semafor.base.struct import Value
from semafor.ir.match import StringMatch
from semafor.ir.origin import Origin

# What only requests have, so that no bytes ever meet a condition on it.
_OF_REQUESTS = frozenset({"path", "method", "host", "header", "remote_address", "token_subject", "claim"})

On = Literal[
    "identity",
    "address",
    "remote_address",
    "token_subject",
    "claim",
    "destination_address",
    "port",
    "server_name",
    "path",
    "method",
    "host",
    "header",
]


class Condition(Value):
    """One of `values` has to be met; none of them when `negated`.

    Of the caller: `identity` is what its certificate proves (`spiffe://...`), `address` (a CIDR) the other end of the
    connection, `remote_address` the first client that trusted proxies tell of. Of its token: `token_subject` is issuer
    and subject as `issuer/subject`, `claim` (called `name`, with dots between levels) any other.
    Of what is called: `destination_address` (a CIDR), `port`, `server_name` of the TLS hello; of a request `path`
    (without its query), `method`, `host`, and `header` (called `name`).
    """

    on: On
    values: tuple[StringMatch, ...]
    name: str = ""
    negated: bool = False

    @property
    def needs_request(self) -> bool:
        return self.on in _OF_REQUESTS


Conditions = tuple[Condition, ...]


class Rule(Value):
    """One of `who` and one of `what` has to hold, each with all its conditions. No entry at all takes everything."""

    name: str
    who: tuple[Conditions, ...] = ()
    what: tuple[Conditions, ...] = ()
    origin: Origin | None = None


class Guard(Value, cache_hash=True):
    """Refuse what one of the rules takes ("deny"), or what none of them takes ("allow").

    A `dry_run` refuses nothing: what it would have done is only counted.
    """

    action: Literal["allow", "deny"]
    rules: tuple[Rule, ...] = ()
    dry_run: bool = False
