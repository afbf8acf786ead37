"""Policies for workloads that take datagrams too: no sidecar sees these, so no policy holds for them."""

from collections.abc import Iterator

from semafor.base.problem import Problem
from semafor.ir import Origin
from semafor.planner.checks import problems
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Workload
from semafor.planner.security import peer_authentication
from semafor.planner.services.service import Service, selects

_Found = tuple[tuple[Workload, Service], ...]


def check(mesh: Mesh) -> Iterator[Problem]:
    """A Problem for each policy and each service with UDP ports behind which is a workload that the policy is for."""
    if mesh.authorization_policies or mesh.peer_authentications:
        told: dict[tuple[Origin, str], Service] = {}
        for workload, service in _taking_datagrams(mesh):
            for origin in _relied_on(mesh, workload):
                told.setdefault((origin, service.host), service)
        for (origin, _), service in told.items():
            yield problems.not_for_datagrams(origin, service.host, tuple(port.number for port in service.udp_ports))


def _relied_on(mesh: Mesh, workload: Workload) -> Iterator[Origin]:
    """The policies by which somebody may believe that the workload is closed to others."""
    root = mesh.options.root_namespace
    for policy in mesh.authorization_policies.values():
        if policy.action != "log" and not policy.dry_run and policy.scope.covers(workload, root):
            yield policy.origin
    known = mesh.peer_authentications
    if peer_authentication.modes(known, root, workload.namespace, workload.labels).other == "strict":
        origin = peer_authentication.decisive(known, root, workload, 0)
        yield from (origin,) if origin else ()


def _taking_datagrams(mesh: Mesh) -> _Found:
    """The workloads with a sidecar behind services that have UDP ports."""
    return mesh.memo("datagrams", (mesh.services, mesh.pods), lambda: tuple(_found(mesh)))


def _found(mesh: Mesh) -> Iterator[tuple[Workload, Service]]:
    services = [service for service in mesh.services.values() if service.udp_ports]
    for (namespace, name), pod in mesh.pods.items() if services else ():
        workload = Workload(namespace=namespace, name=name, labels=pod.labels)
        yield from ((workload, service) for service in services if pod.in_mesh and selects(service, workload))
