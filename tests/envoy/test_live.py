"""Two real Envoys in a row, each with the plan that a sidecar would have."""

import asyncio
import base64
import socket
from datetime import UTC, datetime

import apps
import grpc
import grpc.aio
import httpx
import live
import pytest
import wsproto
from tests.ports import free_port
from wsproto import events

from semafor import ir
from semafor.base.xds import CLUSTER, LISTENER, ROUTES
from semafor.ca.authority import Authority

pytestmark = pytest.mark.envoy
ALPN = ("istio", "h2", "http/1.1")


@pytest.fixture
async def mesh(tmp_path, pool):
    async with live.mesh(tmp_path, pool) as made:
        yield made


# --- plans -----------------------------------------------------------------------------------------------------------


def to(cluster: str, **options) -> ir.Route:
    return ir.Route(ir.RouteMatch(), ir.Forward((ir.Destination(cluster),), **options))


def table(*routes: ir.Route, name: str = "80") -> ir.RouteTable:
    return ir.RouteTable(name, (ir.VirtualHost("all", ("*",), routes),))


def endpoints(cluster: str, *ports: int, tls_mode: str = "istio") -> ir.EndpointSet:
    members = tuple(ir.Endpoint("127.0.0.1", port, tls_mode=tls_mode) for port in ports)
    return ir.EndpointSet(cluster, (ir.LocalityEndpoints(members),))


def outbound(name: str, **options) -> ir.Cluster:
    tls = ir.UpstreamTls(sni="outbound_.80_._.app", sans=(live.spiffe("server"),), alpn=ALPN, only_mesh_endpoints=True)
    return ir.Cluster(name, **{"http": ir.UpstreamHttp("auto"), "tls": tls, **options})


def client_plan(port: int, clusters, sets, routes=None, **options) -> ir.Plan:
    """A sidecar whose application calls 127.0.0.1:`port`."""
    filter_ = options.get("filter") or ir.HttpConnection("outbound", "outbound", rds="80", server_name="istio-envoy")
    listener = ir.Listener("out", "127.0.0.1", port, chains=(ir.FilterChain(filter_),))
    tables = () if options.get("filter") else (routes or table(to(clusters[0].name)),)
    return ir.Plan("client", listeners=(listener,), routes=tables, clusters=tuple(clusters), endpoints=tuple(sets))


MESH_TLS = ir.DownstreamTls(trust_domains=("cluster.local",), alpn=("h2", "http/1.1"))


def inbound_chains(filter_: ir.HttpConnection | ir.TcpProxy) -> tuple[ir.FilterChain, ...]:
    """The permissive chains of an inbound port: mutual TLS of the mesh, and plain text."""
    mutual = ir.ChainMatch(transport="tls", alpn=("istio",))
    plain = ir.ChainMatch(transport="raw_buffer")
    return (
        ir.FilterChain(filter_, name="mutual", match=mutual, tls=MESH_TLS),
        ir.FilterChain(filter_, name="plain", match=plain),
    )


def server_plan(port: int, app_port: int, version="h1", filter_=None) -> ir.Plan:
    """A sidecar that takes what is sent to 127.0.0.1:`port`."""
    http = ir.HttpConnection(
        "inbound", "inbound", routes=table(to("inbound"), name="inbound"), forward_client_identity=True
    )
    app = endpoints("inbound", app_port, tls_mode="")
    cluster = ir.Cluster("inbound", "static", endpoints=app, http=ir.UpstreamHttp(version))
    listener = ir.Listener(
        "in",
        "127.0.0.1",
        port,
        direction="inbound",
        inspectors=(ir.Inspector("tls"),),
        continue_on_timeout=True,
        inspection_timeout_s=0.1,
        chains=inbound_chains(filter_ or http),
    )
    return ir.Plan("server", listeners=(listener,), clusters=(cluster,))


