"""Patches of clusters. Source: Istio's cluster_patch.go."""

import re
from typing import Any

from semafor import ir
from semafor.envoy.patch.work import MERGES, Work


def concerns(patch: ir.Patch, name: str) -> bool:
    """Whether the patch is about the cluster of this name."""
    if patch.apply_to != "CLUSTER" or patch.operation == "ADD":
        return False
    return not patch.clusters or any(re.fullmatch(pattern, name) for pattern in patch.clusters)


def change(work: Work, cluster: Any) -> Any:
    """The changed cluster; None when it is removed. All patches concern it."""
    for patch in work.of("CLUSTER"):
        if patch.operation == "REMOVE":
            work.used.add(patch)
            return None
        if patch.operation in MERGES:
            _merge(work, cluster, patch)
    return cluster


def _merge(work: Work, cluster: Any, patch: ir.Patch) -> None:
    """A transport socket goes into the one of its name, also where sockets are chosen by endpoint."""
    value = work.value(patch)
    if not value.HasField("transport_socket"):
        work.merge(cluster, patch)
        return
    rest = type(value)()
    rest.CopyFrom(value)
    rest.ClearField("transport_socket")
    socket = value.transport_socket
    matches = [
        one.transport_socket for one in cluster.transport_socket_matches if one.transport_socket.name == socket.name
    ]
    own = [cluster.transport_socket] if cluster.transport_socket.name == socket.name else []
    for known in (*matches, *own):
        work.merge_extension(known, patch, socket)
    if not matches and not own and not cluster.transport_socket_matches:
        cluster.transport_socket.CopyFrom(socket)
    work.merge(cluster, patch, rest)
