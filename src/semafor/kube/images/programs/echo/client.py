"""The caller of Istio's `app`: sends requests and prints, line by line, what they were and what came back.

    client URL [--count N] [--qps N] [--method M] [-H NAME:VALUE] [--timeout 5s] [--http2] [-L] [--ca FILE] [--msg TEXT]

URLs begin with http, https, grpc, tcp. Of its own: other schemes (ws, udp, dns, xds) are refused.

Source: https://github.com/istio/istio/tree/master/pkg/test/echo/cmd/client.
"""

# A program of its own: it prints.
# ruff: noqa: T201

import argparse
import http.client
import socket
import ssl
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import SplitResult, urljoin, urlsplit

from . import go, grpc
from .message import Answer, Headers

_AT_ONCE = 20
_REDIRECTS_MAX = 10
_PORTS = {"http": 80, "https": 443, "grpc": 7070, "tcp": 9090}


class Call:
    """One request of several; each prints under its number."""

    def __init__(self, asked: argparse.Namespace, number: int) -> None:
        self._asked = asked
        self._number = number
        self._said: list[str] = []
        self._begun = time.monotonic()
        names = [header.partition(":") for header in asked.header]
        self._headers = [(name.strip(), value.strip()) for name, _, value in names if name.strip().lower() != "host"]
        self._host = next((value.strip() for name, _, value in names if name.strip().lower() == "host"), "")

    def run(self) -> str:
        """Make the call; what to print. Raises OSError and HTTPException."""
        url = urlsplit(self._asked.url)
        kind: Callable[[SplitResult], None] = getattr(self, f"_{url.scheme}")
        kind(url)
        return "\n".join(self._said) + "\n"

    def _http(self, url: SplitResult) -> None:
        self._say("Url", self._asked.url)
        for name, value in self._headers:
            self._say("Header", f"{name}:{value}")
        answer = self._http_answer(url)
        for _ in range(_REDIRECTS_MAX):
            location = next((value for name, value in answer.headers if name.lower() == "location"), "")
            if not (self._asked.follow_redirects and 300 <= answer.code < 400 and location):
                break
            url = urlsplit(urljoin(url.geturl(), location))
            answer = self._http_answer(url)
        self._timed()
        self._say("StatusCode", str(answer.code))
        for name, value in go.by_name(answer.headers):
            self._say("ResponseHeader", f"{name}:{value}")
        self._body(answer.body.decode("utf-8", "replace"))

    _https = _http

    def _http_answer(self, url: SplitResult) -> Answer:
        host = self._host or url.netloc
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection = self._connect(url, ("h2",) if self._asked.http2 else ("http/1.1",))
        with connection:
            if self._asked.http2:
                return self._http2(connection, target, Target(url.scheme, host, self._asked.method or "GET"))
            return self._http1(connection, target, host)

    def _http1(self, connection: socket.socket, target: str, host: str) -> Answer:
        client = http.client.HTTPConnection(host)
        client.sock = connection
        client.putrequest(self._asked.method or "GET", target, skip_host=True, skip_accept_encoding=True)
        own = {"Host": host, "User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip"}
        given = {name.lower() for name, _ in self._headers}
        for name, value in [*((n, v) for n, v in own.items() if n.lower() not in given), *self._headers]:
            client.putheader(name, value)
        client.endheaders()
        response = client.getresponse()
        return Answer(code=response.status, headers=response.getheaders(), body=response.read())

    def _http2(self, connection: socket.socket, target: str, to: "Target") -> Answer:
        from . import http2

        head = [(":method", to.method), (":scheme", to.scheme), (":authority", to.host), (":path", target)]
        return http2.Client(connection).call([*head, *((name.lower(), value) for name, value in self._headers)], b"")

    def _grpc(self, url: SplitResult) -> None:
        from . import http2

        self._said.append(f"[{self._number}] grpcecho.Echo({self._asked.url})")
        with self._connect(url, ("h2",)) as connection:
            head: Headers = [(":method", "POST"), (":scheme", "http"), (":path", "/proto.EchoTestService/Echo")]
            head += [(":authority", self._host or url.netloc), ("content-type", "application/grpc"), ("te", "trailers")]
            head += [("user-agent", "grpc-go"), *((name.lower(), value) for name, value in self._headers)]
            head += [("x-request-id", str(self._number))]
            answer = http2.Client(connection).call(head, grpc.frame(grpc.field(1, self._asked.msg)))
        trailers = dict(answer.trailers if answer.trailers is not None else answer.headers)
        if answer.code != 200 or trailers.get("grpc-status") != "0":
            why = trailers.get("grpc-message") or f"HTTP status {answer.code}"
            raise OSError(f"rpc error: code = {trailers.get('grpc-status', 'unknown')} desc = {why}")
        self._timed()
        self._body(dict(grpc.fields(grpc.unframed(answer.body))).get(1, b"").decode())
        for name, value in answer.headers:
            self._say("ResponseHeader", f"{name}:{value}")

    def _tcp(self, url: SplitResult) -> None:
        with self._connect(url, ()) as connection:
            self._say("Url", self._asked.url)
            connection.sendall(f"{self._asked.msg}\n".encode())
            connection.shutdown(socket.SHUT_WR)
            self._timed()
            with connection.makefile("rb") as reader:
                self._body(reader.read().decode("utf-8", "replace"))

    def _connect(self, url: SplitResult, protocols: tuple[str, ...]) -> socket.socket:
        address = (url.hostname or "", url.port or _PORTS[url.scheme])
        connection = socket.create_connection(address, timeout=go.seconds(self._asked.timeout))
        if url.scheme != "https":
            return connection
        # As the original: whom it calls is what tests look at, not who signed for it.
        context = ssl._create_unverified_context()  # noqa: S323, SLF001
        context.set_alpn_protocols(list(protocols))
        return context.wrap_socket(connection, server_hostname=self._asked.server_name or self._host or url.hostname)

    def _timed(self) -> None:
        self._say("Latency", f"{(time.monotonic() - self._begun) * 1000:.3f}ms")
        self._say("ActiveRequests", "0")

    def _say(self, name: str, value: str) -> None:
        self._said.append(f"[{self._number}] {name}={value}")

    def _body(self, text: str) -> None:
        self._said += [f"[{self._number} body] {line}" for line in text.split("\n") if line]


