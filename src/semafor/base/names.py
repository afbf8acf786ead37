"""Names that several parts must build in the same way: hosts, identities, and the identifiers of Envoy's resources."""

import re

# The release of Istio whose API this is, which EnvoyFilters may ask for and istioctl shows.
ISTIO_VERSION = "1.30.0"
CLUSTER_DOMAIN = "cluster.local"
TRUST_DOMAIN = "cluster.local"
_SERVICES = f".svc.{CLUSTER_DOMAIN}"


def service_host(name: str, namespace: str) -> str:
    """The full host of a Kubernetes service: `reviews.default.svc.cluster.local`."""
    return f"{name}.{namespace}.svc.{CLUSTER_DOMAIN}"


def qualify(host: str, namespace: str) -> str:
    """The full host that a short name means in an object of `namespace`; a name with a dot stands for itself.

    Source: Istio's reference of VirtualService, field `hosts`.
    """
    if host == "*" or "." in host:
        return host
    return service_host(host, namespace)


def aliases(host: str, namespace: str) -> tuple[str, ...]:
    """What callers of `namespace` may call the host: itself, and when it is a service of the cluster its shorter names.

    Source: Istio's generateVirtualHostDomains.
    """
    if not host.endswith(_SERVICES):
        return (host,)
    short = host.removesuffix(_SERVICES)
    name, _, owner = short.rpartition(".")
    return (host, f"{short}.svc", short, *((name,) if owner == namespace and name else ()))


def parents(host: str) -> tuple[str, ...]:
    """The names that the host is below, the closest first: `b.c` and `c` of `a.b.c`."""
    labels = host.split(".")
    return tuple(".".join(labels[start:]) for start in range(1, len(labels)))


def spiffe_id(namespace: str, service_account: str, trust_domain: str = TRUST_DOMAIN) -> str:
    """The identity of a workload. Source: Istio's security concepts, SPIFFE ID format."""
    return f"spiffe://{trust_domain}/ns/{namespace}/sa/{service_account}"


def cluster_name(direction: str, port: int, subset: str, host: str) -> str:
    """Istio's name of a cluster, `outbound|80|v1|reviews.default.svc.cluster.local`. Built here, parsed nowhere."""
    return f"{direction}|{port}|{subset}|{host}"


def cluster_parts(name: str) -> tuple[str, str, str, str] | None:
    """Direction, port, subset and host of a cluster that an Envoy names so: for tables that people read, alone."""
    parts = name.split("|")
    return (parts[0], parts[1], parts[2], parts[3]) if len(parts) == 4 else None


def gateway(name: str, namespace: str) -> str:
    """What routes of `namespace` call a Gateway by `name`: `namespace/name`; `mesh` stands for itself.

    Source: Istio's reference of VirtualService, field `gateways`; names with dots are of an older form, its host.
    """
    if name == "mesh":
        return name
    where, slash, own = name.rpartition("/")
    if slash:
        return f"{namespace}/{own}" if where == "." else name
    first, *rest = name.split(".")
    return f"{rest[0]}/{first}" if rest else f"{namespace}/{name}"


def cluster_pattern(direction: str, port: int = 0, subset: str = "", host: str = "") -> str:
    """A regular expression for names that `cluster_name` gives; a port of 0 and empty texts take any."""
    any_text = "[^|]*"
    number = str(port) if port else r"\d+"
    parts = (re.escape(direction) + "(-[a-z-]+)?", number, re.escape(subset) or any_text, re.escape(host) or any_text)
    return r"\|".join(parts)