async def two_hops(mesh, app_port: int, version="h1", filter_=None, **client) -> tuple[int, int]:
    """Start both sidecars in front of the application; the ports of the client's and the server's listener."""
    out, into = free_port(), free_port()
    await mesh.start("server", server_plan(into, app_port, version, filter_))
    plan = client_plan(out, [outbound("app", **client.pop("cluster", {}))], [endpoints("app", into)], **client)
    await mesh.start("client", plan)
    return out, into


async def get(port: int, path: str = "/", **headers) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{port}{path}", headers=headers)


# --- what travels between sidecars -----------------------------------------------------------------------------------


async def test_two_hops_speak_http2_with_mutual_tls_and_the_app_sees_http1(mesh):
    async with apps.http("one") as app:
        out, _ = await two_hops(mesh, app)
        answer = (await get(out, "/hello")).json()
    assert (answer["app"], answer["path"], answer["version"]) == ("one", "/hello", "HTTP/1.1")
    assert f"URI={live.spiffe('client')}" in answer["headers"]["x-forwarded-client-cert"]
    stats = await mesh.proxies["server"].stats("ssl.versions")
    assert list(stats.values()) == [1]
    assert next(iter(stats)).endswith("ssl.versions.TLSv1.3")
    handshakes = await mesh.proxies["client"].stats("cluster.app.ssl.handshake")
    assert handshakes == {"cluster.app.ssl.handshake": 1}


async def test_the_hop_between_sidecars_is_http2(mesh):
    async with apps.http("one") as app:
        out, _ = await two_hops(mesh, app)
        await get(out)
        clusters = await mesh.proxies["client"].admin("/stats?filter=cluster.app.upstream_cx")
    assert "cluster.app.upstream_cx_http2_total: 1" in clusters


async def test_an_endpoint_without_sidecar_is_spoken_to_in_plain_http1(mesh):
    async with apps.http("bare") as app:
        out = free_port()
        plan = client_plan(out, [outbound("app")], [endpoints("app", app, tls_mode="")])
        await mesh.start("client", plan)
        answer = (await get(out)).json()
    assert (answer["app"], answer["version"]) == ("bare", "HTTP/1.1")


async def test_one_cluster_may_mix_endpoints_with_and_without_sidecar(mesh):
    async with apps.http("one") as meshed, apps.http("bare") as bare:
        out, into = free_port(), free_port()
        await mesh.start("server", server_plan(into, meshed))
        members = (ir.Endpoint("127.0.0.1", into, tls_mode="istio"), ir.Endpoint("127.0.0.1", bare))
        both = ir.EndpointSet("app", (ir.LocalityEndpoints(members),))
        await mesh.start("client", client_plan(out, [outbound("app")], [both]))
        names = {(await get(out)).json()["app"] for _ in range(30)}
    assert names == {"one", "bare"}


async def test_a_caller_without_sidecar_is_let_in_while_permissive(mesh):
    async with apps.http("one") as app:
        _, into = await two_hops(mesh, app)
        answer = (await get(into, **{"x-forwarded-client-cert": "URI=spiffe://cluster.local/forged"})).json()
    assert "x-forwarded-client-cert" not in answer["headers"]


async def test_a_caller_from_another_root_is_refused(mesh, tmp_path):
    async with apps.http("one") as app:
        out, into = free_port(), free_port()
        await mesh.start("server", server_plan(into, app))
        other = Authority.open(tmp_path / "other", now=datetime.now(UTC))
        await mesh.start("client", client_plan(out, [outbound("app")], [endpoints("app", into)]), authority=other)
        assert (await get(out)).status_code == 503
        assert sum((await mesh.proxies["server"].stats("inbound.downstream_rq_total")).values()) == 0


async def test_a_server_with_an_unexpected_identity_is_refused(mesh):
    async with apps.http("one") as app:
        out, into = free_port(), free_port()
        await mesh.start("third", server_plan(into, app))
        await mesh.start("client", client_plan(out, [outbound("app")], [endpoints("app", into)]))
        assert (await get(out)).status_code == 503
        failed = await mesh.proxies["client"].stats("cluster.app.ssl.fail_verify_san")
    assert sum(failed.values()) >= 1


