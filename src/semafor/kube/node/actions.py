"""What the lifecycle can ask of the node, one record per kind of work. `container` is always a container's name."""

from typing import Literal

from semafor.base.struct import Value

ProbeKind = Literal["startup", "readiness", "liveness"]


class MakeSandbox(Value, frozen=True):
    """Give the pod its address, volumes, files and namespaces."""


class Start(Value, frozen=True):
    """Start the container's process: image, environment, mounts, process. `attempt` numbers its runs from 0."""

    container: str
    attempt: int


class PostStart(Value, frozen=True):
    """Run the container's postStart hook."""

    container: str


class Probe(Value, frozen=True):
    """Run one probe once. `counted` is false for an early try, whose failure means nothing."""

    container: str
    kind: ProbeKind
    counted: bool


class Drain(Value, frozen=True):
    """Wait until nobody sends the pod new requests."""


class End(Value, frozen=True):
    """Begin to end a container: `message` says why, `grace_s` how long it may take from now on."""

    container: str
    message: str
    grace_s: float


class PreStop(Value, frozen=True):
    """Run the container's preStop hook."""

    container: str


class Signal(Value, frozen=True):
    """Send a signal to the container: SIGTERM to its first process, SIGKILL to all of them."""

    container: str
    signal: int


class NoteBackOff(Value, frozen=True):
    """Tell the user, once per run, that the container waits before its next restart."""

    container: str


class RemoveSandbox(Value, frozen=True):
    """End what is left in the pod and free its namespaces, address and volumes."""


class Finalize(Value, frozen=True):
    """Everything of a deleted pod is gone: remove its object from the API."""


Action = (
    MakeSandbox | Start | PostStart | Probe | Drain | End | PreStop | Signal | NoteBackOff | RemoveSandbox | Finalize
)
