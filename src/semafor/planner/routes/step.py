"""What routes say, whichever API they are written in: made by VirtualServices, the Gateway API's routes and SMI.

A `Step` is one condition and what is to be done with the requests that meet it. It names hosts, not clusters:
`resolve` finds those, for who asks.
"""

from typing import Literal

from semafor.base.struct import Value
from semafor.ir import Cors, DirectResponse, Fail, Fault, HeaderOps, Origin, Redirect, Retry, Rewrite, RouteMatch
from semafor.planner.proxy import Labels


class Source(Value):
    """Which callers a step is for: of a namespace, with labels, at a port, in sidecars or at gateways."""

    gateways: tuple[str, ...] = ()
    namespace: str = ""
    labels: Labels = ()
    port: int = 0


class Target(Value):
    """One destination as written: host in full, port of 0 when it has to be found out.

    `failure` is the status that its share of the requests gets when it leads nowhere; with 0 the others get that share.
    `same_port`: no port will do but the one that the caller used. `host_path`, `port_path` and `subset_path` are where
    below `origin` the object has them.
    """

    host: str
    short: str
    origin: Origin
    subset: str = ""
    port: int = 0
    weight: int = 0
    request: HeaderOps = HeaderOps()
    response: HeaderOps = HeaderOps()
    authority: str = ""
    failure: Literal[0, 500, 503] = 0
    same_port: bool = False
    host_path: str = "destination.host"
    port_path: str = "destination.port"
    subset_path: str = "destination.subset"


class Mirrored(Value):
    """A destination that gets copies of `percent` of the requests; its answers are thrown away."""

    target: Target
    percent: float = 100.0


class Will(Value, cache_hash=True):
    """What a route wants done: `answer` by itself, `redirect`, or forward to `targets`; the first that is set.

    `redirect_to_request_port`: the redirection keeps the port that the request came in at.
    `retry_avoids_hosts`: whether repetitions go to other instances; with None they do, unless a consistent hash has
    chosen the instance.
    """

    answer: DirectResponse | Fail | None = None
    redirect: Redirect | None = None
    redirect_to_request_port: bool = False
    targets: tuple[Target, ...] = ()
    timeout_s: float = 0.0
    retry: Retry | None = None
    retry_avoids_hosts: bool | None = None
    mirrors: tuple[Mirrored, ...] = ()
    fault: Fault | None = None
    cors: Cors | None = None

    @property
    def forwards(self) -> bool:
        return self.answer is None and self.redirect is None


class Step(Value, cache_hash=True):
    """One match of one http route."""

    origin: Origin
    name: str
    match: RouteMatch
    source: Source
    will: Will
    rewrite: Rewrite = Rewrite()
    request: HeaderOps = HeaderOps()
    response: HeaderOps = HeaderOps()
    stat_prefix: str = ""

    @property
    def is_catch_all(self) -> bool:
        """Whether every request of its callers is taken."""
        return self.match.is_catch_all

    @property
    def takes_all(self) -> bool:
        """Whether every request of every caller is taken (at least at its port)."""
        return self.is_catch_all and not (self.source.labels or self.source.namespace or self.source.gateways)


class L4Step(Value, cache_hash=True):
    """One match of one tcp or tls route: connections with one of these server names, to one of these networks.

    Empty `server_names` and `ranges` take all. `targets` share by their weights.
    """

    origin: Origin
    source: Source
    targets: tuple[Target, ...]
    server_names: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()

    @property
    def is_catch_all(self) -> bool:
        """Whether every connection of its callers is taken."""
        return not (self.server_names or self.ranges)

    @property
    def takes_all(self) -> bool:
        """Whether every connection of every caller is taken (at least at its port)."""
        return self.is_catch_all and not (self.source.labels or self.source.namespace or self.source.gateways)
