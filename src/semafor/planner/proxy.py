"""Who gets a plan."""

from typing import Literal

from semafor.base.struct import Value

Labels = tuple[tuple[str, str], ...]


class Workload(Value):
    """One pod that a proxy serves. `labels` are sorted pairs; `ports` are the containers' named ports."""

    namespace: str
    name: str
    ip: str = ""
    labels: Labels = ()
    service_account: str = "default"
    ports: tuple[tuple[str, int], ...] = ()


class Proxy(Value):
    """The thing that gets a configuration; it serves one or several workloads.

    A "sidecar" intercepts what its workloads send and receive. A "node" balances connections to service addresses for
    pods without sidecars, and hands everything else to the host through the unix socket `egress`.
    """

    id: str
    role: Literal["sidecar", "node"] = "sidecar"
    workloads: tuple[Workload, ...] = ()
    egress: str = ""
