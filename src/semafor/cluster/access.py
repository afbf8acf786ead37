"""How to reach the API of a cluster, and what proves who asks: a kubeconfig, or the credentials of a pod.

Source: Kubernetes' page "Organizing Cluster Access Using kubeconfig Files"; client.authentication.k8s.io/v1.
"""

import asyncio
import base64
import binascii
import json
import os
import ssl
from collections.abc import AsyncGenerator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from semafor.base import clock
from semafor.base.struct import Value

Doc = dict[str, Any]

POD_FOLDER: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_EARLIER: Final = timedelta(seconds=30)  # than it expires, a token of a program's is asked for anew


class AccessError(Exception):
    """No way to a cluster; the message says what is missing."""


class Access(Value):
    """Where the API is, whom to trust there, and one of the proofs: a token, a file with one, a certificate, a program.

    Certificates and keys are PEM. `command` is the `exec` entry of a kubeconfig's user. `name` is for people.
    """

    server: str
    name: str = ""
    ca: bytes = b""
    server_name: str = ""
    token: str = ""
    token_file: str = ""
    certificate: bytes = b""
    key: bytes = b""
    command: Doc | None = None

    def __repr__(self) -> str:
        return f"Access({self.server!r}, proof=redacted)"


def in_cluster(environment: Mapping[str, str], folder: Path = POD_FOLDER) -> Access:
    """That of a pod's service account. Raises AccessError outside of pods."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT", "443")
    token = folder / "token"
    if not host or not token.exists():
        raise AccessError("this is no pod of a cluster, so say which one: --kubeconfig FILE")
    host = f"[{host}]" if ":" in host else host
    return Access(f"https://{host}:{port}", "in-cluster", ca=(folder / "ca.crt").read_bytes(), token_file=str(token))


def of(config: Doc, context: str = "", folder: Path = Path()) -> Access:
    """That of a kubeconfig's context, the current one unless named. Relative paths begin at `folder`.

    Raises AccessError.
    """
    name = context or config.get("current-context", "")
    where = _named(config, "contexts", name, "context")
    cluster = _named(config, "clusters", where.get("cluster", ""), "cluster")
    user = _named(config, "users", where.get("user", ""), "user") if where.get("user") else {}
    if cluster.get("insecure-skip-tls-verify"):
        raise AccessError(f"cluster {where['cluster']}: insecure-skip-tls-verify is refused; give its authority")
    if refused := {"username", "auth-provider"} & user.keys():
        raise AccessError(f"user {where['user']}: {' and '.join(refused)} went out of Kubernetes; use exec or a token")
    token_file = user.get("tokenFile", "")
    return Access(
        server=str(cluster.get("server", "")),
        name=name,
        ca=_bytes(cluster, "certificate-authority", folder),
        server_name=cluster.get("tls-server-name", ""),
        token=user.get("token", ""),
        token_file=str(folder / token_file) if token_file else "",
        certificate=_bytes(user, "client-certificate", folder),
        key=_bytes(user, "client-key", folder),
        command=user.get("exec"),
    )


def _named(config: Doc, part: str, name: str, inner: str) -> Doc:
    for each in config.get(part) or ():
        if each.get("name") == name:
            found: Doc = each.get(inner) or {}
            return found
    raise AccessError(f"the kubeconfig has no {inner} {name!r}")


def _bytes(entry: Doc, key: str, folder: Path) -> bytes:
    if data := entry.get(f"{key}-data"):
        try:
            return base64.b64decode(data)
        except binascii.Error as error:
            raise AccessError(f"{key}-data of the kubeconfig is not base64: {error}") from None
    path = entry.get(key)
    if not path:
        return b""
    try:
        return (folder / str(path)).read_bytes()
    except OSError as error:
        raise AccessError(f"{key} of the kubeconfig: {error}") from None


def tls(access: Access) -> ssl.SSLContext:
    """TLS with the cluster's authority, and with a certificate where that is the proof. Raises AccessError."""
    try:
        made = ssl.create_default_context(cadata=access.ca.decode() if access.ca else None)
        if access.certificate:
            _load(made, access.certificate + b"\n" + access.key)
    except ssl.SSLError as error:
        raise AccessError(f"the certificates of the kubeconfig cannot be used: {error}") from None
    return made


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    """From a file in memory: a key is never written to disk, and ssl reads files only."""
    file = os.memfd_create("client")
    try:
        with os.fdopen(os.dup(file), "wb") as writer:
            writer.write(pem)
        context.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)


class Proof(httpx.Auth):
    """The token in each request: read from its file each time, as that is replaced; asked of its program when due."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._told = ""
        self._until: datetime | None = None

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if token := await self._token():
            request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED and self._access.command:
            self._told = ""
            request.headers["Authorization"] = f"Bearer {await self._token()}"
            yield request

    async def _token(self) -> str:
        if self._access.token_file:
            return Path(self._access.token_file).read_text().strip()  # noqa: ASYNC240 a few bytes in memory
        if self._access.command is None:
            return self._access.token
        if not self._told or (self._until and clock.now() >= self._until - _EARLIER):
            await self._ask(self._access.command)
        return self._told

    async def _ask(self, command: Doc) -> None:
        own = {each["name"]: each["value"] for each in command.get("env") or ()}
        wanted = {"apiVersion": command.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
        process = await asyncio.create_subprocess_exec(
            command["command"],
            *(command.get("args") or ()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **own, "KUBERNETES_EXEC_INFO": json.dumps(wanted)},
        )
        output, _ = await process.communicate()
        try:
            status = json.loads(output)["status"]
            self._told = status["token"]
            until = status.get("expirationTimestamp")
            self._until = datetime.fromisoformat(until) if until else None
        except (ValueError, LookupError, TypeError):
            raise AccessError(f"{command['command']} gave no token (it ended with {process.returncode})") from None
