"""The whole life of a request, as values: what each proxy decides, by which field of which object.

Story
 ├ Way ─ Tried*, Outcome* ─ Target* ─ Instance*
 └ Arrival* ─ Judged* ─ RuleTried*
"""

from typing import Literal

from semafor.base.struct import Value
from semafor.explain.request import Caller, Request
from semafor.ir import HeaderOps, Mirror, Origin, Retry

Verdict = Literal["passes", "refused", "fails", "depends"]


class Tried(Value):
    """A route that does not take the request, and why."""

    rule: Origin | None
    name: str
    match: str
    reason: str


class Instance(Value):
    """One endpoint. `mutual_tls`: the caller's proxy speaks it there. A lower `priority` is used first."""

    address: str
    workload: str = ""
    health: str = "healthy"
    mutual_tls: bool = False
    priority: int = 0
    locality: str = ""
    weight: int = 1


class Target(Value):
    """One destination of a weighted choice; `share` is its part of what the route takes, in per cent.

    `missing` says why nothing can be sent there. `sends` is what the connection is: "mutual TLS", "TLS", "plain text",
    or "mutual TLS or plain text" where that depends on the instance.
    """

    cluster: str
    share: float
    rule: Origin | None = None
    cluster_rule: Origin | None = None
    instances: tuple[Instance, ...] = ()
    anywhere: bool = False
    sends: str = ""
    protocols: tuple[str, ...] = ()
    balancer: str = ""
    outliers: str = ""
    limits: str = ""
    host: str = ""
    request: HeaderOps = HeaderOps()
    response: HeaderOps = HeaderOps()
    missing: str = ""


class Outcome(Value):
    """What becomes of `share` per cent of such requests: they are answered with `status`, or sent to the targets.

    `status` of 0 means forwarded; `reason` says why the proxy answers. `path` and `host` are those after rewriting,
    empty where they stay. `headers` are what the answer gets.
    """

    share: float
    rule: Origin | None = None
    route: str = ""
    match: str = ""
    status: int = 0
    grpc_status: int | None = None
    reason: str = ""
    location: str = ""
    delay_s: float = 0.0
    delay_share: float = 0.0
    targets: tuple[Target, ...] = ()
    path: str = ""
    host: str = ""
    timeout_s: float = 0.0
    retry: Retry | None = None
    hash_key: str = ""
    mirrors: tuple[Mirror, ...] = ()
    request: HeaderOps = HeaderOps()
    response: HeaderOps = HeaderOps()
    headers: tuple[tuple[str, str], ...] = ()
    tunnel: str = ""


class Way(Value):
    """What the caller's proxy decides. Without `outcomes` the connection is closed, and `closed` says why.

    `judged` is what policies of a gateway say. `patches` are EnvoyFilters, which change the proxy in ways that are not
    told. `entrance`: the proxy is a gateway's, and the request comes in from outside.
    """

    proxy: str
    entrance: bool = False
    listener: str = ""
    chain: str = ""
    carries: Literal["requests", "bytes", ""] = ""
    table: str = ""
    virtual_host: str = ""
    domain: str = ""
    rule: Origin | None = None
    before: tuple[Tried, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    later: tuple[Tried, ...] = ()
    judged: tuple["Judged", ...] = ()
    closed: str = ""
    patches: tuple[Origin, ...] = ()


class RuleTried(Value):
    """One rule of a policy, whether it takes the request, and the first condition that says no."""

    rule: Origin | None
    name: str
    takes: bool
    reason: str = ""


class Judged(Value):
    """What a group of policies with one action says. One in `dry_run` refuses nothing.

    `asks`: whoever is called so decides, which cannot be told beforehand.
    """

    action: str
    passes: bool
    dry_run: bool = False
    rules: tuple[RuleTried, ...] = ()
    policies: tuple[str, ...] = ()
    asks: str = ""

    @property
    def reason(self) -> str:
        """Why it refuses, in words; empty where it lets the request pass."""
        if self.passes:
            return ""
        taking = next((each for each in self.rules if each.takes), None)
        if taking:
            return f"{taking.rule or taking.name} takes it, and its action is {self.action.upper()}"
        named = f"AuthorizationPolicy {', '.join(self.policies)}" if self.policies else "what is allowed"
        if not self.rules:
            return f"{named} has no rule, and so allows nothing"
        return f"no rule of {named} takes it, and what no rule of an {self.action.upper()} policy takes is refused"


class Arrival(Value):
    """What the proxy of one workload does with it. `refusal` is empty where the app gets it.

    `transport` is what the connection turns out to be, `identity` what its certificate proves. `alike` are further
    workloads where the same happens.
    """

    workload: str
    port: int
    has_proxy: bool = True
    chain: str = ""
    rule: Origin | None = None
    transport: str = ""
    identity: str = ""
    judged: tuple[Judged, ...] = ()
    status: int = 0
    refusal: str = ""
    mend: str = ""
    alike: tuple[str, ...] = ()
    patches: tuple[Origin, ...] = ()


class Story(Value):
    """All of it. `summary` is one sentence; `cause` and `mend` are empty where nothing is in the way.

    `problems` are what is wrong with the rules for the host: some of them are not here because of it.
    """

    request: Request
    caller: Caller
    verdict: Verdict
    summary: str
    cause: str = ""
    mend: str = ""
    way: Way | None = None
    arrivals: tuple[Arrival, ...] = ()
    problems: tuple[str, ...] = ()
