"""What the lifecycle can ask of the node, one record per kind of work. `container` is always a container's name."""

from typing import Literal

from semafor.base.struct import Value

ProbeKind = Literal["startup", "readiness", "liveness"]


class MakeSandbox(Value):
    """Give the pod its address, volumes, files and namespaces."""


class Start(Value):
    """Start the container's process: image, environment, mounts, process. `attempt` numbers its runs from 0."""

    container: str
    attempt: int


class PostStart(Value):
    """Run the container's postStart hook."""

    container: str


class Probe(Value):
    """Run one probe once. `counted` is false for an early try, whose failure means nothing."""

    container: str
    kind: ProbeKind
    counted: bool


class Drain(Value):
    """Wait until nobody sends the pod new requests."""


class End(Value):
    """Begin to end a container: `message` says why, `grace_s` how long it may take from now on."""

    container: str
    message: str
    grace_s: float


class PreStop(Value):
    """Run the container's preStop hook."""

    container: str


class Signal(Value):
    """Send a signal to the container: SIGTERM to its first process, SIGKILL to all of them."""

    container: str
    signal: int


class NoteBackOff(Value):
    """Tell the user, once per run, that the container waits before its next restart."""

    container: str


class RemoveSandbox(Value):
    """End what is left in the pod and free its namespaces, address and volumes."""


class Finalize(Value):
    """Everything of a deleted pod is gone: remove its object from the API."""


Action = (
    MakeSandbox | Start | PostStart | Probe | Drain | End | PreStop | Signal | NoteBackOff | RemoveSandbox | Finalize
)
