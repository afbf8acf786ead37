"""Where a request goes: route tables, virtual hosts, routes and what a route does."""

from typing import Literal

from semafor.base.struct import Value
from semafor.ir.match import RouteMatch
from semafor.ir.origin import Origin


class HeaderOps(Value):
    """Changes to headers, in this order: remove, set (replace), add (append)."""

    remove: tuple[str, ...] = ()
    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()


class Destination(Value):
    """One cluster of a weighted choice, with the header changes of this choice alone.

    A `weight` is relative to the sum of the weights. `host` replaces the authority for this choice when not empty.
    """

    cluster: str
    weight: int = 1
    request: HeaderOps = HeaderOps()
    response: HeaderOps = HeaderOps()
    host: str = ""
    origin: Origin | None = None


class Retry(Value):
    """How failed attempts are repeated. `attempts` counts the repetitions: 2 means at most 3 tries.

    `retry_on` are Envoy's words; `status_codes` are retried when they contain "retriable-status-codes".
    `per_try_timeout_s` of None means the route's time-out. `other_hosts` avoids hosts already tried;
    `remote_localities` lets the repetition leave the locality.
    """

    attempts: int
    retry_on: tuple[str, ...]
    status_codes: tuple[int, ...] = ()
    per_try_timeout_s: float | None = None
    backoff_s: float | None = None
    other_hosts: bool = True
    remote_localities: bool = False


class RegexRewrite(Value):
    """Replace what `pattern` (RE2) matches in the path by `substitution` (`\\1` is the first group)."""

    pattern: str
    substitution: str


class Rewrite(Value):
    """Changes to the path and the authority before forwarding. At most one of `prefix`, `path` and `regex` is set.

    `prefix` replaces what the path match took; `path` replaces the whole path (the query stays).
    """

    prefix: str | None = None
    path: str | None = None
    regex: RegexRewrite | None = None
    host: str = ""


class HashKey(Value):
    """What a consistent-hash balancer hashes. `ttl_s` of a cookie: None never makes one, 0 makes a session cookie."""

    kind: Literal["header", "cookie", "source_ip", "query"]
    name: str = ""
    path: str = ""
    ttl_s: float | None = None


class Forward(Value, tag="forward"):
    """Send the request to one of the destinations.

    `timeout_s` of 0 means no limit. The prefix `x-envoy-` headers of callers never change it.
    """

    destinations: tuple[Destination, ...]
    timeout_s: float = 0.0
    retry: Retry | None = None
    rewrite: Rewrite = Rewrite()
    hash_keys: tuple[HashKey, ...] = ()


class Redirect(Value, tag="redirect"):
    """Answer with a redirection. Empty fields and a port of 0 keep the request's own. The query is kept.

    `path` replaces the whole path, `prefix` what the path match took; at most one is set.
    """

    status: Literal[301, 302, 303, 307, 308] = 301
    scheme: str = ""
    host: str = ""
    port: int = 0
    path: str = ""
    prefix: str = ""


class DirectResponse(Value, tag="direct_response"):
    """Answer without forwarding."""

    status: int
    body: str = ""


class Fail(Value, tag="fail"):
    """A route whose object is mistaken: answer 503 and say why, so that the mistake is seen where it hurts."""

    reason: str


class Route(Value):
    """What is done with the requests that match; the first route that matches takes the request."""

    match: RouteMatch
    action: Forward | Redirect | DirectResponse | Fail
    name: str = ""
    request: HeaderOps = HeaderOps()
    response: HeaderOps = HeaderOps()
    origin: Origin | None = None


class VirtualHost(Value, cache_hash=True):
    """The routes of some domains: exact (`a.b`, `a.b:80`), suffix (`*.b`), or `*`. Exact wins, then the longest."""

    name: str
    domains: tuple[str, ...]
    routes: tuple[Route, ...]
    origin: Origin | None = None


class RouteTable(Value, cache_hash=True):
    """The virtual hosts of one port. No two of them share a domain."""

    name: str
    hosts: tuple[VirtualHost, ...]
