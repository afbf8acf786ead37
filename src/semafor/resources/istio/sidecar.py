"""Sidecar: what a sidecar listens to and what it can reach. Source: Istio's API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.istio import sidecar_rules
from semafor.resources.istio.connection_pool import ConnectionPoolSettings
from semafor.resources.istio.gateway import ServerTLSSettings
from semafor.resources.istio.selector import ProxySelector
from semafor.resources.istio.status import IstioStatus
from semafor.resources.istio.virtual_service import Destination
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import PORT
from semafor.resources.meta.meta import ObjectMeta


class SidecarPort(Document):
    """A port of a sidecar."""

    number: Annotated[int, PORT, "Number of the port."] = 0
    protocol: Annotated[str, "Protocol of the port."] = ""
    name: Annotated[str, "Name of the port."] = ""
    target_port: Annotated[int, "Not in effect."] = 0


class IstioIngressListener(Document):
    """A port that the sidecar takes in."""

    port: Annotated[SidecarPort, "The port."]
    bind: Annotated[str, "Address that it listens on."] = ""
    capture_mode: Annotated[Literal["DEFAULT", "IPTABLES", "NONE"], "How traffic gets to it."] = "DEFAULT"
    default_endpoint: Annotated[str, "Where the application listens, such as 127.0.0.1:8080 or a unix:// path."] = ""
    tls: Annotated[ServerTLSSettings | None, "How the connection is secured."] = None
    connection_pool: Annotated[ConnectionPoolSettings | None, "Limits for incoming connections."] = None


class IstioEgressListener(Document):
    """A port, or all ports, that the application can call."""

    hosts: Annotated[
        tuple[str, ...], "What can be reached, each as namespace/host; `.` is this namespace, `*` means any."
    ]
    port: Annotated[SidecarPort | None, "The port; all when absent."] = None
    bind: Annotated[str, "Address that it listens on."] = ""
    capture_mode: Annotated[Literal["DEFAULT", "IPTABLES", "NONE"], "How traffic gets to it."] = "DEFAULT"


class OutboundTrafficPolicy(Document):
    """What happens to traffic for unknown hosts."""

    mode: Annotated[Literal["REGISTRY_ONLY", "ALLOW_ANY"], "Whether it is let through."] = "REGISTRY_ONLY"
    egress_proxy: Annotated[Destination | None, "Obsolete: service that such traffic is sent through."] = None


class SidecarSpec(Document):
    """What a sidecar listens to and what it can reach."""

    workload_selector: Annotated[ProxySelector | None, "Pods that it is for; all of the namespace when absent."] = None
    ingress: Annotated[tuple[IstioIngressListener, ...], "What it takes in; found from the services when empty."] = ()
    egress: Annotated[tuple[IstioEgressListener, ...], "What it can reach; the namespace's default when empty."] = ()
    inbound_connection_pool: Annotated[ConnectionPoolSettings | None, "Limits for incoming connections."] = None
    outbound_traffic_policy: Annotated[OutboundTrafficPolicy | None, "What happens to traffic for unknown hosts."] = (
        None
    )


class Sidecar(Document):
    """What a sidecar listens to and what it can reach."""

    api_version: Annotated[str, "API version of the object."] = "networking.istio.io/v1"
    kind: Annotated[str, "Kind of the object."] = "Sidecar"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[SidecarSpec, "What is wanted."] = SidecarSpec()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="networking.istio.io",
    versions=(
        "v1",
        "v1beta1",
        "v1alpha3",
    ),
    kind="Sidecar",
    plural="sidecars",
    categories=("istio-io", "networking-istio-io"),
    document=Sidecar,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    effect=True,
    validate=sidecar_rules.validate,
    remarks=sidecar_rules.remarks,
)
