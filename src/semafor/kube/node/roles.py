"""What the kubelet is given: the process runtime, the images, the API, and the app's hooks, as roles.

The real ones are runtime.Runtime, images.library.Images, api.client.Client and what `app` makes; tests bring fakes.
"""

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from semafor.kube.api.node import Process
from semafor.kube.images.image import Image
from semafor.kube.node.spec import Container, Exit, Interception, Mount, Sandbox
from semafor.resources.kind import Kind

Json = dict[str, Any]


class Runtime(Protocol):
    """Runs pods as processes. Every method raises RuntimeFailure."""

    @property
    def many_users(self) -> bool: ...

    async def create(self, sandbox: Sandbox) -> None: ...

    async def remove(self, uid: str) -> None: ...

    async def run(self, uid: str, container: Container) -> None: ...

    async def signal(self, uid: str, container: str, signal: int) -> None: ...

    async def exec(self, uid: str, container: str, argv: Sequence[str], *, tty: bool, stdin: bool) -> Process: ...

    async def attach(self, uid: str, container: str, *, tty: bool, stdin: bool) -> Process: ...

    async def connect(self, uid: str, host: str, port: int) -> socket.socket: ...

    async def ask(self, uid: str, op: str, body: Json) -> Json: ...

    def exits(self) -> AsyncIterator[Exit]: ...


class Images(Protocol):
    """The images of this machine."""

    def find(self, ref: str) -> Image | None:
        """The image of a name; may take a second, so it is called in a thread."""

    def explain(self, ref: str) -> str:
        """Why there is no such image, and what to do."""


class Api(Protocol):
    """The part of `api.client.Client` that a node uses."""

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None: ...

    def list(
        self, kind: Kind, namespace: str | None = None, *, labels: Mapping[str, str] | None = None
    ) -> list[Json]: ...

    async def create(self, kind: Kind, obj: Json) -> Json: ...

    async def patch(self, kind: Kind, namespace: str, name: str, patch: Json, *, subresource: str = "") -> Json: ...

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, grace_period_s: int | None = None, uid: str | None = None
    ) -> None: ...

    def watch(self, kind: Kind, namespace: str | None = None) -> AsyncIterator[tuple[str, Json]]: ...

    async def event(self, involved: Json, type_: str, reason: str, message: str, *, source: str) -> None: ...


class Hooks(Protocol):
    """What the app adds to pods: the kubelet knows nothing of meshes."""

    def files(self, pod: Json, container: str) -> Mapping[str, bytes]:
        """Files to show read-only in a container, by their absolute path there."""

    def sockets(self, pod: Json, container: str) -> tuple[Mount, ...]:
        """Further mounts of a container, such as unix sockets of the host."""

    def environment(self, pod: Json, container: str, known: Mapping[str, str]) -> Mapping[str, str]:
        """Variables to set beside those that the container has, or in place of them."""

    def interception(self, pod: Json) -> Interception | None:
        """How the pod's traffic is redirected; None leaves it alone."""

    def is_proxy(self, pod: Json, container: str) -> bool:
        """Whether the container keeps the right to mark its packets."""

    async def before_stop(self, pod: Json) -> None:
        """Wait until nobody sends the deleted pod new requests. The kubelet waits for this before it signals."""


class NoHooks:
    """A node without a mesh."""

    def files(self, pod: Json, container: str) -> Mapping[str, bytes]:  # noqa: ARG002
        return {}

    def sockets(self, pod: Json, container: str) -> tuple[Mount, ...]:  # noqa: ARG002
        return ()

    def environment(self, pod: Json, container: str, known: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG002
        return {}

    def interception(self, pod: Json) -> Interception | None:  # noqa: ARG002
        return None

    def is_proxy(self, pod: Json, container: str) -> bool:  # noqa: ARG002
        return False

    async def before_stop(self, pod: Json) -> None:  # noqa: ARG002
        return None
