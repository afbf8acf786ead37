"""From a container of a pod's spec to what the runtime runs: image, environment, command line, mounts, limits."""

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semafor.kube.images import rootfs
from semafor.kube.images.image import Image
from semafor.kube.node import environment, volumes
from semafor.kube.node.machine import Machine
from semafor.kube.node.pod_folder import PodFolder
from semafor.kube.node.spec import Container, Mount
from semafor.resources import quantity

Json = dict[str, Any]

DEFAULT_TERMINATION_PATH = "/dev/termination-log"


class NotStartable(Exception):  # noqa: N818 (a state of the container, not a fault of the program)
    """Why a container cannot be started now: Kubernetes' word, and a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


async def find_image(machine: Machine, ref: str) -> Image:
    """The image by its name. Raises NotStartable with what to do."""
    async with machine.images_lock:  # the first use of a well-known image makes its layers, once
        image = await asyncio.to_thread(machine.images.find, ref)
    if image is None:
        why = machine.images.explain(ref)
        words = f'Container image "{ref}" is not on this machine'
        raise NotStartable("ErrImageNeverPull", f"{words}: {why}")
    return image


def prepare(
    machine: Machine,
    folder: PodFolder,
    pod: Json,
    spec: Json,
    *,
    image: Image,
    ip: str,
    attempt: int,
    volume_paths: Mapping[str, str],
) -> Container:
    """Everything about one run of a container. Raises NotStartable, ConfigError, VolumeError."""
    around = machine.surroundings(pod, ip)
    variables = environment.environment(pod, spec, image.env, around)
    variables |= machine.hooks.environment(pod, spec["name"], variables)
    argv = environment.command(spec, image.entrypoint, image.cmd, variables)
    if not argv:
        raise NotStartable(
            "RunContainerError", f'no command specified for container "{spec["name"]}" nor for its image'
        )
    own = folder.container(spec["name"], attempt)
    sealed = bool(_security(pod, spec, "readOnlyRootFilesystem"))
    root = rootfs.Root(layers=image.layers, writable=str(own / "root"), read_only=sealed, binds=image.binds)
    is_proxy = machine.hooks.is_proxy(pod, spec["name"])
    uid, gid = (0, 0) if is_proxy else _user(pod, spec, image)  # a proxy's files and sockets are the mesh's own user's
    return Container(
        name=spec["name"],
        argv=argv,
        env=tuple(variables.items()),
        cwd=spec.get("workingDir") or image.workdir or "/",
        root=rootfs.plan(root, machine.options.host),
        mounts=tuple(_mounts(machine, folder, pod, spec, own=own, volume_paths=volume_paths, variables=variables)),
        log_path=str(folder.log(spec["name"], attempt)),
        stdin=bool(spec.get("stdin")),
        stdin_once=bool(spec.get("stdinOnce")),
        tty=bool(spec.get("tty")),
        privileged_net=is_proxy,
        uid=uid,
        gid=gid,
        memory_bytes=_memory_bytes(spec),
    )


def _mounts(
    machine: Machine,
    folder: PodFolder,
    pod: Json,
    spec: Json,
    *,
    own: Path,
    volume_paths: Mapping[str, str],
    variables: Mapping[str, str],
) -> list[Mount]:
    """Names first, then what the user asked for, then what the app adds; a later mount covers an earlier one."""
    name = spec["name"]
    target = spec.get("terminationMessagePath") or DEFAULT_TERMINATION_PATH
    return [
        *folder.etc_mounts(),
        Mount(source=str(own / "termination-log"), target=target),
        *volumes.mounts(spec, volume_paths, variables, volumes.sealed(pod)),
        *folder.hook_files(own, machine.hooks.files(pod, name)),
        *machine.hooks.sockets(pod, name),
    ]


def _security(pod: Json, spec: Json, name: str) -> Any:
    """A field of the container's securityContext, else of the pod's."""
    own = (spec.get("securityContext") or {}).get(name)
    return own if own is not None else (pod["spec"].get("securityContext") or {}).get(name)


def _user(pod: Json, spec: Json, image: Image) -> tuple[int, int]:
    """The numeric user and group; a name in the image counts as its root, since there is one user on most machines."""
    user, _, group = image.user.partition(":")
    uid, gid = _security(pod, spec, "runAsUser"), _security(pod, spec, "runAsGroup")
    return (
        uid if uid is not None else (int(user) if user.isdigit() else 0),
        gid if gid is not None else (int(group) if group.isdigit() else 0),
    )


def stop_signal(image: Image) -> int:
    """The number of the signal that the image wants to be ended by: SIGTERM, unless it says another name or number."""
    said = image.config.stop_signal
    if said.isdigit():
        return int(said)
    name = said.upper() if said.upper().startswith("SIG") else f"SIG{said.upper()}"
    return int(getattr(signal, name, signal.SIGTERM))


def _memory_bytes(spec: Json) -> int:
    limits = (spec.get("resources") or {}).get("limits") or {}
    return int(quantity.parse(limits.get("memory", "0")))
