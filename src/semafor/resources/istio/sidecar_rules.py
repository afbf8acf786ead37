"""Istio's rules for Sidecars that types alone cannot say. Source: Istio's configuration validation."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors, marks
from semafor.resources.errors import FieldError
from semafor.resources.istio import destination_rule_rules, gateway_rules, hosts, service_entry_rules, tls_rules

Doc = dict[str, Any]
_PARTS = ("ingress", "egress", "outboundTrafficPolicy", "inboundConnectionPool")
_NOT_INSIDE = ("subjectAltNames", "httpsRedirect", "credentialName", "credentialNames", "tlsCertificates")
_ENDPOINTS = ("127.0.0.1:", "0.0.0.0:", "[::1]:", "[::]:", ":")


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a Sidecar, whatever else there is in the mesh."""
    spec = doc.get("spec", {})
    yield from hosts.labels(spec.get("workloadSelector", {}).get("labels", {}), "spec.workloadSelector.labels")
    if not any(spec.get(part) not in (None, []) for part in _PARTS):
        yield errors.required("spec", f"one of {', '.join(_PARTS)} must be set")
    yield from _ingress(spec.get("ingress", []))
    yield from _egress(spec.get("egress", []))
    pool, policy = spec.get("inboundConnectionPool"), spec.get("outboundTrafficPolicy", {})
    if pool is not None:
        yield from destination_rule_rules.connection_pool(pool, "spec.inboundConnectionPool")
    if "egressProxy" in policy:
        yield from _egress_proxy(policy, "spec.outboundTrafficPolicy")


def remarks(doc: Doc) -> Iterator[FieldError]:
    """What is allowed, and likely not meant."""
    spec = doc.get("spec", {})
    yield from hosts.empty_selector(spec, "workloadSelector", "spec")
    for index, listener in enumerate(spec.get("ingress", ())):
        name = listener.get("port", {}).get("protocol", "")
        if listener.get("connectionPool", {}).get("http") and name.upper() not in gateway_rules.HTTP:
            why = f"the port's protocol is {name or 'not set'}, so only settings for TCP apply"
            yield errors.remark(f"spec.ingress[{index}].connectionPool.http", why)
        yield from tls_rules.remarks(listener.get("tls", {}), f"spec.ingress[{index}].tls")
    for index, listener in enumerate(spec.get("egress", ())):
        yield from _twice(listener.get("hosts", []), f"spec.egress[{index}].hosts")


def _twice(values: list[str], path: str) -> Iterator[FieldError]:
    """Hosts of one listener that others of it have already."""
    if "*/*" in values and len(values) > 1:
        yield errors.remark(path, "`*/*` selects everything, so the others add nothing")
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen or f"{value.partition('/')[0]}/*" in seen:
            yield errors.remark(f"{path}[{index}]", f"{value} is in the list already")
        seen.add(value)


def _ingress(listeners: list[Doc]) -> Iterator[FieldError]:
    ports: set[int] = set()
    for index, listener in enumerate(listeners):
        path, port = f"spec.ingress[{index}]", listener.get("port", {})
        number = port.get("number", 0)
        if not number:
            yield errors.required(f"{path}.port.number")
        elif number in ports:
            yield errors.duplicate(f"{path}.port.number", number)
        ports.add(number)
        yield from _port(port, f"{path}.port")
        if listener.get("bind"):
            yield from hosts.address(listener["bind"], f"{path}.bind")
        yield from _default_endpoint(listener.get("defaultEndpoint", ""), f"{path}.defaultEndpoint")
        if "tls" in listener:
            yield from _tls(listener["tls"], port.get("protocol", ""), f"{path}.tls")
        if "connectionPool" in listener:
            yield from destination_rule_rules.connection_pool(listener["connectionPool"], f"{path}.connectionPool")


def _port(port: Doc, path: str) -> Iterator[FieldError]:
    if port.get("targetPort"):
        yield errors.forbidden(f"{path}.targetPort", "targetPort has no impact on Sidecars")
    if port.get("name") and (why := marks.DNS_LABEL.test(port["name"].lower())):
        yield errors.invalid(f"{path}.name", port["name"], why)
    yield from service_entry_rules.protocol(port.get("protocol", ""), f"{path}.protocol")


