"""Listeners of Gateways and ListenerSets. Source: the Gateway API's reference."""

from typing import Annotated, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources.gateway_api.filters import HTTPExternalAuthFilter
from semafor.resources.gateway_api.references import LocalObjectReference, SecretObjectReference
from semafor.resources.marks import ATOMIC, BLANK, HOSTNAME, Labels, Port, listing
from semafor.resources.meta.meta import Condition, LabelSelector


class ListenerNamespaces(Document):
    """Namespaces that may add listeners."""

    from_: Annotated[Literal["All", "Selector", "Same", "None"], "Which ones."] = msgspec.field(
        name="from", default="None"
    )
    selector: Annotated[LabelSelector | None, ATOMIC, "Which ones, by their labels."] = None


class RouteNamespaces(Document):
    """Namespaces whose routes may use a listener."""

    from_: Annotated[Literal["All", "Selector", "Same"], "Which ones."] = msgspec.field(name="from", default="Same")
    selector: Annotated[LabelSelector | None, ATOMIC, "Which ones, by their labels."] = None


class RouteGroupKind(Document):
    """A kind of route."""

    kind: Annotated[str, "The kind."]
    group: Annotated[str, BLANK, "API group of the kind."] = "gateway.networking.k8s.io"


class AllowedRoutes(Document):
    """Which routes may use a listener."""

    namespaces: Annotated[RouteNamespaces | None, "From which namespaces."] = None
    kinds: Annotated[tuple[RouteGroupKind, ...], ATOMIC, "Of which kinds; those of the protocol when empty."] = ()


class ListenerTLSConfig(Document):
    """How connections to a listener are secured."""

    mode: Annotated[Literal["Terminate", "Passthrough"], "Whether TLS ends here or is passed through."] = "Terminate"
    certificate_refs: Annotated[tuple[SecretObjectReference, ...], ATOMIC, "Secrets with key and certificate."] = ()
    options: Annotated[Labels, "Settings of the implementation's own."] = {}


class ListenerFilter(Document):
    """Something that is done with all requests of a listener."""

    type: Annotated[Literal["ExternalAuth", "ExtensionRef"], "Which one."]
    external_auth: Annotated[HTTPExternalAuthFilter | None, "Asks somebody else whether the request is allowed."] = None
    extension_ref: Annotated[LocalObjectReference | None, "Something of the implementation's own."] = None


class ListenerFilters(Document):
    """What is done with all requests of a listener."""

    requests: Annotated[tuple[ListenerFilter, ...], ATOMIC, "The filters."] = ()


class Listener(Document):
    """A port where traffic comes in."""

    name: Annotated[str, "Name of the listener."]
    port: Annotated[Port, "Number of the port."]
    protocol: Annotated[str, "Protocol of the port."]
    hostname: Annotated[
        str | None, HOSTNAME, "Host that it is for, perhaps with a wildcard at the front; all when absent."
    ] = None
    tls: Annotated[ListenerTLSConfig | None, "How connections are secured."] = None
    allowed_routes: Annotated[AllowedRoutes | None, "Which routes may use it."] = None
    filters: Annotated[ListenerFilters | None, "What is done with all its requests."] = None


class ListenerStatus(Document):
    """The state of a listener."""

    name: Annotated[str, "Name of the listener."]
    attached_routes: Annotated[int, "How many routes use it."]
    conditions: Annotated[tuple[Condition, ...], listing("type"), "Aspects of the present state, told apart by type."]
    supported_kinds: Annotated[tuple[RouteGroupKind, ...], ATOMIC, "Kinds of routes that it takes."] = ()