async def test_callers_cannot_change_timeouts_and_retries_by_header(mesh):
    async with apps.http("one") as app:
        out, _ = await two_hops(mesh, app)
        headers = {"x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-max-retries": "9", "x-envoy-retry-on": "5xx"}
        answer = await get(out, **headers)
    assert answer.status_code == 200
    assert "x-envoy-expected-rq-timeout-ms" not in answer.json()["headers"]


# --- protocols -------------------------------------------------------------------------------------------------------


async def test_a_websocket_works_over_http2_between_sidecars(mesh):
    async with apps.http("one") as app:
        out, _ = await two_hops(mesh, app)
        assert await websocket(out, "hello") == "hello"
        stats = await mesh.proxies["client"].admin("/stats?filter=upstream_cx_http2_total")
    assert "cluster.app.upstream_cx_http2_total: 1" in stats


async def websocket(port: int, text: str) -> str:
    """Open a WebSocket, send a text, return the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    connection = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
    writer.write(connection.send(events.Request(host="app", target="/ws")))
    async with asyncio.timeout(5):
        while data := await reader.read(4096):
            connection.receive_data(data)
            for event in connection.events():
                if isinstance(event, events.AcceptConnection):
                    writer.write(connection.send(events.TextMessage(data=text)))
                elif isinstance(event, events.TextMessage):
                    writer.close()
                    return event.data
                elif isinstance(event, events.RejectConnection):
                    return f"rejected {event.status_code}"
    return "closed"


async def test_grpc_reaches_an_app_that_only_speaks_http2(mesh):
    async with apps.grpc_echo() as app:
        out, _ = await two_hops(mesh, app, version="h2", cluster={"http": ir.UpstreamHttp("h2")})
        async with grpc.aio.insecure_channel(f"127.0.0.1:{out}") as channel:
            assert await channel.unary_unary("/echo.Echo/Say")(b"hello", timeout=5) == b"hello"


async def test_an_undeclared_port_keeps_the_callers_protocol(mesh):
    keep = {"cluster": {"http": ir.UpstreamHttp("downstream")}}
    async with apps.grpc_echo() as app:
        out, _ = await two_hops(mesh, app, version="downstream", **keep)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{out}") as channel:
            assert await channel.unary_unary("/echo.Echo/Say")(b"hello", timeout=5) == b"hello"


def bytes_to(cluster: str) -> ir.TcpProxy:
    return ir.TcpProxy("bytes", (ir.Destination(cluster),))


TCP = {"cluster": {"http": None, "tls": ir.UpstreamTls(alpn=("istio",), only_mesh_endpoints=True)}}


async def test_plain_tcp_goes_through_mutual_tls(mesh):
    async with apps.lines("db") as app:
        out, _ = await two_hops(mesh, app, filter_=bytes_to("inbound"), filter=bytes_to("app"), **TCP)
        reader, writer = await asyncio.open_connection("127.0.0.1", out)
        writer.write(b"select 1\n")
        assert await asyncio.wait_for(reader.readline(), 5) == b"db select 1\n"
        writer.close()
        assert sum((await mesh.proxies["server"].stats("ssl.handshake")).values()) == 1


async def test_a_server_that_speaks_first_is_heard(mesh):
    async with apps.lines("smtp", greets=True) as app:
        out, _ = await two_hops(mesh, app, filter_=bytes_to("inbound"), filter=bytes_to("app"), **TCP)
        reader, writer = await asyncio.open_connection("127.0.0.1", out)
        assert await asyncio.wait_for(reader.readline(), 5) == b"220 smtp\n"
        writer.close()


# --- changes ---------------------------------------------------------------------------------------------------------


class Load:
    """Requests without a pause, so that a change under it can be judged."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.statuses: list[int] = []
        self.apps: list[str] = []
        self._answered = asyncio.Event()

    async def __aenter__(self):
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_):
        await self.more(20)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def more(self, count: int) -> None:
        """Wait for this many further answers."""
        async with asyncio.timeout(10):
            for _ in range(count):
                self._answered.clear()
                await self._answered.wait()

    async def _run(self) -> None:
        async with httpx.AsyncClient() as client:
            while True:
                answer = await client.get(f"http://127.0.0.1:{self.port}/")
                self.statuses.append(answer.status_code)
                self.apps.append(answer.json()["app"] if answer.status_code == 200 else "")
                self._answered.set()


