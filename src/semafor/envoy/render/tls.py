"""TLS on both sides of a proxy, with certificates by SDS over the proxy's own ADS stream."""

from typing import Final

from semafor import ir
from semafor.envoy.pool import Pool
from semafor.envoy.render.shape import Fields, seconds, typed, wrap

_NAME: Final = "envoy.transport_sockets.tls"
_CONTEXTS: Final = "envoy.extensions.transport_sockets.tls.v3."
# A cluster or listener that waits for a certificate holds up everything behind it; a late one still arrives.
_FETCH_TIMEOUT_S: Final = 5.0


def upstream(pool: Pool, node: ir.UpstreamTls) -> Fields:
    """The transport socket of a cluster."""
    names = [_san(san) for san in node.sans]
    common = _common(node.certificate, node.validation, names, node.alpn)
    return typed(pool, _NAME, _CONTEXTS + "UpstreamTlsContext", common_tls_context=common, sni=node.sni)


def downstream(pool: Pool, node: ir.DownstreamTls) -> Fields:
    """The transport socket of a filter chain."""
    names = [_uri({"prefix": f"spiffe://{domain}/"}) for domain in node.trust_domains]
    return typed(
        pool,
        _NAME,
        _CONTEXTS + "DownstreamTlsContext",
        common_tls_context=_common(node.certificate, node.validation, names, node.alpn),
        require_client_certificate=wrap(node.require_client_certificate),
    )


def plain(pool: Pool) -> Fields:
    """No TLS, said explicitly: Envoy refuses a transport socket without a configuration."""
    return typed(
        pool, "envoy.transport_sockets.raw_buffer", "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"
    )


def where_offered(pool: Pool, secure: Fields) -> list[Fields]:
    """TLS to the endpoints that say they take it, plain text to all others."""
    return [
        {"name": "mesh", "match": {"tlsMode": "istio"}, "transport_socket": secure},
        {"name": "plain", "match": {}, "transport_socket": plain(pool)},
    ]


def _common(certificate: str, validation: str, names: list[Fields], alpn: tuple[str, ...]) -> Fields:
    # Said for both ends: as a client, Envoy stops at 1.2 by itself.
    versions = {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"}
    common: Fields = {"alpn_protocols": alpn, "tls_params": versions}
    if certificate:
        common["tls_certificate_sds_secret_configs"] = [_sds(certificate)]
    if validation:
        common["combined_validation_context"] = {
            "default_validation_context": {"match_typed_subject_alt_names": names},
            "validation_context_sds_secret_config": _sds(validation),
        }
    return common


def _sds(name: str) -> Fields:
    source = {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": seconds(_FETCH_TIMEOUT_S)}
    return {"name": name, "sds_config": source}


def _san(san: str) -> Fields:
    return _uri({"exact": san}) if "://" in san else {"san_type": "DNS", "matcher": {"exact": san}}


def _uri(matcher: Fields) -> Fields:
    return {"san_type": "URI", "matcher": matcher}
