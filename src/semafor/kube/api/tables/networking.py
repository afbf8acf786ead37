"""Service, Endpoints, EndpointSlice, Ingress, NetworkPolicy. Source: printers.go."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from semafor.kube.api.rules.rules import at
from semafor.kube.api.tables import ages
from semafor.kube.api.tables.printer import NONE, UNSET, Cell, Printer, header, limited, meta, pairs, selector

Doc = dict[str, Any]


def _age(obj: Doc, now: datetime) -> str:
    return ages.since(meta(obj).get("creationTimestamp"), now)


def _service(obj: Doc, now: datetime) -> Sequence[Cell]:
    spec = obj.get("spec", {})
    address = next(iter(spec.get("clusterIPs") or []), spec.get("clusterIP")) or NONE
    kind = spec.get("type") or "ClusterIP"
    return (meta(obj)["name"], kind, address, _external(obj), _ports(spec), _age(obj, now), pairs(spec.get("selector")))


def _external(obj: Doc) -> str:
    spec = obj.get("spec", {})
    listed = list(spec.get("externalIPs") or [])
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName") or "")
    if spec.get("type") == "LoadBalancer":
        ingress = at(obj, "status.loadBalancer.ingress") or []
        listed = [item.get("ip") or item.get("hostname") or "" for item in ingress] + listed
        return ",".join(listed) or "<pending>"
    return ",".join(listed) or NONE


def _ports(spec: Doc) -> str:
    shown: list[str] = []
    for port in spec.get("ports") or []:
        outside = f":{port['nodePort']}" if port.get("nodePort") else ""
        shown.append(f"{port.get('port')}{outside}/{port.get('protocol') or 'TCP'}")
    return ",".join(shown) or NONE


SERVICE = Printer(
    columns=header("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", wide=("Selector",)), row=_service
)


def _endpoints(obj: Doc, now: datetime) -> Sequence[Cell]:
    shown: list[str] = []
    for subset in obj.get("subsets") or []:
        addresses = [item.get("ip", "") for item in subset.get("addresses") or []]
        ports = [str(port.get("port")) for port in subset.get("ports") or []]
        shown += [f"{address}:{port}" for port in ports for address in addresses] if ports else addresses
    return (meta(obj)["name"], limited(shown), _age(obj, now))


ENDPOINTS = Printer(columns=header("Name", "Endpoints", "Age"), row=_endpoints)


def _endpoint_slice(obj: Doc, now: datetime) -> Sequence[Cell]:
    ports = [str(port.get("port") if port.get("port") is not None else "*") for port in obj.get("ports") or []]
    addresses = [address for item in obj.get("endpoints") or [] for address in item.get("addresses") or []]
    return (
        meta(obj)["name"],
        obj.get("addressType", ""),
        limited(ports, empty=UNSET),
        limited(addresses, empty=UNSET),
        _age(obj, now),
    )


ENDPOINT_SLICE = Printer(columns=header("Name", "AddressType", "Ports", "Endpoints", "Age"), row=_endpoint_slice)


def _ingress(obj: Doc, now: datetime) -> Sequence[Cell]:
    hosts = [rule["host"] for rule in at(obj, "spec.rules") or [] if rule.get("host")]
    addresses = [item.get("ip") or item.get("hostname") or "" for item in at(obj, "status.loadBalancer.ingress") or []]
    return (
        meta(obj)["name"],
        at(obj, "spec.ingressClassName") or NONE,
        limited(hosts, empty="*"),
        ",".join(addresses),
        "80, 443" if at(obj, "spec.tls") else "80",
        _age(obj, now),
    )


INGRESS = Printer(columns=header("Name", "Class", "Hosts", "Address", "Ports", "Age"), row=_ingress)


def _ingress_class(obj: Doc, now: datetime) -> Sequence[Cell]:
    ref = at(obj, "spec.parameters")
    parameters = NONE
    if ref:
        group = f".{ref['apiGroup']}" if ref.get("apiGroup") else ""
        parameters = f"{ref.get('kind', '')}{group}/{ref.get('name', '')}"
    return (meta(obj)["name"], at(obj, "spec.controller") or "", parameters, _age(obj, now))


INGRESS_CLASS = Printer(columns=header("Name", "Controller", "Parameters", "Age"), row=_ingress_class)


def _network_policy(obj: Doc, now: datetime) -> Sequence[Cell]:
    return (meta(obj)["name"], selector(at(obj, "spec.podSelector") or {}), _age(obj, now))


NETWORK_POLICY = Printer(columns=header("Name", "Pod-Selector", "Age"), row=_network_policy)
