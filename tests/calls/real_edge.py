"""A gateway in a real Envoy, called from outside with real certificates."""

import http.client
import json
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.calls import edge, outcome, real
from tests.calls.edge import Client
from tests.calls.matcher import Matcher
from tests.calls.script import Call

from semafor.ca import issue
from semafor.ca.authority import Authority

Json = dict[str, Any]
_SIDECAR_HELLO = ("istio-http", "istio", "http/1.1")


class RealEdge(real.RealEnvoy):
    """The running gateway whose plan `matcher` has, which proves that it is `identity`."""

    def __init__(self, matcher: Matcher, identity: str, folder: Path) -> None:
        self._now = datetime.now(UTC)
        self._folder = folder
        self._identity = identity
        self._authority = Authority.open(folder, now=self._now)
        super().__init__(matcher, folder)

    def follow(self, call: Call, client: Client = edge.Client()) -> str:  # type: ignore[override]  # noqa: B008
        """The result in the words of `script`, as far as it can be seen from outside."""
        listener = edge.listener_of(self.matcher, call)
        return real.counted(call, lambda: self._once(listener, call, client)) if listener else edge.CLOSED

    def _once(self, listener: Json, call: Call, client: Client) -> str:
        try:
            with self._connected(self.ports[listener["name"]], call) as connection:
                if call.scheme != "https":
                    return self._used(connection, call)
                with self._secured(connection, call, client) as secured:
                    return self._used(secured, call)
        except (ssl.SSLError, ConnectionError, http.client.BadStatusLine):
            return edge.CLOSED

    def _used(self, connection: socket.socket, call: Call) -> str:
        if call.carries_request:
            return self._answer(connection, call)
        if call.scheme == "tls":
            return self._said_to(connection, real.hello(call.host, call.alpn))
        return self._said_to(connection, b"\x00\x01 bytes\r\n")

    def _said_to(self, connection: socket.socket, first: bytes) -> str:
        connection.sendall(first)
        said = connection.recv(1000).decode()
        return outcome.destination(self.matcher, said) if said else edge.CLOSED

    def _answer(self, connection: socket.socket, call: Call) -> str:
        used = http.client.HTTPConnection(call.host, timeout=10)
        used.sock = connection
        used.request(call.method, call.path, headers={"Host": call.host, **dict(call.headers)})
        response = used.getresponse()
        body = response.read().decode(errors="replace")
        cluster = response.getheader("x-cluster")
        if cluster is None:
            return real.answered(response, body)
        return outcome.destination(self.matcher, cluster) + real.notes(response, call, 0.0)

    def _secured(self, connection: socket.socket, call: Call, client: Client) -> socket.socket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # e2e tests look at what is shown
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # where a refusal comes before the first byte
        if client.identity:
            made = issue.workload(self._authority, client.identity, now=self._now)
            client = Client(client.identity, made.certificate.pem.decode(), made.key.pem.decode())
            context.set_alpn_protocols(_SIDECAR_HELLO)
        if client.certificate:
            path = self._folder / "caller.pem"
            path.write_text(client.certificate + client.key)
            context.load_cert_chain(path)
        return context.wrap_socket(connection, server_hostname=call.host)

    def _bootstrap(self, folder: Path) -> Json:
        bootstrap = super()._bootstrap(folder)
        secrets = [json.loads(json.dumps(one)) for one in self.matcher.secrets.values()]
        bootstrap["static_resources"]["secrets"] = [*secrets, *self._own()]
        return json.loads(json.dumps(bootstrap), object_hook=real.without_sds)  # type: ignore[no-any-return]

    def _own(self) -> list[Json]:
        own = issue.workload(self._authority, self._identity, now=self._now)
        certificate = {"certificate_chain": _inline(own.certificate.pem), "private_key": _inline(own.key.pem)}
        trust = {"trusted_ca": _inline(self._authority.root_pem)}
        return [{"name": "default", "tls_certificate": certificate}, {"name": "ROOTCA", "validation_context": trust}]


def _inline(pem: bytes) -> Json:
    return {"inline_string": pem.decode()}
