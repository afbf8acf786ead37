"""The agent in the proxy's container: gets a certificate, starts Envoy, renews the certificate, and ends both well.

    token (projected) ─▶ POST /v1/proxy ─▶ certificate, bootstrap ─▶ files ─▶ Envoy
                           ▲ at half-life ──────────────┘

It uses the standard library alone and holds no key in memory. While the control plane is away Envoy goes on with what
it has, and the agent asks again and again, later and later.
"""

import asyncio
import contextlib
import http.client
import json
import logging
import os
import random
import shutil
import signal
import ssl
import sys
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from semafor.app.cluster import drain

log = logging.getLogger("agent")

Doc = dict[str, Any]

_TOKEN: Final = "/var/run/secrets/tokens/istio-token"  # noqa: S105 a path; Istio's
_ROOT: Final = "/var/run/secrets/istio/root-cert.pem"
_FOLDER: Final = "/var/run/secrets/semafor.io/tls"
_TIMEOUT_S: Final = 10.0
_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 30.0
_IDENTITY, _TRUST = "default", "ROOTCA"  # the names of the secrets in the bootstrap
_SECRET: Final = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 a type's name


@dataclass(frozen=True)
class Settings:
    """What the container's environment says. `drain_s`: how long a proxy that ends lets its requests end."""

    control_plane: str
    token: Path
    root: Path
    folder: Path
    envoy: str
    lifetime: str
    log_level: str
    concurrency: int
    drain_s: float


def settings(environment: Mapping[str, str], log_level: str = "warning") -> Settings:
    """Raises KeyError when it is not said where the control plane is."""
    return Settings(
        control_plane=environment["CA_ADDR"],
        token=Path(environment.get("SEMAFOR_TOKEN", _TOKEN)),
        root=Path(environment.get("SEMAFOR_ROOT", _ROOT)),
        folder=Path(environment.get("SEMAFOR_TLS", _FOLDER)),
        envoy=environment.get("SEMAFOR_ENVOY", "/usr/local/bin/envoy"),
        lifetime=environment.get("SECRET_TTL", ""),
        log_level=log_level,
        concurrency=int(environment.get("ISTIO_CPU_LIMIT") or 1),
        drain_s=float(environment.get("TERMINATION_DRAIN_DURATION_SECONDS") or 5),
    )


class Refused(Exception):  # noqa: N818 - named for what the control plane did
    """The control plane says no, or nothing."""


class Agent:
    """One proxy's."""

    def __init__(self, known: Settings) -> None:
        self._settings = known
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let Envoy's requests end, then end."""
        self._stopping.set()

    async def run(self) -> int:
        """Until Envoy ends, or `stop`; the exit code."""
        told = await self._enrolled()
        if told is None:
            return 0
        path = self._settings.folder / "envoy.json"
        _write(path, told["bootstrap"].encode())
        envoy = await asyncio.create_subprocess_exec(
            *_argv(self._settings, path), env={**os.environ, **_words(told["bootstrap"])}, start_new_session=True
        )
        renewing = asyncio.create_task(self._renew(told["seconds"]))
        stopping = asyncio.create_task(self._stopping.wait())
        ended = asyncio.create_task(envoy.wait())
        await asyncio.wait((stopping, ended), return_when=asyncio.FIRST_COMPLETED)
        renewing.cancel()
        if not ended.done():
            await drain.drained(self._settings.drain_s)
            envoy.terminate()
        code = await ended
        stopping.cancel()
        return max(code, 0)

    async def _renew(self, seconds: float) -> None:
        """For ever: a new certificate at half of the life of the one before, not all of a fleet at once."""
        while True:
            await asyncio.sleep(seconds / 2 * random.uniform(0.8, 1.0))  # noqa: S311 no secret
            told = await self._enrolled()
            if told is None:
                return
            log.info("a new certificate, for %d s", told["seconds"])
            seconds = told["seconds"]

    async def _enrolled(self) -> Doc | None:
        """A certificate, in its files; asked for until there is one. None: stopped meanwhile."""
        failures = 0
        while not self._stopping.is_set():
            try:
                return await self._enrol()
            except (Refused, OSError, ValueError) as error:
                failures += 1
                wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**failures) * random.uniform(0.5, 1)  # noqa: S311
                log.warning("no certificate yet (%s); asking again in %.1f s", error, wait_s)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._stopping.wait()
        return None

    async def _enrol(self) -> Doc:
        folder = self._settings.folder / f"{random.getrandbits(64):016x}"
        folder.mkdir(mode=0o700)
        try:
            request = await _made_key(folder / "key.pem")
            told: Doc = await asyncio.to_thread(_ask, self._settings, request)
            (folder / "cert-chain.pem").write_text(told["certificate"])
            (folder / "root-cert.pem").write_text(told["roots"])
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _publish(self._settings.folder, folder)
        return told


