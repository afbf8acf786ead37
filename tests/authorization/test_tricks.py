"""Requests written to slip past a policy, against a real Envoy in the place of a sidecar.

What gets through is in the tables too, because the app has to know it: docs/security.md says what to do.
"""

import re

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, ResponseReceived, StreamReset
from tests.calls.matcher import Matcher
from tests.calls.real_inbound import RealInbound
from tests.calls.script import Call
from tests.golden import cases

from semafor import planner
from semafor.planner import Mesh, Options, Proxy, Workload

pytestmark = pytest.mark.envoy

IDENTITY = "spiffe://cluster.local/ns/default/sa/default"
PODS = {
    "paths-denied": {"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/admin", "/admin/*"]}}]}]},
    "paths-allowed": {"rules": [{"to": [{"operation": {"paths": ["/open"]}}]}]},
    "below-allowed": {"rules": [{"to": [{"operation": {"paths": ["/open/*"]}}]}]},
    "hosts-denied": {"action": "DENY", "rules": [{"to": [{"operation": {"hosts": ["internal.example.com"]}}]}]},
    "hosts-allowed": {"rules": [{"to": [{"operation": {"hosts": ["public.example.com"]}}]}]},
    "header-denied": {"action": "DENY", "rules": [{"when": [{"key": "request.headers[x-role]", "values": ["admin"]}]}]},
    "header-allowed": {"rules": [{"when": [{"key": "request.headers[x-role]", "values": ["user"]}]}]},
    "any-header-denied": {"action": "DENY", "rules": [{"when": [{"key": "request.headers[x-role]", "values": ["*"]}]}]},
    "no-header-allowed": {"rules": [{"when": [{"key": "request.headers[x-role]", "notValues": ["*"]}]}]},
    "template-denied": {"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/admin/{**}"]}}]}]},
    "template-excepted": {"rules": [{"to": [{"operation": {"notPaths": ["/admin/{*}"]}}]}]},
    "method-denied": {"action": "DENY", "rules": [{"to": [{"operation": {"methods": ["DELETE"]}}]}]},
    "method-allowed": {"rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]},
}


def matcher(pool, spec, paths):
    meta = {"name": "policy", "namespace": "default"}
    document = {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": meta, "spec": spec}
    mesh = Mesh.of([cases.decoded(document)], Options(paths=paths))
    proxy = Proxy(id="web", workloads=(Workload(namespace="default", name="web", ip="10.244.0.9"),))
    return Matcher(pool, planner.plan(mesh, proxy)[0], {})


@pytest.fixture(scope="module", params=["base", "decode_and_merge_slashes"])
def envoy(request, pool, tmp_path_factory):
    every = {name: matcher(pool, spec, request.param) for name, spec in PODS.items()}
    with RealInbound(every, IDENTITY, tmp_path_factory.mktemp("e")) as it:
        it.paths = request.param
        yield it


def seen(envoy, pod, request):
    """The path that the app sees when it gets these bytes; nothing when it does not."""
    with envoy._connected(Call("", "", "receive", "web", 8080), pod) as connection:
        connection.sendall(request.encode("latin1"))
        answer = b""
        while b"\r\n\r\n" not in answer and (more := connection.recv(4096)):
            answer += more
    found = re.search(rb"\r\nx-path: (.*)\r\n", answer)
    return found[1].decode() if found else ""


def gets_through(envoy, pod, request):
    return bool(seen(envoy, pod, request))


def get(path, *headers, host="web", method="GET"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""])


