"""The gRPC shell, with a real gRPC client on a real unix socket."""

import asyncio
import stat
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio
import pytest
from fakes import Response, resources

from semafor.base import protobuf
from semafor.base.xds import CLUSTER, ENDPOINTS, LISTENER
from semafor.xds import doors, server


class Recorder:
    """An observer that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple] = []
        self.news = asyncio.Event()

    def __getattr__(self, name):
        if name not in {"connected", "disconnected", "acked", "refused", "settled"}:
            raise AttributeError(name)

        def hear(*words):
            self.heard.append((name, *words))
            self.news.set()

        return hear

    async def until(self, name: str) -> tuple:
        """The next event of this name, with those before it thrown away."""
        async with asyncio.timeout(5):
            while True:
                for i, event in enumerate(self.heard):
                    if event[0] == name:
                        del self.heard[: i + 1]
                        return event
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def serving(path: Path):
    recorder = Recorder()
    door = doors.Socket(path, lambda token, _: {"s3cret": "pod-1"}.get(token))
    served = server.Server(door, observer=recorder)
    await served.start()
    try:
        yield served, recorder
    finally:
        await served.stop(0.2)


@asynccontextmanager
async def stream(path: Path, token: str = "s3cret"):
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        call = channel.stream_stream(server.METHOD)(metadata=(("authorization", f"Bearer {token}"),))
        try:
            yield call
        finally:
            call.cancel()


def request(type_url: str, *names: str, node: str = "", nonce: str = "", error: str = "") -> bytes:
    parts = [protobuf.delimited(1, protobuf.delimited(1, node.encode()))] if node else []
    parts += [protobuf.delimited(2, type_url.encode()), *(protobuf.delimited(3, name.encode()) for name in names)]
    parts += [protobuf.delimited(6, nonce.encode())] if nonce else []
    parts += [protobuf.delimited(7, protobuf.delimited(2, error.encode()))] if error else []
    return b"".join(parts)


async def read(call) -> Response:
    async with asyncio.timeout(5):
        return Response(await call.read())


async def start(call) -> None:
    """Subscribe as Envoy does, and acknowledge the first answers."""
    await call.write(request(CLUSTER, node="node-1"))
    await call.write(request(LISTENER))
    for _ in range(2):
        answer = await read(call)
        await call.write(request(answer.type_url, nonce=answer.nonce))


async def test_a_proxy_gets_what_is_pushed_and_is_settled(tmp_path):
    async with serving(tmp_path / "xds.sock") as (served, recorder), stream(tmp_path / "xds.sock") as call:
        served.push("pod-1", resources(clusters="a", listeners="l"), 7)
        await start(call)
        assert await recorder.until("connected") == ("connected", "pod-1", "node-1")
        assert (await recorder.until("settled"))[2].generation == 7
        assert (served.settled("pod-1"), served.connected) == (7, ("pod-1",))


async def test_a_later_push_reaches_an_open_stream(tmp_path):
    async with serving(tmp_path / "xds.sock") as (served, _), stream(tmp_path / "xds.sock") as call:
        served.push("pod-1", resources(clusters="a", listeners="l"), 1)
        await start(call)
        served.push("pod-1", resources(clusters="a=2", listeners="l"), 2)
        assert repr(await read(call)) == "Cluster a=2"


async def test_a_refusal_is_reported_with_the_name(tmp_path):
    async with serving(tmp_path / "xds.sock") as (served, recorder), stream(tmp_path / "xds.sock") as call:
        served.push("pod-1", resources(endpoints="a"), 1)
        await call.write(request(ENDPOINTS, "a", node="n"))
        await call.write(request(ENDPOINTS, nonce=(await read(call)).nonce, error="no such zone"))
        _, proxy, event = await recorder.until("refused")
        assert (proxy, event.names, event.message) == ("pod-1", ("a",), "no such zone")


@pytest.mark.parametrize("token", ["wrong", ""])
async def test_an_unknown_token_is_turned_away(tmp_path, token):
    async with serving(tmp_path / "xds.sock"), stream(tmp_path / "xds.sock", token) as call:
        assert await call.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_bytes_that_are_no_request_end_only_that_stream(tmp_path):
    async with serving(tmp_path / "xds.sock") as (served, _):
        async with stream(tmp_path / "xds.sock") as call:
            await call.write(b"\x0f\xff\xff")
            assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT
        async with stream(tmp_path / "xds.sock") as call:
            served.push("pod-1", resources(clusters="a", listeners="l"), 1)
            await start(call)


async def test_a_proxy_that_leaves_is_noticed(tmp_path):
    async with serving(tmp_path / "xds.sock") as (_, recorder):
        async with stream(tmp_path / "xds.sock") as call:
            await call.write(request(CLUSTER, node="n"))
            await recorder.until("connected")
        assert await recorder.until("disconnected") == ("disconnected", "pod-1")


_NEVER_READS = """
import sys, time, grpc

