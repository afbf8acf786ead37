"""Our curl, wget, httpbin and the samples, each started as an image starts it."""

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from semafor.kube.images import machine

pytestmark = pytest.mark.machine

PROGRAMS = Path(machine.__file__).parent / "programs"


def program(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-s", "-S", "-m", name, *arguments]
    return subprocess.run(
        command, env={"PYTHONPATH": str(PROGRAMS)}, capture_output=True, text=True, timeout=30, check=False
    )


def curl(*arguments: str) -> tuple[int, str, str]:
    done = program("curl", *arguments)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def closed() -> str:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_httpbin_tells_what_it_was_asked(server):
    _, output, _ = curl("-s", f"{server}/get?a=1&a=2&b=x%20y", "-H", "X-Test: yes", "-A", "me")
    answer = json.loads(output)
    assert answer["args"] == {"a": ["1", "2"], "b": "x y"}
    assert (answer["headers"]["X-Test"], answer["headers"]["User-Agent"]) == ("yes", "me")
    assert (answer["origin"], answer["url"]) == ("127.0.0.1", f"{server}/get?a=1&a=2&b=x%20y")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-d", "a=1", "-d", "b=2", "/post"], {"form": {"a": "1", "b": "2"}}),
        (["--json", '{"a": [1]}', "/post"], {"json": {"a": [1]}}),
        (["-X", "PUT", "--data-raw", "@x", "-H", "Content-Type: text/plain", "/put"], {"data": "@x"}),
        (["--data-urlencode", "q=a b&c", "/post"], {"form": {"q": "a b&c"}}),
        (["-X", "DELETE", "/delete"], {"data": ""}),
        (["-G", "-d", "a=1", "/get"], {"args": {"a": "1"}}),
        (["-L", "/redirect/2"], {"args": {}}),
        (["-u", "me:secret", "/basic-auth/me/secret"], {"authenticated": True}),
        (["--oauth2-bearer", "t", "/bearer"], {"token": "t"}),
        (["-L", "-b", "a=b", "/cookies"], {"cookies": {"a": "b"}}),
        (["/anything/x"], {"method": "GET"}),
        (["/user-agent", "-A", "x"], {"user-agent": "x"}),
        (["/delay/0.01"], {"args": {}}),
        (["/response-headers?X-A=1"], {"X-A": "1"}),
        (["/ip"], {"origin": "127.0.0.1"}),
    ],
)
def test_curl_and_httpbin_understand_each_other(server, arguments, expected):
    given = [f"{server}{word}" if word.startswith("/") else word for word in arguments]
    code, output, _ = curl("-sS", *given)
    answer = json.loads(output)
    assert (code, {name: answer[name] for name in expected}) == (0, expected)


def test_paths_without_json(server):
    assert curl("-s", f"{server}/base64/aGVsbG8=")[1] == "hello"
    assert len(curl("-s", f"{server}/stream/3")[1].splitlines()) == 3
    assert curl("-s", "-o", "/dev/null", "-w", "%{size_download}", f"{server}/bytes/77")[1] == "77"
    assert "<h1>" in curl("-s", f"{server}/html")[1]
    assert json.loads(curl("-s", f"{server}/uuid")[1])["uuid"]


def test_curl_writes_out_what_is_asked(server):
    code, output, _ = curl(
        "-s", "-o", "/dev/null", "-w", "%{http_code} %{method} %{num_redirects}\\n", "-L", f"{server}/redirect/1"
    )
    assert (code, output) == (0, "200 GET 1\n")
    _, output, _ = curl("-sI", f"{server}/get")
    assert output.startswith("HTTP/1.1 200 OK\n")
    assert output.endswith("\n\n")
    code, _, trace = curl("-sv", f"{server}/status/204")
    assert "> GET /status/204 HTTP/1.1" in trace
    assert "< HTTP/1.1 204 No Content" in trace


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-f", "{server}/status/503"], 22, "curl: (22) The requested URL returned error: 503"),
        (["{closed}"], 7, "Couldn't connect to server"),
        (["http://no.such.host.invalid"], 6, "curl: (6) Could not resolve host: no.such.host.invalid"),
        (["--max-time", "0.2", "{server}/delay/5"], 28, "curl: (28) Operation timed out after 2"),
        (["-L", "--max-redirs", "1", "{server}/redirect/3"], 47, "Maximum (1) redirects followed"),
        (["ftp://host/"], 1, 'Protocol "ftp" not supported'),
        (["--frobnicate", "{server}"], 2, "option --frobnicate: is unknown"),
        ([], 2, ""),
    ],
)
def test_curl_fails_with_curls_own_codes(server, closed, arguments, code, message):
    given = [word.format(server=server, closed=closed) for word in arguments]
    assert curl("-sS", *given)[0] == code
    assert message in curl("-sS", *given)[2]


