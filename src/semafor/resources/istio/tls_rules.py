"""Istio's rules for the TLS of servers, which Gateways and Sidecars have. Source: Istio's validateTLSOptions."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError

Doc = dict[str, Any]
_ENDING = frozenset({"SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"})
_PASSING = frozenset({"PASSTHROUGH", "AUTO_PASSTHROUGH"})
_OWN = ("serverCertificate", "privateKey", "caCertificates", "tlsCertificates", "credentialName", "credentialNames")
_AUTO = "TLS_AUTO"
# What Envoy takes. Source: its CertificateValidationContext.
_PINS = (
    ("verifyCertificateSpki", re.compile(r"[A-Za-z0-9+/]{43}="), "base64"),
    ("verifyCertificateHash", re.compile(r"(?i)[0-9a-f]{64}|([0-9a-f]{2}:){31}[0-9a-f]{2}"), "64 hexadecimal digits"),
)
# What Istio takes. Source: its list of valid cipher suites.
CIPHERS = frozenset(
    [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-RSA-AES128-SHA",
        "AES128-GCM-SHA256",
        "AES128-SHA",
        "ECDHE-ECDSA-AES256-SHA",
        "ECDHE-RSA-AES256-SHA",
        "AES256-GCM-SHA384",
        "AES256-SHA",
        "DES-CBC3-SHA",
    ]
)


def validate(tls: Doc, path: str) -> Iterator[FieldError]:
    """What is wrong with the settings themselves."""
    mode = tls.get("mode", "PASSTHROUGH")
    if mode == "ISTIO_MUTUAL":
        for own in _OWN:
            if tls.get(own):
                yield errors.forbidden(f"{path}.{own}", "must not be set for mode ISTIO_MUTUAL")
        return
    sources = _sources(tls)
    if len(sources) > 1:
        yield errors.invalid(path, sources, f"only one of {', '.join(sources)} may be set")
    if mode in _ENDING and not (tls.get("credentialName") or tls.get("credentialNames")):
        yield from _files(tls, mode, path)
    if tls.get("caCrl") and tls.get("credentialName"):
        yield errors.forbidden(
            f"{path}.caCrl", "with credentialName, the list of revoked certificates is in the Secret"
        )
    if tls.get("caCrl") and mode == "SIMPLE":
        yield errors.forbidden(f"{path}.caCrl", "must not be set for mode SIMPLE")
    yield from _versions(tls, path)
    for name, shape, words in _PINS:
        for index, text in enumerate(tls.get(name, ())):
            if not shape.fullmatch(text):
                yield errors.invalid(f"{path}.{name}[{index}]", text, f"must be a SHA-256, as {words}")


def _versions(tls: Doc, path: str) -> Iterator[FieldError]:
    least, most = (tls.get(name, _AUTO) for name in ("minProtocolVersion", "maxProtocolVersion"))
    if _AUTO not in (least, most) and least > most:
        yield errors.invalid(f"{path}.minProtocolVersion", least, f"must not be above maxProtocolVersion, {most}")


def remarks(tls: Doc, path: str) -> Iterator[FieldError]:
    """What is allowed, and ignored."""
    mode = tls.get("mode", "PASSTHROUGH")
    if tls.get("minProtocolVersion") in {"TLSV1_0", "TLSV1_1"} and not tls.get("cipherSuites"):
        yield errors.remark(f"{path}.cipherSuites", "TLS before 1.2 needs ciphers that are not among the default ones")
    if unknown := [name for name in tls.get("cipherSuites", ()) if name not in CIPHERS]:
        yield errors.remark(f"{path}.cipherSuites", f"these are not known and are ignored: {', '.join(unknown)}")
    if twice := [name for name, count in Counter[str](tls.get("cipherSuites", ())).items() if count > 1]:
        yield errors.remark(f"{path}.cipherSuites", f"these are named more than once: {', '.join(twice)}")
    if mode in _PASSING and any(tls.get(name) for name in (*_OWN, "caCrl")):
        yield errors.remark(path, f"mode {mode} uses no certificates, so they are ignored")
    if mode in _ENDING and len(tls.get("tlsCertificates", ())) > 2:
        yield errors.remark(f"{path}.tlsCertificates", "more than two certificates are not supported")


def _sources(tls: Doc) -> list[str]:
    """Where certificates come from; one of these is enough."""
    found: list[str] = [name for name in ("credentialName", "credentialNames", "tlsCertificates") if tls.get(name)]
    return [*found, "serverCertificate"] if tls.get("serverCertificate") and tls.get("privateKey") else found


def _files(tls: Doc, mode: str, path: str) -> Iterator[FieldError]:
    if mode != "SIMPLE" and not tls.get("caCertificates"):
        yield errors.required(f"{path}.caCertificates", f"must be set for mode {mode} without credentialName")
    several = tls.get("tlsCertificates")
    places = [(one, f"{path}.tlsCertificates[{index}]") for index, one in enumerate(several or ())] or [(tls, path)]
    for certificate, place in places:
        for name in ("serverCertificate", "privateKey"):
            if not certificate.get(name):
                yield errors.required(f"{place}.{name}", f"must be set for mode {mode} without credentialName")
