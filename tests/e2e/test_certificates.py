"""Authorities and certificates change under load. SEMAFOR_ROTATIONS=10 is the whole of it; by itself, a part."""

import json
import os
from datetime import UTC, datetime
from textwrap import indent

import pytest
from tests.ca import made
from tests.e2e.machine import Machine
from tests.e2e.test_crash import kill_daemon
from tests.e2e.test_first_steps import deploy
from tests.e2e.test_steady_traffic import LOAD, PROGRAM, Load

ROTATIONS = int(os.environ.get("SEMAFOR_ROTATIONS", "1"))
REQUESTS_PER_S = 500
# A connection carries few requests, so that sidecars greet each other at every moment of a rotation.
OFTEN_NEW = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo}
spec:
  host: echo
  trafficPolicy: {connectionPool: {http: {maxRequestsPerConnection: 20}}}
"""
STRICT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default}
spec: {mtls: {mode: STRICT}}
"""
STOP_ENVOY = """
for each in /proc/[0-9]*; do
  read name < $each/comm
  if [ "$name" = envoy ]; then kill -STOP ${each#/proc/}; fi
done
"""
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(200 + 60 * ROTATIONS),
]
as_user = pytest.mark.parametrize("mesh", ["user"], indirect=True)


@pytest.fixture
def load(mesh: Machine, namespace: str) -> Load:
    deploy(mesh, namespace, "v1")
    mesh.apply(f"{OFTEN_NEW}---{STRICT}", "-n", namespace)
    program = LOAD.replace("/program/steady.py, echo]", f'/program/steady.py, echo, "{REQUESTS_PER_S}"]')
    mesh.apply(program % indent(PROGRAM.read_text(), "    "), "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod/load", "-n", namespace, "--timeout=60s")
    load = Load(mesh, namespace)
    load.goes_on("v1")
    return load


def status(mesh: Machine) -> dict:
    return json.loads(mesh.semafor("ca", "status", "-o", "json", check=False).stdout)


def plug(mesh: Machine, files: dict[str, bytes]) -> None:
    texts = "".join(f"  {name}: |\n{indent(pem.decode(), '    ')}\n" for name, pem in files.items())
    head = "apiVersion: v1\nkind: Secret\nmetadata: {name: cacerts, namespace: istio-system}\nstringData:\n"
    mesh.run("kubectl", "apply", "--server-side", "--force-conflicts", "-f", "-", input=head + texts)


def signs(mesh: Machine, files: dict[str, bytes]) -> dict:
    """Wait until the authority of the files signs, and its root alone is trusted."""
    roots = made.ids(files["root-cert.pem"])
    mesh.wait("the plugged-in root", lambda: [root["id"] for root in status(mesh)["trusted"]] == roots)
    return status(mesh)


def told_roots(mesh: Machine, namespace: str) -> str:
    found = mesh.kubectl("get", "cm", "istio-ca-root-cert", "-n", namespace, "-o", r"jsonpath={.data.root-cert\.pem}")
    return found.strip()


def trusted_roots(mesh: Machine) -> str:
    return (mesh.home / "ca" / "root-cert.pem").read_text().strip()


def stats(mesh: Machine, namespace: str, pod: str, what: str) -> dict[str, int]:
    asked = ("pilot-agent", "request", "GET", f"/stats?filter={what}")
    text = mesh.kubectl("exec", "-n", namespace, pod, "-c", "istio-proxy", "--", *asked)
    return {name: int(number) for name, _, number in (line.rpartition(": ") for line in text.splitlines())}


@as_user
def test_no_request_fails_while_roots_follow_each_other(mesh: Machine, namespace: str, load: Load):
    seen = [status(mesh)["signer"]["id"]]
    for _ in range(ROTATIONS):
        mesh.semafor("ca", "rotate")
        mesh.wait("the roots of the namespace", lambda: told_roots(mesh, namespace) == trusted_roots(mesh))
        seen.append(status(mesh)["signer"]["id"])
    plug(mesh, now := made.cacerts(datetime.now(UTC)))
    seen.append(signs(mesh, now)["signer"]["id"])
    plug(mesh, made.cacerts(datetime.now(UTC), ca=False))
    mesh.wait("the refusal", lambda: "is not an authority" in status(mesh)["problem"])
    mesh.kubectl("delete", "secret", "cacerts", "-n", "istio-system")
    mesh.wait(
        "its own root again",
        lambda: (found := status(mesh))["phase"] == "stable" and found["signer"]["source"] == "own",
    )
    load.goes_on("v1")
    assert len(set(seen)) == ROTATIONS + 2
    counts = load.counts()
    rate = sum(counts["counts"].values()) / counts["seconds"]
    print(f"{ROTATIONS} rotations, {sum(counts['counts'].values())} answers, {rate:.0f} in a second")
    assert counts["errors"] == []
    assert ROTATIONS < 10 or rate > 0.9 * REQUESTS_PER_S, "the machine is too busy to measure"
    handshakes = stats(
        mesh, namespace, "load", "cluster.outbound.80..echo.*ssl.(handshake|fail_verify|connection_error)"
    )
    assert sum(number for name, number in handshakes.items() if name.endswith("handshake")) > 20 * len(seen)
    assert sum(number for name, number in handshakes.items() if not name.endswith("handshake")) == 0
    dropped = stats(mesh, namespace, "load", "cx_destroy.*_with_active_rq$")
    assert sum(dropped.values()) == 0, dropped


