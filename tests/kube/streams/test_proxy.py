"""Requests that the API passes on, to a server whose bytes are in the tests' hands."""

import contextlib
import json
import socket
import ssl
import subprocess
import threading

import httpx
import pytest
from tests.kube.streams import conftest

POD = "/api/v1/namespaces/default/pods"
SERVICE = "/api/v1/namespaces/default/services"


class Target:
    """Answers each connection with the same bytes, and remembers what it was asked."""

    def __init__(self, answer: bytes, tls: ssl.SSLContext | None = None):
        self.answer = answer
        self.asked = b""
        self.tls = tls
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            with contextlib.suppress(OSError):
                connection, _ = self.socket.accept()
                with self.tls.wrap_socket(connection, server_side=True) if self.tls else connection as stream:
                    self.asked = self.read(stream)
                    stream.sendall(self.answer)
                continue
            return

    def read(self, stream):
        read = b""
        while b"\r\n\r\n" not in read and (more := stream.recv(65536)):
            read += more
        head, _, body = read.partition(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length: " in lower:
            size = int(lower.partition(b"content-length: ")[2].split(b"\r\n")[0])
            while len(body) < size and (more := stream.recv(65536)):
                body += more
        while (
            b"transfer-encoding: chunked" in lower and not body.endswith(b"0\r\n\r\n") and (more := stream.recv(65536))
        ):
            body += more
        return head + b"\r\n\r\n" + body


@pytest.fixture
def target():
    made = []

    def make(answer=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", **more):
        made.append(Target(answer, **more))
        return made[-1]

    yield make
    for each in made:
        each.socket.close()


@pytest.fixture(scope="module")
def api():
    with (
        conftest.Server(conftest.Streams()) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=10) as client,
    ):
        yield client


@pytest.fixture
def slices():
    yield conftest.SLICES
    conftest.SLICES.clear()


def slice_of(service, name, number, *, pod="web", ready=True):
    return {
        "metadata": {"namespace": "default", "labels": {"kubernetes.io/service-name": service}},
        "ports": [{"name": name, "port": number}],
        "endpoints": [{"conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": pod}}],
    }


def test_a_request_reaches_the_pod_without_what_is_the_apis_own(api, target):
    there = target()
    headers = {"Authorization": "Bearer secret", "Impersonate-User": "ada", "X-Mine": "1", "Accept-Encoding": "gzip"}
    answer = api.post(f"{POD}/web:{there.port}/proxy/a%20b/c//d?x=1&y=%2F", headers=headers, content=b"body")
    assert (answer.status_code, answer.text) == (200, "ok")
    head, _, body = there.asked.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    assert (first, body) == ("POST /a%20b/c//d?x=1&y=%2F HTTP/1.1", "body")
    assert "x-mine: 1" in head.lower()
    assert "secret" not in head
    assert "impersonate" not in head.lower()
    assert [line for line in lines if line.lower().startswith(("host:", "connection:"))] == [
        f"Host: :{there.port}",
        "Connection: close",
    ]


def test_a_body_without_a_length_arrives_in_chunks(api, target):
    there = target()
    api.post(f"{POD}/web:{there.port}/proxy/", content=iter([b"one" + b"two" * 9]))
    assert there.asked.endswith(b"1e\r\none" + b"two" * 9 + b"\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 404 Nope\r\nContent-Length: 3\r\nX-Mine: 1\r\n\r\nnot", 404, b"not"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n", 200, b"onetwo"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, b"x"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 4_000_000, 200, b"x" * 4_000_000),
    ],
    ids=["length", "chunks", "end", "continue", "empty", "unchanged", "large"],
)
def test_an_answer_comes_back_as_it_was(api, target, answer, status, body):
    found = api.get(f"{POD}/web:{target(answer).port}/proxy/")
    assert (found.status_code, found.content) == (status, body)
    assert found.headers.get("x-mine") == ("1" if status == 404 else None)