def _default_endpoint(value: str, path: str) -> Iterator[FieldError]:
    if value.startswith("unix://"):
        yield from service_entry_rules.unix(value, path)
    elif value:
        port = value.rpartition(":")[2]
        if not value.startswith(_ENDPOINTS) or not port.isdigit() or not 0 < int(port) < 65536:
            why = "must be 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, [::]:PORT or unix:// and a path"
            yield errors.invalid(path, value, why)


def _tls(tls: Doc, protocol: str, path: str) -> Iterator[FieldError]:
    for name in _NOT_INSIDE:
        if tls.get(name):
            yield errors.forbidden(f"{path}.{name}", "is not supported in a sidecar")
    if tls.get("mode") in {"ISTIO_MUTUAL", "AUTO_PASSTHROUGH"}:
        yield errors.invalid(f"{path}.mode", tls["mode"], "is not supported in a sidecar")
    if protocol.upper() not in gateway_rules.TLS:
        yield errors.forbidden(path, "a listener of another protocol than HTTPS or TLS has no TLS settings")
    yield from tls_rules.validate(tls, path)


def _egress(listeners: list[Doc]) -> Iterator[FieldError]:
    seen: set[Any] = set()
    for index, listener in enumerate(listeners):
        path, port = f"spec.egress[{index}]", listener.get("port")
        if not listener.get("hosts"):
            yield errors.required(f"{path}.hosts", "must name at least one host")
        for place, value in enumerate(listener.get("hosts", ())):
            yield from _egress_host(value, f"{path}.hosts[{place}]")
        if port is None:
            if index < len(listeners) - 1:
                yield errors.required(f"{path}.port", "only the last listener may be without a port")
            continue
        yield from _port(port, f"{path}.port")
        yield from _egress_bind(listener, port, path)
        key = port.get("number", 0) or listener.get("bind", "")
        if key in seen:
            yield errors.duplicate(f"{path}.port.number" if port.get("number") else f"{path}.bind", key)
        seen.add(key)


def _egress_bind(listener: Doc, port: Doc, path: str) -> Iterator[FieldError]:
    bind = listener.get("bind", "")
    if port.get("number"):
        if bind:
            yield from hosts.address(bind, f"{path}.bind")
    elif not bind.startswith("unix://"):
        yield errors.invalid(f"{path}.bind", bind, "a listener with port 0 must bind to unix:// and a path")
    else:
        yield from service_entry_rules.unix(bind, f"{path}.bind")
        if listener.get("captureMode", "DEFAULT") == "IPTABLES":
            yield errors.invalid(f"{path}.captureMode", "IPTABLES", "must be DEFAULT or NONE for a unix socket")


def _egress_host(value: str, path: str) -> Iterator[FieldError]:
    namespace, slash, name = value.partition("/")
    if not slash:
        yield errors.invalid(
            path,
            value,
            "must be namespace/host, such as ./*, default/reviews.default.svc.cluster.local or */*.example.com",
        )
        return
    if namespace not in {"*", ".", "~"} and (why := marks.DNS_LABEL.test(namespace)):
        yield errors.invalid(path, value, f"namespace: {why}")
    yield from hosts.host(name, path)
    yield from hosts.partial(name, path)
    if name and name != "*" and "." not in name:
        yield errors.invalid(
            path, value, "short names are not allowed; write the full name, such as reviews.default.svc.cluster.local"
        )


def _egress_proxy(policy: Doc, path: str) -> Iterator[FieldError]:
    proxy = policy["egressProxy"]
    if policy.get("mode", "REGISTRY_ONLY") != "ALLOW_ANY":
        yield errors.forbidden(f"{path}.egressProxy", "must be set only with mode ALLOW_ANY")
        return
    yield from hosts.full(proxy.get("host", ""), f"{path}.egressProxy.host")
    if not proxy.get("port", {}).get("number"):
        yield errors.required(f"{path}.egressProxy.port.number")
