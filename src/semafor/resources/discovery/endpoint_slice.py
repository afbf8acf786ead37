"""EndpointSlice: addresses behind a Service. Source: Kubernetes' API reference."""

import ipaddress
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.core.refs import ObjectReference
from semafor.resources.defaulting import each, fill
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, PORT, SET, Labels
from semafor.resources.meta.meta import ObjectMeta


class EndpointConditions(Document):
    """The state of an endpoint."""

    ready: Annotated[bool | None, "Whether it takes traffic; true when absent."] = None
    serving: Annotated[bool | None, "Whether it answers, even while it ends."] = None
    terminating: Annotated[bool | None, "Whether it is ending."] = None


class ForZone(Document):
    """A zone that should use an endpoint."""

    name: Annotated[str, "Name of the zone."]


class EndpointHints(Document):
    """Who should use an endpoint."""

    for_zones: Annotated[tuple[ForZone, ...], ATOMIC, "Zones that should use it."] = ()


class Endpoint(Document):
    """Addresses of one backend, all equal."""

    addresses: Annotated[tuple[str, ...], SET, "The addresses."] = ()
    conditions: Annotated[EndpointConditions, "Its state."] = EndpointConditions()
    hostname: Annotated[str | None, "Its name within the Service."] = None
    target_ref: Annotated[ObjectReference | None, ATOMIC, "The pod."] = None
    deprecated_topology: Annotated[Labels, "Obsolete."] = {}
    node_name: Annotated[str | None, "Node that it is on."] = None
    zone: Annotated[str | None, "Zone that it is in."] = None
    hints: Annotated[EndpointHints | None, "Who should use it."] = None


class EndpointPort(Document):
    """A port behind a Service."""

    name: Annotated[str | None, "Name of the Service's port."] = None
    protocol: Annotated[Literal["TCP", "UDP", "SCTP"], "Protocol of the port."] = "TCP"
    port: Annotated[int | None, PORT, "Number of the port."] = None
    app_protocol: Annotated[str | None, "Protocol of the application."] = None


class EndpointSlice(Document):
    """A part of the addresses behind a Service."""

    address_type: Annotated[str, "What the addresses are."]
    api_version: Annotated[str, "API version of the object."] = "discovery.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "EndpointSlice"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    endpoints: Annotated[tuple[Endpoint, ...], ATOMIC, "The endpoints."] = ()
    ports: Annotated[tuple[EndpointPort, ...], ATOMIC, "Ports that all of them have; none means all ports."] = ()


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """Ports have an empty name and are TCP unless they say otherwise."""
    return each(doc, "ports", lambda port: fill(port, {"name": "", "protocol": "TCP"}))


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """Addresses are of the slice's type, and ports have different names."""
    version = {"IPv4": 4, "IPv6": 6}.get(doc.get("addressType", ""))
    for index, endpoint in enumerate(doc.get("endpoints", ())):
        path = f"endpoints[{index}].addresses"
        if not endpoint.get("addresses"):
            yield errors.required(path, "must contain at least 1 address")
        for place, address in enumerate(endpoint.get("addresses", ())):
            if version is not None and _version(address) != version:
                yield errors.invalid(f"{path}[{place}]", address, f"must be an IPv{version} address")
    names: set[str] = set()
    for index, port in enumerate(doc.get("ports", ())):
        if port.get("name", "") in names:
            yield errors.duplicate(f"ports[{index}].name", port.get("name", ""))
        names.add(port.get("name", ""))


def _version(address: str) -> int:
    try:
        return ipaddress.ip_address(address).version
    except ValueError:
        return 0


KIND = Kind(
    group="discovery.k8s.io",
    versions=("v1",),
    kind="EndpointSlice",
    plural="endpointslices",
    document=EndpointSlice,
    defaults=defaults,
    validate=validate,
)
