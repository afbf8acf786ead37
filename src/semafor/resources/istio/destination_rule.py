"""DestinationRule: what is done with requests after they were routed. Source: Istio's API reference."""

from typing import Annotated, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.istio import destination_rule_rules
from semafor.resources.istio.common import WorkloadSelector
from semafor.resources.istio.connection_pool import ConnectionPoolSettings
from semafor.resources.istio.load_balancer import LoadBalancerSettings
from semafor.resources.istio.status import IstioStatus
from semafor.resources.istio.virtual_service import PortSelector
from semafor.resources.kind import AGE, LIVE, Column, Kind
from semafor.resources.marks import PERCENT, PORT, Duration, Labels
from semafor.resources.meta.meta import ObjectMeta


class OutlierDetection(Document):
    """When a failing pod is left out for a time."""

    consecutive_errors: Annotated[int, "Obsolete: use consecutiveGatewayErrors or consecutive5xxErrors."] = 0
    split_external_local_origin_errors: Annotated[bool, "Whether failures to connect are counted apart."] = False
    consecutive_local_origin_failures: Annotated[
        int | None, "Failures to connect in a row that are too many; 5 when absent."
    ] = None
    consecutive_gateway_errors: Annotated[
        int | None, "Answers 502, 503 and 504 in a row that are too many; 0 means not counted."
    ] = None
    consecutive_5xx_errors: Annotated[
        int | None, "Answers 5xx in a row that are too many; 5 when absent, 0 means not counted."
    ] = msgspec.field(name="consecutive5xxErrors", default=None)
    interval: Annotated[Duration | None, "Time between looks; 10s when absent."] = None
    base_ejection_time: Annotated[Duration | None, "How long a pod is left out the first time; 30s when absent."] = None
    max_ejection_percent: Annotated[int, PERCENT, "Most pods that are left out at a time; 10 when absent."] = 0
    min_health_percent: Annotated[int, PERCENT, "Below this share of healthy pods nobody is left out."] = 0
    outlier_detection_http_error_codes: Annotated[
        tuple[int, ...], "Status codes that count as errors, in place of 5xx."
    ] = ()


class ClientTLSSettings(Document):
    """How a connection to the service is secured."""

    mode: Annotated[Literal["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"], "Whether, and with whose certificate."] = (
        "DISABLE"
    )
    client_certificate: Annotated[str, "File with the client's certificate, for MUTUAL."] = ""
    private_key: Annotated[str, "File with the client's key, for MUTUAL."] = ""
    ca_certificates: Annotated[str, "File with the authorities that the server's certificate is checked against."] = ""
    credential_name: Annotated[str, "Secret with key, certificate and authorities."] = ""
    subject_alt_names: Annotated[tuple[str, ...], "Names that the server's certificate may have."] = ()
    sni: Annotated[str, "Server name that is sent."] = ""
    insecure_skip_verify: Annotated[bool | None, "Whether the server's certificate is taken unchecked."] = None
    ca_crl: Annotated[str, "File with revoked certificates."] = ""


class PortTrafficPolicy(Document):
    """How connections to one port are made and shared out."""

    port: Annotated[PortSelector | None, "The port."] = None
    load_balancer: Annotated[LoadBalancerSettings | None, "How a pod is chosen."] = None
    connection_pool: Annotated[ConnectionPoolSettings | None, "How many connections and requests there may be."] = None
    outlier_detection: Annotated[OutlierDetection | None, "When a failing pod is left out for a time."] = None
    tls: Annotated[ClientTLSSettings | None, "How the connection is secured."] = None


class TunnelSettings(Document):
    """A tunnel through an HTTP proxy."""

    target_host: Annotated[str, "Host at the end of the tunnel."]
    target_port: Annotated[int, PORT, "Port at the end of the tunnel."]
    protocol: Annotated[str, "CONNECT or POST; CONNECT when empty."] = ""


class ProxyProtocol(Document):
    """The client's address, told by the PROXY protocol."""

    version: Annotated[Literal["V1", "V2"], "Version of the protocol."] = "V1"


class RetryBudget(Document):
    """How many retries there may be."""

    percent: Annotated[float | None, PERCENT, "Share of the running requests that may be retries; 20 when absent."] = (
        None
    )
    min_retry_concurrency: Annotated[int, "Retries that are always allowed; 3 when absent."] = 0
    budget_interval: Annotated[Duration | None, "Time over which requests are counted."] = None


class TrafficPolicy(Document):
    """How connections to a service are made and shared out."""

    load_balancer: Annotated[LoadBalancerSettings | None, "How a pod is chosen."] = None
    connection_pool: Annotated[ConnectionPoolSettings | None, "How many connections and requests there may be."] = None
    outlier_detection: Annotated[OutlierDetection | None, "When a failing pod is left out for a time."] = None
    tls: Annotated[ClientTLSSettings | None, "How the connection is secured."] = None
    port_level_settings: Annotated[
        tuple[PortTrafficPolicy, ...], "The same for single ports; nothing is inherited from the service as a whole."
    ] = ()
    tunnel: Annotated[TunnelSettings | None, "Sends the connection through an HTTP proxy."] = None
    proxy_protocol: Annotated[ProxyProtocol | None, "Tells the client's address by the PROXY protocol."] = None
    retry_budget: Annotated[RetryBudget | None, "How many retries there may be, relative to requests."] = None


class Subset(Document):
    """A named part of a service."""

    name: Annotated[str, "Name that routes refer to."]
    labels: Annotated[Labels, "Labels of the pods that belong to it."] = {}
    traffic_policy: Annotated[
        TrafficPolicy | None, "How connections to it are made; stands above the rule's policy."
    ] = None


class DestinationRuleSpec(Document):
    """What is done with requests for one service after they were routed."""

    host: Annotated[str, "Name of the service; a short name is completed with the object's namespace."]
    traffic_policy: Annotated[TrafficPolicy | None, "How connections to the service are made and shared out."] = None
    subsets: Annotated[tuple[Subset, ...], "Named parts of the service, such as versions."] = ()
    export_to: Annotated[
        tuple[str, ...], "Namespaces that see the rule: `.` this one, `*` all (meant when empty), or names."
    ] = ()
    workload_selector: Annotated[
        WorkloadSelector | None, "Pods that the rule applies to as clients; all when absent."
    ] = None


class DestinationRule(Document):
    """What is done with requests for one service after they were routed."""

    spec: Annotated[DestinationRuleSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "networking.istio.io/v1"
    kind: Annotated[str, "Kind of the object."] = "DestinationRule"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="networking.istio.io",
    versions=(
        "v1",
        "v1beta1",
        "v1alpha3",
    ),
    kind="DestinationRule",
    plural="destinationrules",
    short=("dr",),
    categories=("istio-io", "networking-istio-io"),
    document=DestinationRule,
    columns=(
        Column(name="Host", type="string", path=".spec.host", description="Name of the service."),
        LIVE,
        AGE,
    ),
    subresources=("status",),
    custom=True,
    validate=destination_rule_rules.validate,
    remarks=destination_rule_rules.remarks,
)
