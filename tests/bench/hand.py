"""The peer: two Envoys configured by hand to do what two sidecars do, with nothing of ours in their configuration.

app -> 15001, route by host -> mutual TLS, HTTP/2 -> 15006, ends TLS -> app. The kernel redirects as in any meshed pod.

Each tells what a sidecar without traces tells (`hand_told`): Istio's four metrics of requests with Istio's labels,
and Istio's access log to standard output. They are written as somebody would who takes care of speed and knows both
workloads: fixed texts for what the proxy is itself, the other side from the endpoint's metadata or from what was read
once for the connection, the service from the cluster's metadata, and no word for what is not known.
"""

import datetime
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.bench import hand_told

Json = dict[str, Any]

IDENTITY = "spiffe://cluster.local/ns/traffic/sa/default"
_TYPES = "type.googleapis.com/envoy."
_HCM = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_TLS = "extensions.transport_sockets.tls.v3."
_OUTBOUND_MARK, _INBOUND_MARK = 1337, 1338  # what the redirect leaves alone


def client(host: str, address: str, port: int, certificate: Json) -> str:
    """The configuration beside the caller: requests to `host` go to the proxy in front of `address`."""
    domains = [host, f"{host}:80", f"{host}.traffic", f"{host}.traffic.svc", f"{host}.traffic.svc.cluster.local"]
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "server", "timeout": "0s"}}]
    hosts = [
        {"name": "server", "domains": domains, "routes": routes},
        {
            "name": "unknown",
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 404}}],
        },
    ]
    context = _typed(_TLS + "UpstreamTlsContext", sni="server", common_tls_context=_tls(certificate, "exact"))
    cluster = _cluster("server", address, port, _OUTBOUND_MARK, "http2_protocol_options")
    cluster["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    cluster |= {"metadata": hand_told.SERVICE}
    cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["metadata"] = hand_told.WORKLOAD
    told = hand_told.access_log("source")
    chain = {"filters": [_http("outbound", hosts, forward_client_cert_details="SANITIZE", access_log=told)]}
    return _document(_listener(15001, chain), cluster)


def server(port: int, certificate: Json) -> str:
    """The configuration beside the app, which listens on `port` of the loopback interface."""
    context = _typed(
        _TLS + "DownstreamTlsContext",
        require_client_certificate=True,
        common_tls_context=_tls(certificate, "prefix"),
    )
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "app", "timeout": "0s"}}]
    identity = {
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"subject": True, "uri": True, "dns": True},
    }
    told = hand_told.access_log("destination")
    http = _http("inbound", [{"name": "app", "domains": ["*"], "routes": routes}], **identity, access_log=told)
    chain = {
        "filters": [hand_told.CALLER, http],
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context},
    }
    cluster = _cluster("app", "127.0.0.1", port, _INBOUND_MARK, "http_protocol_options")
    cluster |= {"metadata": hand_told.SERVICE}
    return _document(_listener(15006, chain), cluster)


def backend(port: int, size: int) -> str:
    """An app that answers every request with `size` bytes: cheap, so that the proxies are what is measured."""
    answer = {"status": 200, "body": {"inline_string": "x" * size}}
    hosts = [{"name": "app", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "direct_response": answer}]}]
    return _document(_listener(port, {"filters": [_http("app", hosts)]}))


def certificate() -> Json:
    """A certificate for both proxies and the authority it comes from, as inline fields of Envoy's configuration."""
    now = datetime.datetime.now(datetime.UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    root = (
        _certificate(root_name, root_name, root_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(IDENTITY)])
    leaf = (
        _certificate(x509.Name([]), root_name, key, now)
        .add_extension(names, critical=True)
        .sign(root_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"chain": _pem(leaf), "key": private.decode(), "root": _pem(root)}


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime.datetime
) -> x509.CertificateBuilder:
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - day).not_valid_after(now + day)


def _pem(made: x509.Certificate) -> str:
    return made.public_bytes(serialization.Encoding.PEM).decode()


def _tls(certificate: Json, how: str) -> Json:
    expected = IDENTITY if how == "exact" else "spiffe://cluster.local/"
    return {
        "alpn_protocols": ["h2"],
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
        "tls_certificates": [
            {
                "certificate_chain": {"inline_string": certificate["chain"]},
                "private_key": {"inline_string": certificate["key"]},
            }
        ],
        "validation_context": {
            "trusted_ca": {"inline_string": certificate["root"]},
            "match_typed_subject_alt_names": [{"san_type": "URI", "matcher": {how: expected}}],
        },
    }


def _http(name: str, hosts: list[Json], **more: Any) -> Json:
    connection = _typed(
        _HCM,
        stat_prefix=name,
        route_config={"virtual_hosts": hosts},
        http_filters=[
            {"name": "envoy.filters.http.router", "typed_config": _typed("extensions.filters.http.router.v3.Router")}
        ],
        server_header_transformation="PASS_THROUGH",
        **more,
    )
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": connection}


def _listener(port: int, chain: Json) -> Json:
    return {"name": str(port), "address": _address("0.0.0.0", port), "filter_chains": [chain]}


def _cluster(name: str, address: str, port: int, mark: int, version: str) -> Json:
    options = _typed("extensions.upstreams.http.v3.HttpProtocolOptions", explicit_http_config={version: {}})
    endpoint = {"endpoint": {"address": _address(address, port)}}
    option = {"level": 1, "name": 36, "int_value": mark, "state": "STATE_PREBIND"}  # SOL_SOCKET, SO_MARK
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "10s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options},
        "upstream_bind_config": {"socket_options": [option]},
    }


def _typed(name: str, **fields: Any) -> Json:
    return {"@type": _TYPES + name, **fields}


def _address(address: str, port: int) -> Json:
    return {"socket_address": {"address": address, "port_value": port}}


def _document(listener: Json, *clusters: Json) -> str:
    return json.dumps({"static_resources": {"listeners": [listener], "clusters": list(clusters)}})