# Paths, and what the app sees of them although `/admin` and all below are denied: as things are, and decoded.
PATHS = {
    "/admin": ("", ""),
    "/admin?a=b": ("", ""),
    "/admin/": ("", ""),
    "/./admin": ("", ""),
    "/open/../admin": ("", ""),
    "/open/%2e%2e/admin": ("", ""),
    "/open/%2E%2E/admin/keys": ("", ""),
    "/open/..;/admin": ("", ""),
    "/open/..;x=y/admin": ("", ""),
    "/%61dmin": ("", ""),
    "/open\\..\\admin": ("", ""),
    "/admin\\keys": ("", ""),
    "http://web/admin": ("", ""),
    "http://web/./admin": ("", ""),
    "//admin": ("//admin", ""),
    "/admin%2Fkeys": ("/admin%2Fkeys", ""),
    "/admin%2fkeys": ("/admin%2fkeys", ""),
    "/open%2f..%2fadmin": ("/open%2f..%2fadmin", ""),
    "/open%5c..%5cadmin": ("/open%5c..%5cadmin", ""),
    "/open//..//admin": ("/open//admin", "/open/admin"),
    "/Admin": ("/Admin", "/Admin"),
    "/admin;x=y": ("/admin;x=y", "/admin;x=y"),
    "/%2561dmin": ("/%2561dmin", "/%2561dmin"),
    "/admin%20": ("/admin%20", "/admin%20"),
    "/admin.": ("/admin.", "/admin."),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_denied_path_is_denied_in_other_spellings(envoy, path):
    assert seen(envoy, "paths-denied", get(path)) == PATHS[path][envoy.paths != "base"]


@pytest.mark.parametrize("path", PATHS)
def test_where_paths_are_allowed_by_name_no_spelling_of_another_passes(envoy, path):
    assert gets_through(envoy, "paths-allowed", get("/open"))
    assert not gets_through(envoy, "paths-allowed", get(path))


@pytest.mark.parametrize(
    ("path", "passes"),
    [
        ("/open/a", True),
        ("/open/../admin", False),
        ("/open/%2e%2e/admin", False),
        ("/open\\..\\admin", False),
        ("/open/..;/admin", False),
    ],
)
def test_below_an_allowed_path_only_what_is_there_passes(envoy, path, passes):
    assert gets_through(envoy, "below-allowed", get(path)) == passes


def test_escaped_slashes_lead_out_of_an_allowed_path_only_where_they_are_not_decoded(envoy):
    assert gets_through(envoy, "below-allowed", get("/open/..%2fadmin")) == (envoy.paths == "base")


@pytest.mark.parametrize(
    "host",
    [
        "internal.example.com",
        "INTERNAL.Example.Com",
        "internal.example.com:8080",
        "internal.example.com:",
        "internal.example.com.",
        "internal.example.com.:80",
        "internal.example.com:8080:80",
        "user@internal.example.com",
        "public.example.com,internal.example.com",
        "internal.example.com,public.example.com",
    ],
)
def test_a_denied_host_is_denied_in_other_spellings(envoy, host):
    assert not gets_through(envoy, "hosts-denied", get("/", host=host))
    assert gets_through(envoy, "hosts-denied", get("/", host="public.example.com"))


@pytest.mark.parametrize("pod", ["hosts-denied", "hosts-allowed"])
def test_which_host_is_meant_cannot_be_said_twice(envoy, pod):
    assert not gets_through(envoy, pod, get("http://internal.example.com/", host="public.example.com"))
    assert not gets_through(envoy, pod, get("/", "Host: internal.example.com", host="public.example.com"))


def test_a_request_without_a_host_has_none_that_is_allowed(envoy):
    assert not gets_through(envoy, "hosts-allowed", "GET / HTTP/1.0\r\n\r\n")
    assert not gets_through(envoy, "hosts-allowed", "GET / HTTP/1.1\r\n\r\n")
    assert not gets_through(envoy, "hosts-allowed", "GET / HTTP/1.1\r\nHost:\r\n\r\n")


@pytest.mark.parametrize(
    ("pod", "headers", "passes"),
    [
        ("header-denied", ("X-Role: admin",), False),
        ("header-denied", ("x-role:   admin  ",), False),
        ("header-denied", ("x-role: user", "x-role: admin"), False),  # each of them counts
        ("header-denied", ("x-role: user,admin",), True),  # one text
        ("header-denied", ("x_role: admin",), True),  # another header to all but CGI
        ("header-denied", ("x-role: Admin",), True),
        ("header-allowed", ("x-role: user",), True),
        ("header-allowed", ("x-role: user", "x-role: admin"), True),  # each of them counts, and one is enough
        ("header-allowed", ("x-role: user,admin",), False),
        ("header-allowed", ("x_role: user",), False),
        ("header-allowed", (), False),
    ],
)
def test_headers(envoy, pod, headers, passes):
    assert gets_through(envoy, pod, get("/", *headers)) == passes


# `*` and templates are regular expressions in Envoy, which once took no such bytes for a character.
@pytest.mark.parametrize("said", ["\xff", "a\xffb", "\xc3\xa9", "\xed\xa0\x80"])
@pytest.mark.parametrize("pod", ["any-header-denied", "no-header-allowed"])
def test_a_header_is_there_whatever_bytes_it_has(envoy, pod, said):
    assert gets_through(envoy, pod, get("/"))
    assert not gets_through(envoy, pod, get("/", f"x-role: {said}"))


@pytest.mark.parametrize("path", [b"/admin/\xff", b"/admin/\xc3\xa9", b"/admin/%ff", b"/admin/a"])
@pytest.mark.parametrize("pod", ["template-denied", "template-excepted"])
def test_a_template_takes_a_path_whatever_bytes_it_has(envoy, pod, path):
    assert not gets_through(envoy, pod, get(path.decode("latin1")))
    assert not gets_through_h2(envoy, pod, h2(path, "public.example.com"))
    assert gets_through_h2(envoy, pod, h2("/else"))


@pytest.mark.parametrize(
    ("pod", "request_", "passes"),
    [
        ("method-denied", get("/", method="DELETE"), False),
        ("method-denied", get("/", method="delete"), False),
        ("method-denied", get("/", method="Delete"), False),
        ("method-denied", get("/", "X-HTTP-Method-Override: DELETE", method="POST"), True),  # the app must not heed it
        ("method-allowed", get("/", method="HEAD"), False),
        ("method-allowed", get("/", method="FOO"), False),
        ("method-allowed", get("web:8080", method="CONNECT"), False),
        ("method-denied", get("web:8080", method="CONNECT"), False),
        ("paths-denied", get("/admin", "Connection: upgrade", "Upgrade: websocket"), False),
        (
            "paths-denied",
            get("/admin", "Connection: upgrade, http2-settings", "Upgrade: h2c", "HTTP2-Settings: "),
            False,
        ),
        ("paths-allowed", get("*", method="OPTIONS"), False),
        ("paths-allowed", get("open"), False),
    ],
)
def test_methods_and_upgrades(envoy, pod, request_, passes):
    assert gets_through(envoy, pod, request_) == passes


def answered(envoy, pod, headers):
    """The headers of the answer to one request over HTTP/2, sent as it is, however wrong; none without an answer."""
    config = H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding="utf-8")
    session = H2Connection(config)
    session.initiate_connection()
    session.send_headers(1, headers, end_stream=True)
    with envoy._connected(Call("", "", "receive", "web", 8080), pod) as connection:
        connection.sendall(session.data_to_send())
        while data := connection.recv(65536):
            for event in session.receive_data(data):
                if isinstance(event, ResponseReceived):
                    return dict(event.headers)
                if isinstance(event, StreamReset | ConnectionTerminated):
                    return {}
            connection.sendall(session.data_to_send())
    return {}


