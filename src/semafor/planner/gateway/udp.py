"""Servers of datagrams: a listener for each, and one cluster in which all backends of its route stand side by side.

Envoy's UDP proxy knows no weighted clusters, but a cluster has weighted localities: each backend gets one.
"""

from collections.abc import Iterator

from semafor.base import names
from semafor.ir import Cluster, Endpoint, EndpointSet, Listener, Locality, LocalityEndpoints, SimpleBalancer
from semafor.planner.calling import datagrams
from semafor.planner.gateway.attached import Attached
from semafor.planner.gateway.entrances import Entrance
from semafor.planner.gateway.server import Server
from semafor.planner.mesh import Mesh
from semafor.planner.routes.step import L4Step, Target
from semafor.planner.services import instances

# Nobody listens there in a gateway's pod: what belongs to a backend that is not there is lost, and to no other backend.
_NOBODY = Endpoint(address="127.0.0.1", port=1)


def listener(entrance: Entrance, said: tuple[Attached, ...]) -> Listener | None:
    """The listener; None while no route leads anywhere."""
    server = entrance.servers[0]
    step = _step(said)
    if step is None:
        return None
    return Listener(
        name=entrance.name,
        address=entrance.address,
        port=entrance.port,
        datagrams=datagrams.to(_name(server, step)),
        origin=server.origin,
    )


def clusters(mesh: Mesh, server: Server, said: tuple[Attached, ...]) -> Iterator[tuple[Cluster, EndpointSet]]:
    """The cluster of the server's route, with the endpoints of all backends."""
    step = _step(said)
    if step is None:
        return
    name, balancer = _name(server, step), SimpleBalancer(policy="round_robin")
    localities = tuple(_locality(mesh, target) for target in step.targets if target.weight)
    yield (
        Cluster(name=name, balancer=balancer, locality_weighted=True, origin=step.origin),
        EndpointSet(cluster=name, localities=localities),
    )


def _step(said: tuple[Attached, ...]) -> L4Step | None:
    """The first step takes it all."""
    return next((step for attached in said for step in attached.l4), None)


def _name(server: Server, step: L4Step) -> str:
    ref = step.origin.ref
    return names.cluster_name("outbound-udp", server.port, server.name, f"{ref.name}.{ref.namespace}")


def _locality(mesh: Mesh, target: Target) -> LocalityEndpoints:
    """The backend's instances as a locality of their own: Envoy takes those of equal names for one."""
    service = mesh.by_host.get(target.host)
    port = service.udp_port(target.port) if service else None
    found: tuple[Endpoint, ...] = ()
    if service and port:
        found = instances.endpoints("", port, mesh.instances(service)).endpoints
    place = Locality(region=str(target.origin.path))
    return LocalityEndpoints(endpoints=found or (_NOBODY,), locality=place, weight=target.weight)
