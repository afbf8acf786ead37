"""The folder of one pod on the host's disk.

UID/etc/{hosts,resolv.conf,hostname}      UID/volumes/NAME/        UID/logs/CONTAINER/ATTEMPT.log
UID/containers/CONTAINER/ATTEMPT/{root/,termination-log,files/}    files/ holds what the app's hooks add
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from semafor.kube.node import netfiles, payload, volumes
from semafor.kube.node.environment import Surroundings
from semafor.kube.node.fields import ConfigError
from semafor.kube.node.netfiles import Resolver
from semafor.kube.node.payload import Token, VolumeError
from semafor.kube.node.spec import Mount

Json = dict[str, Any]

MAX_TERMINATION_MESSAGE = 4096  # bytes, Kubernetes' limit for one container
FALLBACK_LINES, FALLBACK_BYTES = 80, 2048  # Kubernetes' limits for FallbackToLogsOnError


class PodFolder:
    """Paths and files of one pod; blocking, so called in threads where it writes much."""

    def __init__(self, path: Path, memory: Path | None) -> None:
        self.path = path
        self._memory = memory

    def prepare(self, pod: Json, around: Surroundings, token: Token, resolver: Resolver) -> dict[str, str]:
        """Make the pod's files and volumes; return the volumes' paths by name. Raises VolumeError."""
        etc = self.path / "etc"
        etc.mkdir(parents=True, exist_ok=True)
        (etc / "hosts").write_text(netfiles.hosts(pod, around.pod_ip))
        (etc / "resolv.conf").write_text(netfiles.text(resolver))
        (etc / "hostname").write_text(netfiles.hostname(pod) + "\n")
        return {volume["name"]: self._volume(volume, pod, around, token) for volume in pod["spec"].get("volumes") or []}

    def refresh(self, pod: Json, around: Surroundings, token: Token) -> None:
        """Bring the volumes that show objects up to date. What has vanished is left as it was."""
        for volume in pod["spec"].get("volumes") or []:
            try:
                files = payload.files(volume, pod, around, token)
            except (VolumeError, ConfigError):
                continue
            if files is not None:
                volumes.swap(self.path / "volumes" / volume["name"], files)

    def _volume(self, volume: Json, pod: Json, around: Surroundings, token: Token) -> str:
        try:
            return self._filled(volume, pod, around, token)
        except (VolumeError, ConfigError, OSError) as error:
            raise VolumeError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error

    def _filled(self, volume: Json, pod: Json, around: Surroundings, token: Token) -> str:
        path = self.path / "volumes" / volume["name"]
        files = payload.files(volume, pod, around, token)
        if files is not None:
            volumes.swap(path, files)
        elif "hostPath" in volume:
            return volumes.host_path(volume["hostPath"])
        elif "emptyDir" in volume or volume.keys() == {"name"}:
            in_memory = (volume.get("emptyDir") or {}).get("medium") == "Memory"
            if in_memory and self._memory is not None:
                path = self._memory / self.path.name / volume["name"]
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o777)
        else:
            raise VolumeError(f"volume type {_kind(volume)} is not supported on this node")
        return str(path)

    def etc_mounts(self) -> list[Mount]:
        names = ("hosts", "resolv.conf", "hostname")
        return [Mount(source=str(self.path / "etc" / name), target=f"/etc/{name}") for name in names]

    def container(self, name: str, attempt: int) -> Path:
        """The folder of one run of a container, made; those of earlier runs are emptied."""
        runs = self.path / "containers" / name
        for old in runs.iterdir() if runs.exists() else ():
            remove(old)
        folder = runs / str(attempt)
        (folder / "root").mkdir(parents=True)
        (folder / "termination-log").touch()
        self._forget_logs(name, attempt)
        return folder

    def _forget_logs(self, name: str, attempt: int) -> None:
        """Keep the log of the run before and no older one: a container may crash for days."""
        logs = self.log(name, attempt).parent
        logs.mkdir(parents=True, exist_ok=True)
        for path in logs.iterdir():
            number = path.name.partition(".")[0]
            if number.isdigit() and int(number) < attempt - 1:
                path.unlink()

    def log(self, name: str, attempt: int) -> Path:
        return self.path / "logs" / name / f"{attempt}.log"

    def hook_files(self, folder: Path, files: Mapping[str, bytes]) -> list[Mount]:
        """Write the app's files beside the container's root; return their mounts."""
        found = []
        for index, (target, data) in enumerate(files.items()):
            source = folder / "files" / str(index)
            source.parent.mkdir(exist_ok=True)
            source.write_bytes(data)
            found.append(Mount(source=str(source), target=target, read_only=True))
        return found

    def termination_message(self, name: str, attempt: int, spec: Json, exit_code: int) -> str:
        """What the container left to say about its end. Source: Kubernetes' terminationMessagePolicy."""
        path = self.path / "containers" / name / str(attempt) / "termination-log"
        message = _read_start(path, MAX_TERMINATION_MESSAGE)
        if not message and exit_code and spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            lines = _read_end(self.log(name, attempt), FALLBACK_BYTES).split(b"\n")[-FALLBACK_LINES - 1 :]
            message = b"\n".join(line.split(b" ", 3)[-1] for line in lines)
        return message.decode(errors="replace")

    def delete(self) -> None:
        remove(self.path)
        if self._memory is not None:
            remove(self._memory / self.path.name)


def _kind(volume: Json) -> str:
    return next((key for key in volume if key != "name"), "unknown")


def _read_start(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except FileNotFoundError:
        return b""


def _read_end(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read(size)
    except FileNotFoundError:
        return b""


def remove(path: Path) -> None:
    """Delete a folder with all below it; overlay work folders are unreadable until their mode is mended."""

    def mend(function: Callable[[str], object], failed: str, _: object) -> None:
        parent = Path(failed).parent
        try:
            parent.chmod(0o700)
            if Path(failed).is_dir() and not Path(failed).is_symlink():
                Path(failed).chmod(0o700)
                shutil.rmtree(failed, ignore_errors=True)
            else:
                function(failed)
        except OSError:
            return  # another user's file: it stays, and the next start tries again

    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    elif path.exists():
        shutil.rmtree(path, onerror=mend)
