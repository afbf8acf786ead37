"""Where the instances behind a cluster are."""

from typing import Literal

from semafor.base.peer import Peer
from semafor.base.struct import Value


class Locality(Value):
    """Region, zone and sub-zone; empty texts when the node has no labels for them."""

    region: str = ""
    zone: str = ""
    sub_zone: str = ""


class Endpoint(Value):
    """One instance: an address and port, or the path of a unix socket (`pipe`).

    `tls_mode` is "istio" where a sidecar of the mesh answers with mutual TLS. `draining` instances get no new
    requests but keep the ones they have. `workload` is `namespace/pod`, for readers; `peer` is what metrics call it.
    """

    address: str = ""
    port: int = 0
    pipe: str = ""
    weight: int = 1
    health: Literal["healthy", "draining", "unhealthy"] = "healthy"
    tls_mode: Literal["", "istio"] = ""
    workload: str = ""
    peer: Peer | None = None


class LocalityEndpoints(Value):
    """The instances of one locality. A lower `priority` is used first; `weight` of 0 leaves localities unweighted."""

    endpoints: tuple[Endpoint, ...]
    locality: Locality = Locality()
    weight: int = 0
    priority: int = 0


class EndpointSet(Value, cache_hash=True):
    """The instances of the cluster with the same name, sorted, so that equal sets are equal values."""

    cluster: str
    localities: tuple[LocalityEndpoints, ...] = ()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All instances of all localities."""
        return tuple(endpoint for group in self.localities for endpoint in group.endpoints)