def test_curl_retries(server, closed):
    code, _, errors = curl("-S", "--retry", "2", "--retry-delay", "0", "--retry-connrefused", closed)
    assert (code, errors.count("Will retry")) == (7, 2)
    assert (
        curl("--retry", "1", "--retry-delay", "0", "-o", "/dev/null", f"{server}/status/503")[2].count("Will retry")
        == 1
    )


@pytest.mark.skipif(not shutil.which("curl"), reason="compares with the machine's curl")
@pytest.mark.parametrize("path", ["/get?x=1", "/status/404", "/redirect/1", "/json"])
def test_our_curl_answers_as_the_machines(server, path):
    form = "%{http_code} %{size_download} %{content_type} %{url_effective} %{redirect_url} %{remote_ip} %{exitcode}"
    arguments = ["-s", "-A", "same", "-w", form, f"{server}{path}"]
    real = subprocess.run(["curl", *arguments], capture_output=True, text=True, check=False)
    ours = program("curl", *arguments)
    assert (ours.stdout, ours.returncode) == (real.stdout, real.returncode)


def test_wget_prints_saves_and_fails(server, tmp_path):
    assert program("wget", "-qO-", f"{server}/base64/aGVsbG8=").stdout == "hello"
    program("wget", "-q", "-O", str(tmp_path / "out"), f"{server}/base64/aGVsbG8=")
    assert (tmp_path / "out").read_text() == "hello"
    assert program("wget", "-q", "--spider", f"{server}/status/500").returncode == 8
    assert program("wget", "-q", "--spider", f"{server}/status/200").returncode == 0


def test_httpbin_listens_where_it_is_told():
    code = (
        "import httpbin\n"
        "print(httpbin.address(['-b', '0.0.0.0:8080', 'httpbin:app', '-k', 'gevent']),"
        " httpbin.address(['-b', '[::]:80']), httpbin.address(['-port=9', '-host', 'h']), httpbin.address([]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(PROGRAMS)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "('0.0.0.0', 8080) ('::', 80) ('h', 9) ('0.0.0.0', 8080)\n"


def test_nc_talks_until_both_have_closed(closed):
    host, port = closed.removeprefix("http://").split(":")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = str(listening.getsockname()[1])
        command = [sys.executable, "-P", "-s", "-S", "-m", "nc", "127.0.0.1", here]
        with subprocess.Popen(
            command, env={"PYTHONPATH": str(PROGRAMS)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as asking:
            listening.settimeout(20)
            peer = listening.accept()[0]
            with peer, peer.makefile("rwb") as stream:
                asking.stdin.write(b"hi\n")
                asking.stdin.close()
                assert stream.read() == b"hi\n"
                stream.write(b"hello hi\n")
            assert asking.stdout.read() == b"hello hi\n"
            assert asking.wait(20) == 0
        assert program("nc", "-z", "127.0.0.1", here).returncode == 0
    done = program("nc", host, port)
    assert (done.returncode, done.stderr) == (1, f"nc: {host} {port}: Connection refused\n")


def test_fortio_counts_the_codes(server):
    done = program("fortio", "load", "-c", "2", "-qps", "0", "-n", "20", "-loglevel", "Warning", f"{server}/status/503")
    assert "Code 503 : 20 (100.0 %)\nAll done 20 calls" in done.stdout
    assert program("fortio", "curl", "-quiet", f"{server}/base64/aGVsbG8=").stdout.startswith("HTTP/1.1 200 OK\n")
    assert program("fortio", "load", "-grpc", f"{server}/get").stderr.endswith("does not know -grpc\n")
