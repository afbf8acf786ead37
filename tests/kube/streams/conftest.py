"""A node over processes, terminals and sockets of this machine, behind a server that the real kubectl can use."""

import asyncio
import contextlib
import fcntl
import os
import pty
import socket
import struct
import subprocess
import termios
import threading

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from semafor.kube.api.errors import StatusError
from semafor.kube.api.node import NodeError
from semafor.kube.api.streams import Protocol, proxy, routes


class PipeInput:
    def __init__(self, writer):
        self.writer = writer

    async def write(self, data):
        with contextlib.suppress(OSError):
            self.writer.write(data)
            await self.writer.drain()

    async def close(self):
        self.writer.close()


class PipeProcess:
    """A process with three pipes."""

    def __init__(self, process):
        self.process = process
        self.stdin = PipeInput(process.stdin) if process.stdin else None

    @property
    def stdout(self):
        return chunks(self.process.stdout)

    @property
    def stderr(self):
        return chunks(self.process.stderr)

    def resize(self, rows, cols):
        pass

    async def wait(self):
        code = await self.process.wait()
        return code if code >= 0 else 128 - code

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def release(self):
        self.kill()
        await self.process.wait()
        self.process._transport.close()


class TerminalProcess(PipeProcess):
    """A process on a pseudo terminal."""

    def __init__(self, process, reader, transport, writer, master):
        self.process = process
        self.reader = reader
        self.transport = transport
        self.master = master
        self.stdin = PipeInput(writer)
        self.stdin.close = self.hang_up

    @property
    def stdout(self):
        return chunks(self.reader)

    @property
    def stderr(self):
        return chunks(None)

    def resize(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    async def hang_up(self):
        await self.stdin.write(b"\x04")

    async def release(self):
        await super().release()
        self.transport.close()
        self.stdin.writer.close()
        os.close(self.master)


class AttachedProcess(PipeProcess):
    """The container's own process: letting go of it does not end it."""

    def kill(self):
        pass


async def chunks(reader):
    with contextlib.suppress(OSError):  # a terminal whose last process has gone answers EIO
        while reader is not None and (chunk := await reader.read(65536)):
            yield chunk


class Streams:
    """A node whose only pod is this machine."""

    def __init__(self):
        self.log = [b"one\n", b"two\n", b"three\n"]
        self.processes = []
        self.asked = {}
        self.more = None

    async def logs(self, pod, container, **asked):
        self.asked = {"container": container, **asked}
        if container == "waiting":
            raise NodeError('container "waiting" in pod "web" is waiting to start: ContainerCreating')
        for line in self.log:
            yield line
        while asked["follow"] and (line := await self.more.get()):
            yield line

    async def exec(self, pod, container, argv, *, tty, stdin):
        self.asked = {"container": container, "argv": argv, "tty": tty, "stdin": stdin}
        if argv[0] == "missing":
            raise NodeError('exec: "missing": executable file not found in $PATH')
        process = await (self.terminal(argv) if tty else self.pipes(argv, stdin=stdin))
        self.processes.append(process)
        return process

    async def attach(self, pod, container, *, tty, stdin):
        if not self.processes:
            raise NodeError(f'container "{container}" is not running')
        return AttachedProcess(self.processes[0].process)

    async def connect(self, pod, port):
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            raise NodeError(f"failed to connect to localhost:{port} inside the pod: {error}") from None

    async def pipes(self, argv, *, stdin=True):
        pipe = asyncio.subprocess.PIPE
        given = pipe if stdin else asyncio.subprocess.DEVNULL
        return PipeProcess(await asyncio.create_subprocess_exec(*argv, stdin=given, stdout=pipe, stderr=pipe))

    async def terminal(self, argv):
        master, slave = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=take_terminal
        )
        os.close(slave)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        reading, _ = await loop.connect_read_pipe(lambda: protocol, os.fdopen(os.dup(master), "rb", 0))
        writing, _ = await loop.connect_write_pipe(lambda: protocol, os.fdopen(os.dup(master), "wb", 0))
        writer = asyncio.StreamWriter(writing, protocol, None, loop)
        return TerminalProcess(process, reader, reading, writer, master)


def take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


