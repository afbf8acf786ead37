"""ServiceEntries together: those of one namespace and host are one service, and who its instances are."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from semafor.base.struct import Value
from semafor.planner.proxy import Labels
from semafor.planner.services import addresses
from semafor.planner.services.instances import Instance, Key, Pod
from semafor.planner.services.service import Port, Service
from semafor.planner.services.service_entry import ServiceEntry
from semafor.planner.services.workload_entry import WorkloadEntry


class Entry(Value, cache_hash=True):
    """The service of a host, and the objects that it is made of, the oldest first."""

    service: Service
    parts: tuple[ServiceEntry, ...]


def by_host(objects: Iterable[ServiceEntry], network: str) -> Mapping[Key, Entry]:
    """The services by namespace and host. Hosts without an address get one of the network."""
    found: dict[Key, Entry] = {}
    for one in sorted(objects, key=lambda each: each.age):
        for service in one.services:
            key = (service.namespace, service.host)
            known = found.get(key)
            if known is None:
                found[key] = Entry(service=service, parts=(one,))
            elif agree(known.service, service):
                found[key] = _joined(known, service, one)
    given = addresses.allocate((entry.service for entry in found.values() if _lacks_address(entry)), network)
    return {key: _addressed(entry, given.get(key, "")) for key, entry in found.items()}


def agree(one: Service, other: Service) -> bool:
    """Whether the two can be one service. Source: Istio's canMergeServices."""
    return (one.resolution, one.external, one.selector, one.export_to) == (
        other.resolution,
        other.external,
        other.selector,
        other.export_to,
    )


def _joined(entry: Entry, service: Service, of: ServiceEntry) -> Entry:
    ports = {port.number: port for port in entry.service.ports}
    names = {port.name for port in entry.service.ports}
    for port in service.ports:
        ports.setdefault(port.number, replace(port, name=f"{port.name}-{port.number}") if port.name in names else port)
    joined = replace(
        entry.service,
        ports=tuple(ports.values()),
        addresses=tuple(dict.fromkeys((*entry.service.addresses, *service.addresses))),
        sans=tuple(dict.fromkeys((*entry.service.sans, *service.sans))),
    )
    return Entry(service=joined, parts=(*entry.parts, of))


def _lacks_address(entry: Entry) -> bool:
    """A caller of resolution NONE chooses the address; a wildcard has as many as it has names.

    Source: Istio's "DNS Proxying", automatic allocation of addresses.
    """
    service = entry.service
    return (
        not service.addresses
        and service.resolution != "none"
        and not service.host.startswith("*")
        and all(part.allocates for part in entry.parts)
    )


def _addressed(entry: Entry, address: str) -> Entry:
    if not address:
        return entry
    return Entry(service=replace(entry.service, addresses=(address,), allocated=True), parts=entry.parts)


def instances(entry: Entry, workloads: Mapping[Key, WorkloadEntry], pods: Mapping[Key, Pod]) -> tuple[Instance, ...]:
    """The instances of the service that may be called now. For one that DNS resolves they have names as addresses."""
    found = {}
    for part in entry.parts:
        for instance in _of_part(entry.service, part, workloads, pods):
            found[instance.ip, instance.pipe, instance.ports] = instance
    return tuple(found[key] for key in sorted(found))


def _of_part(
    service: Service, part: ServiceEntry, workloads: Mapping[Key, WorkloadEntry], pods: Mapping[Key, Pod]
) -> Iterator[Instance]:
    ports, by_name = _ports_of(service, part), service.resolution in {"dns", "dns_round_robin"}
    for endpoint in part.endpoints:
        yield of_workload(endpoint, ports)
    if part.selector is not None:
        chosen = selected(part.selector, service.namespace, workloads)
        yield from (of_workload(workload, ports) for workload in chosen if by_name or workload.is_reachable)
        yield from _of_pods(part.selector, service.namespace, pods, ports)
    elif not part.endpoints and by_name:
        yield Instance(ip=service.host, ports=tuple((port.name, _number(port)) for port in ports))


def _ports_of(service: Service, part: ServiceEntry) -> tuple[Port, ...]:
    """The service's ports that the object speaks of."""
    numbers = {port.number for own in part.services for port in own.ports}
    return tuple(port for port in service.ports if port.number in numbers)


def selected(labels: Labels, namespace: str, workloads: Mapping[Key, WorkloadEntry]) -> Iterator[WorkloadEntry]:
    """The healthy entries of the namespace that have the labels."""
    wanted = set(labels)
    for key in sorted(workloads):
        workload = workloads[key]
        if key[0] == namespace and workload.healthy and wanted <= set(workload.labels):
            yield workload


def of_workload(workload: WorkloadEntry, ports: tuple[Port, ...]) -> Instance:
    """Its own port of the name goes before the service's target port. Source: Istio's convertEndpoint."""
    own = dict(workload.ports)
    return Instance(
        ip=workload.address,
        pipe=workload.pipe,
        ports=tuple((port.name, own.get(port.name) or _number(port)) for port in ports),
        labels=workload.labels,
        workload=f"{workload.namespace}/{workload.name}" if workload.name else "",
        identity=(workload.namespace, workload.service_account or "default") if workload.in_mesh else ("", ""),
        locality=workload.locality,
        weight=workload.weight,
    )


def joined(
    service: Service, behind: tuple[Instance, ...], workloads: Mapping[Key, WorkloadEntry]
) -> tuple[Instance, ...]:
    """The instances of a Kubernetes service together with the WorkloadEntries that its selector picks."""
    chosen = selected(service.selector, service.namespace, workloads)
    found = tuple(of_workload(workload, service.ports) for workload in chosen if workload.is_reachable)
    return tuple(sorted((*behind, *found), key=lambda instance: instance.ip)) if found else behind


def _of_pods(labels: Labels, namespace: str, pods: Mapping[Key, Pod], ports: tuple[Port, ...]) -> Iterator[Instance]:
    wanted = set(labels)
    for (owner, name), pod in pods.items():
        if owner == namespace and pod.ready and pod.ip and wanted <= set(pod.labels):
            yield Instance(
                ip=pod.ip,
                ports=tuple((port.name, _number(port)) for port in ports),
                labels=pod.labels,
                workload=f"{namespace}/{name}",
                identity=(namespace, pod.service_account) if pod.in_mesh else ("", ""),
            )


def _number(port: Port) -> int:
    return port.target if isinstance(port.target, int) else port.number
