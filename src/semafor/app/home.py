"""Where a mesh keeps its state on this machine: one folder per mesh, several side by side."""

import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

# sun_path holds 108 bytes; the longest socket name below the folder needs about 20 of them.
_MAX_SOCKET_FOLDER = 80
_LOCK_PATIENCE_S = 0.5


class Home:
    """The folder of one mesh: `$SEMAFOR_HOME`, by default `$XDG_STATE_HOME/semafor`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kubeconfig = path / "kubeconfig"
        self.store = path / "store.db"
        self.ca = path / "ca"
        self.images = path / "images"
        self.pods = path / "pods"
        self.volumes = path / "volumes"
        self.cache = path / "cache"
        self.logs = path / "logs"
        self.telemetry = path / "telemetry"  # what proxies and applications told: it may be lost, and goes first
        self.log = self.logs / "daemon.log"
        self.lock = path / "daemon.lock"
        self.state = path / "state.json"

    @classmethod
    def find(cls) -> "Home":
        """The home that this user's environment names."""
        if explicit := os.environ.get("SEMAFOR_HOME"):
            return cls(Path(explicit).expanduser().absolute())
        state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return cls(Path(state).expanduser() / "semafor")

    @property
    def is_default(self) -> bool:
        state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return self.path == Path(state).expanduser() / "semafor"

    @property
    def context(self) -> str:
        """The name of the kubectl context: `semafor`, and for a further home one that tells them apart."""
        if self.is_default:
            return "semafor"
        return f"semafor-{self._digest()}"

    @property
    def sockets(self) -> Path:
        """The folder of unix sockets: in the home, or in a private temporary folder when that path is too long."""
        inside = self.path / "run"
        if len(str(inside)) <= _MAX_SOCKET_FOLDER:
            return inside
        return Path(tempfile.gettempdir()) / f"semafor-{os.getuid()}-{self._digest()}"

    @property
    def inner_sockets(self) -> Path:
        """The folder of sockets that only the daemon itself connects to."""
        return self.sockets / "within"

    def known_entries(self) -> frozenset[str]:
        """The names of what this program puts into the folder."""
        return frozenset(
            {
                "kubeconfig",
                "store.db",
                "store.db-wal",
                "store.db-shm",
                "ca",
                "images",
                "pods",
                "volumes",
                "cache",
                "run",
                "tokens",
            }
            | {"logs", "telemetry", "daemon.lock", "state.json", "state.part", "previous-context"}
        )

    def create(self) -> None:
        """Make the folders, readable by their owner alone."""
        folders = (self.path, self.ca, self.images, self.pods, self.volumes, self.cache, self.logs, self.telemetry)
        for folder in (*folders, self.sockets, self.inner_sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_uid != os.getuid():
                raise PermissionError(f"{folder} belongs to another user; choose another SEMAFOR_HOME")
            folder.chmod(0o700)

    def running_pid(self) -> int | None:
        """The process id of the daemon that holds this home, or None. The lock dies with its holder: it never lies."""
        try:
            with self.lock.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who ask do not see each other
                except BlockingIOError:
                    return _written(file)
                return None
        except (FileNotFoundError, NotADirectoryError):
            return None

    def report(self) -> dict[str, Any] | None:
        """Where everything of the mesh is that runs here; None while none is ready.

        Raises ValueError when the file does not say it.
        """
        pid = self.running_pid()
        try:
            found = json.loads(self.state.read_text())
            return found if pid is not None and int(found["pid"]) == pid else None  # it may be an older one's
        except FileNotFoundError:
            return None
        except (ValueError, LookupError, TypeError) as error:
            if pid is None:
                return None
            raise ValueError(f"{self.state} is not what the daemon wrote there ({error})") from error

    def tell(self, report: dict[str, Any]) -> None:
        """Note where everything is, in one step: who reads it meanwhile finds all of it, or nothing."""
        draft = self.path / "state.part"
        draft.write_text(json.dumps(report))
        draft.replace(self.state)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the home for this process; raises BlockingIOError when another daemon holds it."""
        with self.lock.open("a+") as file:
            _lock(file)
            file.seek(0)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            yield

    def _digest(self) -> str:
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:8]


def _lock(file: IO[str]) -> None:
    """Who only asks whether the home is held holds it for a moment, too: that is waited for."""
    deadline = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _written(file: IO[str]) -> int | None:
    """The process id that the holder wrote, or is about to."""
    deadline = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        file.seek(0)
        if (text := file.read()).isdigit():
            return int(text)
        if time.monotonic() > deadline:
            return None
        time.sleep(0.01)
