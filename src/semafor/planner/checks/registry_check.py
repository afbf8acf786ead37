"""Problems of ServiceEntries, WorkloadEntries and WorkloadGroups, and between services that claim the same."""

from collections.abc import Iterator

from semafor.base.problem import Problem
from semafor.ir import Origin
from semafor.planner import reserved
from semafor.planner.checks import problems, registry_problems
from semafor.planner.checks.problems import at
from semafor.planner.mesh import Mesh
from semafor.planner.services import entries
from semafor.planner.services.protocol import Protocol
from semafor.planner.services.service import Service
from semafor.planner.services.service_entry import ServiceEntry


def check(mesh: Mesh) -> Iterator[Problem]:
    """Every problem of these objects."""
    for table in (mesh.service_entries, mesh.workload_entries, mesh.workload_groups):
        for one in table.values():
            yield from one.problems
    inputs = (mesh.services, mesh.service_entries, mesh.workload_entries)
    yield from mesh.memo("check registries", inputs, lambda: tuple(_between(mesh)))


def _between(mesh: Mesh) -> Iterator[Problem]:
    for one in mesh.service_entries.values():
        for index, service in enumerate(one.services):
            place = at(one.origin, f"hosts[{index}]")
            yield from _host(mesh, one, service, place)
    yield from _ports(mesh)
    yield from _addresses(mesh)
    yield from _reserved(mesh)
    yield from _names(mesh)


def _host(mesh: Mesh, one: ServiceEntry, service: Service, place: Origin) -> Iterator[Problem]:
    """Whether another service has the host for those in whose namespace the object is."""
    winner = mesh.service(service.host, service.namespace)
    if winner is None or winner.host != service.host:
        return
    if winner.origin != one.origin and not (winner.is_entry and entries.agree(winner, service)):
        yield registry_problems.host_taken(place, service.host, winner.origin)


def _ports(mesh: Mesh) -> Iterator[Problem]:
    """Ports that two services without addresses claim for bytes: only one of them can have what says nothing."""
    taken: dict[int, Service] = {}
    for entry in mesh.entries.values():
        for port in entry.service.ports if entry.service.shares_ports else ():
            if not port.protocol.is_http and port.protocol is not Protocol.TLS:
                first = taken.setdefault(port.number, entry.service)
                if first is not entry.service and entry.service.origin:
                    place = at(entry.service.origin, "ports")
                    yield registry_problems.port_taken(place, port.number, first.origin)


def _addresses(mesh: Mesh) -> Iterator[Problem]:
    """Addresses and ports that two services claim for bytes. Requests are told apart by host."""
    taken: dict[tuple[str, int], Service] = {}
    for service in sorted(mesh.by_host.values(), key=lambda each: each.is_entry):
        for port in (port for port in service.ports if not port.protocol.is_http):
            for index, address in enumerate(service.own_addresses):
                first = taken.setdefault((address, port.number), service)
                if first is not service and service.origin and service.is_entry:
                    place = at(service.origin, f"addresses[{index}]")
                    yield registry_problems.address_taken(place, address, port.number, first.origin)


def _reserved(mesh: Mesh) -> Iterator[Problem]:
    """Ports of the proxies' own that ServiceEntries want for every address."""
    for service in (entry.service for entry in mesh.entries.values()):
        for index, port in enumerate(service.ports):
            if port.number in reserved.PORTS and service.origin and (port.protocol.is_http or service.shares_ports):
                yield problems.reserved_port(at(service.origin, f"ports[{index}].number"), port.number)


def _names(mesh: Mesh) -> Iterator[Problem]:
    """WorkloadEntries with names where addresses are wanted."""
    named = {key: each for key, each in mesh.workload_entries.items() if each.address and not each.is_reachable}
    for service in mesh.every_service() if named else ():
        if service.selector and service.origin and service.resolution in {"eds", "static"}:
            for workload in entries.selected(service.selector, service.namespace, named):
                if workload.origin:
                    place = at(workload.origin, "address")
                    yield registry_problems.name_not_resolved(place, workload.address, service.origin)