@as_user
def test_no_request_fails_while_the_trust_domain_changes(mesh: Machine, namespace: str, load: Load):
    before = mesh.get("configmap", "istio", "-n", "istio-system")["data"]["mesh"]
    assert "trustDomain: cluster.local\n" in before
    moved = before.replace(
        "trustDomain: cluster.local\n", "trustDomain: new.example\ntrustDomainAliases: [cluster.local]\n"
    )
    try:
        configure(mesh, moved)
        mesh.wait("certificates of the new domain", lambda: "spiffe://new.example/" in certificates(mesh, namespace))
        load.goes_on("v1")
    finally:
        configure(mesh, f"{before}\ntrustDomainAliases: [new.example]\n")
    mesh.wait("certificates of the old domain", lambda: "spiffe://new.example/" not in certificates(mesh, namespace))
    load.goes_on("v1")
    configure(mesh, before)
    load.goes_on("v1")
    assert load.counts()["errors"] == []


def configure(mesh: Machine, text: str) -> None:
    """Have this mesh configuration."""
    patch = json.dumps({"data": {"mesh": text}})
    mesh.kubectl("patch", "configmap/istio", "-n", "istio-system", "--type=merge", "-p", patch)


def certificates(mesh: Machine, namespace: str) -> str:
    """What the load's sidecar proves to be."""
    asked = ("pilot-agent", "request", "GET", "/certs")
    return mesh.kubectl("exec", "-n", namespace, "load", "-c", "istio-proxy", "--", *asked)


@as_user
def test_keys_are_in_their_own_pods_and_nowhere_else(mesh: Machine, namespace: str, load: Load):
    keys = "/var/run/secrets/semafor.io/keys"
    names = [pod["metadata"]["name"] for pod in mesh.get("pods", "-n", namespace)["items"]]
    digests = [
        mesh.kubectl("exec", "-n", namespace, pod, "-c", "istio-proxy", "--", "sh", "-c", f"sha256sum {keys}/*")
        for pod in names
    ]
    assert len({line.split()[0] for text in digests for line in text.splitlines()}) >= len(names)
    app = mesh.kubectl("exec", "-n", namespace, "load", "-c", "load", "--", "sh", "-c", f"ls {keys} 2>&1 || true")
    assert "No such file" in app
    on_disk = [path for folder in ("logs", "pods", "run") for path in (mesh.home / folder).rglob("*") if path.is_file()]
    assert [path for path in on_disk if b"PRIVATE KEY" in path.read_bytes()] == []


def test_a_rotation_goes_on_when_the_daemon_is_killed_in_it(alone: Machine):
    alone.semafor("up", "--profile", "minimal")
    alone.kubectl("label", "namespace", "default", "istio-injection=enabled")
    deploy(alone, "default", "v1")
    before = status(alone)["signer"]["id"]
    # A proxy that hears nothing holds the rotation up, for as long as gRPC takes to give it up.
    alone.kubectl("exec", "caller", "-c", "istio-proxy", "--", "sh", "-c", STOP_ENVOY)
    alone.semafor("ca", "rotate", "--no-wait")
    alone.wait("the first step", lambda: status(alone)["phase"] != "stable")
    kill_daemon(alone)
    alone.wait("all processes have ended", lambda: not alone.processes(), timeout_s=30)
    alone.semafor("up", "--profile", "minimal")
    found = alone.wait("the end of the rotation", lambda: (one := status(alone))["phase"] == "stable" and one)
    assert found["signer"]["id"] != before
    assert [root["id"] for root in found["trusted"]] == [found["signer"]["id"]]
    alone.kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=echo", "--timeout=60s")
