"""Endpoints: the old form of EndpointSlice. Source: Kubernetes' API reference."""

from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources.core.refs import ObjectReference
from semafor.resources.defaulting import each, fill
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, PORT
from semafor.resources.meta.meta import ObjectMeta


class EndpointAddress(Document):
    """An address behind a Service."""

    ip: Annotated[str, "The address."]
    hostname: Annotated[str, "Name of the endpoint within the Service."] = ""
    node_name: Annotated[str | None, "Node that it is on."] = None
    target_ref: Annotated[ObjectReference | None, ATOMIC, "The pod."] = None


class EndpointPort(Document):
    """A port behind a Service."""

    port: Annotated[int, PORT, "Number of the port."]
    name: Annotated[str, "Name of the Service's port."] = ""
    protocol: Annotated[Literal["TCP", "UDP", "SCTP"], "Protocol of the port."] = "TCP"
    app_protocol: Annotated[str | None, "Protocol of the application."] = None


class EndpointSubset(Document):
    """Addresses with the same ports."""

    addresses: Annotated[tuple[EndpointAddress, ...], ATOMIC, "Addresses that are ready."] = ()
    not_ready_addresses: Annotated[tuple[EndpointAddress, ...], ATOMIC, "Addresses that are not."] = ()
    ports: Annotated[tuple[EndpointPort, ...], ATOMIC, "The ports."] = ()


class Endpoints(Document):
    """The addresses behind a Service, in the old form; EndpointSlice is the new one."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "Endpoints"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    subsets: Annotated[tuple[EndpointSubset, ...], ATOMIC, "The addresses and their ports."] = ()


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """Ports are TCP unless they say otherwise."""
    return each(doc, "subsets", lambda subset: each(subset, "ports", lambda port: fill(port, {"protocol": "TCP"})))


KIND = Kind(
    group="",
    versions=("v1",),
    kind="Endpoints",
    plural="endpoints",
    document=Endpoints,
    short=("ep",),
    effect=False,
    name_rule="1035-label",
    defaults=defaults,
)
