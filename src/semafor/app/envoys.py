"""The two Envoys that belong to no pod: the node's, in the pods' network, and the host's, which leads out of it."""

import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path

from semafor.app import proxies, tether
from semafor.app.home import Home
from semafor.envoy import bootstrap
from semafor.kube.node.runtime import Runtime
from semafor.kube.node.spec import NODE_UID, Container, Exit

log = logging.getLogger(__name__)

_NODE_CONTAINER = "envoy"
_RESTART_AFTER_S = 0.5
_STOP_TIMEOUT_S = 2.0


class Envoys:
    """Starts both, and starts them again when they end. `exit_socket` is where the node's hands over what leaves."""

    def __init__(self, home: Home, envoy: Path, tokens: proxies.ProxyTokens) -> None:
        self.exit_socket = home.sockets / "exit.sock"
        self._home = home
        self._envoy = str(envoy)
        self._tokens = tokens
        self._node_ended = asyncio.Event()

    def node_ended(self, exit_: Exit) -> None:
        """The runtime tells of every end in the node's own sandbox."""
        if exit_.uid == NODE_UID and exit_.container == _NODE_CONTAINER:
            self._node_ended.set()

    async def run_node(self, runtime: Runtime) -> None:
        """Keep the node's Envoy running, for ever."""
        while True:
            config = self._config(proxies.NODE)
            config.write_bytes(bootstrap.node(self._options(proxies.NODE)))
            self._node_ended.clear()
            argv = bootstrap.argv(self._envoy, str(config))
            path = str(self._home.logs / "node-envoy.log")
            await runtime.run_node(Container(name=_NODE_CONTAINER, argv=argv, log_path=path, privileged_net=True))
            await self._node_ended.wait()
            log.error("the node's Envoy ended and is started again; see %s", path)
            await asyncio.sleep(_RESTART_AFTER_S)

    async def run_host(self) -> None:
        """Keep the host's Envoy running, for ever; it ends with this task, and with the daemon."""
        config = self._config(proxies.HOST)
        while True:
            self.exit_socket.unlink(missing_ok=True)
            config.write_bytes(bootstrap.host(self._options(proxies.HOST), exit_socket=str(self.exit_socket)))
            with (self._home.logs / "host-envoy.log").open("ab") as output:
                argv = (
                    sys.executable,
                    "-IS",
                    tether.__file__,
                    str(os.getpid()),
                    *bootstrap.argv(self._envoy, str(config)),
                )
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env={},
                    start_new_session=True,
                )
            try:
                await process.wait()
            finally:
                await _ended(process)
            log.error("the host's Envoy ended and is started again; see %s", self._home.logs / "host-envoy.log")
            await asyncio.sleep(_RESTART_AFTER_S)

    def _options(self, proxy: str) -> bootstrap.Bootstrap:
        self._tokens.revoke(proxy)
        return bootstrap.Bootstrap(
            node_id=f"{proxy}~~{proxy}~",
            cluster=proxy,
            token=self._tokens.mint(proxy),
            xds_socket=str(self._home.sockets / "xds.sock"),
            admin_socket=str(self._home.sockets / f"{proxy}-admin.sock"),
        )

    def _config(self, proxy: str) -> Path:
        """The bootstrap holds a token: its file is its owner's alone."""
        path = self._home.sockets / f"{proxy}-envoy.json"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        return path


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End the process if it still runs: politely, then not."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
