"""What is wrong with gateways, and between them and their routes."""

from collections.abc import Iterator

from semafor.base.problem import Problem
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.gateway import credentials, entrances, istio_routes, sources
from semafor.planner.gateway.server import Gateway
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Workload
from semafor.planner.routes.virtual_service import MESH, VirtualService


def gateways(mesh: Mesh) -> Iterator[Problem]:
    """What is wrong with all Gateway objects, whichever API they are of."""
    served: dict[tuple[str, str], set[str]] = {}
    for workload in workloads(mesh):
        yield from entrances.of(mesh, workload)[1]
        for gateway in entrances.selecting(mesh, workload):
            served.setdefault((gateway.ref.group, gateway.name), set()).add(workload.namespace)
    for gateway in sources.gateways(mesh):
        yield from gateway.problems
        namespaces = served.get((gateway.ref.group, gateway.name), set())
        if not namespaces and gateway.ref.group == "networking.istio.io":  # the others get pods of their own
            yield _nobody(gateway)
        for namespace in sorted(namespaces):
            for server in gateway.servers:
                yield from credentials.of(mesh, server, namespace).problems


def _nobody(gateway: Gateway) -> Problem:
    labels = ", ".join(f"{name}={value}" for name, value in gateway.selector)
    return problems.no_gateway_pods(at(gateway.origin, "selector"), labels)


def workloads(mesh: Mesh) -> Iterator[Workload]:
    """The gateways' pods, one of those with the same labels in a namespace."""
    yield from mesh.memo("pods of gateways", (mesh.pods,), lambda: tuple(_pods(mesh)))


def _pods(mesh: Mesh) -> Iterator[Workload]:
    seen = set()
    for (namespace, name), pod in mesh.pods.items():
        if pod.is_gateway and (namespace, pod.labels) not in seen:
            seen.add((namespace, pod.labels))
            yield Workload(namespace=namespace, name=name, labels=pod.labels, ports=pod.ports)


def routes(mesh: Mesh, vs: VirtualService) -> Iterator[Problem]:
    """What keeps a VirtualService from the gateways that it names."""
    for index, name in enumerate(vs.gateways):
        if name == MESH:
            continue
        namespace, _, own = name.partition("/")
        gateway = mesh.gateways.get((namespace, own))
        if gateway is None:
            yield problems.unknown_gateway(at(vs.origin, f"gateways[{index}]"), name)
        elif not any(istio_routes.common(server.hosts, vs) for server in gateway.servers):
            yield problems.not_served(at(vs.origin, "hosts"), name)


def named(mesh: Mesh, vs: VirtualService) -> Iterator[Gateway | None]:
    """The gateways that the VirtualService names."""
    for name in vs.gateways:
        namespace, _, own = name.partition("/")
        yield mesh.gateways.get((namespace, own))


def ports(mesh: Mesh, vs: VirtualService) -> Iterator[int]:
    """The ports where the gateways that the VirtualService names take requests."""
    for gateway in named(mesh, vs):
        yield from (server.port for server in gateway.servers) if gateway else ()
