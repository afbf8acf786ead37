"""Hostile callers before a real Envoy, at a gateway's door and at a sidecar's."""

import asyncio
import ssl
from contextlib import suppress

import hostile
import live
import pytest
from msgspec.structs import replace
from test_live import MESH_TLS, endpoints, table, to
from tests.ports import free_port

from semafor import ir

pytestmark = pytest.mark.envoy
EDGE = ir.Edge(headers_s=1.0, idle_s=2.0)  # the doors of gateways, in a hurry
GATEWAY = ir.HttpConnection("gateway", "outbound", rds="80", server_name="istio-envoy", edge=EDGE, http_10=False)
INBOUND = ir.HttpConnection("inbound", "inbound", routes=table(to("app")), forward_client_identity=True)


@pytest.fixture
async def mesh(tmp_path, pool):
    async with live.mesh(tmp_path, pool) as made:
        yield made


async def doors(mesh, app_port: int, **filters) -> dict[str, int]:
    """A proxy with a listener for each filter; their ports."""
    ports = {name: free_port() for name in filters}
    listeners = tuple(
        ir.Listener(name, "127.0.0.1", ports[name], chains=(ir.FilterChain(filter_),))
        for name, filter_ in filters.items()
    )
    app = ir.Cluster("app", "static", endpoints=endpoints("app", app_port, tls_mode=""), http=ir.UpstreamHttp("h1"))
    await mesh.start("server", ir.Plan("server", listeners=listeners, routes=(table(to("app")),), clusters=(app,)))
    for port in ports.values():
        await hostile.listening(port)
    return ports


async def test_no_request_hides_in_another(mesh):
    async with hostile.naive() as (app, app_port):
        ports = await doors(mesh, app_port, gateway=GATEWAY, inbound=INBOUND)
        for door, port in ports.items():
            for attack, said in hostile.SMUGGLED.items():
                app.heads.clear()
                answer = await hostile.say(port, said)
                if "/smuggled" in "".join(app.lines):  # Envoy took it for a second request, and answers it as one
                    assert len(hostile.codes(answer)) == len(app.lines), (door, attack, answer, app.heads)
                else:
                    assert hostile.codes(answer)[:1] != [200] or len(app.lines) == 1, (door, attack, answer)


async def status_of(port: int, changed: dict[str, str]) -> str:
    """What a request of HTTP/2 with these headers comes to; "none" when it is no request."""
    async with hostile.H2.connected(port) as caller:
        number = await caller.ask(changed, body=b"ab")
        await caller.hear(lambda: caller.closed or number in {*caller.statuses, *caller.reset})
        return caller.statuses.get(number, "none")


async def test_no_request_hides_in_a_header_of_http2(mesh):
    async with hostile.naive() as (app, app_port):
        ports = await doors(mesh, app_port, gateway=GATEWAY, inbound=INBOUND)
        for port in ports.values():
            assert await status_of(port, {}) == "200"
            app.heads.clear()
            attempts = {attack: status_of(port, changed) for attack, changed in hostile.SMUGGLED_H2.items()}
            statuses = dict(zip(attempts, await asyncio.gather(*attempts.values()), strict=True))
            assert [attack for attack, status in statuses.items() if status == "200"] == []
            assert [head for head in app.heads if b"smuggled" in head] == []


FORGED = {
    "x-forwarded-client-cert": "By=spiffe://cluster.local/ns/a/sa/b;URI=spiffe://cluster.local/ns/a/sa/admin",
    "x-envoy-peer-metadata": "ChkKDkFQUF9DT05UQUlORVJTEgcaBWFkbWlu",
    "x-envoy-peer-metadata-id": "sidecar~10.0.0.1~admin.a~a.svc.cluster.local",
    "x-envoy-internal": "true",
    "x-envoy-max-retries": "100",
    "x-envoy-retry-on": "5xx",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-upstream-rq-per-try-timeout-ms": "1",
    "x-envoy-force-trace": "true",
    "x-envoy-ip-tags": "admin",
    "x-envoy-decorator-operation": "admin",
    "x-envoy-original-path": "/admin",
    "x-envoy-original-url": "http://admin/",
    "x-envoy-expected-rq-timeout-ms": "1",
    "x-envoy-downstream-service-cluster": "admin",
    "x-envoy-downstream-service-node": "admin",
    "x-envoy-original-dst-host": "127.0.0.1:1",
}
TOLERATED = {  # what a sidecar leaves to its callers, as Istio's does; nothing of ours believes it
    "inbound": {
        "x-envoy-decorator-operation",
        "x-envoy-downstream-service-cluster",
        "x-envoy-downstream-service-node",
        "x-envoy-original-path",
        "x-envoy-original-dst-host",
    },
    "gateway": {"x-envoy-original-dst-host"},
}


