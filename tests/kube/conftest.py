"""A running API with nothing behind it, and the real kubectl beside it."""

import asyncio
import contextlib
import ipaddress
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import ryaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from semafor.kube.api import serve, server, tokens
from semafor.kube.api.client import Client
from semafor.kube.api.node import Node
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import ADMINS, Admission, Options, TokenAsk, User
from semafor.kube.store import Store
from semafor.resources.rbac import rbac

# The plugin looptime asks for a loop before tests that have none, and would leave one open that asyncio makes for it.
asyncio.set_event_loop(None)

TOKEN = "test-admin-token"
VIEWER_TOKEN = "test-viewer-token"
USERS = {
    TOKEN: User(name="admin", groups=(ADMINS, "system:authenticated")),
    VIEWER_TOKEN: User(name="viewer", groups=("system:authenticated",)),
}


@dataclass(frozen=True)
class Result:
    """What a command said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Cluster:
    """The parts of a running API."""

    objects: Objects
    client: Client
    store: Store
    url: str
    home: Path

    async def kubectl(
        self, *args: str, stdin: str = "", check: bool = True, timeout_s: float = 30, **env: str
    ) -> Result:
        """Run the real kubectl; with `check`, fail the test when it fails."""
        process = await self.start(*args, **env)
        async with asyncio.timeout(timeout_s):
            out, err = await process.communicate(stdin.encode())
        result = Result(process.returncode or 0, out.decode(), err.decode())
        assert not check or result.code == 0, f"kubectl {' '.join(args)}: {result}"
        return result

    async def start(self, *args: str, **env: str) -> asyncio.subprocess.Process:
        """Start kubectl with pipes; the test ends it."""
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            "kubectl", *args, stdin=pipe, stdout=pipe, stderr=pipe, env=self._env(env), cwd=self.home
        )

    def _env(self, more: dict[str, str]) -> dict[str, str]:
        own = {"KUBECONFIG": str(self.home / "kubeconfig"), "HOME": str(self.home)}
        return {"PATH": os.environ["PATH"], **own, **more}


def mint(ask: TokenAsk) -> str:
    """A token that says what it is for."""
    return f"token-of-{ask.namespace}-{ask.service_account}"


def authenticate(token: str) -> User | None:
    """The two known users, and whoever a minted token names."""
    if token.startswith("token-of-"):
        namespace, _, name = token.removeprefix("token-of-").partition("-")
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        return User(name=f"system:serviceaccount:{namespace}:{name}", groups=groups)
    return tokens.known(USERS)(token)


@contextlib.asynccontextmanager
async def running(
    home: Path,
    *,
    node: Node | None = None,
    admission: Sequence[Admission] = (),
    http_protocol: type[asyncio.Protocol] | None = None,
    store: Store | None = None,
) -> AsyncIterator[Cluster]:
    """Serve the API on a free port, with a certificate and a kubeconfig in `home`."""
    store = store or Store.open(None)
    objects = Objects(store, admission=admission)
    app = server.app(objects, Options(authenticate=authenticate, mint=mint, node=node))
    certfile, keyfile = certificate(home)
    async with serve.serve(app, "127.0.0.1", 0, tls=serve.Tls(certfile, keyfile), http_protocol=http_protocol) as port:
        await furnish(Client(objects))
        url = f"https://127.0.0.1:{port}"
        (home / "kubeconfig").write_text(ryaml.dumps(kubeconfig(url, certfile)))
        yield Cluster(objects=objects, client=Client(objects), store=store, url=url, home=home)
    await store.close()


async def furnish(client: Client) -> None:
    """What every signed-in user may do is written in roles."""
    for document in ryaml.loads_all((files("semafor.system") / "roles.yaml").read_text(encoding="utf-8")):
        if document["metadata"]["name"] in ("system:basic-user", "system:discovery"):
            kind = rbac.CLUSTER_ROLE if document["kind"] == "ClusterRole" else rbac.CLUSTER_ROLE_BINDING
            await client.create(kind, document)


def kubeconfig(url: str, certfile: Path) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": str(certfile)}}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}, {"name": "viewer", "user": {"token": VIEWER_TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
    }


def certificate(home: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certfile, keyfile = home / "tls.crt", home / "tls.key"
    certfile.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    keyfile.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certfile, keyfile


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """A running API with an empty store; skipped where there is no kubectl."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    async with running(tmp_path) as made:
        yield made
