"""Asking a container how it is: HTTP, TCP, gRPC and exec probes, and the same for lifecycle hooks.

Connections are made inside the pod's network namespace and pass by its sidecar, as the kubelet's do. Messages are
those of the kubelet, which people know from `kubectl describe`. Source: k8s.io/kubernetes/pkg/probe.
"""

import asyncio
import os
import socket as sockets
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from semafor.base.struct import Value
from semafor.kube.api.node import Process
from semafor.kube.node import grpc_health
from semafor.kube.node.spec import RuntimeFailure

Json = dict[str, Any]

MAX_BODY = 10 * 1024  # how much of an answer or of a command's output is kept
MAX_REDIRECTS = 10
AGENT = "kube-probe/1.32"


class Verdict(Value):
    """What a probe found; `message` is for people and may be empty."""

    ok: bool
    message: str = ""


class Reach(Protocol):
    """How to get into the pod: the part of the runtime that probes need."""

    async def connect(self, uid: str, host: str, port: int) -> sockets.socket: ...

    async def exec(self, uid: str, container: str, argv: list[str], *, tty: bool, stdin: bool) -> Process: ...


class Target(Value):
    """Where a probe goes. `ports` are the container's named ports."""

    uid: str
    container: str
    ip: str
    ports: tuple[tuple[str, int], ...] = ()


def target(pod: Json, container: Json, ip: str) -> Target:
    ports = tuple((port["name"], port["containerPort"]) for port in container.get("ports") or [] if port.get("name"))
    return Target(uid=pod["metadata"]["uid"], container=container["name"], ip=ip, ports=ports)


async def probe(reach: Reach, where: Target, spec: Json) -> Verdict:
    """Run one probe within its `timeoutSeconds`. Never raises for what the container does."""
    timeout_s = float(spec.get("timeoutSeconds") or 1)
    for kind, run in _KINDS.items():
        if kind in spec:
            verdict: Verdict = await run(reach, where, spec[kind], timeout_s)
            return verdict
    return Verdict(ok=False, message="the probe names no httpGet, tcpSocket, grpc or exec")


def port_number(where: Target, port: int | str) -> int:
    """The number of a port given by number or by the name of a container's port. Raises ValueError."""
    if isinstance(port, int):
        return port
    named = dict(where.ports).get(port)
    if named is not None:
        return named
    if port.isdigit():
        return int(port)
    raise ValueError(f"couldn't find port {port!r} in container {where.container!r}")


