"""Istio's rules for Gateways that types alone cannot say. Source: Istio's configuration validation."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors, marks
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts, service_entry_rules, tls_rules

Doc = dict[str, Any]
HTTP = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY", "HBONE"})
TLS = frozenset({"HTTPS", "TLS"})
_UNIX = "unix://"


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a Gateway, whatever else there is in the mesh."""
    spec, own = doc.get("spec", {}), doc.get("metadata", {}).get("name", "")
    if own and (why := marks.DNS_LABEL.test(own.lower())):
        yield errors.invalid("metadata.name", own, why)
    if not spec.get("servers"):
        yield errors.required("spec.servers", "must have at least one server")
    yield from hosts.labels(spec.get("selector", {}), "spec.selector")
    names: set[str] = set()
    ports: set[str] = set()
    for index, server in enumerate(spec.get("servers", ())):
        path, name, port = f"spec.servers[{index}]", server.get("name", ""), server.get("port", {})
        if name and name in names:
            yield errors.duplicate(f"{path}.name", name)
        if port.get("name") in ports:
            yield errors.duplicate(f"{path}.port.name", port["name"])
        names.add(name)
        ports.add(port.get("name", ""))
        yield from _server(server, path)


def remarks(doc: Doc) -> Iterator[FieldError]:
    """What is allowed, and likely not meant."""
    for index, server in enumerate(doc.get("spec", {}).get("servers", ())):
        tls, path = server.get("tls", {}), f"spec.servers[{index}].tls"
        if tls.get("httpsRedirect") and _protocol(server) not in HTTP:
            yield errors.remark(f"{path}.httpsRedirect", "only a server of plain HTTP can redirect to HTTPS")
        yield from tls_rules.remarks(tls, path)


def _server(server: Doc, path: str) -> Iterator[FieldError]:
    if not server.get("hosts"):
        yield errors.required(f"{path}.hosts", "must name at least one host")
    for place, value in enumerate(server.get("hosts", ())):
        yield from _host(value, f"{path}.hosts[{place}]")
    port = server.get("port", {})
    yield from service_entry_rules.protocol(port.get("protocol", ""), f"{path}.port.protocol")
    if port.get("targetPort"):
        yield errors.forbidden(f"{path}.port.targetPort", "targetPort has no impact on Gateways")
    bind, number = server.get("bind", ""), port.get("number", 0)
    if bind.startswith(_UNIX):
        yield from service_entry_rules.unix(bind, f"{path}.bind")
        if number:
            yield errors.invalid(f"{path}.port.number", number, "must be 0 for a unix domain socket")
    elif bind:
        yield from hosts.address(bind, f"{path}.bind")
    if not number and not bind.startswith(_UNIX):
        yield errors.invalid(f"{path}.port.number", number, "must be between 1 and 65535, inclusive")
    yield from _tls(server, path)


def _host(value: str, path: str) -> Iterator[FieldError]:
    namespace, slash, name = value.rpartition("/")
    if slash and namespace not in {"*", "."} and (why := marks.DNS_LABEL.test(namespace)):
        yield errors.invalid(path, value, f"namespace: {why}")
    yield from hosts.host(name, path) if not hosts.is_address(name) else ()
    yield from hosts.partial(name, path)
    if name and name != "*" and "." not in name and ":" not in name:
        yield errors.invalid(
            path, value, "short names are not allowed; write the full name, such as reviews.example.com"
        )


def _protocol(server: Doc) -> str:
    return str(server.get("port", {}).get("protocol", "")).upper()


def _tls(server: Doc, path: str) -> Iterator[FieldError]:
    tls, protocol = server.get("tls"), _protocol(server)
    if tls is None:
        if protocol in TLS:
            yield errors.required(f"{path}.tls", f"server must have TLS settings for protocol {protocol}")
        return
    if protocol in HTTP:
        if tls.get("mode", "PASSTHROUGH") not in {"PASSTHROUGH", "AUTO_PASSTHROUGH"}:
            why = f"a plain {protocol} server cannot terminate TLS; use protocol HTTPS"
            yield errors.invalid(f"{path}.tls.mode", tls["mode"], why)
        for name in ("caCertificates", "privateKey", "serverCertificate"):
            if tls.get(name):
                yield errors.forbidden(f"{path}.tls.{name}", f"a plain {protocol} server has no certificate")
        return
    if protocol not in TLS:
        yield errors.forbidden(f"{path}.tls", f"server cannot have TLS settings for protocol {protocol}")
    yield from tls_rules.validate(tls, f"{path}.tls")
