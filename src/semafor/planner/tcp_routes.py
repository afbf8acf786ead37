"""Steps of tcp and tls routes as destinations of bytes."""

from semafor.ir import Destination
from semafor.planner import clusters, passthrough, resolve
from semafor.planner.mesh import Mesh
from semafor.planner.protocol import Protocol
from semafor.planner.step import L4Step, Target
from semafor.planner.view import View


def destinations(mesh: Mesh, view: View, step: L4Step, listen_port: int) -> tuple[Destination, ...]:
    """The live destinations of the step with their weights; none when there is none.

    The connections of a target with a failure of its own are closed while it leads nowhere.
    """
    targets = step.targets if len(step.targets) == 1 else tuple(target for target in step.targets if target.weight)
    found = []
    for target in targets:
        cluster = _cluster(mesh, view, target, listen_port)
        if cluster or target.failure:
            found.append(
                Destination(cluster=cluster or passthrough.BLACK_HOLE, weight=target.weight or 1, origin=target.origin)
            )
    return tuple(found)


def _cluster(mesh: Mesh, view: View, target: Target, listen_port: int) -> str:
    """The cluster of the target; empty while it is not live."""
    found = resolve.destination(mesh, view.namespace, target, listen_port)
    if not found.cluster or not (found.live or not mesh.options.hold):
        return ""
    service = mesh.service(target.host, view.namespace)
    assert service is not None  # it has a cluster
    sole = service.ports[0].number if len(service.ports) == 1 else listen_port
    port = service.port(target.port or sole)
    if port and port.protocol is Protocol.SNIFFED and not target.subset:
        return clusters.bytes_name(service, port)
    return found.cluster
