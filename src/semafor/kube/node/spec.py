"""What the kubelet asks of the process runtime, and what it hears back: plain frozen values, no behaviour."""

from typing import Literal

from semafor.base.struct import Value
from semafor.kube.images.mounts import MountOp

OUTBOUND_MARK = 1337  # SO_MARK of what a sidecar sends out
EXEMPT_MARK = 1338  # SO_MARK of what is never intercepted: a sidecar's calls to its own app, probes, port-forwards

NODE_UID = "node"  # the sandbox of the node's own processes: its network is the node's


class Mount(Value):
    """One more file system in a container: a host path (`bind`) or memory (`tmpfs`).

    `source` is an absolute path of the host, empty for tmpfs. `target` is absolute in the container; what is missing of
    it is created. `size_bytes` limits a tmpfs (0: half of the machine's memory, the kernel's default). `settled`: the
    source has no links in it, and if it has one when it is mounted, somebody has put it there since.
    """

    source: str
    target: str
    read_only: bool = False
    kind: Literal["bind", "tmpfs"] = "bind"
    size_bytes: int = 0
    settled: bool = False


class Container(Value):
    """One process to run, with its own view of files and of processes.

    `root` is the plan of its root file system (`images.rootfs.plan`); None means the host's files as they are, for the
    node's own Envoy. /proc, /dev, /sys and /tmp are added, then `mounts`. `log_path` empty keeps no log.
    `stdin_once` closes stdin when the first client that attached to it goes. `privileged_net` keeps CAP_NET_ADMIN,
    which setting SO_MARK needs: for the proxy only. `uid` and `gid` hold where the machine gives the mesh more than one
    user (see `Runtime.many_users`); elsewhere every process is uid 0 of the pod, which is the ordinary user outside.
    `memory_bytes` is a limit, held by looking (see `memory`); 0 is none. Differs from Kubernetes: processor time is not
    limited, for that takes cgroups, which an ordinary user may not make on most machines.
    """

    name: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    cwd: str = "/"
    root: tuple[MountOp, ...] | None = None
    mounts: tuple[Mount, ...] = ()
    log_path: str = ""
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    privileged_net: bool = False
    uid: int = 0
    gid: int = 0
    memory_bytes: int = 0


class Interception(Value):
    """What of a pod's traffic goes through its sidecar, in the words of Istio's traffic.sidecar.istio.io annotations.

    Included CIDRs: empty means all. Included inbound ports: None means all. `dns_port` 0 leaves DNS alone.
    `proxy_uid`: by which the sidecar's own traffic is known; 0: by its mark.
    """

    outbound_port: int = 15001
    inbound_port: int = 15006
    dns_port: int = 15053
    include_outbound_cidrs: tuple[str, ...] = ()
    exclude_outbound_cidrs: tuple[str, ...] = ()
    exclude_outbound_ports: tuple[int, ...] = ()
    include_inbound_ports: tuple[int, ...] | None = None
    exclude_inbound_ports: tuple[int, ...] = ()
    proxy_uid: int = 0


class Sandbox(Value):
    """A pod as the runtime sees it: an address, a host name, and whether a sidecar stands before its network."""

    uid: str
    name: str
    namespace: str
    hostname: str
    ip: str
    interception: Interception | None = None


class Exit(Value):
    """The end of a container's main process. `code` is what Kubernetes shows: 128 + signal for a killed one.

    `signal` is 0 when it ended by itself. `reason` is Kubernetes' word: Completed, Error, OOMKilled,
    ContainerStatusUnknown.
    """

    uid: str
    container: str
    code: int
    signal: int
    finished_at: float  # seconds since the epoch
    reason: str = "Error"


class NodeNetwork(Value):
    """Addresses of the node: the pods' bridge, the service range, and where TCP that leaves the pods is redirected."""

    address: str = "10.244.0.1"
    pods: str = "10.244.0.0/16"
    services: str = "10.96.0.0/16"
    dns: str = "10.96.0.10"
    redirect_port: int = 15001


class RuntimeFailure(Exception):  # noqa: N818  (the base of a tree; its leaves are named for what happened)
    """What the runtime could not do. StartError: start this. Gone: the sandbox, container or agent is no more."""


class StartError(RuntimeFailure):
    """A container or a command that could not be started; `reason` is Kubernetes' word, `message` a sentence."""

    def __init__(self, reason: str, message: str, *, code: int = 128) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.code = code  # the exit code to report: 126 not executable, 127 not found, 128 anything else


class Gone(RuntimeFailure):
    """The sandbox, the container or the whole agent does not exist (any more)."""