async def bare_client(mesh, ports, **options) -> tuple[int, ir.Plan]:
    """A client sidecar in front of applications without sidecars."""
    out = free_port()
    plan = client_plan(out, [outbound("app")], [endpoints("app", *ports, tls_mode="")], **options)
    await mesh.start("client", plan)
    return out, plan


async def test_a_change_of_endpoints_loses_no_request(mesh):
    async with apps.http("one") as one, apps.http("two") as two:
        out, _ = await bare_client(mesh, [one])
        async with Load(out) as load:
            await load.more(20)
            await mesh.push("client", client_plan(out, [outbound("app")], [endpoints("app", two, tls_mode="")]))
            await load.more(20)
    assert set(load.statuses) == {200}
    assert (load.apps[0], load.apps[-1]) == ("one", "two")


async def test_a_new_subset_and_the_route_to_it_lose_no_request(mesh):
    async with apps.http("one") as one, apps.http("two") as two:
        out, plan = await bare_client(mesh, [one])
        subset = client_plan(
            out,
            [outbound("app"), outbound("app-v2")],
            [endpoints("app", one, tls_mode=""), endpoints("app-v2", two, tls_mode="")],
            table(to("app-v2")),
        )
        async with Load(out) as load:
            for _ in range(10):
                await mesh.push("client", subset)
                await mesh.push("client", plan)
            await mesh.push("client", subset)
            await load.more(20)
    assert set(load.statuses) == {200}
    assert load.apps[-1] == "two"


async def test_what_is_settled_is_in_force(mesh):
    """A new listener with a new route table, ten times: the first request after `settled` is answered by it."""
    async with apps.http("one") as one:
        _, plan = await bare_client(mesh, [one])
        for round_ in range(10):
            name, port = f"table-{round_}", free_port()
            chain = ir.FilterChain(ir.HttpConnection("h", "outbound", rds=name))
            added = ir.Listener(name, "127.0.0.1", port, chains=(chain,))
            answer = ir.Route(ir.RouteMatch(), ir.DirectResponse(200 + round_))
            tables = (*plan.routes, table(answer, name=name))
            await mesh.push(
                "client", ir.Plan("client", (*plan.listeners, added), tables, plan.clusters, plan.endpoints)
            )
            assert (await get(port)).status_code == 200 + round_


async def test_a_change_of_the_cluster_itself_loses_no_request_and_is_quick(mesh):
    async with apps.http("one") as one:
        out, _ = await bare_client(mesh, [one])
        async with Load(out) as load:
            for timeout_s in (1.0, 2.0, 3.0):
                cluster = outbound("app", connect_timeout_s=timeout_s)
                took_s = await mesh.push("client", client_plan(out, [cluster], [endpoints("app", one, tls_mode="")]))
                assert took_s < 1.0  # far from the time-out that a cluster without its endpoints would wait for
    assert set(load.statuses) == {200}


async def test_a_restart_of_the_control_plane_loses_no_request_and_sends_only_what_differs(mesh):
    async with apps.http("one") as one, apps.http("two") as two:
        out, _ = await bare_client(mesh, [one])
        async with Load(out) as load:
            await load.more(20)
            before = await mesh.proxies["client"].stats("manager.")
            await mesh.restart_control_plane(silence_s=0.3)
            await load.more(20)
            await mesh.settled("client")
            after = await mesh.proxies["client"].stats("manager.")
            changed = client_plan(out, [outbound("app")], [endpoints("app", two, tls_mode="")])
            await mesh.push("client", changed)
            await load.more(20)
    assert set(load.statuses) == {200}
    assert load.apps[-1] == "two"
    loaded = [name for name in before if name.endswith(("_added", "_modified", "_removed", "_create_success"))]
    assert {name: after[name] for name in loaded} == {name: before[name] for name in loaded}


