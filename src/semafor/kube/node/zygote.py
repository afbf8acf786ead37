"""The first process in the node's namespaces: sets up its network once, then forks a supervisor for each pod."""

import gc
import os
import resource
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import msgspec

from semafor.kube.node import channel, network, root, supervisor, syscalls
from semafor.kube.node.channel import Json
from semafor.kube.node.poller import READ, Poller
from semafor.kube.node.spec import NodeNetwork, Sandbox


def serve(daemon: socket.socket, extras: Callable[[], Mapping[str, supervisor.Extra]] = dict) -> NoReturn:
    """Serve the daemon's requests until it is gone. Never returns."""
    first = channel.receive(daemon)
    if first is None:
        os._exit(0)
    try:
        syscalls.set_name("semafor-node")
        root.separate()
        root.mount_proc("/proc")
        _raise_open_files()
        node = msgspec.convert(first.body["network"], NodeNetwork)
        network.set_up_node(node)
        zygote = Zygote(daemon, node, supervisor.Folders(first.body["stage"], first.body["private"]))
        channel.send(daemon, {"event": "ready"})
        zygote.extras = extras()  # while the daemon has other things to do
        # What is loaded now is never garbage; leaving it alone keeps its pages shared with the supervisors.
        gc.collect()
        gc.freeze()
    except Exception as error:  # noqa: BLE001  (whatever it is, the daemon must hear of it)
        channel.send(daemon, {"event": "failed", "message": str(error)})
        os._exit(1)
    zygote.serve()


class Zygote:
    """Makes and removes pods' supervisors. It outlives them all, for it is the first process of their PID namespace."""

    def __init__(self, daemon: socket.socket, node: NodeNetwork, folders: supervisor.Folders) -> None:
        self.extras: Mapping[str, supervisor.Extra] = {}
        self._daemon = daemon
        self._node = node
        self._folders = folders
        self._own_pid_ns = os.open("/proc/self/ns/pid", os.O_RDONLY)
        self._poller = Poller()
        self._pods: dict[str, tuple[int, str]] = {}  # uid -> (supervisor, address)
        self._answers: dict[str, Callable[[Json, list[int]], Sequence[int] | None]] = {
            "create": self._create,
            "remove": self._remove,
            "socket": self._socket,
        }

    def serve(self) -> NoReturn:
        self._poller.watch(self._daemon.fileno(), READ, lambda _: self._request())
        while True:
            self._poller.wait()

    def _request(self) -> None:
        message = channel.receive(self._daemon)
        if message is None:
            os._exit(0)  # and with it all pods
        body, fds = message
        answer: Json = {"id": body["id"]}
        reply: Sequence[int] | None = ()
        try:
            reply = self._answers[body["op"]](body, fds)
        except OSError as refused:
            answer["error"] = {"reason": "NodeError", "message": str(refused)}
        if reply is not None:  # else it will be answered later
            channel.send(self._daemon, answer, reply)
        channel.close_all([*fds, *(reply or ())])

    def _create(self, body: Json, fds: list[int]) -> Sequence[int]:
        sandbox = msgspec.convert(body["sandbox"], Sandbox)
        pid = syscalls.fork_first(self._own_pid_ns)
        if pid == 0:
            self._daemon.close()
            supervisor.run(sandbox, self._node, self._folders, socket.socket(fileno=fds[0]), self.extras)
        self._pods[sandbox.uid] = (pid, sandbox.ip)
        return ()

    def _remove(self, body: Json, _: list[int]) -> Sequence[int] | None:
        """End a pod; answer when all of its processes are gone and its address is free. Others do not wait for it."""
        pid, ip = self._pods.pop(body["uid"], (0, ""))
        if not pid:
            return ()
        os.kill(pid, signal.SIGKILL)
        end = os.pidfd_open(pid)
        self._poller.watch(end, READ, lambda _: self._removed(body["id"], end, pid, ip))
        return None

    def _removed(self, number: int, end: int, pid: int, ip: str) -> None:
        self._poller.forget(end)
        os.close(end)
        os.waitpid(pid, 0)
        if ip:
            network.unplug(ip)
        channel.send(self._daemon, {"id": number})

    def _socket(self, body: Json, _: list[int]) -> Sequence[int]:
        return (network.bound_socket(body["address"], body["port"], body["kind"]).detach(),)


def _raise_open_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
