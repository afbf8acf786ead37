"""TLS on both sides of a proxy, with certificates by SDS over the proxy's own ADS stream."""

from typing import Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, seconds, string_map, typed, wrap

_NAME: Final = "envoy.transport_sockets.tls"
_STRUCT: Final = "google.protobuf.Struct"
_MESH: Final = string_map({"tlsMode": "istio"})
_CONTEXTS: Final = "envoy.extensions.transport_sockets.tls.v3."
# A cluster or listener that waits for a certificate holds up everything behind it; a late one still arrives.
_FETCH_TIMEOUT_S: Final = 5.0
_VERSIONS: Final = {"1.0": "TLSv1_0", "1.1": "TLSv1_1", "1.2": "TLSv1_2", "1.3": "TLSv1_3"}


def upstream(pool: Pool, node: ir.UpstreamTls) -> Fields:
    """The transport socket of a cluster."""
    names = [_san(san) for san in node.sans]
    certificates = (node.certificate,) if node.certificate else ()
    common = _common(certificates, node.validation, {"match_typed_subject_alt_names": names}, node.alpn)
    return typed(pool, _NAME, _CONTEXTS + "UpstreamTlsContext", common_tls_context=common, sni=node.sni)


def downstream(pool: Pool, node: ir.DownstreamTls) -> Fields:
    """The transport socket of a filter chain."""
    names = [_san(san) for san in node.sans]
    names += [_uri({"prefix": f"spiffe://{domain}/"}) for domain in node.trust_domains]
    wanted: Fields = {
        "match_typed_subject_alt_names": names,
        "verify_certificate_spki": node.public_keys,
        "verify_certificate_hash": node.hashes,
    }
    if node.untrusted:
        wanted["trust_chain_verification"] = "ACCEPT_UNTRUSTED"
    common = _common(node.certificates, node.validation, wanted, node.alpn)
    common["tls_params"] = {
        "tls_minimum_protocol_version": _VERSIONS[node.min_version],
        "tls_maximum_protocol_version": _VERSIONS[node.max_version],
        "cipher_suites": node.ciphers,
    }
    return typed(
        pool,
        _NAME,
        _CONTEXTS + "DownstreamTlsContext",
        common_tls_context=common,
        require_client_certificate=wrap(node.require_client_certificate),
    )


def plain(pool: Pool) -> Fields:
    """No TLS, said explicitly: Envoy refuses a transport socket without a configuration."""
    return typed(
        pool, "envoy.transport_sockets.raw_buffer", "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"
    )


def where_offered(pool: Pool, secure: Fields, plain: Fields) -> list[Fields]:
    """TLS to the endpoints that say they take it, plain text to all others."""
    return [
        {"name": "mesh", "match": pool(_STRUCT, **_MESH), "transport_socket": secure},
        {"name": "plain", "match": pool(_STRUCT), "transport_socket": plain},
    ]


def _common(certificates: tuple[str, ...], validation: str, wanted: Fields, alpn: tuple[str, ...]) -> Fields:
    """`wanted` is what a peer's certificate must have beside a valid signature."""
    # Said for both ends: as a client, Envoy stops at 1.2 by itself.
    versions = {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"}
    common: Fields = {"alpn_protocols": alpn, "tls_params": versions}
    if certificates:
        common["tls_certificate_sds_secret_configs"] = [_sds(certificate) for certificate in certificates]
    if validation:
        common["combined_validation_context"] = {
            "default_validation_context": wanted,
            "validation_context_sds_secret_config": _sds(validation),
        }
    return common


def _sds(name: str) -> Fields:
    source = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": seconds(_FETCH_TIMEOUT_S)}
    return {"name": name, "sds_config": source}


def _san(san: str) -> Fields:
    if san.startswith("*."):
        return {"san_type": "DNS", "matcher": {"suffix": san[1:]}}
    return _uri({"exact": san}) if "://" in san else {"san_type": "DNS", "matcher": {"exact": san}}


def _uri(matcher: Fields) -> Fields:
    return {"san_type": "URI", "matcher": matcher}
