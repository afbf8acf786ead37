"""A real Kubernetes without nodes: etcd, kube-apiserver and kube-controller-manager as ordinary processes.

`make kubernetes` builds them from their published Go modules. Pods are objects here that nobody runs, but whom the
tests run.
"""

import os
import secrets
import socket
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

import httpx
import yaml

FOLDER = Path(os.environ.get("SEMAFOR_KUBERNETES", Path.home() / ".cache/semafor-kubernetes"))
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
SERVICES = "10.96.0.0/16"


def missing() -> str:
    """Why there can be no Kubernetes here; empty when there can."""
    absent = [name for name in PROGRAMS if not (FOLDER / name).exists()]
    return f"{' and '.join(absent)} not in {FOLDER}: make kubernetes" if absent else ""


def _free(address: str, wanted: int = 0) -> int:
    """A port that nobody listens on: the wanted one if it can be."""
    with socket.socket() as tried:
        try:
            tried.bind((address, wanted))
        except OSError:
            return _free(address)
        return int(tried.getsockname()[1])


class Kubernetes:
    """The servers, on the address given. `kubeconfig` is the administrator's."""

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self._folder = folder
        self._address = address
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._port, self._store, self._peers = _free(address, 6443), _free("127.0.0.1"), _free("127.0.0.1")
        self._disabled = "ServiceAccount"
        self.server = f"https://{address}:{self._port}"
        self.kubeconfig = folder / "admin.kubeconfig"
        self._token = secrets.token_hex(16)

    def start(self) -> None:
        """Wait until the API answers, with the controllers behind it."""
        self._start_bare()
        key, config = self._folder / "sa.key", f"--kubeconfig={self.kubeconfig}"
        self._run(
            "kube-controller-manager", config, f"--service-account-private-key-file={key}",
            f"--root-ca-file={self._folder}/apiserver.crt", "--controllers=*,-nodelifecycle,-taint-eviction-controller",
        )  # fmt: skip

    def start_bare(self) -> None:
        """The API with its store, and nobody who does anything; pods get accounts, as in a real cluster."""
        self._disabled = ""
        self._start_bare()

    def _start_bare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        key = self._folder / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        (self._folder / "tokens.csv").write_text(f"{self._token},admin,admin,system:masters\n")
        self.start_etcd()
        self.start_api()
        self._write_kubeconfig()

    def start_etcd(self) -> None:
        peers, clients = f"http://127.0.0.1:{self._peers}", f"http://127.0.0.1:{self._store}"
        self._run(
            "etcd", f"--data-dir={self._folder}/etcd", f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}", f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=default={peers}", "--unsafe-no-fsync=true",
            "--log-level=error",
        )  # fmt: skip

    def start_api(self) -> None:
        key = f"{self._folder}/sa.key"
        self._run(
            "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self._store}", f"--cert-dir={self._folder}",
            f"--bind-address={self._address}", f"--advertise-address={self._advertised}", f"--secure-port={self._port}",
            f"--token-auth-file={self._folder}/tokens.csv", "--authorization-mode=RBAC",
            f"--service-cluster-ip-range={SERVICES}", "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={key}", f"--service-account-key-file={key}",
            f"--disable-admission-plugins={self._disabled}", "--allow-privileged=true",
        )  # fmt: skip
        self.wait()

    def client(self) -> httpx.Client:
        """For requests of the administrator's."""
        context = ssl.create_default_context(cafile=str(self._folder / "apiserver.crt"))
        context.check_hostname = False
        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": "session"}
        return httpx.Client(base_url=self.server, verify=context, headers=headers, timeout=60)

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
