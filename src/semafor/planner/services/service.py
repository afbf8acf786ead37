"""Services: what can be called by a host name. From Kubernetes' Service objects; ServiceEntries join here."""

from typing import Literal

from semafor.base import names
from semafor.base.problem import ObjectRef
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner import hosts
from semafor.planner.hosts import Age
from semafor.planner.proxy import Labels, Workload
from semafor.planner.services import protocol
from semafor.planner.services.protocol import Protocol
from semafor.resources.core import service as core

Registry = Literal["Kubernetes", "ServiceEntry"]
Resolution = Literal["eds", "none", "static", "dns", "dns_round_robin", "dynamic_dns"]

EXPORT_TO = "networking.istio.io/exportTo"


class Port(Value):
    """One port of a service. `target` is the workload's port, a number or the name of a container's port."""

    number: int
    name: str
    protocol: Protocol
    target: int | str


class Service(Value, cache_hash=True):
    """`ports` carry TCP, `udp_ports` datagrams.

    `addresses` are virtual: IPs, and networks in CIDR form. A headless service has none, nor one that waits for its.

    `selector` is empty where endpoints are made by hand. `resolution` says how instances are found: "eds" and "static"
    by the mesh, "none" by the caller, the others by DNS. `external`: it is outside of the mesh, so it proves no
    identity of the mesh. `sans` are the names that its certificate may have, beside the identities of its instances.
    `allocated`: its address was given by the mesh, so that only those know it who ask the mesh's DNS.
    """

    host: str
    name: str
    namespace: str
    addresses: tuple[str, ...]
    headless: bool
    ports: tuple[Port, ...]
    udp_ports: tuple[Port, ...] = ()
    selector: Labels = ()
    resolution: Resolution = "eds"
    external: bool = False
    export_to: tuple[str, ...] = ()
    registry: Registry = "Kubernetes"
    sans: tuple[str, ...] = ()
    allocated: bool = False
    age: Age | None = None
    origin: Origin | None = None

    @property
    def address(self) -> str:
        """The first virtual IP; empty when there is none."""
        return next((address for address in self.addresses if "/" not in address), "")

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """The virtual IPs."""
        return tuple(address for address in self.addresses if "/" not in address)

    @property
    def networks(self) -> tuple[str, ...]:
        """The virtual networks, in CIDR form."""
        return tuple(address for address in self.addresses if "/" in address)

    @property
    def is_entry(self) -> bool:
        """Whether a ServiceEntry tells of it."""
        return self.registry == "ServiceEntry"

    @property
    def shares_ports(self) -> bool:
        """Whether no address tells its ports from those of others; what callers say has to."""
        return self.is_entry and not self.addresses

    def port(self, number: int) -> Port | None:
        return next((port for port in self.ports if port.number == number), None)

    def udp_port(self, number: int) -> Port | None:
        return next((port for port in self.udp_ports if port.number == number), None)


def read(document: core.Service) -> Service | None:
    """The service; None for an ExternalName, which is an alias."""
    spec, meta = document.spec, document.metadata
    if spec.type == "ExternalName":
        return None
    headless = spec.cluster_ip == "None"
    return Service(
        host=names.service_host(meta.name, meta.namespace),
        name=meta.name,
        namespace=meta.namespace,
        addresses=() if headless or not spec.cluster_ip else (spec.cluster_ip,),
        headless=headless,
        ports=tuple(_port(port) for port in spec.ports if port.protocol != "UDP"),
        udp_ports=tuple(_port(port) for port in spec.ports if port.protocol == "UDP"),
        selector=tuple(sorted(spec.selector.items())),
        export_to=listed(meta.annotations.get(EXPORT_TO, "")),
        age=hosts.age(meta),
        origin=Origin(ref=ObjectRef(kind="Service", namespace=meta.namespace, name=meta.name)),
    )


def listed(text: str) -> tuple[str, ...]:
    """The values of an annotation that lists them between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _port(port: core.ServicePort) -> Port:
    return Port(
        number=port.port,
        name=port.name,
        protocol=protocol.declared(port.port, port.name, port.protocol or "TCP", port.app_protocol),
        target=port.target_port or port.port,
    )


def selects(service: Service, workload: Workload) -> bool:
    """Whether the workload is one of the service's."""
    if not service.selector or service.namespace != workload.namespace:
        return False
    return set(service.selector) <= set(workload.labels)


def target_port(port: Port, workload: Workload) -> int:
    """The workload's port that the service's port stands for; 0 when its containers have no port of that name."""
    if isinstance(port.target, int):
        return port.target
    if port.target.isdigit():
        return int(port.target)
    return dict(workload.ports).get(port.target, 0)
