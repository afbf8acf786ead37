"""TLS towards the instances of a service: what the mesh does by itself, or what a DestinationRule wants."""

from semafor.base.struct import Value
from semafor.ir import UpstreamHttp, UpstreamTls
from semafor.planner.services.service import Port, Service
from semafor.planner.traffic.security import Security

# What a sidecar's hello offers, so that the other side knows what comes before it ends TLS: ISTIO_HTTP and ISTIO for
# requests (a server that does not tell them apart takes either), ISTIO alone for bytes.
ISTIO, ISTIO_HTTP = "istio", "istio-http"
UNKNOWN = "unknown"  # a secret that nobody has: what is not put in its place keeps the connection from being made
_ALPN = {"h1": ("http/1.1",), "h2": ("h2",), "auto": ("h2", "http/1.1"), "downstream": ()}


class Server(Value):
    """Who is expected to answer: a service's port, perhaps a subset of it, and the identities that may prove it."""

    service: Service
    port: Port
    subset: str = ""
    identities: tuple[str, ...] = ()

    @property
    def sni(self) -> str:
        """Istio's server name between sidecars: the cluster's name in letters that a host name may have."""
        return f"outbound_.{self.port.number}_.{self.subset}_.{self.service.host}"


def plan(security: Security, server: Server, http: UpstreamHttp | None) -> UpstreamTls | None:
    """The TLS of a cluster; `http` is None where it carries bytes."""
    match security.mode:
        case "disable":
            return None
        case "simple" | "mutual":
            return _originated(security, server, http)
        case "automatic" if server.service.external:
            return None
        case _:
            return _between_sidecars(security, server, http)


def _between_sidecars(security: Security, server: Server, http: UpstreamHttp | None) -> UpstreamTls:
    return UpstreamTls(
        sni=security.sni or server.sni,
        sans=security.sans or tuple(sorted({*server.identities, *server.service.sans})),
        alpn=(ISTIO_HTTP, ISTIO, *_ALPN[http.version]) if http else (ISTIO,),
        only_mesh_endpoints=security.mode == "automatic",
    )


def _originated(security: Security, server: Server, http: UpstreamHttp | None) -> UpstreamTls:
    """Ordinary TLS, to servers that need not know of the mesh. Its secrets are put in later (`client_tls`).

    Differs from Istio: the server has to prove the name that it is called by, whoever said it. There, a name in `sni`
    is not looked for in the certificate. And bytes, too, are sent with a name: the service's host.
    Source for requests without either: Istio's setAutoSniAndAutoSanValidation.
    """
    sans = security.sans or server.service.sans
    name = security.sni or (server.service.host if http is None else "")
    return UpstreamTls(
        certificate="",
        validation=UNKNOWN,
        sni=name,
        sans=sans or ((name,) if name else ()),
        alpn=("h2",) if http and http.version == "h2" else (),
        sni_from_host=not name,
        san_from_host=not name and security.verify and not sans,
    )