class Target:
    """Whom an HTTP/2 request is for."""

    def __init__(self, scheme: str, host: str, method: str) -> None:
        self.scheme, self.host, self.method = scheme, host, method


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="client", description="Test Echo client.")
    parser.add_argument("url")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--qps", type=int, default=0)
    parser.add_argument("--timeout", default="5s")
    parser.add_argument("--method", default="")
    parser.add_argument("--msg", default="HelloWorld")
    parser.add_argument("--server-name", default="")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("--http2", action="store_true")
    parser.add_argument("-L", "--follow-redirects", action="store_true")
    asked = parser.parse_args(words)
    asked.url = asked.url if "://" in asked.url else f"http://{asked.url}"
    if urlsplit(asked.url).scheme not in _PORTS:
        parser.error(f"{asked.url}: this client speaks {', '.join(_PORTS)}")
    return asked


def main(words: list[str]) -> int:
    """Make all the calls, several at once unless --qps spaces them; the exit code."""
    asked = _arguments(words)

    def call(number: int) -> str:
        if asked.qps:
            time.sleep(number / asked.qps)
        return Call(asked, number).run()

    try:
        with ThreadPoolExecutor(max_workers=asked.count if asked.qps else _AT_ONCE) as pool:
            for said in pool.map(call, range(asked.count)):
                print(said)
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(f"Error {error}", file=sys.stderr)
        return 255
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
