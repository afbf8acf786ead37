"""What leaves the mesh goes through the egress gateway, as Istio documents it.

HTTP has the mesh's own TLS up to the gateway; TLS of the caller's own is passed through.
"""

import json
from textwrap import indent

import pytest
from tests.e2e.machine import Machine
from tests.e2e.test_gateways import certificate, live

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.parametrize("mesh", ["user"], indirect=True)]

# Says who called: the first word of what it answers is the address of its peer.
SERVER = """
import ssl
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

class Who(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{self.client_address[0]} {self.headers.get('x-forwarded-for', '')}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

secure = HTTPServer(("0.0.0.0", 8443), Who)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/certs/tls.crt", "/certs/tls.key")
secure.socket = context.wrap_socket(secure.socket, server_side=True)
Thread(target=secure.serve_forever, daemon=True).start()
HTTPServer(("0.0.0.0", 8080), Who).serve_forever()
"""
PODS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: outside}
data:
  server.py: |
PROGRAM
---
apiVersion: v1
kind: Pod
metadata: {name: outside, labels: {sidecar.istio.io/inject: "false"}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: server
    image: python:3.11-slim
    command: [python, /program/server.py]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
    volumeMounts: [{name: program, mountPath: /program}, {name: certs, mountPath: /certs}]
  volumes: [{name: program, configMap: {name: outside}}, {name: certs, secret: {secretName: outside}}]
---
apiVersion: v1
kind: Pod
metadata: {name: caller}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: caller, image: curlimages/curl, command: [sleep, infinity]}]
"""
EGRESS = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside}
spec:
  hosts: [HOST]
  ports:
  - {number: 80, name: http, protocol: HTTP, targetPort: 8080}
  - {number: 443, name: tls, protocol: TLS, targetPort: 8443}
  resolution: STATIC
  endpoints: [{address: ADDRESS}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: egress}
spec:
  selector: {istio: egressgateway}
  servers:
  - {port: {number: 80, name: https, protocol: HTTPS}, hosts: [HOST], tls: {mode: ISTIO_MUTUAL}}
  - {port: {number: 443, name: tls, protocol: TLS}, hosts: [HOST], tls: {mode: PASSTHROUGH}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: egress}
spec:
  host: istio-egressgateway.istio-system.svc.cluster.local
  subsets:
  - name: outside
    trafficPolicy: {portLevelSettings: [{port: {number: 80}, tls: {mode: ISTIO_MUTUAL, sni: HOST}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: through-egress}
spec:
  hosts: [HOST]
  gateways: [egress, mesh]
  http:
  - match: [{gateways: [mesh], port: 80}]
    route:
    - destination: {host: istio-egressgateway.istio-system.svc.cluster.local, subset: outside, port: {number: 80}}
  - match: [{gateways: [egress], port: 80}]
    route: [{destination: {host: HOST, port: {number: 80}}}]
  tls:
  - match: [{gateways: [mesh], port: 443, sniHosts: [HOST]}]
    route:
    - destination: {host: istio-egressgateway.istio-system.svc.cluster.local, subset: outside, port: {number: 443}}
  - match: [{gateways: [egress], port: 443, sniHosts: [HOST]}]
    route: [{destination: {host: HOST, port: {number: 443}}}]
"""


@pytest.fixture
def addresses(mesh: Machine, namespace: str) -> dict[str, str]:
    """The pods' addresses: who calls, who is outside, and the egress gateway."""
    crt, key = certificate(mesh, namespace)
    mesh.kubectl("create", "secret", "tls", "outside", f"--cert={crt}", f"--key={key}", "-n", namespace)
    mesh.apply(PODS.replace("PROGRAM", indent(SERVER, "    ")), "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod/outside", "pod/caller", "-n", namespace, "--timeout=60s")
    found = {name: mesh.get("pod", name, "-n", namespace)["status"]["podIP"] for name in ("caller", "outside")}
    gateways = mesh.get("pods", "-n", "istio-system", "-l", "istio=egressgateway")["items"]
    return found | {"egress": gateways[0]["status"]["podIP"]}


def test_calls_leave_through_the_egress_gateway(mesh, namespace, addresses):
    host = f"{namespace}.example.net"
    live(mesh, EGRESS.replace("HOST", host).replace("ADDRESS", addresses["outside"]), namespace)
    inside = ("exec", "-n", namespace, "caller", "-c", "caller", "--", "curl", "-sk", "-m", "5")
    went = {
        "http": mesh.kubectl(*inside, f"http://{host}/"),
        "https": mesh.kubectl(*inside, f"https://{host}/"),
    }
    by_gateway = addresses["egress"]
    assert went == {"http": f"{by_gateway} {addresses['caller']}", "https": f"{by_gateway} "}, json.dumps(addresses)
