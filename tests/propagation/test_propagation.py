"""A trace goes on through applications that do nothing for it: real servers and clients, one process each."""

import importlib.metadata
import json
import os
import re
import shutil
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
from tests.ports import free_port

import semafor.propagation

pytestmark = pytest.mark.machine

APP = Path(__file__).parent / "app.py"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "x-request-id": "r-17", "tracestate": "vendor=1"}
SHOWN = Path(semafor.propagation.__file__).parent / "python"
SERVERS = ("http_server", "wsgiref", "flask", "waitress", "gunicorn", "uvicorn", "starlette", "aiohttp")
CLIENTS = ("http_client", "urllib3", "requests", "httpx", "httpx_async", "aiohttp", "executor", "thread")
# What an application would have installed.
INSTALLED = ("flask", "waitress", "gunicorn", "uvicorn", "aiohttp", "grpcio", "requests", "httpx", "starlette")


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
def echo():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def start(installed, tmp_path):
    """An application that runs until the test ends, told by its port."""
    running = []

    def started(server: str, client: str, target: str, path: str = "") -> int:
        port = free_port()
        argv = [sys.executable, "-c", _WITHOUT_VENV, str(APP), server, client, str(port), target]
        environment = {**os.environ, "PYTHONPATH": f"{SHOWN}:{path or installed}"}
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


@pytest.mark.parametrize(("server", "client"), [("grpc_server", "grpc"), ("grpc_aio_server", "grpc_aio")])
def test_grpc_takes_it_along_and_hands_it_on(start, server, client):
    last = grpc.server(ThreadPoolExecutor(1), handlers=(GrpcEcho(),))
    target = f"127.0.0.1:{last.add_insecure_port('127.0.0.1:0')}"
    last.start()
    try:
        middle = start(server, client, target)
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


@pytest.mark.parametrize("own", ["traceparent", "b3"])
def test_headers_of_the_applications_own_stay(start, echo, own):
    port = start("http_server", f"urllib_with_{own}", echo)
    assert seen(asked(port)) == {**({own: "own"} if own in SENT else {}), "x-request-id": "r-17"}


def test_a_module_runs_as_a_program():
    ran = python("-m", "http.server", "--help")
    assert ran.stderr == ""


def test_an_applications_own_sitecustomize_runs_too(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('mine')")
    ran = python("-c", "import sitecustomize as one; print(one.__file__)", path=tmp_path)
    assert (ran.stdout, ran.stderr) == (f"mine\n{tmp_path}/sitecustomize.py\n", "")


def test_what_an_application_has_goes_before_what_it_is_shown(tmp_path):
    (tmp_path / "semafor_libraries.py").write_text("")
    ran = python("-c", "import http.client; print('runs')", path=tmp_path)
    assert ran.stdout == "runs\n"
    assert "semafor: http.client does not continue traces" in ran.stderr


def test_a_library_that_is_not_as_expected_is_used_as_it_is(tmp_path):
    (tmp_path / "httpx.py").write_text("Client = 'of another time'")
    ran = python("-c", "import httpx; print(httpx.Client)", path=tmp_path)
    assert (ran.stdout, ran.stderr.count("\n")) == ("of another time\n", 1)


# Seconds of CPU that a program of the standard library's HTTP may start later by; some 3 ms on a quiet machine.
STARTS = """
import threading, time
before = time.process_time()
import semafor_propagation
semafor_propagation.begin()
print(time.process_time() - before)
"""


def test_the_start_is_hardly_later(tmp_path):
    environment = {**os.environ, "PYTHONPATH": ""}
    code = f"import sys; sys.path.append({str(SHOWN)!r})" + STARTS
    spent = [float(subprocess.check_output([sys._base_executable, "-c", code], env=environment)) for _ in range(5)]
    assert min(spent) < 0.03


def test_every_python_on_the_machine_starts_with_it():
    """Old ones too: what they are shown must not keep them from running."""
    others = [*Path("/usr/bin").glob("python[23].*[0-9]"), *Path.home().glob(".pyenv/versions/*/bin/python")]
    for program in map(str, others):
        ran = python("-c", "import threading; print('runs')", program=program)
        assert (ran.stdout, ran.stderr) == ("runs\n", "")


def python(*arguments: str, path: Path | str = "", program: str = sys._base_executable):
    environment = {**os.environ, "PYTHONPATH": f"{SHOWN}:{path}" if path else str(SHOWN)}
    return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=True)


def _copy(name, folder):
    """The files of an installed distribution."""
    found = importlib.metadata.distribution(name)
    for file in found.files or ():
        if ".." not in file.parts:
            target = folder.joinpath(*file.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found.locate_file(file), target)
