"""A node whose containers say little: a log, and what an Envoy of few clusters has."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

_TYPE = "type.googleapis.com/envoy.admin.v3."
_ADDRESS = {"socket_address": {"address": "10.77.0.9", "port_value": 9080}}
_DUMP = {
    "configs": [
        {
            "@type": f"{_TYPE}ClustersConfigDump",
            "dynamic_active_clusters": [
                {"cluster": {"name": f"outbound|9080|v{number}|reviews.default.svc.cluster.local", "type": "EDS"}}
                for number in (1, 2)
            ],
        },
        {
            "@type": f"{_TYPE}ListenersConfigDump",
            "dynamic_listeners": [
                {
                    "active_state": {
                        "listener": {
                            "name": "0.0.0.0_9080",
                            "address": {"socket_address": {"address": "0.0.0.0", "port_value": 9080}},
                            "filter_chains": [
                                {
                                    "filters": [
                                        {"typed_config": {"http_filters": [], "rds": {"route_config_name": "9080"}}}
                                    ]
                                }
                            ],
                        }
                    }
                }
            ],
        },
    ]
}
_SAYS = {
    "config_dump": _DUMP,
    "clusters": {
        "cluster_statuses": [
            {
                "name": "outbound|9080|v1|reviews.default.svc.cluster.local",
                "host_statuses": [{"address": _ADDRESS, "health_status": {"eds_health_status": "HEALTHY"}}],
            }
        ]
    },
}
_LOG = (
    b'[2026-11-23T01:37:37.101Z] "GET /reviews/0 HTTP/1.1" 200 - via_upstream - "-" 0 295 12 11\n'
    b'[2026-11-23T01:37:38.417Z] "GET /reviews/0 HTTP/1.1" 503 UH no_healthy_upstream - "-" 0 19 0 -\n'
)


class Process:
    """A program that has said all and ended."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    @property
    async def stdout(self) -> AsyncIterator[bytes]:
        yield self._said

    async def wait(self) -> int:
        return 0


class Node:
    """As much of a node as the page asks for. Implements kube.api.node.Node in part."""

    async def logs(self, pod: dict[str, Any], container: str, **_: Any) -> AsyncIterator[bytes]:
        yield _LOG if container == "istio-proxy" else b"ready to serve\n"

    async def exec(
        self, pod: dict[str, Any], container: str, argv: Sequence[str], *, tty: bool, stdin: bool
    ) -> Process:
        what = argv[-1].lstrip("/").partition("?")[0]
        return Process(json.dumps(_SAYS[what]).encode() if what in _SAYS else b"cluster_manager.cds.version: 1\n")