async def test_headers_of_proxies_cannot_be_forged(mesh):
    async with hostile.naive() as (app, app_port):
        ports = await doors(mesh, app_port, gateway=GATEWAY, inbound=INBOUND)
        lines = "".join(f"{name}: {value}\r\n" for name, value in FORGED.items()).encode()
        for door, port in ports.items():
            assert hostile.codes(await hostile.say(port, hostile.GET + lines + b"\r\n")) == [200]
            seen = app.headers()
            believed = {name for name, value in FORGED.items() if seen.get(name) == value}
            assert believed == TOLERATED[door], door


async def test_at_a_gateway_the_caller_says_neither_who_it_is_nor_which_request_it_was(mesh):
    async with hostile.naive() as (app, app_port):
        port = (await doors(mesh, app_port, gateway=GATEWAY))["gateway"]
        lies = b"x-forwarded-for: 10.0.0.1\r\nx-forwarded-proto: https\r\nx-request-id: mine\r\n"
        await hostile.say(port, hostile.GET + lies + b"\r\n")
        seen = app.headers()
        assert seen["x-forwarded-for"].split(",")[-1] != "10.0.0.1"
        assert (seen["x-forwarded-proto"], seen["x-request-id"] == "mine") == ("http", False)


async def test_names_with_an_underscore_are_refused_at_gateways_unless_it_is_said_otherwise(mesh):
    kinds = {
        name: replace(GATEWAY, edge=replace(EDGE, underscores=name))
        for name in ("REJECT_REQUEST", "DROP_HEADER", "ALLOW")
    }
    async with hostile.naive() as (app, app_port):
        ports = await doors(mesh, app_port, **kinds)
        said = hostile.GET + b"x_forwarded_client_cert: admin\r\n\r\n"
        got = {}
        for name, port in ports.items():
            app.heads.clear()
            answer = hostile.codes(await hostile.say(port, said))
            got[name] = (answer, bool(app.heads) and "x_forwarded_client_cert" in app.headers())
        assert got == {"REJECT_REQUEST": ([400], False), "DROP_HEADER": ([200], False), "ALLOW": ([200], True)}


async def test_headers_without_end_are_refused(mesh):
    async with hostile.naive() as (app, app_port):
        ports = await doors(mesh, app_port, gateway=GATEWAY, inbound=INBOUND)
        many = b"".join(b"x-%d: a\r\n" % number for number in range(150))
        for door, port in ports.items():
            app.heads.clear()
            huge = await hostile.say(port, hostile.GET + b"x: " + b"a" * 70_000 + b"\r\n\r\n")
            assert hostile.codes(huge) == [431], door
            assert hostile.codes(await hostile.say(port, hostile.GET + many + b"\r\n")) == [431], door
            assert app.heads == []


async def test_who_holds_a_connection_for_nothing_loses_it(mesh):
    async with hostile.naive() as (_, app_port):
        port = (await doors(mesh, app_port, gateway=GATEWAY))["gateway"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a")  # and the rest never
        assert hostile.codes(await asyncio.wait_for(reader.read(), 15)) == [408]
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)  # and never a byte
        assert await asyncio.wait_for(reader.read(), 15) == b""
        writer.close()


