"""tls: how connections to the instances are secured."""

from collections.abc import Iterator
from typing import Literal

from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner import problems, refused
from semafor.planner.problems import at
from semafor.resources.istio import destination_rule as istio

_IMPLEMENTED = ("mode", "sni", "subject_alt_names", "credential_name", "insecure_skip_verify")
_FILES = ("client_certificate", "private_key", "ca_certificates", "ca_crl")
SYSTEM = "system"  # as caCertificates: the machine's own roots. Source: Istio's selectTrafficPolicyComponents

Mode = Literal["automatic", "disable", "istio_mutual", "simple", "mutual"]
_MODES: dict[str, Mode] = {
    "DISABLE": "disable",
    "ISTIO_MUTUAL": "istio_mutual",
    "SIMPLE": "simple",
    "MUTUAL": "mutual",
}


class Security(Value):
    """`unusable`: it names files, which are refused, so that nothing may be sent. Without it, all is as written."""

    mode: Mode = "automatic"
    sni: str = ""
    sans: tuple[str, ...] = ()
    credential: str = ""
    verify: bool = True
    unusable: bool = False


def read(tls: istio.ClientTLSSettings) -> Security:
    mode = _MODES[tls.mode]
    return Security(
        mode=mode,
        sni=tls.sni,
        sans=tls.subject_alt_names,
        credential=tls.credential_name,
        verify=not tls.insecure_skip_verify,
        unusable=mode in ("simple", "mutual") and any(_files(tls)),
    )


def mistakes(tls: istio.ClientTLSSettings, origin: Origin) -> Iterator[Problem]:
    """What has no effect: files, which would have to be in the proxy's own file system."""
    for name in _files(tls):
        yield problems.file_not_read(at(origin, name), closed=tls.mode in ("SIMPLE", "MUTUAL"))
    yield from refused.fields(tls, origin, *_IMPLEMENTED, *_FILES)


def _files(tls: istio.ClientTLSSettings) -> Iterator[str]:
    """The fields that name a file, as they are written in YAML."""
    for name in _FILES:
        value = getattr(tls, name)
        if value and not (name == "ca_certificates" and value == SYSTEM):
            first, *rest = name.split("_")
            yield first + "".join(word.title() for word in rest)
