"""Istio's rules for ServiceEntries and WorkloadEntries. Source: Istio's CRDs and configuration validation."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts, virtual_service_rules

Doc = dict[str, Any]
_PROTOCOLS = ("HTTP", "HTTPS", "GRPC", "GRPC-WEB", "HTTP2", "MONGO", "TCP", "TLS", "REDIS", "MYSQL", "UDP", "HBONE")
_DNS = {"DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"}


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a ServiceEntry, whatever else there is in the mesh."""
    spec = doc.get("spec", {})
    resolution, endpoints = spec.get("resolution", "NONE"), spec.get("endpoints", [])
    yield from _hosts(spec.get("hosts", []), resolution)
    yield from _ports(spec.get("ports", []))
    yield from hosts.export_to(spec.get("exportTo", ()), "spec.exportTo")
    for index, address in enumerate(spec.get("addresses", ())):
        yield from virtual_service_rules.subnet(address, f"spec.addresses[{index}]")
        if "/" in address and resolution not in {"NONE", "STATIC"}:
            why = "CIDR addresses are allowed only for NONE/STATIC resolution types"
            yield errors.invalid(f"spec.addresses[{index}]", address, why)
    if "workloadSelector" in spec:
        yield from hosts.labels(spec["workloadSelector"].get("labels", {}), "spec.workloadSelector.labels")
        if endpoints:
            yield errors.forbidden("spec.endpoints", "only one of WorkloadSelector or Endpoints can be set")
    if resolution == "NONE" and endpoints:
        yield errors.forbidden("spec.endpoints", "NONE mode cannot set endpoints")
    if resolution == "DNS_ROUND_ROBIN" and len(endpoints) > 1:
        yield errors.too_many("spec.endpoints", len(endpoints), 1)
    for index, endpoint in enumerate(endpoints):
        yield from _endpoint(endpoint, f"spec.endpoints[{index}]", resolution)


def _hosts(names: list[str], resolution: str) -> Iterator[FieldError]:
    if not names:
        yield errors.required("spec.hosts", "must name at least one host")
    if len(names) > 256:
        yield errors.too_many("spec.hosts", len(names), 256)
    yield from hosts.hosts(names, "spec.hosts")
    for index, name in enumerate(names):
        if name == "*":
            yield errors.invalid(f"spec.hosts[{index}]", name, "hostname cannot be wildcard")
        elif name.startswith("*") and resolution in {"DNS", "DNS_ROUND_ROBIN"}:
            why = f"a wildcard cannot be resolved; resolution {resolution} needs a full name"
            yield errors.invalid(f"spec.hosts[{index}]", name, why)


def _ports(ports: list[Doc]) -> Iterator[FieldError]:
    names: set[str] = set()
    numbers: set[int] = set()
    for index, port in enumerate(ports):
        path, name, number = f"spec.ports[{index}]", port.get("name", ""), port.get("number", 0)
        if name and name in names:
            yield errors.duplicate(f"{path}.name", name)
        if number in numbers:
            yield errors.duplicate(f"{path}.number", number)
        names.add(name)
        numbers.add(number)
        yield from protocol(port.get("protocol", ""), f"{path}.protocol")


def protocol(value: str, path: str) -> Iterator[FieldError]:
    """A protocol's name in any case; empty means that it is found out."""
    if value and value.upper() not in _PROTOCOLS:
        yield errors.not_supported(path, value, _PROTOCOLS)


def _endpoint(endpoint: Doc, path: str, resolution: str) -> Iterator[FieldError]:
    yield from _address(endpoint, path)
    address = endpoint.get("address", "")
    if resolution == "STATIC" and address and not address.startswith("unix://"):
        try:
            ipaddress.ip_address(address)
        except ValueError:
            yield errors.invalid(f"{path}.address", address, "must be an IP address for resolution STATIC")
    if resolution in _DNS and address.startswith("unix://"):
        yield errors.invalid(f"{path}.address", address, "must be a DNS name or an address, not a unix socket")
    yield from hosts.labels(endpoint.get("labels", {}), f"{path}.labels")


def workload_entry(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a WorkloadEntry."""
    spec = doc.get("spec", {})
    yield from _address(spec, "spec")
    yield from hosts.labels(spec.get("labels", {}), "spec.labels")


def _address(entry: Doc, path: str) -> Iterator[FieldError]:
    address = entry.get("address", "")
    if not address and not entry.get("network"):
        yield errors.required(f"{path}.address", "Address is required")
    if address.startswith("unix://"):
        if address[7:8] not in {"/", "@"}:
            yield errors.invalid(f"{path}.address", address, "UDS must be an absolute path or abstract socket")
        if address.endswith("/"):
            yield errors.invalid(f"{path}.address", address, "UDS may not be a dir")
        if entry.get("ports"):
            yield errors.forbidden(f"{path}.ports", "UDS may not include ports")
    for name, number in entry.get("ports", {}).items():
        if not 0 < number <= 65535:
            yield errors.invalid(f"{path}.ports[{name}]", number, "port must be between 1-65535")
