"""What becomes of a call that reaches a gateway from outside, found out from the rendered configuration.

Source: Envoy's documentation of filter chain matching, TLS validation and virtual hosts.
"""

import base64
import hashlib
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.calls import matcher, outcome
from tests.calls.script import Call

Json = dict[str, Any]
CLOSED = "closed"


class Client(NamedTuple):
    """Who calls: a pod that proves its identity, or somebody with a certificate in PEM, or nobody in particular."""

    identity: str = ""
    certificate: str = ""
    key: str = ""


def follow(match: "matcher.Matcher", call: Call, client: Client) -> str:
    """The result of the call, in the words of `script`."""
    listener = listener_of(match, call)
    taken = listener and chain(listener, call)
    if not taken or ("transport_socket" in taken and not _lets_in(match, taken, client)):
        return CLOSED
    config = taken["filters"][-1]["typed_config"]
    if config["@type"].endswith("TcpProxy"):
        return _bytes(match, config)
    return _request(match, match.tables[config["rds"]["route_config_name"]], call)


def listener_of(match: "matcher.Matcher", call: Call) -> Json | None:
    """The listener of the port."""
    sockets = ((one, one["address"]["socket_address"]) for one in match.listeners.values())
    return next((one for one, socket in sockets if socket["port_value"] == call.port), None)


def chain(listener: Json, call: Call) -> Json | None:
    """The chain of the name that the client asks for: the exact one, the longest wildcard, the one for all."""
    transport, offered = "tls" if call.scheme in ("https", "tls") else "raw_buffer", set(call.alpn)
    fitting = []
    for one in listener["filter_chains"]:
        wanted = one.get("filter_chain_match", {})
        rank = max((_rank(name, call.host) for name in wanted.get("server_names", [""])), default=-1)
        alpn = wanted.get("application_protocols", [])
        if rank >= 0 and (not alpn or offered & set(alpn)) and wanted.get("transport_protocol", transport) == transport:
            fitting.append((rank, one))
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _rank(name: str, host: str) -> int:
    if name == host:
        return 1000
    if name.startswith("*."):
        return len(name) if host.endswith(name[1:]) else -1
    return 0 if not name else -1


def _lets_in(match: "matcher.Matcher", taken: Json, client: Client) -> bool:
    """Whether the client's certificate is one that the chain takes."""
    tls = taken["transport_socket"]["typed_config"]
    common = tls["common_tls_context"]
    validation = common.get("combined_validation_context")
    if client == Client() or not validation:
        return not (validation and tls.get("require_client_certificate"))
    name = validation["validation_context_sds_secret_config"]["name"]
    if name == "ROOTCA":
        return bool(client.identity)
    if not client.certificate:
        return False
    wanted = validation.get("default_validation_context", {})
    if wanted.get("trust_chain_verification") == "ACCEPT_UNTRUSTED":
        return True
    trusted = match.secrets[name]["validation_context"]["trusted_ca"]["inline_bytes"]
    shown = x509.load_pem_x509_certificate(client.certificate.encode())
    return _issued(shown, _pem(trusted)) and _named(shown, wanted) and _pinned(shown, wanted)


def _named(shown: x509.Certificate, wanted: Json) -> bool:
    names = wanted.get("match_typed_subject_alt_names", [])
    return not names or any(_has_name(shown, one) for one in names)


def _pinned(shown: x509.Certificate, wanted: Json) -> bool:
    """Whether the certificate or its key is one of those that are asked for, if any are."""
    certificates, keys = wanted.get("verify_certificate_hash", []), wanted.get("verify_certificate_spki", [])
    spki = shown.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = base64.b64encode(hashlib.sha256(spki).digest()).decode()
    own = shown.fingerprint(hashes.SHA256()).hex()
    return not (certificates or keys) or own in certificates or key in keys


def _pem(field: Any) -> bytes:
    return base64.b64decode(field)


def _issued(shown: x509.Certificate, authorities: bytes) -> bool:
    for authority in x509.load_pem_x509_certificates(authorities):
        try:
            shown.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def _has_name(shown: x509.Certificate, wanted: Json) -> bool:
    try:
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    return wanted["matcher"]["exact"] in [str(each.value) for each in names]


def _bytes(match: "matcher.Matcher", config: Json) -> str:
    weighted = config.get("weighted_clusters", {}).get("clusters")
    found = [(one["name"], one["weight"], {}) for one in weighted] if weighted else [(config["cluster"], 1, {})]
    return CLOSED if found[0][0] == "BlackHoleCluster" else outcome.shares(match, found, {})


def _request(match: "matcher.Matcher", table: Json, call: Call) -> str:
    assert table.get("ignore_port_in_host_matching"), table["name"]
    host = matcher.virtual_host(table, call.host)
    if host and host.get("require_tls") == "ALL" and call.scheme == "http":
        return f"301 https://{call.host}{call.path}"
    return matcher.routed(match, host, call)
