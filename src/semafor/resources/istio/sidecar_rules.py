"""Istio's rules for Sidecars that types alone cannot say. Source: Istio's configuration validation."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors, marks
from semafor.resources.errors import FieldError
from semafor.resources.istio import destination_rule_rules, hosts

Doc = dict[str, Any]


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a Sidecar, whatever else there is in the mesh."""
    spec = doc.get("spec", {})
    yield from hosts.labels(spec.get("workloadSelector", {}).get("labels", {}), "spec.workloadSelector.labels")
    yield from _ingress(spec.get("ingress", []))
    for index, listener in enumerate(spec.get("egress", ())):
        path = f"spec.egress[{index}]"
        if not listener.get("hosts"):
            yield errors.required(f"{path}.hosts", "must name at least one host")
        for place, value in enumerate(listener.get("hosts", ())):
            yield from _egress_host(value, f"{path}.hosts[{place}]")
    yield from destination_rule_rules.connection_pool(
        spec.get("inboundConnectionPool", {}), "spec.inboundConnectionPool"
    )


def _ingress(listeners: list[Doc]) -> Iterator[FieldError]:
    ports: set[int] = set()
    for index, listener in enumerate(listeners):
        path, number = f"spec.ingress[{index}]", listener.get("port", {}).get("number", 0)
        if not number:
            yield errors.required(f"{path}.port.number")
        elif number in ports:
            yield errors.duplicate(f"{path}.port.number", number)
        ports.add(number)
        endpoint = listener.get("defaultEndpoint", "")
        if endpoint and not endpoint.startswith(("127.0.0.1:", "0.0.0.0:", "[::1]:", "[::]:", "unix://")):
            why = "must be 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, [::]:PORT or unix:// and a path"
            yield errors.invalid(f"{path}.defaultEndpoint", endpoint, why)


def _egress_host(value: str, path: str) -> Iterator[FieldError]:
    namespace, slash, name = value.partition("/")
    if not slash:
        yield errors.invalid(path, value, "must be namespace/host, such as ./*, default/reviews or */*.example.com")
        return
    if namespace not in {"*", ".", "~"} and (why := marks.DNS_LABEL.test(namespace)):
        yield errors.invalid(path, value, f"namespace: {why}")
    yield from hosts.host(name, path)
