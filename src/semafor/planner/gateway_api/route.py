"""Routes of every kind as values: what the document says, without a look at the mesh or at who asks."""

from collections.abc import Iterator

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Cors, HeaderOps, Origin, Retry, RouteMatch
from semafor.planner.gateway_api import GROUP
from semafor.planner.hosts import Age
from semafor.resources.gateway_api.grpc_route import GRPCBackendRef
from semafor.resources.gateway_api.http_route import HTTPBackendRef
from semafor.resources.gateway_api.references import BackendObjectReference, BackendRef, ParentReference

KINDS = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
AnyBackendRef = BackendRef | HTTPBackendRef | GRPCBackendRef


class Parent(Value):
    """A parent as written: the `index`-th of `spec.parentRefs`. A port of 0 and an empty section mean all."""

    ref: ObjectRef
    index: int
    section: str = ""
    port: int = 0


class PathChange(Value):
    """What becomes of the path: all of it, or the prefix that the match took, is replaced."""

    full: str | None = None
    prefix: str | None = None


class Redirection(Value):
    """Where a request is sent instead; empty fields follow the request and the listener."""

    status: int = 302
    scheme: str = ""
    host: str = ""
    port: int = 0
    path: PathChange = PathChange()


class Mirroring(Value):
    """A backend that gets copies of `percent` of the requests."""

    ref: ObjectRef
    port: int
    percent: float
    origin: Origin


class Filters(Value):
    """What the filters of a rule, or of one backend, do."""

    request: HeaderOps = HeaderOps()
    response: HeaderOps = HeaderOps()
    redirect: Redirection | None = None
    host: str = ""
    path: PathChange = PathChange()
    mirrors: tuple[Mirroring, ...] = ()
    cors: Cors | None = None


class Backend(Value):
    """Where requests or connections go, and its share. A port of 0 was not given."""

    ref: ObjectRef
    port: int
    weight: int
    origin: Origin
    filters: Filters = Filters()


class Match(Value):
    """One condition. A greater `rank` is tried first. Source: HTTPRouteRule's and GRPCRouteRule's field `matches`."""

    match: RouteMatch
    rank: tuple[int, ...]
    origin: Origin


class Rule(Value):
    """Conditions, and what is done with what meets them. `wrong` says why the rule is left out; empty when it is not.

    `timeout_s` of 0 means no limit.
    """

    origin: Origin
    name: str = ""
    matches: tuple[Match, ...] = ()
    filters: Filters = Filters()
    backends: tuple[Backend, ...] = ()
    timeout_s: float = 0.0
    retry: Retry | None = None
    wrong: str = ""


class Route(Value, cache_hash=True):
    """An HTTPRoute, GRPCRoute, TLSRoute, TCPRoute or UDPRoute. `generation` is that of the document read."""

    ref: ObjectRef
    generation: int
    age: Age
    parents: tuple[Parent, ...]
    hostnames: tuple[str, ...]
    rules: tuple[Rule, ...]
    origin: Origin
    problems: tuple[Problem, ...] = ()

    @property
    def kind(self) -> str:
        return self.ref.kind

    @property
    def seniority(self) -> tuple[str, str, str]:
        """The smallest is the oldest; of the same age, the first by namespace and name."""
        return (self.age.created, self.ref.namespace, self.ref.name)

    @property
    def is_http(self) -> bool:
        return self.kind in {"HTTPRoute", "GRPCRoute"}

    @property
    def in_mesh(self) -> bool:
        """Whether it routes Services' callers, and nothing that comes in at gateways."""
        return all((parent.ref.group, parent.ref.kind) == ("", "Service") for parent in self.parents)


def reference(kind: str, namespace: str, name: str) -> ObjectRef:
    """An object of the Gateway API."""
    return ObjectRef(kind=kind, namespace=namespace, name=name, group=GROUP)


def parents(written: tuple[ParentReference, ...], namespace: str) -> Iterator[Parent]:
    """The parents of a route of the namespace."""
    for index, each in enumerate(written):
        ref = ObjectRef(kind=each.kind, namespace=each.namespace or namespace, name=each.name, group=each.group)
        yield Parent(ref=ref, index=index, section=each.section_name or "", port=each.port or 0)


def target(written: AnyBackendRef | BackendObjectReference, namespace: str) -> ObjectRef:
    """The backend that a route of the namespace names."""
    return ObjectRef(
        kind=written.kind, namespace=written.namespace or namespace, name=written.name, group=written.group
    )