# --- refusals --------------------------------------------------------------------------------------------------------


async def test_a_refused_cluster_is_named_and_everything_else_goes_on(mesh):
    async with apps.http("one") as one:
        out, _ = await bare_client(mesh, [one])
        bad = outbound("bad", balancer=ir.ConsistentHash(size=10**9))
        good = outbound("app")
        both = [endpoints("app", one, tls_mode=""), endpoints("bad", one, tls_mode="")]
        await mesh.push("client", client_plan(out, [good, bad], both, table(to("app"))))
        refused = mesh.observer.refusals
        assert [(event.type_url, event.names) for event in refused] == [(CLUSTER, ("bad",))]
        assert (await get(out)).status_code == 200


async def test_a_refused_route_table_leaves_the_last_good_one(mesh):
    async with apps.http("one") as one:
        out, _ = await bare_client(mesh, [one])
        broken = ir.Route(ir.RouteMatch(ir.PathMatch("regex", "(")), ir.DirectResponse(500))
        sets = [endpoints("app", one, tls_mode="")]
        await mesh.push("client", client_plan(out, [outbound("app")], sets, table(broken)))
        assert [(event.type_url, event.names) for event in mesh.observer.refusals] == [(ROUTES, ("80",))]
        assert (await get(out)).status_code == 200
        mended = table(ir.Route(ir.RouteMatch(), ir.DirectResponse(299)))
        await mesh.push("client", client_plan(out, [outbound("app")], sets, mended))
        assert (await get(out)).status_code == 299


async def test_a_refused_listener_is_named_and_the_others_stay(mesh):
    async with apps.http("one") as one:
        out, plan = await bare_client(mesh, [one])
        twin = ir.Listener("twin", "127.0.0.1", out, chains=plan.listeners[0].chains)
        two = ir.Plan("client", (*plan.listeners, twin), plan.routes, plan.clusters, plan.endpoints)
        await mesh.push("client", two)
        assert [(event.type_url, event.names) for event in mesh.observer.refusals] == [(LISTENER, ("twin",))]
        assert (await get(out)).status_code == 200


# --- the sidecar itself ----------------------------------------------------------------------------------------------


async def test_readiness_is_answered_on_its_own_port(mesh):
    async with apps.http("one") as one:
        await bare_client(mesh, [one])
        answer = await get(mesh.proxies["client"].ready_port, "/healthz/ready")
        other = await get(mesh.proxies["client"].ready_port, "/quitquitquit")
    assert (answer.status_code, other.status_code) == (200, 404)


async def test_no_token_or_key_is_shown_by_the_admin_page(mesh):
    async with apps.http("one") as one:
        await bare_client(mesh, [one])
        dump = await mesh.proxies["client"].admin("/config_dump?include_eds")
    assert "PRIVATE KEY" not in dump
    assert base64.b64encode(b"PRIVATE KEY").decode().rstrip("=") not in dump


# --- everything at once ----------------------------------------------------------------------------------------------


