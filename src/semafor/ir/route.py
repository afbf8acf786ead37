"""Where a request goes: route tables, virtual hosts, routes and what a route does."""

from typing import Literal

from semafor.base.struct import Value
from semafor.ir.match import RouteMatch, StringMatch
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


class Mirror(Value):
    """A cluster that gets copies of `percent` of the requests, whose answers nobody waits for."""

    cluster: str
    percent: float = 100.0
    origin: Origin | None = None


class Delay(Value):
    """`percent` of the requests wait for `seconds` before they go on."""

    seconds: float
    percent: float = 100.0


class Abort(Value):
    """`percent` of the requests are answered with `status`, or with `grpc_status` when that is not None."""

    status: int = 0
    grpc_status: int | None = None
    percent: float = 100.0


class Fault(Value):
    """Failures put in on purpose; a request may meet both, the delay first."""

    delay: Delay | None = None
    abort: Abort | None = None


class Cors(Value):
    """Which pages of other origins may call, as browsers ask for it.

    Empty `methods`, `headers` and `expose` leave their headers out of the answers, `max_age_s` of None and
    `credentials` of False as well. `forward_unmatched`: a preflight request of an origin that is not allowed goes on to
    the destination; else it is answered here, with nothing allowed.
    """

    origins: tuple[StringMatch, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    max_age_s: int | None = None
    credentials: bool = False
    forward_unmatched: bool = True


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
    """What a consistent-hash balancer hashes. `ttl_s` of a cookie: None never makes one, 0 makes a session cookie.

    `attributes` are further ones of a cookie that is made, such as SameSite.
    """

    kind: Literal["header", "cookie", "source_ip", "query"]
    name: str = ""
    path: str = ""
    ttl_s: float | None = None
    attributes: tuple[tuple[str, str], ...] = ()


class Forward(Value, tag="forward"):
    """Send the request to one of the destinations. One whose cluster does not exist answers with the status `failure`.

    `timeout_s` of 0 means no limit. The prefix `x-envoy-` headers of callers never change it.
    """

    destinations: tuple[Destination, ...]
    timeout_s: float = 0.0
    retry: Retry | None = None
    rewrite: Rewrite = Rewrite()
    hash_keys: tuple[HashKey, ...] = ()
    mirrors: tuple[Mirror, ...] = ()
    failure: Literal[500, 503] = 503


class Redirect(Value, tag="redirect"):
    """Answer with a redirection. Empty fields and a port of 0 keep the request's own. The query is kept.

    `path` replaces the whole path, `prefix` what the path match took, `regex` what it says; at most one is set.
    """

    status: Literal[301, 302, 303, 307, 308] = 301
    scheme: str = ""
    host: str = ""
    port: int = 0
    path: str = ""
    prefix: str = ""
    regex: RegexRewrite | None = None


class DirectResponse(Value, tag="direct_response"):
    """Answer without forwarding."""

    status: int
    body: str | bytes = ""


class Fail(Value, tag="fail"):
    """A route whose object is mistaken: answer 503 and say why, so that the mistake is seen where it hurts."""

    reason: str


class Route(Value):
    """What is done with the requests that match; the first route that matches takes the request.

    `stat_prefix` of "" keeps no statistics of the route's own. `named` is what metrics call its destination.
    """

    match: RouteMatch
    action: Forward | Redirect | DirectResponse | Fail
    name: str = ""
    request: HeaderOps = HeaderOps()
    response: HeaderOps = HeaderOps()
    fault: Fault | None = None
    cors: Cors | None = None
    stat_prefix: str = ""
    named: str = ""
    origin: Origin | None = None


class VirtualHost(Value, cache_hash=True):
    """The routes of some domains: exact (`a.b`, `a.b:80`), suffix (`*.b`), or `*`. Exact wins, then the longest.

    `https_only`: a request in plain text is redirected to https.
    """

    name: str
    domains: tuple[str, ...]
    routes: tuple[Route, ...]
    https_only: bool = False
    origin: Origin | None = None


class RouteTable(Value, cache_hash=True):
    """The virtual hosts of one port. No two of them share a domain.

    `any_port`: the port in a request's authority does not count when its virtual host is looked for.
    """

    name: str
    hosts: tuple[VirtualHost, ...]
    any_port: bool = False
