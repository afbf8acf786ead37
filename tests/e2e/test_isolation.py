"""What a pod must not reach, tried by a hostile program in one; and what the mesh opens on the machine."""

import contextlib
import http.server
import json
import os
import socket
import stat
import threading
from pathlib import Path

import pytest
from tests.e2e.machine import Machine

from semafor.xds import server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

PROGRAM = Path(__file__).parent / "programs" / "hostile.py"
SECRET, CANARY = "what-listens-on-loopback", "canary-of-the-victim"
PODS = f"""
apiVersion: v1
kind: Secret
metadata: {{name: canary}}
stringData: {{{CANARY}: sweet}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: own}}
data: {{a: b}}
---
apiVersion: v1
kind: Pod
metadata: {{name: victim, labels: {{app: victim}}}}
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{{name: scratch, emptyDir: {{}}}}, {{name: secret, secret: {{secretName: canary}}}}]
  containers:
  - name: app
    image: python
    command: [sh, -c, "touch /scratch/{CANARY}; echo {CANARY}; exec python -m http.server 8080"]
    volumeMounts: [{{name: scratch, mountPath: /scratch}}, {{name: secret, mountPath: /secret}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: hostile}}
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{{name: own, configMap: {{name: own}}}}]
  containers:
  - {{name: app, image: python, command: [sleep, infinity], volumeMounts: [{{name: own, mountPath: /own}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: bare, labels: {{sidecar.istio.io/inject: "false"}}}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{{name: app, image: python, command: [sleep, infinity]}}]
---
apiVersion: v1
kind: Pod
metadata:
  name: gateway
  labels: {{sidecar.istio.io/inject: "true"}}
  annotations: {{inject.istio.io/templates: gateway}}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {{runAsUser: 1337, runAsGroup: 1337, runAsNonRoot: true}}
  containers: [{{name: istio-proxy, image: auto}}]
"""


@contextlib.contextmanager
def on_loopback():
    """A service of this machine that is meant for this machine alone; yields its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(SECRET.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def addresses() -> list[str]:
    """Of this machine, as far as others reach it by them; and the node's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        return ["10.244.0.1", str(probe.getsockname()[0])]
    return ["10.244.0.1"]


@pytest.fixture
def pods(mesh: Machine, namespace: str) -> str:
    mesh.apply(PODS, "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod", "--all", "-n", namespace, "--timeout=60s")
    return namespace


def said_by(mesh: Machine, namespace: str, pod: str, port: int) -> dict[str, object]:
    victim = mesh.kubectl("get", "pod", "victim", "-n", namespace, "-o", "jsonpath={.status.podIP}")
    settings = {
        "paths": [str(mesh.home), str(mesh.folder / "user"), str(Path.home() / ".ssh"), str(Path.home() / ".kube")],
        "secret": SECRET,
        "canary": CANARY,
        "other": victim,
        "port": port,
        "addresses": addresses(),
        "hunt_s": 3,
    }
    into = ("exec", "-i", "-n", namespace, pod, "-c", "app", "--", "env", f"ATTACK={json.dumps(settings)}")
    more = [mesh.start("kubectl", "exec", "-n", namespace, pod, "-c", "app", "--", "true") for _ in range(4)]
    try:
        return dict(json.loads(mesh.run("kubectl", *into, "python", "-", input=PROGRAM.read_text()).stdout))
    finally:
        for process in more:
            process.wait(60)


@pytest.mark.parametrize("pod", ["hostile", "bare"])
def test_a_hostile_pod_gets_nowhere(mesh, pods, pod):
    with on_loopback() as port:
        said = said_by(mesh, pods, pod, port)
    got = {name: answer for name, answer in said.items() if not all(one.startswith("no") for one in answers_of(answer))}
    assert got == {}
    assert len(said) > 35


def answers_of(answer: object) -> list[str]:
    return [str(one) for one in answer] if isinstance(answer, list) else [str(answer)]


def test_every_socket_is_its_owners_alone(mesh):
    owner = mesh.home.stat().st_uid
    walked = os.walk(mesh.home)  # which, unlike rglob, does not mind that pods of other tests end meanwhile
    found = (Path(folder, name) for folder, _, names in walked for name in names)
    sockets = [path for path in found if path.is_socket()]
    assert {"xds.sock", "debug.sock", "exit.sock", "node-admin.sock", "host-admin.sock"} <= {
        each.name for each in sockets
    }
    for path in sockets:
        status, folder = path.lstat(), path.parent.lstat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, owner), path
        assert (stat.S_IMODE(folder.st_mode), folder.st_uid) == (0o700, owner), path
    assert stat.S_IMODE(mesh.home.stat().st_mode) == 0o700


STOLEN = """
import sys, grpc
path, token, method = sys.argv[1:]
with grpc.insecure_channel("unix:" + path) as channel:
    call = channel.stream_stream(method)(iter([b""]), metadata=(("authorization", "Bearer " + token),), timeout=60)
    try:
        next(call)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
"""


def test_a_proxys_token_is_worth_nothing_outside_of_its_pod(mesh, pods):
    read = ("exec", "-n", pods, "victim", "-c", "istio-proxy", "--", "cat", "/etc/istio/proxy/envoy.json")
    token = mesh.kubectl(*read).partition("Bearer ")[2].partition('"')[0]
    assert len(token) > 40
    for door in ("xds.sock", "within/xds.sock"):
        said = mesh.python(STOLEN, str(mesh.home / "run" / door), token, server.METHOD)
        assert said == "UNAUTHENTICATED this token stands for no proxy of this mesh\n"


def test_secrets_on_disk_are_their_owners_alone(mesh):
    open_to_others = [
        path
        for path in (*mesh.home.glob("*"), *(mesh.home / "ca").glob("*"), *(mesh.home / "run").glob("*.json"))
        if path.is_file() and path.suffix in ("", ".json", ".pem", ".db") and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    assert [path.name for path in open_to_others if b"PRIVATE" in path.read_bytes() or path.name == "kubeconfig"] == []


def test_the_mesh_listens_on_loopback_only(mesh):
    ours = {inode for pid in daemon_and_children(mesh) for inode in sockets_of(pid)}
    listening = {inode: address for inode, address in listeners() if inode in ours}
    assert listening  # the API at least
    assert [address for address in listening.values() if not address.startswith("127.")] == []


def daemon_and_children(mesh: Machine) -> list[int]:
    """The processes of the mesh that are in this machine's own network namespace."""
    daemon = json.loads((mesh.home / "state.json").read_text())["pid"]
    found, here = [daemon], Path("/proc/self/ns/net").readlink()
    for parent in found:
        for thread in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(pid) for pid in thread.read_text().split()]
    return [pid for pid in found if Path(f"/proc/{pid}/ns/net").readlink() == here]


def sockets_of(pid: int) -> list[str]:
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(str(entry.readlink()))
    return [link[8:-1] for link in links if link.startswith("socket:[")]


def listeners() -> list[tuple[str, str]]:
    """(inode, address) of every socket of this network namespace that takes connections or datagrams."""
    found = []
    for name, states in (("tcp", ("0A",)), ("tcp6", ("0A",)), ("udp", ("07",)), ("udp6", ("07",))):
        for line in Path(f"/proc/self/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] in states:
                packed = bytes.fromhex(words[1].split(":")[0])
                groups = b"".join(packed[index : index + 4][::-1] for index in range(0, len(packed), 4))
                family = socket.AF_INET if len(groups) == 4 else socket.AF_INET6
                found.append((words[9], socket.inet_ntop(family, groups)))
    return found
