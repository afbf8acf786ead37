"""Istio's Gateway objects as values. Source: Istio's reference of Gateway, and its merging of gateways."""

from collections.abc import Iterator
from typing import Final

from semafor.base.problem import ObjectRef, Problem
from semafor.ir import Origin
from semafor.planner import hosts
from semafor.planner.checks import problems, refused
from semafor.planner.checks.problems import at
from semafor.planner.gateway.server import ANY, Files, Gateway, Mode, ServedHost, Server, ServerTls, Speaks, TlsVersion
from semafor.resources.istio import gateway as istio
from semafor.resources.istio import tls_rules
from semafor.resources.meta.meta import ObjectMeta

_SPEAKS: Final[dict[str, Speaks]] = {
    "HTTP": "http",
    "HTTP2": "http",
    "GRPC": "http",
    "GRPC-WEB": "http",
    "HTTPS": "https",
    "TLS": "tls",
    "TCP": "tcp",
    "MONGO": "tcp",
    "MYSQL": "tcp",
    "REDIS": "tcp",
}
_MODES: Final[dict[str, Mode]] = {
    "SIMPLE": "simple",
    "MUTUAL": "mutual",
    "OPTIONAL_MUTUAL": "optional_mutual",
    "ISTIO_MUTUAL": "istio_mutual",
    "PASSTHROUGH": "passthrough",
    "AUTO_PASSTHROUGH": "auto_passthrough",
}
_VERSIONS: Final[dict[str, TlsVersion]] = {
    "TLS_AUTO": "",
    "TLSV1_0": "1.0",
    "TLSV1_1": "1.1",
    "TLSV1_2": "1.2",
    "TLSV1_3": "1.3",
}
CIPHERS: Final = tls_rules.CIPHERS - {"DES-CBC3-SHA"}  # Envoy refuses a listener with any other
_TLS_FIELDS = (
    "https_redirect",
    "mode",
    "server_certificate",
    "private_key",
    "ca_certificates",
    "ca_crl",
    "credential_name",
    "credential_names",
    "ca_cert_credential_name",
    "tls_certificates",
    "subject_alt_names",
    "verify_certificate_spki",
    "verify_certificate_hash",
    "min_protocol_version",
    "max_protocol_version",
    "cipher_suites",
    "insecure_skip_verify",
)


def read(meta: ObjectMeta, spec: istio.GatewaySpec) -> Gateway:
    """The object as a value."""
    ref = ObjectRef(kind="Gateway", namespace=meta.namespace, name=meta.name, group="networking.istio.io")
    origin = Origin(ref=ref, path="spec")
    found = list(refused.fields(spec, origin, "servers", "selector"))
    servers = []
    for index, server in enumerate(spec.servers):
        place = at(origin, f"servers[{index}]")
        found += _check(server, place)
        if server.port.protocol.upper() in _SPEAKS:
            servers.append(_server(server, place))
    return Gateway(
        ref=ref,
        selector=tuple(sorted(spec.selector.items())),
        servers=tuple(servers),
        age=hosts.age(meta),
        origin=origin,
        problems=tuple(found),
    )


def _check(server: istio.Server, origin: Origin) -> Iterator[Problem]:
    yield from refused.fields(server, origin, "port", "hosts", "bind", "tls", "name")
    yield from refused.fields(server.port, at(origin, "port"), "number", "protocol", "name")
    if server.port.protocol.upper() not in _SPEAKS:
        words = ", ".join(_SPEAKS)
        yield problems.value_not_supported(at(origin, "port.protocol"), server.port.protocol, words)
    if server.tls and _SPEAKS.get(server.port.protocol.upper()) == "http":
        yield from refused.fields(server.tls, at(origin, "tls"), "https_redirect", "mode")
    elif server.tls:
        for index, cipher in enumerate(server.tls.cipher_suites):
            if cipher not in CIPHERS:
                yield problems.unknown_cipher(at(origin, f"tls.cipherSuites[{index}]"), cipher)
        yield from refused.fields(server.tls, at(origin, "tls"), *_TLS_FIELDS)


def _server(server: istio.Server, origin: Origin) -> Server:
    speaks, namespace = _SPEAKS[server.port.protocol.upper()], origin.ref.namespace
    tls = _tls(server.tls) if server.tls and speaks != "http" else None
    return Server(
        gateway=origin.ref,
        origin=origin,
        port=server.port.number,
        speaks=speaks,
        hosts=tuple(dict.fromkeys(served(host, namespace) for host in server.hosts)),
        name=server.name,
        port_name=server.port.name,
        bind=server.bind,
        tls=tls,
        redirects=bool(server.tls and server.tls.https_redirect),
    )


def served(text: str, namespace: str) -> ServedHost:
    """`host`, `namespace/host`, `./host` (the Gateway's own namespace) or `*/host` (any)."""
    where, slash, name = text.rpartition("/")
    if not slash or where == ANY:
        return ServedHost(name=name.lower())
    return ServedHost(name=name.lower(), namespace=namespace if where == "." else where)


def _tls(spec: istio.ServerTLSSettings) -> ServerTls:
    named = spec.credential_names or ((spec.credential_name,) if spec.credential_name else ())
    return ServerTls(
        mode=_MODES[spec.mode],
        credentials=tuple(named),
        authorities=spec.ca_cert_credential_name,
        files=tuple(_files(spec)) if not named else (),
        sans=tuple(spec.subject_alt_names),
        public_keys=tuple(spec.verify_certificate_spki),
        hashes=tuple(spec.verify_certificate_hash),
        min_version=_VERSIONS[spec.min_protocol_version],
        max_version=_VERSIONS[spec.max_protocol_version],
        untrusted=spec.insecure_skip_verify is True,
        ciphers=tuple(cipher for cipher in dict.fromkeys(spec.cipher_suites) if cipher in CIPHERS),
    )


def _files(spec: istio.ServerTLSSettings) -> Iterator[Files]:
    pairs = [(each.server_certificate, each.private_key) for each in spec.tls_certificates]
    if not pairs and spec.server_certificate:
        pairs = [(spec.server_certificate, spec.private_key)]
    for certificate, key in pairs:
        yield Files(certificate=certificate, key=key, authorities=spec.ca_certificates, revoked=spec.ca_crl)
