"""Who calls on the daemon's sockets: a real gRPC server behind a real door."""

import asyncio
import contextlib
import os
from pathlib import Path

import grpc
import grpc.aio
import pytest

from semafor.app import callers, proxies
from semafor.app.callers import Caller, Doorkeeper
from semafor.app.proxy_door import ProxyDoor

PODS = {"pod-1": 101, "pod-2": 102, proxies.NODE: 100}


class Networks:
    def network(self, uid):
        return PODS.get(uid, 0)

    def networks(self):
        return frozenset(PODS.values())


@contextlib.asynccontextmanager
async def guarded(folder: Path, *, admits: bool):
    """A gRPC server that answers with the process behind its peer, and a door before it; yields the door's path."""
    keeper = Doorkeeper(lambda _: admits)
    outer, inner = folder / "outer.sock", folder / "inner.sock"

    async def who(raw, call):
        behind = keeper.behind(call.peer())
        return raw + (str(behind.pid).encode() if behind else b"nobody")

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(who)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test", {"who": handler}),))
    server.add_insecure_port(f"unix:{inner}")
    await server.start()
    try:
        async with keeper.serve(outer, inner):
            yield outer, inner
    finally:
        await server.stop(0)


async def ask(path: Path, raw: bytes = b"") -> bytes:
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        return await channel.unary_unary("/test/who")(raw, timeout=20)


async def test_the_kernel_says_who_is_behind_a_call(tmp_path):
    async with guarded(tmp_path, admits=True) as (outer, inner):
        assert await ask(outer) == str(os.getpid()).encode()
        assert await ask(inner) == b"nobody"


async def test_bytes_pass_whole_both_ways(tmp_path):
    raw = os.urandom(3 << 20)
    async with guarded(tmp_path, admits=True) as (outer, _):
        assert (await ask(outer, raw)).startswith(raw)


async def test_a_stranger_is_shut_out(tmp_path):
    async with guarded(tmp_path, admits=False) as (outer, _):
        reader, writer = await asyncio.open_unix_connection(str(outer))
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()


async def test_one_network_cannot_take_all_connections(tmp_path):
    async with guarded(tmp_path, admits=True) as (outer, _), contextlib.AsyncExitStack() as stack:
        for _ in range(callers._MAX_OF_ONE):
            _, writer = await asyncio.open_unix_connection(str(outer))
            stack.callback(writer.close)
            await asyncio.sleep(0)
        reader, writer = await asyncio.open_unix_connection(str(outer))
        stack.callback(writer.close)
        async with asyncio.timeout(20):
            assert await reader.read() == b""


async def test_the_door_is_its_owners_alone(tmp_path):
    async with guarded(tmp_path, admits=True) as (outer, _):
        assert outer.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("token_of", "network", "proxy"),
    [
        ("pod-1", 101, "pod-1"),
        ("pod-1", 102, None),  # a token that was carried to another pod
        ("pod-1", 100, None),
        ("pod-3", 0, None),  # of a pod that is no more, from a process that cannot be looked at
        (proxies.NODE, 100, proxies.NODE),
        (proxies.HOST, callers.network(), proxies.HOST),
        (proxies.HOST, 101, None),
    ],
)
def test_a_token_counts_in_its_own_network_alone(token_of, network, proxy, monkeypatch):
    tokens = proxies.ProxyTokens()
    door = ProxyDoor(tokens, Networks(), uid=os.geteuid())
    monkeypatch.setattr(door.keeper, "behind", lambda _: Caller(1, os.geteuid(), network))
    assert door.authenticate(tokens.mint(token_of), "unix-abstract:00001") == proxy


def test_a_token_that_comes_past_the_door_counts_for_nothing():
    tokens = proxies.ProxyTokens()
    door = ProxyDoor(tokens, Networks(), uid=os.geteuid())
    assert door.authenticate(tokens.mint("pod-1"), "unix:") is None


@pytest.mark.parametrize(
    ("uid", "network", "admitted"),
    [(7, 101, True), (7, callers.network(), True), (8, 101, False), (7, 999, False), (7, 0, False)],
)
def test_who_is_let_in(uid, network, admitted):
    assert ProxyDoor(proxies.ProxyTokens(), Networks(), uid=7).admits(Caller(1, uid, network)) is admitted
