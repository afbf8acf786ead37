"""A real Kubernetes without nodes: etcd, kube-apiserver and kube-controller-manager as ordinary processes.

`make kubernetes` builds them from their published Go modules. Pods are objects here that nobody runs, but whom the
tests run.
"""

import os
import secrets
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

import yaml

FOLDER = Path(os.environ.get("SEMAFOR_KUBERNETES", Path.home() / ".cache/semafor-kubernetes"))
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
SERVICES = "10.96.0.0/16"


def missing() -> str:
    """Why there can be no Kubernetes here; empty when there can."""
    absent = [name for name in PROGRAMS if not (FOLDER / name).exists()]
    return f"{' and '.join(absent)} not in {FOLDER}: make kubernetes" if absent else ""


class Kubernetes:
    """The servers, on the address given. `kubeconfig` is the administrator's."""

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self._folder = folder
        self._address = address
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.server = f"https://{address}:6443"
        self.kubeconfig = folder / "admin.kubeconfig"
        self._token = secrets.token_hex(16)

    def start(self) -> None:
        """Wait until the API answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        key = self._folder / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        (self._folder / "tokens.csv").write_text(f"{self._token},admin,admin,system:masters\n")
        self.start_etcd()
        self.start_api()
        self._write_kubeconfig()
        config = f"--kubeconfig={self.kubeconfig}"
        self._run(
            "kube-controller-manager", config, f"--service-account-private-key-file={key}",
            f"--root-ca-file={self._folder}/apiserver.crt", "--controllers=*,-nodelifecycle,-taint-eviction-controller",
        )  # fmt: skip

    def start_etcd(self) -> None:
        peers = "http://127.0.0.1:23800"
        self._run(
            "etcd", f"--data-dir={self._folder}/etcd", "--listen-client-urls=http://127.0.0.1:23790",
            "--advertise-client-urls=http://127.0.0.1:23790", f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=default={peers}", "--unsafe-no-fsync=true",
            "--log-level=error",
        )  # fmt: skip

    def start_api(self) -> None:
        key = f"{self._folder}/sa.key"
        self._run(
            "kube-apiserver", "--etcd-servers=http://127.0.0.1:23790", f"--cert-dir={self._folder}",
            f"--bind-address={self._address}", f"--advertise-address={self._advertised}", "--secure-port=6443",
            f"--token-auth-file={self._folder}/tokens.csv", "--authorization-mode=RBAC",
            f"--service-cluster-ip-range={SERVICES}", "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={key}", f"--service-account-key-file={key}",
            "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true",
        )  # fmt: skip
        self.wait()

    @property
    def _advertised(self) -> str:
        return self._address if not self._address.startswith("127.") else "10.233.0.1"

    def wait(self, timeout_s: float = 240) -> None:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                context = ssl.create_default_context(cafile=str(self._folder / "apiserver.crt"))
                context.check_hostname = False
                request = urllib.request.Request(f"{self.server}/readyz")
                request.add_header("Authorization", f"Bearer {self._token}")
                if urllib.request.urlopen(request, context=context, timeout=5).status == 200:
                    return
            except OSError:
                pass
            ended = [name for name, process in self._processes.items() if process.poll() is not None]
            assert not ended, f"{ended} ended; see {self._folder}"
            assert time.monotonic() < deadline, f"the API is not ready; see {self._folder}"
            time.sleep(0.2)

    def kill(self, name: str) -> None:
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        for name in list(self._processes):
            self.kill(name)

    def _write_kubeconfig(self) -> None:
        cluster = {"server": self.server, "certificate-authority": str(self._folder / "apiserver.crt")}
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self._token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        }  # fmt: skip
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(yaml.safe_dump(config))

    def _run(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen([FOLDER / name, *arguments], stdout=log, stderr=log)
