"""What the administrator of the mesh decides for all of it. Every switch back to Istio's behaviour is here."""

from typing import Final, Literal

from semafor.base import names
from semafor.base.struct import Value
from semafor.ir import Edge, RetryBudget
from semafor.ir.listener import PathNormalization, Underscores
from semafor.planner.traffic.locality import DEFAULT as LOCALITY
from semafor.planner.traffic.locality import LocalitySetting
from semafor.resources.istio.extension_provider import DefaultProviders, ExtensionProvider

# Where asking does harm: this machine, and what tells machines of a cloud their secrets.
REFUSED_ISSUERS: Final = (
    "0.0.0.0/8", "127.0.0.0/8", "::/128", "::1/128",
    "169.254.0.0/16", "fe80::/10",  # link-local: the metadata of nearly all clouds
    "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128",  # Alibaba, Azure, Oracle, AWS
    "224.0.0.0/4", "240.0.0.0/4", "ff00::/8",
)  # fmt: skip


class Options(Value):
    """Options of the mesh; the defaults are Semafor's.

    `outbound`: whether destinations that the mesh does not know may be called. `root_namespace` holds objects that
    apply to the whole mesh. `resolvers` answer the names that a sidecar does not know.
    `networks` are the addresses of services and pods: what is sent to one that is nobody's never leaves the mesh.
    `allocated_network`: hosts of ServiceEntries without an address get one of it; empty gives none.
    `several_virtual_services`: "layered" or, as Istio has it, "oldest". `hold`: a route counts only while one
    of its destinations is live; False routes at once, as Istio does. Both are described in docs/decisions/.
    `retry_budget`: how many retries may run at a time where no DestinationRule says; None: any number, as in Istio.
    `h2_upgrade`: whether requests of HTTP/1.1 are sent on as HTTP/2; empty: between sidecars they are. `locality`: how
    near instances are preferred where no DestinationRule says.
    `system_roots` are the certificates, in PEM, of the authorities that the machine trusts. `marks`: whether proxies
    may mark what they send, which in a cluster takes a privilege.
    `environment` is of namespaces whose label says no other. `reasons`: where answers of proxies say why.
    `outbound_detection_s` is how long a caller of a port with an undeclared protocol may be silent before the server is
    taken to speak first; `inbound_detection_s` the same for callers without a sidecar, longer, because a sidecar's
    TLS hello that came late on a busy machine would be taken for plain text. `edge`: how gateways take callers in.
    `underscores`: what gateways do with header names that have one.
    `paths`: how much of a path is put into one form before routes and policies look at it.
    `refused_issuers`: networks where no keys of those who sign tokens are fetched from.
    `providers` can be named by policies and Telemetry; `default_providers` are used where none is named.
    `access_log_file` is written where Telemetry says nothing; its format is a text, of an object when the
    encoding is JSON, and empty for Istio's. `trace_sampling`: a share in per cent, where Telemetry says none.
    """

    outbound: Literal["ALLOW_ANY", "REGISTRY_ONLY"] = "ALLOW_ANY"
    trust_domain: str = names.TRUST_DOMAIN
    trust_domain_aliases: tuple[str, ...] = ()
    root_namespace: str = "istio-system"
    resolvers: tuple[str, ...] = ("10.96.0.10",)
    networks: tuple[str, ...] = ("10.96.0.0/16", "10.244.0.0/16")
    allocated_network: str = "240.240.0.0/16"
    several_virtual_services: Literal["layered", "oldest"] = "layered"
    hold: bool = True
    retry_budget: RetryBudget | None = RetryBudget()
    h2_upgrade: Literal["", "UPGRADE", "DO_NOT_UPGRADE"] = ""
    locality: LocalitySetting = LOCALITY
    system_roots: str = ""
    marks: bool = True
    environment: Literal["development", "production"] = "development"
    reasons: Literal["outside-production", "always", "never"] = "outside-production"
    outbound_detection_s: float = 0.1
    inbound_detection_s: float = 1.0
    edge: Edge = Edge()
    underscores: Underscores = "REJECT_REQUEST"
    paths: PathNormalization = "base"
    refused_issuers: tuple[str, ...] = REFUSED_ISSUERS
    providers: tuple[ExtensionProvider, ...] = ()
    default_providers: DefaultProviders = DefaultProviders()
    access_log_file: str = ""
    access_log_format: str = ""
    access_log_encoding: Literal["TEXT", "JSON"] = "TEXT"
    trace_sampling: float = 1.0

    @property
    def trust_domains(self) -> tuple[str, ...]:
        """Whose identities are the mesh's: the domain in which certificates are issued, then its aliases."""
        return tuple(dict.fromkeys((self.trust_domain, *self.trust_domain_aliases)))


DEFAULTS = Options()