def everything() -> ir.Plan:
    """Every kind of node that a plan can have, so that Envoy's word on each rendering is heard."""
    mutual = ir.UpstreamTls(sni="s", sans=("spiffe://a/b", "db.example"), alpn=ALPN, only_mesh_endpoints=True)
    eds = ir.EndpointSet("eds", (
        ir.LocalityEndpoints((ir.Endpoint("10.0.0.1", 80, weight=2, tls_mode="istio", workload="d/p"),
                              ir.Endpoint("10.0.0.2", 80, health="draining"),
                              ir.Endpoint("10.0.0.3", 80, health="unhealthy")),
                             ir.Locality("r", "z", "s"), weight=3),
        ir.LocalityEndpoints((ir.Endpoint("10.0.0.4", 80),), ir.Locality("r2"), priority=1),
    ))  # fmt: skip
    pipe = ir.EndpointSet("pipe", (ir.LocalityEndpoints((ir.Endpoint(pipe="/tmp/no.sock"),)),))
    names = ir.EndpointSet("dns", (ir.LocalityEndpoints((ir.Endpoint("localhost", 80),)),))
    limits = ir.ConnectionLimits(1, 2, 3, 4, None, 5, 60.0, 30.0, ir.Keepalive(3, 10, 5))
    slow = ir.SlowStart(30.0, 1.5, 20.0)
    clusters = (
        ir.Cluster("eds", http=ir.UpstreamHttp("auto", 100), tls=mutual, limits=limits,
                   outlier=ir.OutlierDetection(5, 4, 3, True, 1.0, 60.0, 50, 30)),
        ir.Cluster("h1", "static", endpoints=pipe, http=ir.UpstreamHttp("h1"), balancer=ir.SimpleBalancer("random")),
        ir.Cluster("h2", "static", endpoints=pipe, http=ir.UpstreamHttp("h2"),
                   balancer=ir.ConsistentHash("maglev", 65_537),
                   tls=ir.UpstreamTls(certificate="", validation="")),
        ir.Cluster("same", "strict_dns", endpoints=names, http=ir.UpstreamHttp("downstream"),
                   balancer=ir.SimpleBalancer("round_robin", slow)),
        ir.Cluster("least", "static", endpoints=pipe, balancer=ir.SimpleBalancer("least_request", slow)),
        ir.Cluster("ring", "static", endpoints=pipe, balancer=ir.ConsistentHash("ring", 64)),
        ir.Cluster("original", "original_dst", balancer=ir.SimpleBalancer("original"), mark=1338),
        ir.Cluster("exit", "static", endpoints=pipe, proxy_protocol="v2"),
        ir.Cluster("tls-exit", "static", endpoints=pipe, proxy_protocol="v2", tls=ir.UpstreamTls()),
    )  # fmt: skip
    table_ = ir.RouteTable("80", (ir.VirtualHost("v", ("a", "*.b", "*"), every_route()),))
    return ir.Plan("client", listeners(), (table_,), clusters, (eds,))


def listeners() -> tuple[ir.Listener, ...]:
    http = ir.HttpConnection("h", "outbound", rds="80", codec="h2", forward_client_identity=True, server_name="x")
    several = ir.TcpProxy("t", (ir.Destination("eds", 90), ir.Destination("ring", 10)), idle_timeout_s=60.0)
    match = ir.ChainMatch(80, ("10.0.0.0/8", "fd00::/8"), ("a.b", "*.c"), "tls", ("istio",))
    inspectors = (ir.Inspector("original_dst"), ir.Inspector("proxy_protocol"), ir.Inspector("tls", (25,)),
                  ir.Inspector("http", (25, 3306, 5432)))  # fmt: skip
    return (
        ir.Listener("handing", "127.0.0.1", free_port(), hand_over=True, inspectors=inspectors[:1],
                    default_chain=ir.FilterChain(bytes_to("original"))),
        ir.Listener("virtual", "10.96.0.7", 80, bind=False, inspectors=inspectors, inspection_timeout_s=0.1,
                    continue_on_timeout=True, direction="inbound", default_chain=ir.FilterChain(several),
                    chains=(ir.FilterChain(http, "one", match, MESH_TLS), ir.FilterChain(bytes_to("eds"), "two"))),
    )  # fmt: skip


