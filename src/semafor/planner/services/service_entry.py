"""ServiceEntries: services that Kubernetes does not know. Each host of an object is a service of its own."""

from collections.abc import Iterator, Mapping
from typing import Final

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner import hosts
from semafor.planner.checks import problems, refused, registry_problems
from semafor.planner.checks.problems import at
from semafor.planner.hosts import Age
from semafor.planner.proxy import Labels
from semafor.planner.services import protocol, workload_entry
from semafor.planner.services.protocol import Protocol
from semafor.planner.services.service import Port, Resolution, Service
from semafor.planner.services.workload_entry import WorkloadEntry
from semafor.resources.istio import service_entry as istio

_AUTO_ADDRESS_LABEL = "networking.istio.io/enable-autoallocate-ip"
_RESOLUTIONS: Final[Mapping[str, Resolution]] = {
    "NONE": "none",
    "STATIC": "static",
    "DNS": "dns",
    "DNS_ROUND_ROBIN": "dns_round_robin",
    "DYNAMIC_DNS": "dynamic_dns",
}
_IMPLEMENTED = (
    "hosts",
    "addresses",
    "ports",
    "location",
    "resolution",
    "endpoints",
    "workload_selector",
    "export_to",
    "subject_alt_names",
)


class ServiceEntry(Value, cache_hash=True):
    """One object. `selector` picks its instances among WorkloadEntries and pods; None when it has none.

    `allocates`: hosts without an address are given one by the mesh.
    """

    services: tuple[Service, ...]
    endpoints: tuple[WorkloadEntry, ...]
    selector: Labels | None
    allocates: bool
    age: Age
    origin: Origin
    problems: tuple[Problem, ...] = ()


def read(document: istio.ServiceEntry) -> ServiceEntry:
    """The object as a value, without a look at others."""
    spec, meta = document.spec, document.metadata
    ref = ObjectRef(kind="ServiceEntry", namespace=meta.namespace, name=meta.name, group="networking.istio.io")
    origin = Origin(ref=ref, path="spec")
    endpoints = tuple(
        workload_entry.of(endpoint, at(origin, f"endpoints[{index}]")) for index, endpoint in enumerate(spec.endpoints)
    )
    chosen = spec.workload_selector
    return ServiceEntry(
        services=tuple(_service(document, host, origin) for host in spec.hosts),
        endpoints=endpoints,
        selector=tuple(sorted(chosen.labels.items())) if chosen else None,
        allocates=meta.labels.get(_AUTO_ADDRESS_LABEL, "").lower() != "false",
        age=hosts.age(meta),
        origin=origin,
        problems=(*_problems(spec, origin), *(problem for endpoint in endpoints for problem in endpoint.problems)),
    )


def _service(document: istio.ServiceEntry, host: str, origin: Origin) -> Service:
    spec, meta = document.spec, document.metadata
    return Service(
        host=host,
        name=host,
        namespace=meta.namespace,
        addresses=tuple(address.removesuffix("/32") for address in spec.addresses),
        headless=False,
        ports=tuple(_port(port) for port in spec.ports if port.protocol.upper() != "UDP"),
        selector=tuple(sorted(spec.workload_selector.labels.items())) if spec.workload_selector else (),
        resolution=_RESOLUTIONS[spec.resolution],
        external=spec.location == "MESH_EXTERNAL",
        export_to=tuple(spec.export_to),
        registry="ServiceEntry",
        sans=tuple(spec.subject_alt_names),
        age=hosts.age(meta),
        origin=origin,
    )


def _port(port: istio.ServicePort) -> Port:
    """`protocol` goes before the prefix of the name, which counts for nothing here."""
    return Port(
        number=port.number,
        name=port.name,
        protocol=protocol.declared(port.number, "", "TCP", port.protocol or None),
        target=port.target_port or port.number,
    )


def _problems(spec: istio.ServiceEntrySpec, origin: Origin) -> Iterator[Problem]:
    yield from refused.fields(spec, origin, *_IMPLEMENTED)
    for index, port in enumerate(spec.ports):
        place = at(origin, f"ports[{index}]")
        yield from refused.fields(port, place, "number", "name", "protocol", "target_port")
        if port.protocol.upper() == "UDP":
            yield problems.value_not_supported(at(place, "protocol"), "UDP", "HTTP, HTTP2, GRPC, HTTPS, TLS and TCP")
        elif spec.resolution == "DYNAMIC_DNS" and _says_no_host(port):
            yield registry_problems.no_host_to_resolve(at(place, "protocol"), port.protocol or "none")
    if spec.resolution == "STATIC" and not spec.endpoints and not spec.workload_selector:
        yield registry_problems.no_instances(at(origin, "endpoints"))
    if not spec.ports:
        yield registry_problems.no_ports(at(origin, "ports"))


def _says_no_host(port: istio.ServicePort) -> bool:
    found = _port(port).protocol
    return not found.is_http and found is not Protocol.TLS