def test_a_head_has_no_body(api, target):
    there = target(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    found = api.head(f"{POD}/web:{there.port}/proxy/x")
    assert (found.status_code, found.headers["content-length"], found.content) == (200, "9", b"")


@pytest.mark.parametrize(
    ("location", "seen"),
    [
        (b"/login?x=1", f"{POD}/web:PORT/proxy/login?x=1"),
        (b"https://elsewhere/", "https://elsewhere/"),
        (b"//elsewhere/", "//elsewhere/"),
        (b"next", "next"),
    ],
)
def test_a_redirect_stays_behind_the_proxy(api, target, location, seen):
    there = target(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")
    found = api.get(f"{POD}/web:{there.port}/proxy/")
    assert found.headers["location"] == seen.replace("PORT", str(there.port))


def test_the_root_is_a_directory(api):
    found = api.get(f"{POD}/web:80/proxy?x=1")
    assert (found.status_code, found.headers["location"]) == (301, f"{POD}/web:80/proxy/?x=1")


def test_a_service_is_one_of_its_ready_pods(api, target, slices):
    there = target()
    slices += [slice_of("web", "http", there.port), slice_of("web", "http", 1, ready=False), slice_of("other", "", 1)]
    for name in ("web:http", "web:80", "http:web:80"):
        assert api.get(f"{SERVICE}/{name}/proxy/").text == "ok"
    slices.append(slice_of("plain", "", there.port))
    assert api.get(f"{SERVICE}/plain/proxy/").text == "ok"


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        (f"{SERVICE}/web/proxy/", 503, 'no endpoints available for service "web"'),
        (f"{SERVICE}/web:81/proxy/", 503, 'no service port 81 found for service "web"'),
        (f"{SERVICE}/none/proxy/", 404, 'services "none" not found'),
        (f"{SERVICE}/ftp:web:80/proxy/", 400, 'invalid service request "ftp:web:80"'),
        (f"{POD}/none:80/proxy/", 404, 'pods "none" not found'),
        (f"{POD}/web:a:b:c/proxy/", 400, 'invalid pod request "web:a:b:c"'),
        (f"{POD}/web:http/proxy/", 400, "port 'http' must be a number between 1 and 65535"),
        (f"{POD}/new:80/proxy/", 400, "pod new does not have a host assigned"),
        (f"{POD}/web:1/proxy/", 503, "error trying to reach service: failed to connect to localhost:1 inside the pod"),
    ],
)
def test_what_cannot_be_reached_is_a_status(api, slices, path, code, message):
    found = api.get(path)
    assert (found.status_code, found.json()["code"]) == (code, code)
    assert found.json()["message"].startswith(message)


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-"])
def test_what_is_no_answer_is_a_status(api, target, answer):
    found = api.get(f"{POD}/web:{target(answer).port}/proxy/")
    assert (found.status_code, found.json()["reason"]) == (503, "ServiceUnavailable")


def test_an_answer_that_is_cut_off_is_seen_to_be(api, target):
    there = target(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut")
    with pytest.raises(httpx.RemoteProtocolError):
        api.get(f"{POD}/web:{there.port}/proxy/")


def test_a_port_with_tls(api, target, tmp_path):
    files = {name: str(tmp_path / name) for name in ("key", "cert")}
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
    argv += ["-subj", "/CN=own", "-keyout", files["key"], "-out", files["cert"]]
    subprocess.run(argv, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files["cert"], files["key"])
    there = target(tls=context)
    assert api.get(f"{POD}/https:web:{there.port}/proxy/").text == "ok"


def test_the_real_kubectl(node, target, tmp_path):
    there = target(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n" + json.dumps({"status": "ok"}).encode())
    with conftest.Server(node) as server:
        done = conftest.Kubectl(server, tmp_path, spdy=False)("get", "--raw", f"{POD}/web:{there.port}/proxy/health")
    assert json.loads(done.stdout) == {"status": "ok"}
    assert there.asked.startswith(b"GET /health HTTP/1.1\r\n")
