"""Istio's rules for Gateways that types alone cannot say. Source: Istio's configuration validation."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors, marks
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts, service_entry_rules

Doc = dict[str, Any]
_WITH_CERTIFICATE = {"SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"}
_CREDENTIALS = ("credentialName", "credentialNames", "tlsCertificates")


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a Gateway, whatever else there is in the mesh."""
    spec = doc.get("spec", {})
    if not spec.get("servers"):
        yield errors.required("spec.servers", "must have at least one server")
    yield from hosts.labels(spec.get("selector", {}), "spec.selector")
    names: set[str] = set()
    for index, server in enumerate(spec.get("servers", ())):
        path, name = f"spec.servers[{index}]", server.get("name", "")
        if name and name in names:
            yield errors.duplicate(f"{path}.name", name)
        names.add(name)
        if not server.get("hosts"):
            yield errors.required(f"{path}.hosts", "must name at least one host")
        for place, value in enumerate(server.get("hosts", ())):
            yield from _host(value, f"{path}.hosts[{place}]")
        yield from service_entry_rules.protocol(server.get("port", {}).get("protocol", ""), f"{path}.port.protocol")
        yield from _tls(server, path)


def _host(value: str, path: str) -> Iterator[FieldError]:
    namespace, slash, name = value.rpartition("/")
    if slash and namespace not in {"*", "."} and (why := marks.DNS_LABEL.test(namespace)):
        yield errors.invalid(path, value, f"namespace: {why}")
    yield from hosts.host(name, path)


def _tls(server: Doc, path: str) -> Iterator[FieldError]:
    tls, protocol = server.get("tls"), server.get("port", {}).get("protocol", "").upper()
    if tls is None:
        if protocol in {"HTTPS", "TLS"}:
            yield errors.required(f"{path}.tls", f"server must have TLS settings for protocol {protocol}")
        return
    mode = tls.get("mode", "PASSTHROUGH")
    present = [name for name in _CREDENTIALS if tls.get(name)]
    if len(present) > 1:
        yield errors.invalid(f"{path}.tls", present, f"only one of {' or '.join(present)} can be set")
    if protocol == "HTTP" and "mode" in tls:
        yield errors.invalid(f"{path}.tls.mode", mode, "a plain HTTP server cannot terminate TLS; use protocol HTTPS")
    if mode in _WITH_CERTIFICATE and not present and protocol != "HTTP":
        for name in ("serverCertificate", "privateKey"):
            if not tls.get(name):
                yield errors.required(f"{path}.tls.{name}", f"must be set for mode {mode} without credentialName")
