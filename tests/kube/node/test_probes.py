"""Probes against real servers, with the kubelet's words for what goes wrong."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent import futures
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import grpc
import pytest
from tests.kube.node.fakes import LocalProcess

from semafor.kube.api.node import Process
from semafor.kube.node import probes
from semafor.kube.node.probes import Target, Verdict

WHERE = Target(uid="u1", container="app", ip="127.0.0.1", ports=(("web", 80),))
Json = dict[str, Any]


class Reach:
    """Gets into a pod that is this machine."""

    async def connect(self, uid: str, host: str, port: int) -> socket.socket:
        made = socket.socket()
        made.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(made, (host, port))
        except OSError:
            made.close()
            raise
        return made

    async def exec(self, uid: str, container: str, argv: Sequence[str], *, tty: bool, stdin: bool) -> Process:
        pipe = asyncio.subprocess.PIPE
        return LocalProcess(await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=pipe))


@asynccontextmanager
async def answering(handle: Callable[[bytes], bytes | Awaitable[bytes]]) -> AsyncIterator[int]:
    """A server that answers each request's head with bytes of our own."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError), closing(writer):
            answer = handle(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer if isinstance(answer, bytes) else await answer)

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


ANSWERS: list[tuple[bytes, Verdict]] = [
    (b"HTTP/1.1 200 OK\r\n\r\nhi", Verdict(ok=True)),
    (b"HTTP/1.1 399 X\r\n\r\n", Verdict(ok=True)),
    (b"HTTP/1.1 500 X\r\n\r\n", Verdict(ok=False, message="HTTP probe failed with statuscode: 500")),
    (
        b"HTTP/1.1 302 X\r\nLocation: http://example.org/\r\n\r\nmoved",
        Verdict(ok=True, message="Probe terminated redirects, Response body: moved"),
    ),
    (b"SSH-2.0-x\r\n\r\n", Verdict(ok=False, message="malformed HTTP response 'SSH-2.0-x'")),
    (b"", Verdict(ok=False, message="EOF")),
]


@pytest.mark.parametrize(("answer", "verdict"), ANSWERS)
async def test_http(answer: bytes, verdict: Verdict) -> None:
    async with answering(lambda _: answer) as port:
        found = await probes.probe(Reach(), WHERE, {"httpGet": {"port": port, "path": "x"}})
    assert Verdict(ok=found.ok, message=found.message.removeprefix(f'Get "http://127.0.0.1:{port}/x": ')) == verdict


async def test_a_redirect_on_the_same_host_is_followed() -> None:
    answers = {b"/": b"HTTP/1.1 301 X\r\nLocation: /there\r\n\r\n", b"/there": b"HTTP/1.1 404 X\r\n\r\n"}
    async with answering(lambda head: answers[head.split(b" ")[1]]) as port:
        found = await probes.probe(Reach(), WHERE, {"httpGet": {"port": port}})
    assert found.message == "HTTP probe failed with statuscode: 404"


async def test_headers_are_the_kubelets_unless_given() -> None:
    heads: list[bytes] = []
    async with answering(lambda head: heads.append(head) or b"HTTP/1.1 200 OK\r\n\r\n") as port:  # type: ignore[func-returns-value]
        spec = {"port": port, "httpHeaders": [{"name": "host", "value": "shop"}, {"name": "X-A", "value": "1"}]}
        await probes.probe(Reach(), WHERE, {"httpGet": spec})
    assert heads[0].decode().split("\r\n")[:-2] == [
        "GET / HTTP/1.1",
        "User-Agent: kube-probe/1.32",
        "Accept: */*",
        "Connection: close",
        "host: shop",
        "X-A: 1",
    ]


async def test_a_slow_server_is_a_time_out() -> None:
    over = asyncio.Event()

    async def late(_: bytes) -> bytes:
        await over.wait()
        return b""

    async with answering(late) as port:
        found = await probes.probe(Reach(), WHERE, {"httpGet": {"port": port}, "timeoutSeconds": 0.1})
        over.set()
        await asyncio.sleep(0)
    assert found.message.endswith("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")


async def test_nobody_listening_is_said_as_the_kubelet_says_it() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        refused = f"dial tcp 127.0.0.1:{port}: connect: connection refused"
        found = [await probes.probe(Reach(), WHERE, {kind: {"port": port}}) for kind in ("tcpSocket", "httpGet")]
    assert [verdict.message for verdict in found] == [refused, f'Get "http://127.0.0.1:{port}/": {refused}']


async def test_tcp_is_content_with_a_connection() -> None:
    async with answering(lambda _: b"") as port:
        assert await probes.probe(Reach(), WHERE, {"tcpSocket": {"port": port}}) == Verdict(ok=True)


COMMANDS: list[tuple[list[str], Verdict]] = [
    (["true"], Verdict(ok=True)),
    (["sh", "-c", "echo no; exit 3"], Verdict(ok=False, message="no")),
    (["false"], Verdict(ok=False, message="exit code 1")),
]


@pytest.mark.parametrize(("argv", "verdict"), COMMANDS)
async def test_exec(argv: list[str], verdict: Verdict) -> None:
    assert await probes.probe(Reach(), WHERE, {"exec": {"command": argv}}) == verdict


async def test_a_command_that_hangs_is_ended() -> None:
    found = await probes.probe(Reach(), WHERE, {"exec": {"command": ["sleep", "60"]}, "timeoutSeconds": 0.1})
    assert re.fullmatch(r"command timed out: .* timed out after 0\.1s", found.message)


@pytest.mark.parametrize(("port", "number"), [(8080, 8080), ("web", 80), ("81", 81)], ids=["number", "name", "digits"])
def test_port(port: int | str, number: int) -> None:
    assert probes.port_number(WHERE, port) == number


async def test_an_unknown_port_name_is_named() -> None:
    found = await probes.probe(Reach(), WHERE, {"tcpSocket": {"port": "none"}})
    assert found.message == "couldn't find port 'none' in container 'app'"


@pytest.fixture
def health() -> Any:
    """A real gRPC server: service "" serves, "down" does not, others are unknown."""

    def check(request: bytes, context: grpc.ServicerContext) -> bytes:
        answers = {b"": b"\x08\x01", b"\x0a\x04down": b"\x08\x02"}
        if request not in answers:
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return answers[request]

    server = grpc.server(futures.ThreadPoolExecutor(1))
    method = grpc.unary_unary_rpc_method_handler(check)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": method})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None)


@pytest.mark.parametrize(
    ("service", "verdict"),
    [
        ("", Verdict(ok=True)),
        ("down", Verdict(ok=False, message="service unhealthy (responded with status 2)")),
        ("unknown", Verdict(ok=False, message="service unhealthy (responded with an error)")),
    ],
)
async def test_grpc(health: int, service: str, verdict: Verdict) -> None:
    assert await probes.probe(Reach(), WHERE, {"grpc": {"port": health, "service": service}}) == verdict