@asynccontextmanager
async def _connected(
    reach: Reach, where: Target, host: str, port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    try:
        connected = await reach.connect(where.uid, host, port)
    except OSError as error:
        why = os.strerror(error.errno).lower() if error.errno else str(error)
        raise ConnectionError(f"dial tcp {host}:{port}: connect: {why}") from error
    connected.setblocking(False)  # noqa: FBT003
    options: Json = {"ssl": tls, "server_hostname": host} if tls else {}
    reader, writer = await asyncio.open_connection(sock=connected, **options)
    try:
        yield reader, writer
    finally:
        writer.close()


async def _tcp(reach: Reach, where: Target, spec: Json, timeout_s: float) -> Verdict:
    host = spec.get("host") or where.ip
    try:
        async with asyncio.timeout(timeout_s):
            async with _connected(reach, where, host, port_number(where, spec["port"])):
                return Verdict(ok=True)
    except TimeoutError:
        return Verdict(ok=False, message=f"dial tcp {host}:{spec['port']}: i/o timeout")
    except (OSError, ValueError, RuntimeFailure) as error:
        return Verdict(ok=False, message=str(error))


# HTTP


class _Response(Value):
    status: int
    location: str
    body: bytes


async def _http(reach: Reach, where: Target, spec: Json, timeout_s: float) -> Verdict:
    url = ""
    try:
        url = _url(where, spec)
        async with asyncio.timeout(timeout_s):
            return await _follow(reach, where, url, spec.get("httpHeaders") or [])
    except TimeoutError:
        words = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return Verdict(ok=False, message=f'Get "{url}": {words}')
    except asyncio.IncompleteReadError:
        return Verdict(ok=False, message=f'Get "{url}": EOF')
    except (OSError, ValueError, RuntimeFailure) as error:
        return Verdict(ok=False, message=f'Get "{url}": {error}')


def _url(where: Target, spec: Json) -> str:
    scheme = (spec.get("scheme") or "HTTP").lower()
    path = spec.get("path") or "/"
    host = spec.get("host") or where.ip
    slash = "" if path.startswith("/") else "/"
    return f"{scheme}://{host}:{port_number(where, spec['port'])}{slash}{path}"


async def _follow(reach: Reach, where: Target, url: str, headers: list[Json]) -> Verdict:
    """Redirects are followed on the same host; one to another host is a success, because the app has answered."""
    for _ in range(MAX_REDIRECTS):
        response = await _get(reach, where, url, headers)
        if not (300 <= response.status < 400 and response.location):
            break
        onward = urljoin(url, response.location)
        if urlsplit(onward).hostname != urlsplit(url).hostname:
            return Verdict(ok=True, message=f"Probe terminated redirects, Response body: {_text(response.body)}")
        url = onward
    ok = 200 <= response.status < 400
    return Verdict(ok=ok, message="" if ok else f"HTTP probe failed with statuscode: {response.status}")


async def _get(reach: Reach, where: Target, url: str, headers: list[Json]) -> _Response:
    parts = urlsplit(url)
    host, port = parts.hostname or where.ip, parts.port or (443 if parts.scheme == "https" else 80)
    tls = _unverified() if parts.scheme == "https" else None
    async with _connected(reach, where, host, port, tls) as (reader, writer):
        writer.write(_request(parts.path + (f"?{parts.query}" if parts.query else ""), f"{host}:{port}", headers))
        head = await _head(reader)
        body = await reader.read(MAX_BODY)
    return _response(head, body)


def _unverified() -> ssl.SSLContext:
    """As the kubelet does: a probe asks whether the app answers, not who it is."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _request(path: str, authority: str, headers: list[Json]) -> bytes:
    given = {header["name"].lower(): header for header in headers}
    usual = (("Host", authority), ("User-Agent", AGENT), ("Accept", "*/*"), ("Connection", "close"))
    lines = [f"{name}: {value}" for name, value in usual if name.lower() not in given]
    lines += [f"{header['name']}: {header.get('value', '')}" for header in headers]
    return "\r\n".join([f"GET {path or '/'} HTTP/1.1", *lines, "", ""]).encode()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise ValueError("the response's headers are too long") from error


def _response(head: bytes, body: bytes) -> _Response:
    status_line, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = status_line.partition(" ")
    if not version.startswith("HTTP/") or not rest[:3].isdigit():
        raise ValueError(f"malformed HTTP response {status_line[:60]!r}")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return _Response(status=int(rest[:3]), location=headers.get("location", ""), body=body)


def _text(data: bytes) -> str:
    return data[:MAX_BODY].decode(errors="replace").strip()


# gRPC


async def _grpc(reach: Reach, where: Target, spec: Json, timeout_s: float) -> Verdict:
    port, service = int(spec["port"]), spec.get("service") or ""
    try:
        async with asyncio.timeout(timeout_s):
            async with _connected(reach, where, where.ip, port) as (reader, writer):
                answer = await _check(reader, writer, grpc_health.question(service, f"{where.ip}:{port}"))
    except TimeoutError:
        return Verdict(
            ok=False, message=f'timeout: failed to connect service "{where.ip}:{port}" within {timeout_s:g}s'
        )
    except (OSError, RuntimeFailure) as error:
        return Verdict(ok=False, message=f'error: this server does not answer at "{where.ip}:{port}": {error}')
    if answer.status == grpc_health.SERVING:
        return Verdict(ok=True)
    status = "an error" if answer.status is None else f"status {answer.status}"
    return Verdict(ok=False, message=f"service unhealthy (responded with {status})")


async def _check(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, question: bytes) -> grpc_health.Answer:
    answer = grpc_health.Answer()
    writer.write(question)
    while answer.status is None and not answer.closed and (data := await reader.read(MAX_BODY)):
        writer.write(answer.feed(data))
    return answer


# exec


async def _exec(reach: Reach, where: Target, spec: Json, timeout_s: float) -> Verdict:
    argv = [str(word) for word in spec.get("command") or []]
    try:
        process = await reach.exec(where.uid, where.container, argv, tty=False, stdin=False)
    except (OSError, RuntimeFailure) as error:
        return Verdict(ok=False, message=str(error))
    try:
        async with asyncio.timeout(timeout_s):
            output, code = await asyncio.gather(_output(process), process.wait())
    except TimeoutError:
        process.kill()
        return Verdict(ok=False, message=f"command timed out: {argv!r} timed out after {timeout_s:g}s")
    return Verdict(ok=code == 0, message="" if code == 0 else _text(output) or f"exit code {code}")


async def _output(process: Process) -> bytes:
    """Standard output and standard error, as far as anybody will read them."""
    kept = bytearray()

    async def collect(stream: AsyncIterator[bytes]) -> None:
        async for chunk in stream:
            kept.extend(chunk[: max(0, MAX_BODY - len(kept))])

    await asyncio.gather(collect(process.stdout), collect(process.stderr))
    return bytes(kept)


_KINDS: dict[str, Callable[[Reach, Target, Json, float], Any]] = {
    "httpGet": _http,
    "tcpSocket": _tcp,
    "grpc": _grpc,
    "exec": _exec,
}


async def hook(reach: Reach, where: Target, spec: Json, timeout_s: float) -> Verdict:
    """Run a lifecycle hook: exec, httpGet, sleep, or tcpSocket (which Kubernetes accepts and does nothing for)."""
    if "sleep" in spec:
        await asyncio.sleep(min(float(spec["sleep"].get("seconds") or 0), timeout_s))
        return Verdict(ok=True)
    if "exec" in spec:
        return await _exec(reach, where, spec["exec"], timeout_s)
    if "httpGet" in spec:
        return await _http(reach, where, spec["httpGet"], timeout_s)
    return Verdict(ok=True)
