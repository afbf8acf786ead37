"""Services: what can be called by a host name. From Kubernetes' Service objects; other registries join here."""

from semafor.base import names
from semafor.base.problem import ObjectRef
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner import protocol
from semafor.planner.protocol import Protocol
from semafor.planner.proxy import Labels, Workload
from semafor.resources.core import service as core


class Port(Value):
    """One port of a service. `target` is the workload's port, a number or the name of a container's port."""

    number: int
    name: str
    protocol: Protocol
    target: int | str


class Service(Value, cache_hash=True):
    """`address` is the virtual IP; empty for a headless service, and for one that has not got its own yet.

    `selector` is empty where endpoints are made by hand.
    """

    host: str
    name: str
    namespace: str
    address: str
    headless: bool
    ports: tuple[Port, ...]
    selector: Labels = ()
    origin: Origin | None = None

    def port(self, number: int) -> Port | None:
        return next((port for port in self.ports if port.number == number), None)


def read(document: core.Service) -> Service | None:
    """The service; None for an ExternalName, which is nothing but an alias in DNS."""
    spec, meta = document.spec, document.metadata
    if spec.type == "ExternalName":
        return None
    return Service(
        host=names.service_host(meta.name, meta.namespace),
        name=meta.name,
        namespace=meta.namespace,
        address="" if spec.cluster_ip == "None" else spec.cluster_ip,
        headless=spec.cluster_ip == "None",
        ports=tuple(_port(port) for port in spec.ports if port.protocol != "UDP"),
        selector=tuple(sorted(spec.selector.items())),
        origin=Origin(ref=ObjectRef(kind="Service", namespace=meta.namespace, name=meta.name)),
    )


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