async def _made_key(path: Path) -> bytes:
    argv = (sys.executable, "-m", "semafor.app.cluster.make_key", str(path))
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    request, _ = await process.communicate()
    if process.returncode:
        raise Refused("no key could be made")
    return request


def _ask(known: Settings, request: bytes) -> Doc:
    """One question to the control plane, whom the root proves. Raises Refused, OSError, ValueError."""
    where = urllib.parse.urlsplit(f"//{known.control_plane}")
    context = ssl.create_default_context(cafile=str(known.root))
    connection = http.client.HTTPSConnection(
        where.hostname or "", where.port or 15017, timeout=_TIMEOUT_S, context=context
    )
    body = {"request": request.decode(), "folder": str(known.folder), "lifetime": known.lifetime}
    headers = {"Authorization": f"Bearer {known.token.read_text().strip()}", "Content-Type": "application/json"}
    try:
        connection.request("POST", "/v1/proxy", json.dumps(body), headers)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise Refused(f"{response.status}: {content.decode(errors='replace')[:300]}")
    told: Doc = json.loads(content)
    return told


def _publish(folder: Path, made: Path) -> None:
    """Let `current` lead to the new files in one step, which Envoy sees; then forget the older ones."""
    current = folder / "current"
    before = current.resolve() if current.is_symlink() else None
    identity = {"certificate_chain": _file(current, "cert-chain.pem"), "private_key": _file(current, "key.pem")}
    if before is None:
        watched = {"watched_directory": {"path": str(folder)}}
        _write(folder / "identity.json", _secret(_IDENTITY, {"tls_certificate": identity | watched}))
        trust = {"trusted_ca": _file(current, "root-cert.pem")} | watched
        _write(folder / "roots.json", _secret(_TRUST, {"validation_context": trust}))
    fresh = folder / f".{made.name}"
    fresh.symlink_to(made.name)
    fresh.replace(current)
    if before is not None and before != made:
        shutil.rmtree(before, ignore_errors=True)


def _file(folder: Path, name: str) -> Doc:
    return {"filename": str(folder / name)}


def _secret(name: str, content: Doc) -> bytes:
    return json.dumps({"resources": [{"@type": _SECRET, "name": name, **content}]}).encode()


def _words(bootstrap: str) -> dict[str, str]:
    """What metrics call this workload, as variables: Envoy's formats can read those, and not what else it is told."""
    told = json.loads(bootstrap).get("node", {}).get("metadata", {})
    return {name: told[name] for name in told if name.startswith("SEMAFOR_")}


def _argv(known: Settings, config: Path) -> tuple[str, ...]:
    return (
        known.envoy,
        "-c",
        str(config),
        "--concurrency",
        str(known.concurrency),
        "--disable-hot-restart",
        "--log-level",
        known.log_level,
        "--component-log-level",
        "misc:error,wasm:off",
        "--log-format",
        "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n\t%v",
        "--drain-time-s",
        "5",
        "--drain-strategy",
        "immediate",
    )


def _write(path: Path, content: bytes) -> None:
    """The whole file or none, its owner's alone."""
    fresh = path.with_name(f".{path.name}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)


async def _main(known: Settings) -> int:
    agent = Agent(known)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, agent.stop)
    return await agent.run()


def main(arguments: list[str]) -> int:
    """`proxy sidecar|router [--log-level LEVEL]`"""
    logging.basicConfig(format="%(asctime)s\t%(levelname)s\t%(name)s\t%(message)s", level=logging.INFO)
    level = arguments[arguments.index("--log-level") + 1] if "--log-level" in arguments[:-1] else "warning"
    return asyncio.run(_main(settings(os.environ, level)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