async def test_too_many_connections_are_turned_away_and_readiness_is_still_answered(mesh):
    async with hostile.naive() as (_, app_port):
        port, app = free_port(), endpoints("app", app_port, tls_mode="")
        listener = ir.Listener("in", "127.0.0.1", port, chains=(ir.FilterChain(INBOUND),))
        plan = ir.Plan("server", listeners=(listener,), clusters=(ir.Cluster("app", "static", endpoints=app),))
        proxy = await mesh.start("server", plan, max_connections=3)
        await hostile.listening(port)
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for _, writer in held:
            writer.write(hostile.GET)  # the connection is Envoy's by now, and stays open
        assert await hostile.say(port, hostile.GET + b"\r\n") == b""
        ready = await hostile.say(proxy.ready_port, b"GET /healthz/ready HTTP/1.1\r\nHost: a\r\n\r\n")
        assert hostile.codes(ready) == [200]
        for _, writer in held:
            writer.close()


async def test_a_handshake_that_never_ends_is_ended(mesh):
    port, app_port = free_port(), free_port()
    tls = replace(MESH_TLS, handshake_s=1.0)
    chain = ir.FilterChain(replace(INBOUND, edge=EDGE), match=ir.ChainMatch(transport="tls"), tls=tls)
    listener = ir.Listener("in", "127.0.0.1", port, inspectors=(ir.Inspector("tls"),), inspection_timeout_s=1.0,
                           chains=(chain,))  # fmt: skip
    app = ir.Cluster("app", "static", endpoints=endpoints("app", app_port, tls_mode=""))
    await mesh.start("server", ir.Plan("server", listeners=(listener,), clusters=(app,)))
    await hostile.listening(port)
    hello = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl._create_unverified_context().wrap_bio(*hello)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    for said in (b"", b"\x16\x03", hello[1].read()):  # nothing, two bytes, and a hello that is all
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        with suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 15)
        writer.close()


async def test_floods_of_http2_end_the_connection(mesh):
    async with hostile.naive() as (_, app_port):
        port = (await doors(mesh, app_port, gateway=GATEWAY))["gateway"]
        for name, flood in hostile.FLOODS.items():
            async with hostile.H2.connected(port) as caller:
                await caller.hear(lambda: caller.settings)
                await caller.send(flood)
                assert await caller.hear(lambda: caller.closed, seconds=20), name
        assert hostile.codes(await hostile.say(port, hostile.GET + b"\r\n")) == [200]


async def test_rapid_resets_end_the_connection_and_streams_are_limited(mesh):
    async with hostile.naive() as (_, app_port):
        port = (await doors(mesh, app_port, gateway=GATEWAY))["gateway"]
        async with hostile.H2.connected(port) as caller:
            await caller.hear(lambda: caller.settings)
            assert caller.settings[3] == 100  # MAX_CONCURRENT_STREAMS
            for _ in range(1500):
                number = caller.state.get_next_available_stream_id()
                caller.state.send_headers(number, list(hostile.PSEUDO.items()), end_stream=False)
                caller.state.reset_stream(number)
            await caller.send()
            assert await caller.hear(lambda: caller.closed, seconds=20)
        assert hostile.codes(await hostile.say(port, hostile.GET + b"\r\n")) == [200]


PATHS = {
    "none": ("/a/../b", "/a//b", "/a%2Fb", "/a/..;/b"),
    "base": ("/b", "/a//b", "/a%2Fb", "/b"),
    "merge_slashes": ("/b", "/a/b", "/a%2Fb", "/b"),
    "decode_and_merge_slashes": ("/b", "/a/b", "/a/b", "/b"),
}


async def test_paths_are_made_plain_as_the_mesh_configuration_says(mesh):
    async with hostile.naive() as (app, app_port):
        ports = await doors(mesh, app_port, **{name: replace(INBOUND, paths=name) for name in PATHS})
        for name, expected in PATHS.items():
            app.heads.clear()
            for path in PATHS["none"]:
                await hostile.say(ports[name], f"GET {path} HTTP/1.1\r\nHost: app\r\n\r\n".encode())
            assert tuple(line.split(" ")[1] for line in app.lines) == expected, name
