"""Pods as isolated local processes: what the kubelet calls. Everything below happens in the agent and the supervisors.

In: sandboxes and containers as values. Out: processes to talk to, and the stream of ends. It never decides what should
run, and restarts nothing.
"""

import asyncio
import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from semafor.kube.node import channel
from semafor.kube.node.channel import Json
from semafor.kube.node.peer import Peer
from semafor.kube.node.program import Attached, Command, Program
from semafor.kube.node.spec import NODE_UID, Container, Exit, Gone, NodeNetwork, RuntimeFailure, Sandbox
from semafor.kube.node.stdio import writable

STOP_TIMEOUT_S = 5.0
KILLED = 137  # the exit code of what went down with its pod: 128 + SIGKILL


class Runtime:
    """The node's processes. Call `start` from the main thread: what it starts dies with the thread that started it."""

    def __init__(
        self, directory: Path, network: NodeNetwork | None = None, *, agent: str = "semafor.kube.node.agent"
    ) -> None:
        """`directory` is a folder of our own: the agent's log is kept there, and containers' roots are mounted on it
        (in namespaces of their own, so that nobody else sees it). `agent` is the module that calls agent.main."""
        self._directory = directory
        self._module = agent
        self._stage = directory / "root"
        self.private = directory / "private"  # where a container finds its pod's private memory: to be mounted
        self._network = network or NodeNetwork()
        self._process: subprocess.Popen[bytes] | None = None
        self._ours: socket.socket | None = None  # our end of the channel, until somebody listens at it
        self._agent: Peer | None = None
        self._started: asyncio.Future[None] | None = None
        self._pods: dict[str, _Pod] = {}
        # Unbounded, yet never longer than there are containers: each ends once.
        self._exits: asyncio.Queue[Exit] = asyncio.Queue()
        self.lost = asyncio.Event()  # the agent died without being asked; all pods with it

    @property
    def many_users(self) -> bool:
        """Whether containers can run as other users than uid 0 (the daemon runs as root)."""
        return os.geteuid() == 0

    # ---- the agent

    def launch(self) -> None:
        """Have the agent load while the caller does something else; `start` does it when nobody did.

        Once it is running, the agent ends with the other end of its channel: with us, however we end.
        """
        for folder in (self._stage, self.private):
            folder.mkdir(parents=True, exist_ok=True)
        self._ours, theirs = channel.pair()
        with theirs, (self._directory / "agent.log").open("ab") as log:
            # -P: a file named like one of ours in the current folder must not be imported instead of it.
            argv = [sys.executable, "-P", "-m", self._module, str(theirs.fileno())]
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C at the daemon's terminal is the daemon's to handle
            )

    async def start(self) -> None:
        """Start the agent and its network, again when it was lost. Raises RuntimeFailure: what the machine refused."""
        self.lost.clear()
        self._pods.clear()
        self._started = asyncio.get_running_loop().create_future()
        if not self._ours:
            self.launch()  # vfork and exec: 1 ms
        assert self._ours
        self._agent, self._ours = Peer(self._ours, self._agent_event, self._agent_ended), None
        folders = {"stage": str(self._stage), "private": str(self.private)}
        await self._agent.send({"network": msgspec.to_builtins(self._network), **folders})
        await self._started

    async def stop(self) -> None:
        """End all pods, at once, and the agent. Nothing is left of them."""
        if self._agent:
            self._agent.close()
        if self._process:
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, STOP_TIMEOUT_S)
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
            self._process = None

    def _agent_event(self, event: Json) -> None:
        if self._started and not self._started.done():
            if event["event"] == "ready":
                self._started.set_result(None)
            else:
                self._started.set_exception(RuntimeFailure(event["message"]))

    def _agent_ended(self) -> None:
        self._agent = None
        self.lost.set()
        if self._started and not self._started.done():
            log = (self._directory / "agent.log").read_text(errors="replace")[-2000:]
            self._started.set_exception(RuntimeFailure(f"the node's agent ended while starting:\n{log}"))

    async def _ask_agent(self, body: Json, fds: Sequence[int] = ()) -> list[int]:
        if not self._agent:
            raise Gone("the node's agent is not running")
        return (await self._agent.request(body, fds)).fds

    # ---- pods

    async def create(self, sandbox: Sandbox) -> None:
        """Make a pod's namespaces and network. Raises RuntimeFailure; then nothing is left of it."""
        if sandbox.uid in self._pods:
            raise RuntimeFailure(f"sandbox {sandbox.uid} exists already")
        ours, theirs = channel.pair()
        pod = _Pod(sandbox.uid, ours, self._exits)
        self._pods[sandbox.uid] = pod
        try:
            with theirs:
                request = {"op": "create", "sandbox": msgspec.to_builtins(sandbox)}
                await self._ask_agent(request, [theirs.fileno()])
            await pod.ready
        except BaseException:
            await self.remove(sandbox.uid)
            raise

    async def remove(self, uid: str) -> None:
        """Kill what runs in a pod and free its namespaces and address. Removing what is not there is allowed."""
        pod = self._pods.pop(uid, None)
        if pod:
            pod.peer.close()
            with suppress(Gone):
                await self._ask_agent({"op": "remove", "uid": uid})

    async def run(self, uid: str, container: Container) -> None:
        """Start a container; returns when its program has started. Raises StartError, Gone."""
        await self._pod(uid).run(container)

    async def run_node(self, container: Container) -> None:
        """Start a process in the node's own network namespace; its end comes with the uid NODE_UID."""
        if NODE_UID not in self._pods:
            await self.create(Sandbox(uid=NODE_UID, name="node", namespace="", hostname="", ip=""))
        await self.run(NODE_UID, container)

    async def signal(self, uid: str, container: str, signal: int) -> None:
        """Signal a container's main process; SIGKILL kills all of its processes. Raises Gone."""
        await self._pod(uid).peer.request({"op": "signal", "container": container, "signal": signal})

    async def exec(
        self,
        uid: str,
        container: str,
        argv: Sequence[str],
        *,
        tty: bool,
        stdin: bool,
        env: Sequence[tuple[str, str]] = (),
        cwd: str | None = None,
    ) -> Program:
        """Start one more program in a running container. `env` is added to the container's. Raises StartError, Gone."""
        body = {"container": container, "argv": list(argv), "tty": tty, "env": dict(env), "cwd": cwd or ""}
        return await self._pod(uid).exec(body, stdin=stdin)

    async def attach(self, uid: str, container: str, *, tty: bool, stdin: bool) -> Program:
        """Join a container's main process. `tty` has no say: the container has a terminal, or not. Raises Gone."""
        del tty
        return await self._pod(uid).attach(container, stdin=stdin)

    async def ask(self, uid: str, op: str, body: Json) -> Json:
        """The answer of the pod's supervisor to one of the agent's further requests. Raises RuntimeFailure."""
        return (await self._pod(uid).peer.request({"op": op, **body})).body

    def exits(self) -> AsyncIterator[Exit]:
        """The ends of containers, from now on, in order. Only one may iterate at a time."""
        return self._next_exits()

    async def _next_exits(self) -> AsyncIterator[Exit]:
        while True:
            yield await self._exits.get()

    # ---- network

    def network(self, uid: str) -> int:
        """The number of a pod's network namespace; 0 when there is no such pod."""
        return self._pods[uid].network if uid in self._pods else 0

    def networks(self) -> frozenset[int]:
        """The numbers of all network namespaces, the node's own among them."""
        return frozenset(pod.network for pod in self._pods.values() if pod.network)

    async def connect(self, uid: str, host: str, port: int) -> socket.socket:
        """A TCP connection made inside a pod's network, never intercepted. Raises OSError, Gone. Bring a time-out."""
        message = await self._pod(uid).peer.request({"op": "connect", "host": host, "port": port})
        if not message.fds:
            raise OSError(message.body["errno"], f"connect to {host}:{port}: {os.strerror(message.body['errno'])}")
        made = socket.socket(fileno=message.fds[0])
        try:
            await writable(made.fileno())
            number = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                refused = ConnectionRefusedError if number == errno.ECONNREFUSED else OSError
                raise refused(number, f"connect to {host}:{port}: {os.strerror(number)}")
        except BaseException:
            made.close()
            raise
        return made

    async def node_socket(self, address: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket bound to an address of the node's network; TCP listens. It does not block. Raises RuntimeFailure."""
        request = {"op": "socket", "address": address, "port": port, "kind": int(kind)}
        made = socket.socket(fileno=(await self._ask_agent(request))[0])
        made.setblocking(False)  # noqa: FBT003  (the standard library's signature)
        return made

    def _pod(self, uid: str) -> "_Pod":
        found = self._pods.get(uid)
        if found is None:
            raise Gone(f"sandbox {uid} does not exist")
        return found


class _Pod:
    """One supervisor, and who waits for what happens in it."""

    def __init__(self, uid: str, ours: socket.socket, exits: asyncio.Queue[Exit]) -> None:
        self._uid = uid
        self._exits = exits
        self._running: set[str] = set()
        self._commands: dict[int, Command] = {}
        self._attached: dict[str, list[Attached]] = {}
        self.network = 0
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.peer = Peer(ours, self._event, self._end)

    async def run(self, container: Container) -> None:
        self._running.add(container.name)
        try:
            await self.peer.request({"op": "run", "container": msgspec.to_builtins(container)})
        except RuntimeFailure:
            self._running.discard(container.name)
            raise

    async def exec(self, body: Json, *, stdin: bool) -> Command:
        number = self.peer.next_id()
        command = Command(self.peer, number, tty=body["tty"], stdin=stdin)
        self._commands[number] = command
        try:
            await command.start(body)
        except BaseException:
            del self._commands[number]
            raise
        return command

    async def attach(self, container: str, *, stdin: bool) -> Attached:
        attached = Attached()
        await attached.start(self.peer, container, stdin=stdin)
        self._attached.setdefault(container, []).append(attached)
        return attached

    def _event(self, event: Json) -> None:
        match event["event"]:
            case "ready" if not self.ready.done():
                self.network = event["network"]
                self.ready.set_result(None)
            case "failed" if not self.ready.done():
                self.ready.set_exception(RuntimeFailure(event["message"]))
            case "command" if event["command"] in self._commands:
                self._commands.pop(event["command"]).finish(event["code"])
            case "exit":
                self._ended(event["container"], event)

    def _ended(self, container: str, event: Json) -> None:
        self._running.discard(container)
        for attached in self._attached.pop(container, []):
            attached.finish(event["code"])
        fields = {key: value for key, value in event.items() if key != "event"}
        self._exits.put_nowait(msgspec.convert({"uid": self._uid, **fields}, Exit))

    def _end(self) -> None:
        """The supervisor has gone, and all that was in the pod with it."""
        if not self.ready.done():
            self.ready.set_exception(RuntimeFailure("the pod's supervisor ended while starting"))
        for command in self._commands.values():
            command.finish(KILLED)
        self._commands.clear()
        for container in list(self._running):
            end = {"code": KILLED, "signal": 9, "finished_at": time.time(), "reason": "ContainerStatusUnknown"}
            self._ended(container, {"container": container, **end})
