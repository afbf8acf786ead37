"""The examples of Istio's documentation for EnvoyFilters, in a real Envoy."""

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import apps
import httpx
import live
import pytest
import ryaml
from msgspec.structs import replace
from tests.ports import free_port

from semafor import ir, resources
from semafor.base.xds import LISTENER
from semafor.planner import Mesh, Proxy, Workload, patches
from semafor.resources.istio import envoy_filter

pytestmark = pytest.mark.envoy
EXAMPLES = """
lua:
- applyTo: HTTP_FILTER
  match: &inbound
    context: SIDECAR_INBOUND
    listener:
      filterChain:
        filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: envoy.filters.http.router}}
  patch:
    operation: INSERT_BEFORE
    value:
      name: envoy.filters.http.lua
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
        default_source_code:
          inline_string: |
            function envoy_on_response(handle)
              handle:headers():add("x-lua", "was here")
            end
limit:
- applyTo: HTTP_FILTER
  match: *inbound
  patch:
    operation: INSERT_BEFORE
    value:
      name: envoy.filters.http.local_ratelimit
      typed_config:
        "@type": type.googleapis.com/udpa.type.v1.TypedStruct
        type_url: type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
        value:
          stat_prefix: http_local_rate_limiter
          token_bucket: {max_tokens: 2, tokens_per_fill: 2, fill_interval: 60s}
          filter_enabled: {runtime_key: enabled, default_value: {numerator: 100, denominator: HUNDRED}}
          filter_enforced: {runtime_key: enforced, default_value: {numerator: 100, denominator: HUNDRED}}
          response_headers_to_add:
          - {append_action: OVERWRITE_IF_EXISTS_OR_ADD, header: {key: x-local-rate-limit, value: "true"}}
authz:
- applyTo: CLUSTER
  match: {context: SIDECAR_INBOUND}
  patch:
    operation: ADD
    value:
      name: authz
      type: STATIC
      connect_timeout: 1s
      load_assignment:
        cluster_name: authz
        endpoints:
        - lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: PORT}}}}]
- applyTo: HTTP_FILTER
  match: *inbound
  patch:
    operation: ADD
    filterClass: AUTHZ
    value:
      name: envoy.filters.http.ext_authz
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
        http_service: {server_uri: {uri: "http://authz", cluster: authz, timeout: 1s}}
log:
- applyTo: HTTP_FILTER
  match: *inbound
  patch:
    operation: INSERT_FIRST
    value:
      name: envoy.filters.http.header_to_metadata
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config
        request_rules:
        - {header: x-version, on_header_present: {metadata_namespace: envoy.lb, key: version, type: STRING}}
- applyTo: NETWORK_FILTER
  match:
    context: SIDECAR_INBOUND
    listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}
  patch:
    operation: MERGE
    value:
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
        access_log_options: {flush_access_log_on_new_request: false}
        access_log:
        - name: envoy.access_loggers.file
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
            path: FILE
            log_format: {text_format_source: {inline_string: "%RESPONSE_CODE% %DYNAMIC_METADATA(envoy.lb:version)%\\n"}}
extension:
- applyTo: EXTENSION_CONFIG
  patch:
    operation: ADD
    value:
      name: mine
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
        default_source_code:
          inline_string: function envoy_on_response(handle) handle:headers():add("x-extension", "1") end
- applyTo: HTTP_FILTER
  match: *inbound
  patch:
    operation: INSERT_BEFORE
    value:
      name: mine
      config_discovery:
        config_source: {ads: {}, initial_fetch_timeout: 2s, resource_api_version: V3}
        type_urls: [type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua]
broken:
- applyTo: HTTP_FILTER
  match: *inbound
  patch:
    operation: INSERT_BEFORE
    value:
      name: envoy.filters.http.lua
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
        default_source_code: {inline_string: "function envoy_on_response("}
"""


def written(example: str, **words: Any) -> tuple[ir.Patch, ...]:
    """The patches of an example, with what this test decides."""
    text = EXAMPLES
    for word, value in words.items():
        text = text.replace(word, str(value))
    meta = {"name": example, "namespace": "default"}
    document = {"metadata": meta, "spec": {"configPatches": ryaml.loads(text)[example]}}
    mesh = Mesh.of([resources.decode(envoy_filter.KIND, document)])
    return patches.of(mesh, Proxy("server", workloads=(Workload("default", "server"),)))


def plan(port: int, app: int, *changes: ir.Patch) -> ir.Plan:
    """A sidecar that takes requests at `port` for an application at `app`."""
    to_app = ir.Route(ir.RouteMatch(), ir.Forward((ir.Destination("inbound"),)))
    table = ir.RouteTable("in", (ir.VirtualHost("all", ("*",), (to_app,)),))
    chain = ir.FilterChain(ir.HttpConnection("in", "inbound", routes=table))
    listener = ir.Listener("in", "127.0.0.1", port, direction="inbound", chains=(chain,))
    members = ir.LocalityEndpoints((ir.Endpoint("127.0.0.1", app),))
    cluster = ir.Cluster(
        "inbound", "static", endpoints=ir.EndpointSet("inbound", (members,)), http=ir.UpstreamHttp("h1")
    )
    return ir.Plan("server", listeners=(listener,), clusters=(cluster,), patches=changes)


@pytest.fixture
async def sidecar(tmp_path, pool):
    """The port of a sidecar with some patches, and its mesh."""
    async with live.mesh(tmp_path, pool) as mesh, apps.http("app") as app:

        async def start(*changes: ir.Patch) -> tuple[int, live.Mesh, ir.Plan]:
            port = free_port()
            made = plan(port, app, *changes)
            await mesh.start("server", made)
            return port, mesh, made

        yield start


async def get(port: int, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{port}/", headers=headers)


@asynccontextmanager
async def guard():
    """An authorization service that lets those in who say please."""

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        word = b"200 OK" if b"authorization: please" in head else b"403 Forbidden"
        writer.write(b"HTTP/1.1 " + word + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_lua_changes_answers(sidecar):
    port, _, _ = await sidecar(*written("lua"))
    assert (await get(port)).headers["x-lua"] == "was here"


async def test_a_local_rate_limit_refuses_what_is_too_much(sidecar):
    port, _, _ = await sidecar(*written("limit"))
    answers = [await get(port) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["x-local-rate-limit"] == "true"


async def test_an_authorization_service_is_asked(sidecar):
    async with guard() as service:
        port, _, _ = await sidecar(*written("authz", PORT=service))
        codes = [(await get(port)).status_code, (await get(port, authorization="please")).status_code]
    assert codes == [403, 200]


async def test_headers_become_metadata_and_metadata_is_logged(sidecar, tmp_path):
    log = tmp_path / "access.log"
    port, mesh, _ = await sidecar(*written("log", FILE=log))
    await get(port, **{"x-version": "v7"})
    await mesh.proxies["server"].stop()  # which writes what is in the buffer
    assert log.read_text() == "200 v7\n"


async def test_a_filter_may_have_its_configuration_delivered(sidecar):
    port, _, _ = await sidecar(*written("extension"))
    assert (await get(port)).headers["x-extension"] == "1"


async def test_a_patch_that_envoy_refuses_leaves_what_it_has(sidecar):
    port, mesh, made = await sidecar()
    mesh._offer("server", replace(made, patches=written("broken")))
    await mesh.observer.until(lambda: bool(mesh.observer.refusals))
    refusal = mesh.observer.refusals[0]
    assert (refusal.type_url, refusal.names, "script" in refusal.message) == (LISTENER, ("in",), True)
    assert (await get(port)).status_code == 200
