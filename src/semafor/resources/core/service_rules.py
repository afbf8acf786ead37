"""Kubernetes' defaults and rules for Services. Source: Kubernetes' core/v1 defaults and validation."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from semafor.resources import errors, metadata
from semafor.resources.core import container_rules, pod_rules
from semafor.resources.defaulting import each, fill, inside
from semafor.resources.errors import FieldError

Doc = dict[str, Any]
_OUTWARD = {"NodePort", "LoadBalancer"}
_STICKY_S = 3 * 60 * 60


def defaults(doc: Doc) -> Doc:
    """What a Service leaves out. Addresses and node ports are given by the API, not here."""
    return inside(doc, "spec", _spec)


def _spec(doc: Doc) -> Doc:
    doc = fill(doc, {"type": "ClusterIP", "sessionAffinity": "None"})
    doc = each(doc, "ports", _port)
    if doc["sessionAffinity"] == "ClientIP":
        doc = fill(doc, {"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": _STICKY_S}}})
    if doc["type"] != "ExternalName":
        filled = {"internalTrafficPolicy": "Cluster", "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]}
        doc = fill(doc, filled)
    if doc["type"] in _OUTWARD:
        doc = fill(doc, {"externalTrafficPolicy": "Cluster"})
    if doc["type"] == "LoadBalancer":
        doc = fill(doc, {"allocateLoadBalancerNodePorts": True})
    return doc


def _port(doc: Doc) -> Doc:
    doc = fill(doc, {"protocol": "TCP"})
    return doc if doc.get("targetPort") else {**doc, "targetPort": doc.get("port", 0)}


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a Service."""
    spec = doc.get("spec", {})
    type_ = spec.get("type", "ClusterIP")
    headless = spec.get("clusterIP") == "None"
    yield from _ports(spec.get("ports", []), type_, needed=not headless and type_ != "ExternalName")
    yield from metadata.labels(spec.get("selector", {}), "spec.selector")
    if type_ == "ExternalName":
        if not spec.get("externalName"):
            yield errors.required("spec.externalName", "must be set when `type` is 'ExternalName'")
        if spec.get("clusterIP"):
            yield errors.forbidden("spec.clusterIP", "may not be set when `type` is 'ExternalName'")
    elif spec.get("clusterIP") and not headless:
        yield from pod_rules.address(spec["clusterIP"], "spec.clusterIP")
    if headless and type_ in _OUTWARD:
        yield errors.invalid("spec.clusterIP", "None", f"may not be set to 'None' for {type_} services")
    for index, address in enumerate(spec.get("externalIPs", ())):
        yield from pod_rules.address(address, f"spec.externalIPs[{index}]")
    for index, network in enumerate(spec.get("loadBalancerSourceRanges", ())):
        yield from _network(network, f"spec.loadBalancerSourceRanges[{index}]")
    if spec.get("externalTrafficPolicy") and type_ not in _OUTWARD and not spec.get("externalIPs"):
        why = "may only be set for externally-accessible services"
        yield errors.invalid("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], why)


def _ports(ports: list[Doc], type_: str, *, needed: bool) -> Iterator[FieldError]:
    if needed and not ports:
        yield errors.required("spec.ports")
    names: set[str] = set()
    numbers: set[tuple[str, Any]] = set()
    node_ports: set[tuple[str, Any]] = set()
    for index, port in enumerate(ports):
        path, protocol = f"spec.ports[{index}]", port.get("protocol", "TCP")
        name, key, node_key = port.get("name", ""), (protocol, port.get("port")), (protocol, port.get("nodePort"))
        if not name and len(ports) > 1:
            yield errors.required(f"{path}.name")
        if name and name in names:
            yield errors.duplicate(f"{path}.name", name)
        if key in numbers:
            yield errors.duplicate(path, {"protocol": protocol, "port": port.get("port")})
        names.add(name)
        numbers.add(key)
        target = port.get("targetPort")
        yield from container_rules.port(target or None, f"{path}.targetPort")
        if port.get("nodePort"):
            if type_ not in _OUTWARD:
                yield errors.forbidden(f"{path}.nodePort", f"may not be used when `type` is '{type_}'")
            if node_key in node_ports:
                yield errors.duplicate(f"{path}.nodePort", port["nodePort"])
            node_ports.add(node_key)


def _network(value: str, path: str) -> Iterator[FieldError]:
    try:
        ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        yield errors.invalid(path, value, "must be a network in CIDR notation, such as 10.0.0.0/8")