def every_route() -> tuple[ir.Route, ...]:
    tests = tuple(
        ir.HeaderMatch(f"x-{kind}", ir.StringMatch(kind, "v", ignore_case=True), inverted=True, missing_as_empty=True)
        for kind in ("exact", "prefix", "suffix", "contains", "regex")
    )
    paths = [ir.PathMatch(kind, "/a") for kind in ("exact", "prefix", "segment_prefix", "regex")]
    query = (ir.QueryMatch("q"), ir.QueryMatch("r", ir.StringMatch("regex", "[0-9]+")))
    changes = ir.HeaderOps(("x-r",), (("x-s", "100%"),), (("x-a", "%REQ(:path)%"),))
    retry = ir.Retry(2, ("5xx", "connect-failure"), (503,), 1.0, 0.025, True, True)
    keys = (
        ir.HashKey("header", "x"),
        ir.HashKey("cookie", "c", "/", 0.0),
        ir.HashKey("source_ip"),
        ir.HashKey("query", "q"),
    )
    split = (ir.Destination("eds", 1, changes, changes, "other"), ir.Destination("h1", 0))
    actions = (
        ir.Forward(split, 5.0, retry, ir.Rewrite(prefix="/b"), keys),
        ir.Forward((ir.Destination("eds"),), rewrite=ir.Rewrite(path="/p", host="h")),
        ir.Forward((ir.Destination("eds"),), rewrite=ir.Rewrite(regex=ir.RegexRewrite("^/(.*)$", "/x/\\1"))),
        ir.Redirect(307, "https", "h", 8443, "/p"),
        ir.Redirect(prefix="/q"),
        ir.DirectResponse(418, "t" * 10_000),
        ir.DirectResponse(200, b"\xff"),
        ir.Forward((ir.Destination("eds"),), mirrors=(ir.Mirror("h1", 12.5), ir.Mirror("nowhere"))),
        ir.Fail("because"),
    )
    faults = ir.Fault(ir.Delay(1.0, 0.1), ir.Abort(503)), ir.Fault(abort=ir.Abort(grpc_status=14, percent=50.0))
    origins = tuple(ir.StringMatch(kind, "https://a") for kind in ("exact", "prefix", "regex"))
    cors = ir.Cors(origins, ("GET",), ("x-a",), ("x-b",), 60, True, False)
    filtered = tuple(ir.Route(ir.RouteMatch(), actions[0], fault=f, cors=cors, stat_prefix="s") for f in faults)
    plain = tuple(ir.Route(ir.RouteMatch(), action, "r", changes, changes) for action in actions)
    return (*(ir.Route(ir.RouteMatch(path, tests, query), actions[0]) for path in paths), *filtered, *plain)


async def test_envoy_takes_every_kind_of_node_that_a_plan_can_have(mesh):
    await mesh.start("client", everything())
    assert mesh.renderer.problems(everything()) == ()
    assert mesh.observer.refusals == []


async def test_what_leaves_the_mesh_goes_through_the_hosts_proxy_to_where_it_was_meant(mesh, tmp_path):
    """node Envoy ─ unix socket, PROXY header ─ host Envoy ─ the address that the caller meant."""
    async with apps.lines("outside", host="0.0.0.0") as outside:
        exit_socket = tmp_path / "exit.sock"
        await mesh.start_host("third", exit_socket)
        port = free_port()
        pipe = ir.EndpointSet("egress", (ir.LocalityEndpoints((ir.Endpoint(pipe=str(exit_socket)),)),))
        cluster = ir.Cluster("egress", "static", endpoints=pipe, proxy_protocol="v2")
        addressed = ir.Listener("in", "127.0.0.1", port, inspectors=(ir.Inspector("proxy_protocol"),),
                                chains=(ir.FilterChain(bytes_to("egress")),))  # fmt: skip
        await mesh.start("client", ir.Plan("client", listeners=(addressed,), clusters=(cluster,)))

        async def answer(address: str) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            family = "TCP6 fd00::9" if ":" in address else "TCP4 10.244.0.9"
            writer.write(f"PROXY {family} {address} 4242 {outside}\r\nhello\n".encode())
            try:
                return await asyncio.wait_for(reader.readline(), 5)
            except ConnectionError:
                return b""
            finally:
                writer.close()

        assert await answer(own_address()) == b"outside hello\n"
        for loopback in ("127.0.0.1", "127.1.2.3", "0.0.0.0", "::1", "::ffff:127.0.0.1"):
            assert await answer(loopback) == b"", loopback


def own_address() -> str:
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])