def requests():
    yield sys.stdin.buffer.read()
    time.sleep(60)

channel = grpc.insecure_channel(sys.argv[1])
call = channel.stream_stream(sys.argv[2])(requests(), metadata=(("authorization", "Bearer s3cret"),))
time.sleep(60)
"""


async def test_a_proxy_that_is_killed_while_it_is_written_to_is_no_error(tmp_path, caplog):
    async with serving(tmp_path / "xds.sock") as (served, recorder):
        served.push("pod-1", resources(clusters="a=" + "1" * 20_000_000), 1)  # more than the channel takes
        command = (sys.executable, "-c", _NEVER_READS, f"unix:{tmp_path / 'xds.sock'}", server.METHOD)
        client = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
        client.stdin.write(request(CLUSTER, node="pod"))
        client.stdin.close()
        await recorder.until("connected")
        await asyncio.sleep(0)  # the write begins
        client.kill()
        await client.wait()
        await recorder.until("disconnected")
    assert [record.getMessage() for record in caplog.records] == []


async def test_a_forgotten_proxy_is_sent_away(tmp_path):
    async with serving(tmp_path / "xds.sock") as (served, recorder), stream(tmp_path / "xds.sock") as call:
        await call.write(request(CLUSTER, node="n"))
        await recorder.until("connected")
        served.forget("pod-1")
        assert await call.read() is grpc.aio.EOF


async def test_two_streams_of_one_proxy_both_get_everything(tmp_path):
    path = tmp_path / "xds.sock"
    async with serving(path) as (served, _), stream(path) as one, stream(path) as other:
        served.push("pod-1", resources(clusters="a", listeners="l"), 1)
        await start(one)
        await start(other)
        served.push("pod-1", resources(clusters="a=2", listeners="l"), 2)
        assert {repr(await read(one)), repr(await read(other))} == {"Cluster a=2"}


async def test_a_proxy_may_not_hoard_streams(tmp_path):
    path = tmp_path / "xds.sock"
    async with serving(path), grpc.aio.insecure_channel(f"unix:{path}") as channel, asyncio.timeout(5):
        open_stream = channel.stream_stream(server.METHOD)
        calls = [open_stream(metadata=(("authorization", "Bearer s3cret"),)) for _ in range(9)]
        ends = [asyncio.ensure_future(call.code()) for call in calls]
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        assert [end.result() for end in done] == [grpc.StatusCode.RESOURCE_EXHAUSTED]
        for call in calls:
            call.cancel()
        await asyncio.gather(*ends, return_exceptions=True)


async def test_only_the_owner_may_open_the_socket_and_it_is_gone_afterwards(tmp_path):
    path = tmp_path / "xds.sock"
    async with serving(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_an_old_socket_of_a_killed_daemon_is_replaced(tmp_path):
    path = tmp_path / "xds.sock"
    old = await asyncio.start_unix_server(lambda *_: None, path)
    async with serving(path), stream(path) as call:
        await call.write(request(CLUSTER, node="n"))
    old.close()


async def test_stopping_ends_the_streams_so_that_envoys_reconnect(tmp_path):
    async with serving(tmp_path / "xds.sock") as (served, _), stream(tmp_path / "xds.sock") as call:
        served.push("pod-1", resources(clusters="a", listeners="l"), 1)
        await start(call)
        await served.stop(0.2)
        assert await call.read() is grpc.aio.EOF
        assert await call.code() == grpc.StatusCode.OK
