"""Istio's rules for ServiceEntries and WorkloadEntries. Source: Istio's CRDs and configuration validation."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors, marks
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts, virtual_service_rules

Doc = dict[str, Any]
_PROTOCOLS = ("HTTP", "HTTPS", "GRPC", "GRPC-WEB", "HTTP2", "MONGO", "TCP", "TLS", "REDIS", "MYSQL", "UDP", "HBONE")
_TOLD_APART = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY", "HBONE", "HTTPS", "TLS"})
_DNS = {"DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"}


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a ServiceEntry, whatever else there is in the mesh."""
    spec = doc.get("spec", {})
    resolution, endpoints = spec.get("resolution", "NONE"), spec.get("endpoints", [])
    yield from _hosts(spec.get("hosts", []), resolution, endpoints)
    yield from _ports(spec.get("ports", []))
    yield from _one_host_for_bytes(spec, resolution)
    namespace = doc.get("metadata", {}).get("namespace", "")
    yield from hosts.export_to(spec.get("exportTo", ()), "spec.exportTo", namespace=namespace, nobody=True)
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
    names = {port.get("name", "") for port in spec.get("ports", ())}
    for index, endpoint in enumerate(endpoints):
        yield from _endpoint(endpoint, f"spec.endpoints[{index}]", resolution, names)


def remarks(doc: Doc) -> Iterator[FieldError]:
    """What is allowed in a ServiceEntry, and likely not meant."""
    spec = doc.get("spec", {})
    yield from hosts.empty_selector(spec, "workloadSelector", "spec")
    if "workloadSelector" in spec and spec.get("resolution", "NONE") == "NONE":
        yield errors.remark("spec.workloadSelector", "nobody is selected with resolution NONE")
    for index, name in enumerate(spec.get("hosts", ())):
        for wrong in hosts.partial(name, f"spec.hosts[{index}]"):
            yield errors.remark(wrong.path, wrong.message)


def _one_host_for_bytes(spec: Doc, resolution: str) -> Iterator[FieldError]:
    """Bytes do not say which of several hosts they are for."""
    if len(spec.get("hosts", ())) < 2 or resolution == "NONE":
        return
    for index, port in enumerate(spec.get("ports", ())):
        name = port.get("protocol", "TCP").upper()
        if name not in _TOLD_APART:
            why = "with several hosts a port must be of HTTP or TLS, which say the host"
            yield errors.invalid(f"spec.ports[{index}].protocol", name, why)


def _hosts(names: list[str], resolution: str, endpoints: list[Doc]) -> Iterator[FieldError]:
    if not names:
        yield errors.required("spec.hosts", "must name at least one host")
    if len(names) > 256:
        yield errors.too_many("spec.hosts", len(names), 256)
    yield from hosts.hosts(names, "spec.hosts")
    for index, name in enumerate(names):
        if name == "*":
            yield errors.invalid(f"spec.hosts[{index}]", name, "hostname cannot be wildcard")
        elif name.startswith("*") and resolution in {"DNS", "DNS_ROUND_ROBIN"} and not endpoints:
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


def _endpoint(endpoint: Doc, path: str, resolution: str, ports: set[str]) -> Iterator[FieldError]:
    yield from _address(endpoint, path)
    address = endpoint.get("address", "")
    if resolution == "STATIC" and address and not address.startswith("unix://") and not hosts.is_address(address):
        yield errors.invalid(f"{path}.address", address, "must be an IP address for resolution STATIC")
    if resolution == "STATIC" and address.startswith("unix://") and len(ports) != 1:
        yield errors.invalid(f"{path}.address", address, "exactly 1 service port required for unix endpoints")
    for name in endpoint.get("ports", {}):
        if name not in ports:
            yield errors.not_found(f"{path}.ports[{name}]", name)
    if resolution in _DNS and address.startswith("unix://"):
        yield errors.invalid(f"{path}.address", address, "must be a DNS name or an address, not a unix socket")
    yield from hosts.labels(endpoint.get("labels", {}), f"{path}.labels")


def workload_entry(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a WorkloadEntry."""
    spec = doc.get("spec", {})
    yield from _address(spec, "spec")
    yield from hosts.labels(spec.get("labels", {}), "spec.labels")


def workload_entry_remarks(doc: Doc) -> Iterator[FieldError]:
    """What is allowed in a WorkloadEntry, and likely not meant."""
    spec = doc.get("spec", {})
    if spec.get("network") and not spec.get("address"):
        yield errors.remark("spec.address", f"it is not set, for the network {spec['network']} alone")


def unix(value: str, path: str) -> Iterator[FieldError]:
    """`unix://` and the path of a socket, or an abstract name."""
    if value[7:8] not in {"/", "@"}:
        yield errors.invalid(path, value, "UDS must be an absolute path or abstract socket")
    if value.endswith("/"):
        yield errors.invalid(path, value, "UDS may not be a dir")


def _address(entry: Doc, path: str) -> Iterator[FieldError]:
    address = entry.get("address", "")
    if not address and not entry.get("network"):
        yield errors.required(f"{path}.address", "Address is required")
    if address.startswith("unix://"):
        yield from unix(address, f"{path}.address")
        if entry.get("ports"):
            yield errors.forbidden(f"{path}.ports", "UDS may not include ports")
    elif address and not hosts.is_address(address):
        yield from hosts.full(address, f"{path}.address")
    for name, number in entry.get("ports", {}).items():
        if why := marks.DNS_LABEL.test(name.lower()):
            yield errors.invalid(f"{path}.ports", name, why)
        if not 0 < number <= 65535:
            yield errors.invalid(f"{path}.ports[{name}]", number, "port must be between 1-65535")
