"""Where a mesh keeps its state on this machine: one folder per mesh, several side by side."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# sun_path holds 108 bytes; the longest socket name below the folder needs about 20 of them.
_MAX_SOCKET_FOLDER = 80


class Home:
    """The folder of one mesh: `$SEMAFOR_HOME`, by default `$XDG_STATE_HOME/semafor`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kubeconfig = path / "kubeconfig"
        self.store = path / "store.db"
        self.ca = path / "ca"
        self.images = path / "images"
        self.pods = path / "pods"
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
            {"kubeconfig", "store.db", "store.db-wal", "store.db-shm", "ca", "images", "pods", "cache", "run", "tokens"}
            | {"logs", "telemetry", "daemon.lock", "state.json", "previous-context"}
        )

    def create(self) -> None:
        """Make the folders, readable by their owner alone."""
        folders = (self.path, self.ca, self.images, self.pods, self.cache, self.logs, self.telemetry)
        for folder in (*folders, self.sockets, self.inner_sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_uid != os.getuid():
                raise PermissionError(f"{folder} belongs to another user; choose another SEMAFOR_HOME")
            folder.chmod(0o700)

    def running_pid(self) -> int | None:
        """The process id of the daemon that holds this home, or None. The lock dies with its holder: it never lies."""
        try:
            with self.lock.open("r+") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(file.read() or 0)
                return None
        except FileNotFoundError:
            return None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the home for this process; raises BlockingIOError when another daemon holds it."""
        with self.lock.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.seek(0)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            yield

    def _digest(self) -> str:
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:8]