def gets_through_h2(envoy, pod, headers):
    return "x-cluster" in answered(envoy, pod, headers)


def h2(path="/", authority="public.example.com", method="GET", *further):
    return [(":method", method), (":scheme", "http"), (":authority", authority), (":path", path), *further]


@pytest.mark.parametrize(
    ("pod", "headers", "passes"),
    [
        ("paths-denied", h2("/else"), True),
        ("paths-denied", h2("/./admin"), False),
        ("paths-denied", h2("admin"), False),
        ("paths-denied", h2("/else", "web", "GET", (":path", "/admin")), False),
        ("paths-denied", [(":method", "GET"), (":scheme", "http"), (":path", "/admin"), (":authority", "w")], False),
        ("paths-denied", h2("")[:-1], False),
        ("hosts-denied", h2(), True),
        ("hosts-denied", h2("/", "internal.example.com"), False),
        ("hosts-denied", h2("/", "public.example.com", "GET", (":authority", "internal.example.com")), False),
        ("hosts-denied", h2("/", "user@internal.example.com"), False),
        ("method-denied", h2("/", "web", "DELETE"), False),
        ("method-allowed", h2("/", "web", "get"), False),
        ("method-allowed", h2("/", "web", "CONNECT"), False),
        ("method-allowed", h2("/", "web", "CONNECT", (":protocol", "websocket")), False),
        ("header-denied", h2("/", "web", "GET", ("X-Role", "admin")), False),
        ("header-denied", h2("/", "web", "GET", ("x-role", "admin")), False),
    ],
)
def test_over_http2(envoy, pod, headers, passes):
    assert gets_through_h2(envoy, pod, headers) == passes


def test_a_host_beside_the_authority_of_http2_is_not_what_the_app_sees(envoy):
    headers = h2("/", "public.example.com", "GET", ("host", "internal.example.com"))
    assert answered(envoy, "hosts-denied", headers).get("x-host", "public.example.com") == "public.example.com"