PODS = {
    "web": {"containers": [{"name": "app"}], "nodeName": "here"},
    "two": {
        "containers": [{"name": "app"}, {"name": "waiting"}],
        "initContainers": [{"name": "istio-proxy"}],
        "nodeName": "here",
    },
    "tty": {"containers": [{"name": "app", "tty": True, "stdin": True}], "nodeName": "here"},
    "new": {"containers": [{"name": "app"}]},
}


def find_pod(namespace, name):
    spec = PODS.get(name)
    if spec is None or namespace != "default":
        return None
    status = {"phase": "Running", "containerStatuses": [{"name": "app", "ready": True, "state": {"running": {}}}]}
    metadata = {"name": name, "namespace": "default", "uid": name}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def found_pod(namespace, name):
    if pod := find_pod(namespace, name):
        return pod
    raise StatusError(404, "NotFound", f'pods "{name}" not found')


def found_service(namespace, name):
    if name not in SERVICES:
        raise StatusError(404, "NotFound", f'services "{name}" not found')
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"ports": SERVICES[name]}}


SERVICES = {"web": [{"name": "http", "port": 80}], "plain": [{"port": 80}], "empty": [{"port": 80}]}
SLICES = []  # a test puts its own there


async def discovery(request):
    path = request.url.path.strip("/")
    if path == "api":
        return JSONResponse({"kind": "APIVersions", "versions": ["v1"]})
    if path == "apis":
        return JSONResponse({"kind": "APIGroupList", "groups": []})
    pod = {"name": "pods", "namespaced": True, "kind": "Pod", "verbs": ["get", "create"]}
    return JSONResponse({"kind": "APIResourceList", "groupVersion": "v1", "resources": [pod]})


async def get_pod(request):
    pod = find_pod(request.path_params["namespace"], request.path_params["name"])
    return JSONResponse(pod or {"kind": "Status", "code": 404, "reason": "NotFound"}, status_code=200 if pod else 404)


class Server:
    """The routes on a real port, on a thread of their own."""

    def __init__(self, node):
        self.node = node
        own = [Route(path, discovery) for path in ("/api", "/apis", "/api/v1")]
        own.append(Route("/api/v1/namespaces/{namespace}/pods/{name}", get_pod))
        lookup = proxy.Lookup(found_pod, found_service, lambda: SLICES)
        app = Starlette(routes=[*routes(node, find_pod), *proxy.routes(node, lookup), *own])
        self.uvicorn = uvicorn.Server(
            uvicorn.Config(
                app,
                http=Protocol,
                ws="wsproto",
                loop="asyncio",
                log_level="warning",
                lifespan="off",
                timeout_graceful_shutdown=1,
            )
        )
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.loop = None
        self.started = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()))

    async def run(self):
        self.loop = asyncio.get_running_loop()
        self.node.more = asyncio.Queue()
        self.started.set()
        await self.uvicorn.serve(sockets=[self.socket])
        for process in self.node.processes:
            await process.release()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def __enter__(self):
        self.thread.start()
        self.started.wait(10)
        return self

    def __exit__(self, *_):
        self.uvicorn.should_exit = True
        self.thread.join(10)


@pytest.fixture
def node():
    return Streams()


@pytest.fixture
def server(node):
    with Server(node) as server:
        yield server


class Kubectl:
    """The real kubectl, told which dialect to speak."""

    def __init__(self, server, folder, *, spdy):
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(
            f"""
apiVersion: v1
kind: Config
current-context: here
clusters: [{{name: here, cluster: {{server: "http://127.0.0.1:{server.port}"}}}}]
contexts: [{{name: here, context: {{cluster: here, user: me}}}}]
users: [{{name: me, user: {{}}}}]
"""
        )
        dialect = "false" if spdy else "true"
        self.environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "HOME": str(folder),
            "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": dialect,
            "KUBECTL_PORT_FORWARD_WEBSOCKETS": dialect,
        }

    def start(self, *argv, **options):
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(["kubectl", *argv], env=self.environment, **options)

    def __call__(self, *argv, stdin=b"", timeout=60):
        process = self.start(*argv)
        stdout, stderr = process.communicate(stdin, timeout=timeout)
        return subprocess.CompletedProcess(argv, process.returncode, stdout, stderr)


@pytest.fixture(params=["websocket", "spdy"])
def kubectl(request, server, tmp_path):
    return Kubectl(server, tmp_path, spdy=request.param == "spdy")
