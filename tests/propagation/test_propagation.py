"""A trace goes on through applications that do nothing for it: real servers and clients, one process each."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest
from tests.calls.real import free_port

from semafor.app.propagation import Propagation, _copy

pytestmark = pytest.mark.machine

APP = Path(__file__).parent / "app.py"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "x-request-id": "r-17", "tracestate": "vendor=1"}
SERVERS = ("http_server", "wsgiref", "flask", "waitress", "gunicorn", "uvicorn", "aiohttp")
CLIENTS = ("urllib3", "requests", "httpx", "aiohttp", "threads")
# What an application would have installed; OpenTelemetry is not among it.
INSTALLED = ("flask", "waitress", "gunicorn", "uvicorn", "aiohttp", "grpcio", "requests", "httpx")


class Echo(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class GrpcEcho(grpc.GenericRpcHandler):
    def service(self, _):
        return grpc.unary_unary_rpc_method_handler(
            lambda _request, context: json.dumps(dict(context.invocation_metadata())).encode()
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder of packages as an application has them, without those of this project."""
    folder, waiting, done = tmp_path_factory.mktemp("installed"), list(INSTALLED), set()
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        try:
            required = importlib.metadata.requires(name) or ()
        except importlib.metadata.PackageNotFoundError:
            continue  # one for other machines
        if name in done:
            continue
        done.add(name)
        _copy(name, folder)
        waiting += [re.split(r"[^\w.-]", text)[0] for text in required if "extra ==" not in text]
    return folder


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    propagation = Propagation(tmp_path_factory.mktemp("cache"))
    propagation.ensure()
    return propagation.folder


@pytest.fixture(scope="module")
def echo():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def start(installed, shown, tmp_path):
    """An application that runs until the test ends, told by its port."""
    running = []

    def started(server: str, client: str, target: str, path: str = "") -> int:
        port = free_port()
        argv = [sys.executable, "-c", _WITHOUT_VENV, str(APP), server, client, str(port), target]
        environment = {**os.environ, "PYTHONPATH": f"{shown}:{path or installed}"}
        with (tmp_path / "log").open("w") as log:
            running.append(subprocess.Popen(argv, env=environment, stdout=log, stderr=log))
        return port

    yield started
    for process in running:
        process.terminate()
        process.wait(10)
    assert "semafor" not in (tmp_path / "log").read_text()


# The program, as an interpreter without this project's environment would run it.
_WITHOUT_VENV = """
import os, sys
os.execv(sys._base_executable, [sys._base_executable, *sys.argv[1:]])
"""


def asked(port: int, headers: dict[str, str] = SENT) -> dict[str, str]:
    """What the last of the chain saw, when the first is asked with the headers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/", headers=headers)) as answer:
                return json.loads(answer.read())
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def seen(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in SENT}


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_hands_the_trace_on(start, echo, server):
    assert seen(asked(start(server, "urllib", echo))) == SENT


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_takes_it_along(start, echo, client):
    assert seen(asked(start("http_server", client, echo))) == SENT


def test_grpc_takes_it_along_and_hands_it_on(start, echo):
    last = grpc.server(ThreadPoolExecutor(1), handlers=(GrpcEcho(),))
    target = f"127.0.0.1:{last.add_insecure_port('127.0.0.1:0')}"
    last.start()
    try:
        middle = start("grpc_server", "grpc", target)
        with grpc.insecure_channel(f"127.0.0.1:{middle}") as channel:
            call = channel.unary_unary("/echo.Echo/Headers")
            answer = call(b"", metadata=tuple(SENT.items()), wait_for_ready=True, timeout=60)
    finally:
        last.stop(0)
    assert seen(json.loads(answer)) == SENT


def test_requests_that_belong_to_no_trace_stay_so(start, echo):
    port = start("http_server", "urllib", echo)
    assert seen(asked(port)) == SENT
    assert seen(asked(port, {})) == {}


def test_an_application_with_opentelemetry_of_its_own_is_left_alone(start, echo, installed, tmp_path):
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("")
    assert seen(asked(start("http_server", "urllib", echo, path=f"{tmp_path}:{installed}"))) == {}


def test_a_module_runs_as_a_program(shown):
    program = [sys._base_executable, "-m", "http.server", "--help"]
    environment = {**os.environ, "PYTHONPATH": str(shown)}
    ran = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    assert ran.stderr == ""


def test_an_applications_own_sitecustomize_runs_too(shown, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('mine')")
    environment = {**os.environ, "PYTHONPATH": f"{shown}:{tmp_path}"}
    ran = subprocess.run(
        [sys._base_executable, "-c", "pass"], env=environment, capture_output=True, text=True, check=True
    )
    assert (ran.stdout, ran.stderr) == ("mine\n", "")
