"""Pods' network and its interception by a sidecar, in real network namespaces."""

import asyncio
import os
import socket

import pytest
from tests.kube.node.machine_room import Room, ask, call, lines, serve, serve_udp

from semafor.kube.node.spec import NODE_UID, Container, Interception, NodeNetwork

pytestmark = pytest.mark.machine


async def test_pods_reach_each_other_by_their_addresses(here: Room) -> None:
    a, b = await here.pod("a"), await here.pod("b")
    await serve(here, "b", 80, "this is b")
    await here.run("a", "sleep", "100")
    assert await call(here, "a", b, 80) == f"this is b {a}"


async def test_containers_of_a_pod_share_their_network(here: Room) -> None:
    await here.pod("a")
    await serve(here, "a", 8080, "hello")
    await here.run("a", "sleep", "100")
    assert await call(here, "a", "127.0.0.1", 8080) == "hello 127.0.0.1"


async def test_a_pod_cannot_reach_the_hosts_loopback_nor_its_abstract_sockets(here: Room) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0semafor-test-{os.getpid()}")
    abstract.listen()
    await here.pod("a")
    await here.run("a", "sleep", "100")
    assert "ConnectionRefusedError" in await call(here, "a", "127.0.0.1", listening.getsockname()[1])
    knock = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0semafor-test-{os.getpid()}')"
    assert "ConnectionRefusedError" in (await here.output("a", "python3", "-c", knock))[1]
    listening.close()
    abstract.close()


async def test_a_sidecar_gets_what_its_pod_sends_and_receives(here: Room) -> None:
    a = await here.pod("a", interception=Interception(exclude_outbound_ports=(99,)))
    b = await here.pod("b")
    await serve(here, "a", 15001, "outbound", name="out")
    await serve(here, "a", 15006, "inbound", name="in")
    await serve(here, "b", 99, "not intercepted")
    await here.run("b", "sleep", "100")
    await here.run("a", "sleep", "100")
    assert await call(here, "a", "10.96.0.55", 80) == f"outbound {a}"
    assert await call(here, "b", a, 8080) == f"inbound {b}"
    assert await call(here, "a", b, 99) == f"not intercepted {a}"


async def test_the_apps_dns_goes_to_the_sidecar(here: Room) -> None:
    await here.pod("a", interception=Interception())
    await serve_udp(here, "a", 15053)
    await here.run("a", "sleep", "100")
    assert await ask(here, "a", "10.96.0.10", 53) == "answer to question"


async def test_a_proxy_may_mark_its_packets_and_an_app_may_not(here: Room) -> None:
    await here.pod("a")
    mark = "import socket; socket.socket().setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 1337); print('marked')"
    await here.run("a", "sleep", "100", name="proxy", privileged_net=True)
    await here.run("a", "sleep", "100", name="app")
    assert (await here.output("a", "python3", "-c", mark, name="proxy"))[1] == "marked\n"
    assert "PermissionError" in (await here.output("a", "python3", "-c", mark, name="app"))[1]


async def test_the_node_takes_what_leaves_the_pods(here: Room) -> None:
    a = await here.pod("a")
    await here.run("a", "sleep", "100")
    listening = await here.runtime.node_socket("0.0.0.0", NodeNetwork().redirect_port)
    loop = asyncio.get_running_loop()
    calling = asyncio.ensure_future(call(here, "a", "203.0.113.7", 443))
    made, peer = await asyncio.wait_for(loop.sock_accept(listening), 10)
    await loop.sock_sendall(made, b"taken")
    assert (await calling, peer[0]) == ("taken", a)
    made.close()
    listening.close()


async def test_cluster_dns_has_its_address(here: Room) -> None:
    await here.pod("a")
    await here.run("a", "sleep", "100")
    server = await here.runtime.node_socket("10.96.0.10", 53, socket.SOCK_DGRAM)
    asking = asyncio.ensure_future(ask(here, "a", "10.96.0.10", 53))
    loop = asyncio.get_running_loop()
    question, peer = await asyncio.wait_for(loop.sock_recvfrom(server, 99), 10)
    await loop.sock_sendto(server, b"found", peer)
    assert (question, await asking) == (b"question", "found")
    server.close()


async def test_connect_opens_a_socket_inside_the_pod(here: Room) -> None:
    await here.pod("a", interception=Interception())
    await serve(here, "a", 8080, "inside")
    made = await here.runtime.connect("a", "127.0.0.1", 8080)
    assert await asyncio.get_running_loop().sock_recv(made, 99) == b"inside 127.0.0.1"
    made.close()
    with pytest.raises(ConnectionRefusedError, match=r"127\.0\.0\.1:9"):
        await here.runtime.connect("a", "127.0.0.1", 9)


async def test_the_nodes_own_process_sees_the_hosts_files_and_the_nodes_network(here: Room) -> None:
    log = here.folder / "node.log"
    argv = ("python3", "-c", "import socket; print(socket.if_nameindex()[1][1])")
    await here.runtime.run_node(Container(name="envoy", argv=argv, log_path=str(log)))
    ended = await here.exit()
    assert (ended.uid, ended.code, lines(log)) == (NODE_UID, 0, [("stdout", "F", "semafor0")])
