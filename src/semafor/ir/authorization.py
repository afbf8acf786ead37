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


class Body(Value):
    """How much of a request's body is shown. A longer one is cut when `partial`, else refused with 413."""

    max_bytes: int
    partial: bool = False
    packed: bool = False


class Authorizer(Value, cache_hash=True):
    """Somebody who is asked whether a request may pass, at `cluster`, which `authority` is the name of.

    Who gets no answer within `timeout_s` refuses with `status_on_error`, or lets pass when `fail_open`. Over "http" the
    question is the request itself, below `path_prefix`, with those of its headers that `headers` take, and with
    `added_headers` (name, value). Of an answer's headers those of `to_app` go on to the app, those of
    `to_caller_on_deny` (all, when there are none) and `to_caller_on_allow` back to the caller.
    """

    name: str
    cluster: str
    protocol: Literal["http", "grpc"]
    authority: str
    timeout_s: float = 600.0
    fail_open: bool = False
    status_on_error: int = 403
    clear_route_cache: bool = False
    body: Body | None = None
    path_prefix: str = ""
    headers: tuple[StringMatch, ...] = ()
    added_headers: tuple[tuple[str, str], ...] = ()
    to_app: tuple[StringMatch, ...] = ()
    to_caller_on_deny: tuple[StringMatch, ...] = ()
    to_caller_on_allow: tuple[StringMatch, ...] = ()


class Guard(Value, cache_hash=True):
    """Refuse what one of the rules takes ("deny"), or what none of them takes ("allow").

    "ask" refuses what one of the rules takes and the `authorizer` does not let pass; "log" only notes what they take.
    A `dry_run` refuses nothing: what it would have done is only counted. `policies` are the names of the objects that
    the rules are of, for people.
    """

    action: Literal["allow", "deny", "ask", "log"]
    rules: tuple[Rule, ...] = ()
    dry_run: bool = False
    authorizer: Authorizer | None = None
    policies: tuple[str, ...] = ()
