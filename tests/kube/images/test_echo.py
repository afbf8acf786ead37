"""The conformance suite's servers, started from the files that their images have."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import dnslib
import httpx
import pytest
from tests.ports import free_port

from semafor.kube.images import echoes
from semafor.kube.images.host import Host

HOST = Host(folders=("usr",), python=sys.executable, python_version="3.11")
PLACE = {"POD_NAME": "pod-1", "NAMESPACE": "here"}


class Image:
    """An image's files in a folder; what is started in it ends with the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[bytes]] = []

    def command(self, name: str, *words: str) -> list[str]:
        return [sys.executable, "-P", "-s", "-S", "-m", name, *words]

    def env(self, **more: str) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder / "usr/local/lib/semafor"), **more}

    def start(self, name: str, *words: str, port: int, **env: str) -> int:
        self.started.append(subprocess.Popen(self.command(name, *words), env=self.env(**env)))
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return port
            time.sleep(0.05)
        raise TimeoutError(name)

    def run(self, name: str, *words: str) -> str:
        done = subprocess.run(
            self.command(name, *words), env=self.env(), capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    for recipe in (echoes.basic(HOST), echoes.advanced(HOST), echoes.coredns(HOST)):
        for path, content in recipe.files:
            target = folder / path.removeprefix("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)
    made = Image(folder)
    yield made
    for process in made.started:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def basic(image):
    """echo-basic with its three ports: HTTP, h2c, HTTPS."""
    ports = [free_port() for _ in range(3)]
    env = {name: str(port) for name, port in zip(("HTTP_PORT", "H2C_PORT", "HTTPS_PORT"), ports, strict=True)}
    env |= {"TLS_SERVER_CERT": str(image.folder / "cert.crt"), "TLS_SERVER_PRIVKEY": str(image.folder / "cert.key")}
    image.start("echo.basic", port=ports[2], **env, **PLACE)
    return ports


@pytest.fixture(scope="module")
def advanced(image):
    """Istio's app: HTTP, HTTPS, gRPC, TCP."""
    http, https, grpc, tcp = ports = [free_port() for _ in range(4)]
    words = [f"--port={http}", f"--port={https}", f"--tls={https}", f"--grpc={grpc}", f"--tcp={tcp}", "--version=v1"]
    pair = [f"--crt={image.folder / 'cert.crt'}", f"--key={image.folder / 'cert.key'}"]
    image.start("echo.advanced", *words, *pair, port=tcp)
    return ports


def test_echo_basic_tells_what_it_was_asked(basic):
    answer = httpx.get(
        f"http://127.0.0.1:{basic[0]}/a//b?x=1", headers={"x-y": "1", "X-Echo-Set-Header": "A: b,A: c,,"}
    )
    said = answer.json()
    assert (said["path"], said["host"], said["proto"]) == ("/a//b?x=1", f"127.0.0.1:{basic[0]}", "HTTP/1.1")
    assert (said["headers"]["X-Y"], said["pod"], said["namespace"]) == (["1"], "pod-1", "here")
    assert (answer.headers["a"], answer.headers["content-type"]) == ("b,c", "application/json")


@pytest.mark.parametrize(
    ("path", "code"), [("/status/418", 418), ("/status/x", 400), ("/health", 200), ("/retry/?uuid=1", 400)]
)
def test_echo_basic_answers_with_a_code(basic, path, code):
    assert httpx.get(f"http://127.0.0.1:{basic[0]}{path}").status_code == code


def test_echo_basic_fails_as_often_as_it_is_asked(basic):
    url = f"http://127.0.0.1:{basic[0]}/retry/?succeedAfter=1&uuid="
    with pytest.raises(httpx.ReadError):
        httpx.get(f"{url}reset")
    assert httpx.get(f"{url}reset").status_code == 200
    assert httpx.get(f"{url}code&responseCode=503").status_code == 503
    assert httpx.get(f"{url}code&responseCode=503").status_code == 200


def test_echo_basic_tells_of_tls(basic):
    with httpx.Client(verify=False) as client:
        said = client.get(f"https://127.0.0.1:{basic[2]}/", extensions={"sni_hostname": "a.b"}).json()
    assert (said["tls"]["serverName"], said["tls"]["version"]) == ("a.b", "TLSv1.3")


def test_the_h2c_port_speaks_http2_alone(basic):
    with httpx.Client(http1=False, http2=True) as client:
        assert client.get(f"http://127.0.0.1:{basic[1]}/x").json()["proto"] == "HTTP/2.0"
    assert httpx.get(f"http://127.0.0.1:{basic[1]}/x").status_code == 400


def test_echo_basic_sends_websocket_messages_back(basic):
    with socket.create_connection(("127.0.0.1", basic[0])) as connection:
        head = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: http://x\r\n"
        connection.sendall(f"{head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        reader = connection.makefile("rb")
        lines = list(iter(reader.readline, b"\r\n"))
        connection.sendall(b"\x81\x82\x01\x02\x03\x04" + bytes([ord("h") ^ 1, ord("i") ^ 2]))
        assert (lines[0].split()[1], reader.read(4)) == (b"101", b"\x81\x02hi")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in lines


def test_echo_basic_is_a_tcp_server_too(image):
    port = image.start("echo.basic", port=(port := free_port()), TCP_ECHO_SERVER="1", TCP_PORT=str(port), **PLACE)
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as reader:
        connection.sendall(b"PING\nIS_TLS\nTEST\n")
        welcome, pong, tls, said = (reader.readline() for _ in range(4))
    assert (welcome, pong, tls) == (b"Gateway API Test TCP Server\n", b"PONG\n", b"false\n")
    assert (json.loads(said)["pod"], json.loads(said)["isTLS"]) == ("pod-1", False)


def test_the_client_prints_what_the_app_was_asked(image, advanced):
    said = image.run(
        "echo.client", f"http://127.0.0.1:{advanced[0]}/p?q=1", "-H", "x-a:z", "-H", "X-A:b", "--method=PUT"
    )
    expected = {"StatusCode=200", "ServiceVersion=v1", "URL=/p?q=1", "Method=PUT", "RequestHeader=X-A:b"}
    assert expected <= {line.partition("] ")[2] for line in said.splitlines()}
    assert "RequestHeader=X-A:z\n[0 body] RequestHeader=X-A:b" in said


@pytest.mark.parametrize(
    ("scheme", "index", "words", "expected"),
    [
        ("https", 1, (), "Proto=HTTP/1.1"),
        ("https", 1, ("--http2",), "Alpn=h2"),
        ("http", 0, ("--http2",), "Proto=HTTP/2.0"),
        ("http", 0, (), "Host=127.0.0.1"),
        ("grpc", 2, (), "Proto=GRPC"),
        ("tcp", 3, (), "Proto=TCP"),
    ],
)
def test_the_client_speaks_what_the_app_does(image, advanced, scheme, index, words, expected):
    assert expected in image.run("echo.client", f"{scheme}://127.0.0.1:{advanced[index]}", *words)


def test_a_blank_line_parts_the_answers_of_several_calls(image, advanced):
    said = image.run("echo.client", f"grpc://127.0.0.1:{advanced[2]}", "--count=5")
    assert [part.count("Hostname=") for part in said.strip().split("\n\n")] == [1] * 5


def test_coredns_tells_who_asks(image, tmp_path):
    corefile = tmp_path / "Corefile"
    corefile.write_text(
        ".:53 {\n  forward . 127.0.0.1:1\n  errors\n}\nfoo.bar:53 {\n  whoami\n}\n".replace("53", "{P}")
    )
    port = free_port()
    corefile.write_text(corefile.read_text().replace("{P}", str(port)))
    image.start("coredns", "-conf", str(corefile), port=port)
    question = dnslib.DNSRecord.question("a.foo.bar")
    answer = dnslib.DNSRecord.parse(question.send("127.0.0.1", port, timeout=5))
    assert [str(record.rdata) for record in answer.ar][:1] == ["127.0.0.1"]
    refused = dnslib.DNSRecord.parse(dnslib.DNSRecord.question("other").send("127.0.0.1", port, timeout=10))
    assert refused.header.rcode == dnslib.RCODE.SERVFAIL


@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="this machine has no Python of its own")
def test_a_program_outlives_the_volume_that_hides_its_interpreter(image):
    hidden = Host(folders=("usr",), python="/nowhere/bin/python3", python_version="3.11")
    script = dict(echoes.coredns(hidden).files)["/coredns"]
    script = script.replace("/usr/local/lib", str(image.folder / "usr/local/lib"))
    done = subprocess.run(["sh", "-c", script, "coredns", "-h"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("usage: coredns")
