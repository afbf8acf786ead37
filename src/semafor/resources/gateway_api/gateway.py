"""Gateway: ports where traffic comes in. Source: the Gateway API's reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.gateway_api import filled, rules
from semafor.resources.gateway_api.listener import Listener, ListenerNamespaces, ListenerStatus
from semafor.resources.gateway_api.references import LocalParametersReference, ObjectReference, SecretObjectReference
from semafor.resources.kind import AGE, Column, Kind
from semafor.resources.marks import ATOMIC, Labels, Port, listing
from semafor.resources.meta.meta import Condition, ObjectMeta


class AllowedListeners(Document):
    """Who may add listeners."""

    namespaces: Annotated[ListenerNamespaces | None, "From which namespaces."] = None


class GatewayBackendTLS(Document):
    """The gateway as a TLS client."""

    client_certificate_ref: Annotated[SecretObjectReference | None, "Secret with its certificate."] = None


class FrontendTLSValidation(Document):
    """What clients' certificates are checked against."""

    ca_certificate_refs: Annotated[tuple[ObjectReference, ...], ATOMIC, "ConfigMaps with authorities."]
    mode: Annotated[Literal["AllowValidOnly", "AllowInsecureFallback"], "What happens without a good certificate."] = (
        "AllowValidOnly"
    )


class TLSConfig(Document):
    """How clients' certificates are checked."""

    validation: Annotated[FrontendTLSValidation | None, "Against what."] = None


class TLSPortConfig(Document):
    """How clients' certificates are checked at one port."""

    port: Annotated[Port, "The port."]
    tls: Annotated[TLSConfig, "How."]


class FrontendTLSConfig(Document):
    """How clients' certificates are checked."""

    default: Annotated[TLSConfig, "For all ports."]
    per_port: Annotated[tuple[TLSPortConfig, ...], listing("port"), "For single ports."] = ()


class GatewayTLSConfig(Document):
    """Certificates for a gateway as a whole."""

    backend: Annotated[GatewayBackendTLS | None, "For connections to backends."] = None
    frontend: Annotated[FrontendTLSConfig | None, "For connections from clients."] = None


class GatewaySpecAddress(Document):
    """An address that is wanted."""

    type: Annotated[str, "Type of the address."] = "IPAddress"
    value: Annotated[str, "The address; any when absent."] = ""
    routability: Annotated[str, "From where it can be reached."] = ""


class GatewayStatusAddress(Document):
    """An address in use."""

    value: Annotated[str, "The address."]
    type: Annotated[str, "Type of the address."] = "IPAddress"
    routability: Annotated[str | None, "From where it can be reached."] = None


class GatewayInfrastructure(Document):
    """What is said to the machinery beneath."""

    labels: Annotated[Labels, "Labels of what is made."] = {}
    annotations: Annotated[Labels, "Annotations of what is made."] = {}
    parameters_ref: Annotated[LocalParametersReference | None, "An object with settings."] = None


class GatewaySpec(Document):
    """Ports where traffic comes in."""

    gateway_class_name: Annotated[str, "GatewayClass that serves it."]
    listeners: Annotated[tuple[Listener, ...], listing("name"), "The ports."]
    addresses: Annotated[tuple[GatewaySpecAddress, ...], ATOMIC, "Addresses that are wanted."] = ()
    infrastructure: Annotated[GatewayInfrastructure | None, "What is said to the machinery beneath."] = None
    allowed_listeners: Annotated[AllowedListeners | None, "Who may add listeners."] = None
    tls: Annotated[GatewayTLSConfig | None, "Certificates for the gateway as a whole."] = None
    default_scope: Annotated[Literal["All", "None"] | None, "Which routes without a parent belong to it."] = None


class GatewayStatus(Document):
    """The state of a Gateway."""

    addresses: Annotated[tuple[GatewayStatusAddress, ...], ATOMIC, "Addresses in use."] = ()
    conditions: Annotated[
        tuple[Condition, ...], listing("type"), "Aspects of the present state, told apart by type."
    ] = ()
    listeners: Annotated[tuple[ListenerStatus, ...], listing("name"), "The state of each listener."] = ()
    attached_listener_sets: Annotated[int | None, "How many ListenerSets were added."] = None


class Gateway(Document):
    """Ports where traffic comes in."""

    spec: Annotated[GatewaySpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "gateway.networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "Gateway"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[GatewayStatus, "What is."] = GatewayStatus()


KIND = Kind(
    group="gateway.networking.k8s.io",
    versions=(
        "v1",
        "v1beta1",
    ),
    kind="Gateway",
    plural="gateways",
    short=("gtw",),
    categories=("gateway-api",),
    document=Gateway,
    columns=(
        Column(name="Class", type="string", path=".spec.gatewayClassName", description="GatewayClass that serves it."),
        Column(name="Address", type="string", path=".status.addresses[*].value", description="Addresses in use."),
        Column(
            name="Programmed",
            type="string",
            path=".status.conditions[?(@.type=='Programmed')].status",
            description="Whether traffic can come in.",
        ),
        AGE,
    ),
    subresources=("status",),
    custom=True,
    effect=True,
    defaults=filled.of(Gateway, filled.gateway),
    validate=rules.gateway,
)
