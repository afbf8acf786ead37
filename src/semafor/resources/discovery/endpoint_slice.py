"""EndpointSlice: some of the addresses behind a Service."""

from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources.core.refs import ObjectReference
from semafor.resources.defaulting import each, fill
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, PORT
from semafor.resources.meta.meta import ObjectMeta


class EndpointConditions(Document, frozen=True):
    """What state an endpoint is in. What is not said is unknown."""

    ready: Annotated[bool | None, "Whether it may be sent new requests; unknown counts as yes."] = None
    serving: Annotated[bool | None, "Whether it answers, even while it is being deleted."] = None
    terminating: Annotated[bool | None, "Whether it is being deleted."] = None


class ForNode(Document, frozen=True):
    """A node that an endpoint is meant for."""

    name: Annotated[str, "Name of the node."]


class ForZone(Document, frozen=True):
    """A zone that an endpoint is meant for."""

    name: Annotated[str, "Name of the zone."]


class EndpointHints(Document, frozen=True):
    """Who should use an endpoint."""

    for_nodes: Annotated[tuple[ForNode, ...], ATOMIC, "Nodes that should use it."] = ()
    for_zones: Annotated[tuple[ForZone, ...], ATOMIC, "Zones that should use it."] = ()


class Endpoint(Document, frozen=True):
    """One endpoint: usually one pod."""

    addresses: Annotated[tuple[str, ...], ATOMIC, "Its addresses; the first one is used."]
    conditions: Annotated[EndpointConditions, "What state it is in."] = EndpointConditions()
    deprecated_topology: Annotated[dict[str, str], ATOMIC, "Where it is, in the words of v1beta1."] = {}
    hints: Annotated[EndpointHints | None, "Who should use it."] = None
    hostname: Annotated[str | None, "Its name within the Service."] = None
    node_name: Annotated[str | None, "Node that it is on."] = None
    target_ref: Annotated[ObjectReference | None, "The pod."] = None
    zone: Annotated[str | None, "Zone that it is in."] = None


class EndpointPort(Document, frozen=True):
    """A port of all endpoints of a slice."""

    name: Annotated[str | None, "Name of the Service's port."] = None
    port: Annotated[int | None, PORT, "Number of the port."] = None
    protocol: Annotated[Literal["TCP", "UDP", "SCTP"] | None, "Protocol of the port."] = None
    app_protocol: Annotated[str | None, "Protocol of the application."] = None


class EndpointSlice(Document, frozen=True):
    """Some of the addresses behind a Service. All slices of a Service together are its endpoints."""

    address_type: Annotated[Literal["IPv4", "IPv6", "FQDN"], "What the addresses are."]
    api_version: Annotated[str, "API version of the object."] = "discovery.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "EndpointSlice"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    endpoints: Annotated[tuple[Endpoint, ...], ATOMIC, "The endpoints."] = ()
    ports: Annotated[tuple[EndpointPort, ...], ATOMIC, "Their ports."] = ()


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """Ports are TCP and have a name, if only an empty one."""
    return each(doc, "ports", lambda port: fill(port, {"name": "", "protocol": "TCP"}))


KIND = Kind(
    group="discovery.k8s.io",
    versions=("v1",),
    kind="EndpointSlice",
    plural="endpointslices",
    document=EndpointSlice,
    defaults=defaults,
)
