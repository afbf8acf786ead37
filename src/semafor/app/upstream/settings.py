"""Who signs our intermediate: the key `semafor.certificateAuthority` of the mesh configuration. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from semafor.base import duration
from semafor.base.struct import Value

KEY: Final = "certificateAuthority"
_DAY_S: Final = 86_400.0


class CertManager(Value):
    """An issuer of cert-manager's, which is asked by a CertificateRequest in `namespace`."""

    name: str
    kind: str = "Issuer"
    group: str = "cert-manager.io"
    namespace: str = "istio-system"
    lifetime_s: float = 30 * _DAY_S


class Spire(Value):
    """A SPIRE server, `unix:PATH` or `HOST:PORT`.

    Over TCP we show the X509-SVID that the Workload API at the unix socket `workload_socket` gives us, and the server
    has to be `spiffe://TRUST_DOMAIN/spire/server`.
    """

    server: str
    workload_socket: str = ""
    trust_domain: str = ""
    lifetime_s: float = _DAY_S


Upstream = CertManager | Spire


def read(written: Any) -> Upstream:
    """Raises ValueError with what is wrong."""
    if not isinstance(written, Mapping) or len(written) != 1:
        raise ValueError("write either certManager or spire")
    ((name, said),) = written.items()
    if name not in _READERS or not isinstance(said, Mapping):
        raise ValueError(f"{name} is not known here; known are {', '.join(_READERS)}")
    made: Upstream = _READERS[name](said)
    return made


def _cert_manager(said: Mapping[str, Any]) -> CertManager:
    _only(said, "issuerRef", "namespace", "duration")
    ref = said.get("issuerRef")
    if not isinstance(ref, Mapping) or not ref.get("name"):
        raise ValueError("certManager wants issuerRef with a name")
    _only(ref, "name", "kind", "group")
    chosen: dict[str, Any] = {key: str(ref[key]) for key in ("kind", "group") if ref.get(key)} | _lifetime(said)
    if said.get("namespace"):
        chosen["namespace"] = str(said["namespace"])
    return CertManager(str(ref["name"]), **chosen)


def _spire(said: Mapping[str, Any]) -> Spire:
    _only(said, "server", "workloadSocket", "trustDomain", "duration")
    server = str(said.get("server", ""))
    if not server.startswith("unix:") and ":" not in server:
        raise ValueError("spire wants a server: unix:PATH or HOST:PORT")
    made = Spire(
        server,
        str(said.get("workloadSocket", "")).removeprefix("unix:"),
        str(said.get("trustDomain", "")),
        **_lifetime(said),
    )
    if not server.startswith("unix:") and not (made.workload_socket and made.trust_domain):
        raise ValueError("spire over TCP wants workloadSocket and trustDomain, for it is mutual TLS")
    return made


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {"certManager": _cert_manager, "spire": _spire}


def _lifetime(said: Mapping[str, Any]) -> dict[str, float]:
    if "duration" not in said:
        return {}
    found = duration.parse(str(said["duration"]))
    if found < 3600:
        raise ValueError(f"duration cannot be {said['duration']}: an authority lives for at least an hour")
    return {"lifetime_s": found}


def _only(said: Mapping[str, Any], *known: str) -> None:
    if stray := sorted(set(said) - set(known)):
        raise ValueError(f"{stray[0]} is not known here; known are {', '.join(known)}")
