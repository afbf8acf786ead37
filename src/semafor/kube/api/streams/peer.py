"""The client of a remote command, whatever dialect it speaks: what it may say, and what it wants to hear."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from semafor.kube.api import errors

Output = Literal["stdout", "stderr"]


@dataclass(frozen=True, slots=True)
class Stdin:
    """Bytes for the process."""

    data: bytes


@dataclass(frozen=True, slots=True)
class StdinEnd:
    """No more bytes for the process; the client still listens."""


@dataclass(frozen=True, slots=True)
class Resize:
    """The terminal has a new size, in characters."""

    rows: int
    cols: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """A message that asks for nothing."""


@dataclass(frozen=True, slots=True)
class Left:
    """The client has gone."""


Input = Stdin | StdinEnd | Resize | Nothing | Left


class Peer(Protocol):
    """One client."""

    async def receive(self) -> Input:
        """The next thing that the client says; after Left, nothing more is asked."""

    async def send(self, output: Output, data: bytes) -> None:
        """Send output, waiting while the client is slow. Raises Gone."""

    async def finish(self, status: dict[str, Any]) -> None:
        """Send how it ended, end all channels, and give the client time to hang up first. Never raises Gone."""


def exit_status(code: int) -> dict[str, Any]:
    """How a process ended, as the error channel says it (remotecommand.NonZeroExitCodeReason)."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def failure(message: str) -> dict[str, Any]:
    """That the process could not be started, as the error channel says it."""
    return errors.internal(message).status
