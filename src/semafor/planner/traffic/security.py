"""tls: how connections to the instances are secured."""

from collections.abc import Iterator
from typing import Literal

from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner.checks import problems, refused
from semafor.planner.checks.problems import at
from semafor.resources.istio import destination_rule as istio

_SYSTEM = "system"  # as caCertificates: the machine's own roots. Source: Istio's selectTrafficPolicyComponents

Mode = Literal["automatic", "disable", "istio_mutual", "simple", "mutual"]
_MODES: dict[str, Mode] = {
    "DISABLE": "disable",
    "ISTIO_MUTUAL": "istio_mutual",
    "SIMPLE": "simple",
    "MUTUAL": "mutual",
}
_OF_ALL = ("mode", "sni", "subject_alt_names")
_OF_ORIGINATED = ("credential_name", "insecure_skip_verify", "ca_certificates", "ca_crl")
_OF_MUTUAL = ("client_certificate", "private_key")
_FIELDS = {
    "DISABLE": ("mode",),
    "ISTIO_MUTUAL": _OF_ALL,
    "SIMPLE": (*_OF_ALL, *_OF_ORIGINATED),
    "MUTUAL": (*_OF_ALL, *_OF_ORIGINATED, *_OF_MUTUAL),
}


class Files(Value):
    """Paths in the proxy's own file system; empty where there is none."""

    certificate: str = ""
    key: str = ""
    authorities: str = ""
    revoked: str = ""


class Security(Value):
    """`credential` names a Secret; `verify` is whether the server's certificate is looked at."""

    mode: Mode = "automatic"
    sni: str = ""
    sans: tuple[str, ...] = ()
    credential: str = ""
    files: Files = Files()
    verify: bool = True
    origin: Origin | None = None

    @property
    def originates(self) -> bool:
        """Whether it is ordinary TLS, to servers that need not know of the mesh."""
        return self.mode in ("simple", "mutual")


def read(tls: istio.ClientTLSSettings, origin: Origin) -> Security:
    return Security(
        mode=_MODES[tls.mode],
        sni=tls.sni,
        sans=tls.subject_alt_names,
        credential=tls.credential_name,
        files=Files(
            certificate=tls.client_certificate,
            key=tls.private_key,
            authorities="" if tls.ca_certificates == _SYSTEM else tls.ca_certificates,
            revoked=tls.ca_crl,
        ),
        verify=not tls.insecure_skip_verify,
        origin=origin,
    )


def mistakes(tls: istio.ClientTLSSettings, origin: Origin) -> Iterator[Problem]:
    """Fields that mean nothing in this mode, or beside others."""
    unknown = refused.fields(tls, origin, *_FIELDS[tls.mode])
    for found in unknown:
        field = found.path.rpartition(".")[2]
        yield problems.without_effect(origin, field, f"it is not for the mode {tls.mode}")
    if tls.ca_crl and tls.mode in ("SIMPLE", "MUTUAL"):
        if tls.credential_name:
            yield problems.without_effect(origin, "caCrl", "with credentialName, the Secret's own ca.crl counts")
        elif tls.ca_certificates in ("", _SYSTEM):
            yield problems.without_effect(origin, "caCrl", "it goes with the authorities in caCertificates")
    if tls.insecure_skip_verify and tls.subject_alt_names:
        yield problems.without_effect(at(origin, ""), "subjectAltNames", "insecureSkipVerify looks at no certificate")
