"""Service: one name and address for a set of pods. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.core import service_rules
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, DNS_LABEL, PORT, IntOrString, Labels, listing, within
from semafor.resources.meta.meta import Condition, ObjectMeta


class ServicePort(Document):
    """A port of a Service."""

    port: Annotated[int, PORT, "Port that clients use."]
    name: Annotated[str, DNS_LABEL, "Name of the port; needed when there are several."] = ""
    protocol: Annotated[Literal["TCP", "UDP", "SCTP"], "Protocol of the port."] = "TCP"
    app_protocol: Annotated[str | None, "Protocol of the application, such as http, kubernetes.io/h2c or grpc."] = None
    target_port: Annotated[
        IntOrString | None, PORT, "Port of the pods, by number or by name; the same as `port` when absent."
    ] = None
    node_port: Annotated[int, within(0, 65535), "Port of every node, for types NodePort and LoadBalancer."] = 0


class ClientIPConfig(Document):
    """Settings of affinity by the client's address."""

    timeout_seconds: Annotated[
        int | None, within(1, 86400), "Seconds that a client stays with its pod; 10800 when absent."
    ] = None


class SessionAffinityConfig(Document):
    """Settings of session affinity."""

    client_ip: Annotated[ClientIPConfig | None, "Affinity by the client's address."] = msgspec.field(
        name="clientIP", default=None
    )


class ServiceSpec(Document):
    """What a Service offers and where it leads."""

    ports: Annotated[tuple[ServicePort, ...], listing("port", "protocol", patch_key="port"), "The ports."] = ()
    selector: Annotated[
        Labels, ATOMIC, "Labels of the pods that it leads to; without them the endpoints are made by hand."
    ] = {}
    cluster_ip: Annotated[str, "The address; None makes the Service headless, empty lets the server choose."] = (
        msgspec.field(name="clusterIP", default="")
    )
    cluster_ips: Annotated[tuple[str, ...], ATOMIC, "The addresses, one for each family."] = msgspec.field(
        name="clusterIPs", default=()
    )
    type: Annotated[Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"], "How the Service is reached."] = (
        "ClusterIP"
    )
    external_ips: Annotated[tuple[str, ...], ATOMIC, "Further addresses that lead to the Service."] = msgspec.field(
        name="externalIPs", default=()
    )
    session_affinity: Annotated[Literal["ClientIP", "None"], "Whether a client stays with one pod."] = "None"
    load_balancer_ip: Annotated[str, "Address wanted of the load balancer. Obsolete."] = msgspec.field(
        name="loadBalancerIP", default=""
    )
    load_balancer_source_ranges: Annotated[tuple[str, ...], ATOMIC, "Networks that may use the load balancer."] = ()
    external_name: Annotated[str, "Name that the Service is an alias of; for type ExternalName."] = ""
    external_traffic_policy: Annotated[
        Literal["Cluster", "Local"] | None, "Whether traffic from outside stays on the node that it came to."
    ] = None
    health_check_node_port: Annotated[int, "Port where nodes say whether they have pods of the Service."] = 0
    publish_not_ready_addresses: Annotated[bool, "Whether pods that are not ready count too."] = False
    session_affinity_config: Annotated[SessionAffinityConfig | None, "Settings of session affinity."] = None
    ip_families: Annotated[
        tuple[Literal["IPv4", "IPv6", ""], ...], ATOMIC, "Families of the addresses, the first one first."
    ] = ()
    ip_family_policy: Annotated[
        Literal["SingleStack", "PreferDualStack", "RequireDualStack"] | None,
        "Whether the Service has one or two families.",
    ] = None
    allocate_load_balancer_node_ports: Annotated[
        bool | None, "Whether a LoadBalancer gets node ports; true when absent."
    ] = None
    load_balancer_class: Annotated[str | None, "Which load balancer serves it."] = None
    internal_traffic_policy: Annotated[
        Literal["Cluster", "Local"] | None, "Whether traffic from inside stays on its node."
    ] = None
    traffic_distribution: Annotated[str | None, "Which endpoints are preferred, such as PreferClose."] = None


class PortStatus(Document):
    """The state of a load balancer's port."""

    port: Annotated[int, "Number of the port."] = 0
    protocol: Annotated[Literal["TCP", "UDP", "SCTP"] | None, "Protocol of the port."] = None
    error: Annotated[str | None, "What is wrong with it."] = None


class LoadBalancerIngress(Document):
    """A way into a load balancer."""

    ip: Annotated[str, "Its address."] = ""
    hostname: Annotated[str, "Its name."] = ""
    ip_mode: Annotated[str | None, "Whether traffic arrives as it is (VIP) or by a proxy (Proxy)."] = None
    ports: Annotated[tuple[PortStatus, ...], ATOMIC, "Its ports."] = ()


class LoadBalancerStatus(Document):
    """The state of a load balancer."""

    ingress: Annotated[tuple[LoadBalancerIngress, ...], ATOMIC, "The ways into it."] = ()


class ServiceStatus(Document):
    """The state of a Service."""

    load_balancer: Annotated[LoadBalancerStatus, "The state of its load balancer."] = LoadBalancerStatus()
    conditions: Annotated[
        tuple[Condition, ...], listing("type", patch_key="type"), "Aspects of the present state, told apart by type."
    ] = ()


class Service(Document):
    """One name and address for a set of pods."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "Service"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[ServiceSpec, "What is wanted."] = ServiceSpec()
    status: Annotated[ServiceStatus, "What is."] = ServiceStatus()


KIND = Kind(
    group="",
    versions=("v1",),
    kind="Service",
    plural="services",
    short=("svc",),
    categories=("all",),
    document=Service,
    subresources=("status", "proxy"),
    name_rule="1035-label",
    defaults=service_rules.defaults,
    validate=service_rules.validate,
)
