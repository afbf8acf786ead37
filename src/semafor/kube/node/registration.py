"""The Node object of this machine, and the Lease that says it is alive."""

import os
import platform
from pathlib import Path
from typing import Any

from semafor.kube.api.errors import StatusError
from semafor.kube.node import times
from semafor.kube.node.machine import Options
from semafor.kube.node.roles import Api
from semafor.resources.coordination import lease
from semafor.resources.core import node

Json = dict[str, Any]

LEASE_NAMESPACE = "kube-node-lease"
LEASE_S = 40  # Kubernetes' leaseDurationSeconds
HEARTBEAT_S = 10.0
MAX_PODS = 250
VERSION = "v1.32.0+semafor"

_HEALTHY = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def capacity() -> dict[str, str]:
    """What this machine has, as quantities of Node.status.capacity."""
    disk = os.statvfs("/")
    return {
        "cpu": str(os.cpu_count() or 1),
        "ephemeral-storage": f"{disk.f_blocks * disk.f_frsize // 1024}Ki",
        "memory": f"{_memory_kib()}Ki",
        "pods": str(MAX_PODS),
    }


def resolvers() -> tuple[str, ...]:
    """The addresses of the machine's own name servers."""
    try:
        lines = Path("/etc/resolv.conf").read_text().splitlines()
    except OSError:
        return ()
    return tuple(line.split()[1] for line in lines if line.startswith("nameserver") and len(line.split()) > 1)


def _memory_kib() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1])
    return 0


def document(options: Options) -> Json:
    """The Node object, without its status."""
    labels = {
        "kubernetes.io/hostname": options.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": _architecture(),
        "node-role.kubernetes.io/control-plane": "",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": options.name, "labels": labels},
        "spec": {"podCIDR": options.network.pods, "podCIDRs": [options.network.pods]},
    }


def status(options: Options, old: Json, now: float) -> Json:
    """The Node's status; the times of conditions that have not changed are kept from `old`."""
    known = {entry["type"]: entry for entry in old.get("conditions") or []}
    return {
        "addresses": [
            {"type": "InternalIP", "address": options.network.address},
            {"type": "Hostname", "address": options.name},
        ],
        "capacity": options.capacity,
        "allocatable": options.capacity,
        "conditions": [_condition(entry, known.get(entry[0]), now) for entry in _HEALTHY],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": _info(),
    }


def _condition(entry: tuple[str, str, str, str], old: Json | None, now: float) -> Json:
    kind, value, reason, message = entry
    unchanged = old is not None and old.get("status") == value
    return {
        "type": kind,
        "status": value,
        "lastHeartbeatTime": times.text(now),
        "lastTransitionTime": old["lastTransitionTime"] if old and unchanged else times.text(now),
        "reason": reason,
        "message": message,
    }


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def _info() -> Json:
    release = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    return {
        "architecture": _architecture(),
        "bootID": _read("/proc/sys/kernel/random/boot_id"),
        "containerRuntimeVersion": "semafor://0.1.0",
        "kernelVersion": platform.release(),
        "kubeProxyVersion": VERSION,
        "kubeletVersion": VERSION,
        "machineID": _read("/etc/machine-id"),
        "operatingSystem": "linux",
        "osImage": release.get("PRETTY_NAME", "Linux"),
        "systemUUID": _read("/etc/machine-id"),
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


async def register(api: Api, options: Options, now: float) -> None:
    """Make the Node object when it is missing, and say that the node is ready."""
    stored = api.get(node.KIND, "", options.name)
    if stored is None:
        stored = await api.create(node.KIND, document(options))
    await api.patch(
        node.KIND,
        "",
        options.name,
        {"status": status(options, stored.get("status") or {}, now)},
        subresource="status",
    )
    await beat(api, options, now)


async def beat(api: Api, options: Options, now: float) -> None:
    """Renew the node's lease; without the namespace for leases there is nobody to read it."""
    spec = {"holderIdentity": options.name, "leaseDurationSeconds": LEASE_S, "renewTime": times.micro(now)}
    try:
        if api.get(lease.KIND, LEASE_NAMESPACE, options.name) is not None:
            await api.patch(lease.KIND, LEASE_NAMESPACE, options.name, {"spec": spec})
            return
        metadata = {"name": options.name, "namespace": LEASE_NAMESPACE}
        doc = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
        await api.create(lease.KIND, doc)
    except StatusError as error:
        if error.reason not in ("NotFound", "AlreadyExists", "Conflict"):
            raise
