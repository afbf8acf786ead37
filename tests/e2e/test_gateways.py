"""What is outside reaches the mesh through gateways, as Istio's documentation has it."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

HTTPBIN = """
apiVersion: v1
kind: Service
metadata: {name: httpbin}
spec: {selector: {app: httpbin}, ports: [{name: http, port: 8000, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: httpbin}
spec:
  selector: {matchLabels: {app: httpbin}}
  template:
    metadata: {labels: {app: httpbin}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: httpbin, image: "mccutchen/go-httpbin:v2.15.0"}]
"""
GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: ["NAME.example.com"]}
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: ["NAME.example.com"]
    tls: {mode: SIMPLE, credentialName: NAME}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: httpbin}
spec:
  hosts: ["NAME.example.com"]
  gateways: [public]
  http:
  - match: [{uri: {prefix: /status}}, {uri: {prefix: /headers}}, {uri: {prefix: /delay}}]
    route: [{destination: {host: httpbin, port: {number: 8000}}}]
"""
OWN_GATEWAY = """
apiVersion: v1
kind: Service
metadata: {name: own}
spec: {type: LoadBalancer, selector: {istio: own}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: own}
spec:
  replicas: 2
  selector: {matchLabels: {istio: own}}
  template:
    metadata:
      annotations: {inject.istio.io/templates: gateway}
      labels: {istio: own, sidecar.istio.io/inject: "true"}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: istio-proxy, image: auto}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: own}
spec:
  selector: {istio: own}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: own}
spec:
  hosts: ["*"]
  gateways: [own]
  http: [{route: [{destination: {host: httpbin, port: {number: 8000}}}]}]
"""


@pytest.fixture
def ingress(mesh: Machine) -> dict[str, tuple[str, int]]:
    """Where `semafor status` says that the ingress gateway is, by scheme."""
    told = json.loads(mesh.semafor("status", "-o", "json").stdout)["gateways"]
    urls = next(each["urls"] for each in told if each["name"] == "istio-ingressgateway")
    ports = {"http": 80, "https": 443}
    parts = [url.partition("://")[::2] for url in urls]
    return {scheme: (place.partition(":")[0], int(place.partition(":")[2] or ports[scheme])) for scheme, place in parts}


@pytest.fixture
def httpbin(mesh: Machine, namespace: str) -> Iterator[str]:
    mesh.apply(HTTPBIN, "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Available", "deployment/httpbin", "-n", namespace, "--timeout=60s")
    yield namespace
    mesh.kubectl("delete", "secret", namespace, "-n", "istio-system", "--ignore-not-found")


def certificate(mesh: Machine, name: str) -> tuple[Path, Path]:
    """The files of a new certificate for `name.example.com`, which vouches for itself, and of its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject, host = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own")]), f"{name}.example.com"
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
    builder = builder.not_valid_after(now + timedelta(days=1))
    made = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    signed = made.sign(key, hashes.SHA256())
    kept = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    return (
        mesh.write(f"{name}.crt", signed.public_bytes(pem).decode()),
        mesh.write(f"{name}.key", key.private_bytes(pem, *kept).decode()),
    )


def put_secret(mesh: Machine, name: str) -> Path:
    """Give the ingress gateway a new certificate; the file of it."""
    crt, key = certificate(mesh, name)
    files = (f"--cert={crt}", f"--key={key}", "-n", "istio-system", "--dry-run=client", "-o", "yaml")
    mesh.apply(mesh.kubectl("create", "secret", "tls", name, *files))
    return crt


def curl(mesh: Machine, where: tuple[str, int], url: str, *more: str) -> str:
    """The status of the URL, whose host is to be found at `where`; 000 when nobody answers."""
    return _curl(mesh, where, url, "-o", "/dev/null", "-w", "%{http_code}", *more)


def _curl(mesh: Machine, where: tuple[str, int], url: str, *more: str) -> str:
    own = ("curl", "-s", "-m", "10", "--connect-to", f"::{where[0]}:{where[1]}", *more, url)
    return mesh.run(*own, check=False).stdout


def live(mesh: Machine, manifest: str, namespace: str) -> None:
    """Apply, and wait until every proxy has it."""
    mesh.apply(manifest, "-n", namespace)
    mesh.kubectl(
        "wait", "--for=condition=Live", "gateways.networking.istio.io,virtualservices", "--all", "-n", namespace
    )


def test_http_and_https_as_istio_documents_them(mesh, httpbin, ingress):
    crt, host = put_secret(mesh, httpbin), f"{httpbin}.example.com"
    live(mesh, GATEWAY.replace("NAME", httpbin), httpbin)
    went = {
        "http": curl(mesh, ingress["http"], f"http://{host}/status/201"),
        "a path without a route": curl(mesh, ingress["http"], f"http://{host}/ip"),
        "another host": curl(mesh, ingress["http"], "http://other.example.com/status/201"),
        "https": curl(mesh, ingress["https"], f"https://{host}/status/202", "--cacert", str(crt)),
        "https of another host": curl(mesh, ingress["https"], "https://other.example.com/status/202", "-k"),
    }
    assert went == {
        "http": "201",
        "a path without a route": "404",
        "another host": "404",
        "https": "202",
        "https of another host": "000",
    }
    headers = _curl(mesh, ingress["http"], f"http://{host}/headers", "-H", "x-forwarded-client-cert: By=me")
    assert "By=me" not in headers
    assert "istio-ingressgateway-service-account" in headers


def test_a_new_certificate_costs_no_connection(mesh, httpbin, ingress):
    host = f"{httpbin}.example.com"
    put_secret(mesh, httpbin)
    live(mesh, GATEWAY.replace("NAME", httpbin), httpbin)
    before = shown(ingress["https"], host)
    load = Load(ingress["https"], host)
    kept = Kept(ingress["https"], host)
    for _ in range(3):
        assert kept.get() == 200
        put_secret(mesh, httpbin)
        before = mesh.wait("the new certificate", lambda known=before: other(ingress["https"], host, known))
        mesh.wait("more requests", lambda enough=load.count + 10: load.count >= enough)
    assert kept.get() == 200
    kept.close()
    assert load.end() == []


def test_without_its_certificate_a_server_fails_alone(mesh, httpbin, ingress):
    told = mesh.apply(GATEWAY.replace("NAME", httpbin), "-n", httpbin).stderr
    assert f"there is no Secret istio-system/{httpbin}" in told
    mesh.kubectl("wait", "--for=condition=Live", "virtualservices", "--all", "-n", httpbin)
    host = f"{httpbin}.example.com"
    assert curl(mesh, ingress["http"], f"http://{host}/status/201") == "201"
    assert curl(mesh, ingress["https"], f"https://{host}/status/202", "-k") == "000"
    put_secret(mesh, httpbin)
    mesh.wait("https", lambda: curl(mesh, ingress["https"], f"https://{host}/status/202", "-k") == "202")


def test_a_gateway_of_ones_own(mesh, httpbin):
    live(mesh, OWN_GATEWAY, httpbin)
    mesh.kubectl("wait", "--for=condition=Available", "deployment/own", "-n", httpbin, "--timeout=60s")
    told = json.loads(mesh.semafor("status", "-o", "json").stdout)["gateways"]
    url = next(each["urls"][0] for each in told if each["namespace"] == httpbin)
    mesh.wait(
        "the gateway",
        lambda: mesh.run(
            "curl", "-s", "-m", "5", f"{url}/status/418", "-w", "%{http_code}", check=False
        ).stdout.endswith("418"),
    )


def shown(where: tuple[str, int], host: str) -> bytes:
    """The certificate that a new connection is shown."""
    with secured(where, host) as connection:
        return connection.getpeercert(binary_form=True)


def other(where: tuple[str, int], host: str, than: bytes) -> bytes:
    """The certificate that a new connection is shown, once it is another one."""
    found = shown(where, host)
    return b"" if found == than else found


def secured(where: tuple[str, int], host: str) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(where, timeout=10), server_hostname=host)


class Kept:
    """A connection that is used again and again."""

    def __init__(self, where: tuple[str, int], host: str) -> None:
        self._host = host
        self._connection = secured(where, host)

    def close(self) -> None:
        self._connection.close()

    def get(self) -> int:
        self._connection.sendall(f"GET /status/200 HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())
        said = b""
        while not said.endswith(b"\r\n\r\n"):
            more = self._connection.recv(4096)
            assert more, "the connection was closed"
            said += more
        return int(said.split()[1])


class Load:
    """A new connection for each request, until the end; keeps what went wrong."""

    def __init__(self, where: tuple[str, int], host: str) -> None:
        self.count = 0
        self._wrong: list[str] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(where, host), daemon=True)
        self._thread.start()

    def end(self) -> list[str]:
        self._ended.set()
        self._thread.join()
        return self._wrong

    def _run(self, where: tuple[str, int], host: str) -> None:
        while not self._ended.is_set():
            try:
                with closing(Kept(where, host)) as connection:
                    assert connection.get() == 200
            except (OSError, AssertionError) as error:
                self._wrong.append(repr(error))
            self.count += 1
            time.sleep(0.01)
