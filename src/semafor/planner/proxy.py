"""Who gets a plan."""

from typing import Literal

from semafor.base import names
from semafor.base import peer as peers
from semafor.base.peer import Peer
from semafor.base.struct import Value
from semafor.ir import Edge

Labels = tuple[tuple[str, str], ...]
Transport = Literal["TCP", "UDP"]


class Workload(Value):
    """One pod that a proxy serves. `labels` are sorted pairs; `ports` are the containers' named ports.

    `of` is the Deployment, or what else it is one of; empty: it stands for itself.
    """

    namespace: str
    name: str
    ip: str = ""
    labels: Labels = ()
    service_account: str = "default"
    ports: tuple[tuple[str, int], ...] = ()
    of: str = ""

    @property
    def peer(self) -> Peer:
        """What metrics call it."""
        return peers.of(self.of or self.name, self.namespace, dict(self.labels))


class Opening(Value):
    """A port of the host that leads to the port `service_port` of a service, through the unix socket `pipe`."""

    address: str
    port: int
    service: tuple[str, str]  # namespace, name
    service_port: int
    pipe: str
    protocol: Transport = "TCP"


class Proxy(Value):
    """The thing that gets a configuration; it serves one or several workloads.

    A "sidecar" intercepts what its workloads send and receive. A "gateway" stands alone at the edge of the mesh, and
    takes callers in as `edge` says. A "node" balances connections to service addresses for pods without sidecars, and
    hands everything else to the host through the unix socket `egress`. The "host" lets what comes from the machine
    itself in: both know the `openings`.
    `revision`: by which one it was made; empty for the one without a name.
    `metadata` is what EnvoyFilters may ask for: the version of Istio's API, and what is said of the proxy at its start.
    """

    id: str
    role: Literal["sidecar", "gateway", "node", "host"] = "sidecar"
    workloads: tuple[Workload, ...] = ()
    egress: str = ""
    metadata: Labels = (("ISTIO_VERSION", names.ISTIO_VERSION),)
    edge: Edge | None = None
    openings: tuple[Opening, ...] = ()
    revision: str = ""
