"""VirtualServices as values: what the document says, without a look at the mesh or at who asks."""

from collections.abc import Iterator

from semafor.base import names
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner import hosts
from semafor.planner.checks import refused
from semafor.planner.checks.problems import at
from semafor.planner.hosts import Age
from semafor.planner.routes import http_route, l4_route
from semafor.planner.routes.http_route import Routes
from semafor.planner.routes.step import L4Step, Step, Target
from semafor.resources.istio import virtual_service as istio
from semafor.resources.meta.meta import ObjectMeta

MESH = "mesh"


class VirtualService(Value, cache_hash=True):
    """One object; `hosts`, `gateways` and the `destinations` of all steps are in full.

    Without hosts it is a delegate: it counts where another hands requests over to it. `routes` are its http routes as
    written, kept where `delegates` needs them.
    """

    hosts: tuple[str, ...]
    gateways: tuple[str, ...]
    export_to: tuple[str, ...]
    age: Age
    steps: tuple[Step, ...]
    destinations: tuple[str, ...]
    origin: Origin
    tcp: tuple[L4Step, ...] = ()
    tls: tuple[L4Step, ...] = ()
    routes: Routes = Routes()
    problems: tuple[Problem, ...] = ()

    @property
    def in_mesh(self) -> bool:
        """Whether sidecars use it."""
        return not self.gateways or MESH in self.gateways

    @property
    def only_in_mesh(self) -> bool:
        """Whether no gateway uses it."""
        return not set(self.gateways) - {MESH}


def read(meta: ObjectMeta, spec: istio.VirtualServiceSpec) -> VirtualService:
    """The object as a value."""
    ref = ObjectRef(kind="VirtualService", namespace=meta.namespace, name=meta.name, group="networking.istio.io")
    origin = Origin(ref=ref, path="spec")
    written = tuple((route, at(origin, f"http[{index}]")) for index, route in enumerate(spec.http))
    steps = http_route.steps(written)
    tcp, tls = tuple(l4_route.tcp(spec.tcp, origin)), tuple(l4_route.tls(spec.tls, origin))
    hands_over = not spec.hosts or any(route.delegate for route in spec.http)
    return VirtualService(
        hosts=tuple(names.qualify(host, meta.namespace) for host in spec.hosts),
        gateways=tuple(names.gateway(gateway, meta.namespace) for gateway in spec.gateways),
        export_to=spec.export_to,
        age=hosts.age(meta),
        steps=steps,
        destinations=destinations(steps, (*tcp, *tls)),
        origin=origin,
        tcp=tcp,
        tls=tls,
        routes=Routes(written) if hands_over else Routes(),
        problems=(
            *refused.fields(spec, origin, "hosts", "gateways", "http", "tcp", "tls", "export_to"),
            *l4_route.check(spec, origin),
            *(problem for route, place in written for problem in http_route.check(route, place)),
        ),
    )


def destinations(steps: tuple[Step, ...], bytes_steps: tuple[L4Step, ...]) -> tuple[str, ...]:
    """The hosts that the steps send requests, copies of them, or bytes to."""
    carried = (target for step in bytes_steps for target in step.targets)
    return tuple(sorted({target.host for target in (*_targets(steps), *carried)}))


def _targets(steps: tuple[Step, ...]) -> Iterator[Target]:
    for step in steps:
        yield from step.will.targets
        yield from (mirrored.target for mirrored in step.will.mirrors)
