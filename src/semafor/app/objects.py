"""Objects of Kubernetes, whichever home the mesh is in: what its parts need of a client.

The one-machine API's client (`semafor.kube.api.client`) is one, a real cluster's (`semafor.cluster.client`) another.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from semafor.resources.kind import Kind

Doc = dict[str, Any]
Docs = list[Doc]
Changes = list[tuple[str, Doc]]


class Source(Protocol):
    """What there is, and what becomes of it."""

    def get(self, kind: Kind, namespace: str, name: str) -> Doc | None: ...

    def watch(self, kind: Kind, namespace: str | None = None) -> AsyncIterator[tuple[str, Doc]]:
        """First ADDED for what exists, then ADDED, MODIFIED and DELETED for ever."""

    def changes(self, kind: Kind, since: int) -> tuple[Changes, int]:
        """What has changed after that version and watches may not have told yet, and the version of the last change."""


class Client(Source, Protocol):
    """And what changes it. Documents that it returns are shared: copy before changing them."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that are served."""

    def as_manager(self, manager: str) -> "Client":
        """The same client under another name in managedFields."""

    async def create(self, kind: Kind, obj: Doc) -> Doc:
        """Raises StatusError."""

    async def update(self, kind: Kind, obj: Doc, *, subresource: str = "") -> Doc:
        """Raises StatusError."""

    async def patch(self, kind: Kind, namespace: str, name: str, patch_: Doc, *, subresource: str = "") -> Doc:
        """Apply a JSON merge patch. Raises StatusError."""

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str | None = None) -> None:
        """Raises StatusError; an object that is gone already is fine."""

    async def event(self, involved: Doc, type_: str, reason: str, message: str, *, source: str) -> None:
        """Record an event about an object. Never raises StatusError."""

    def list(self, kind: Kind, namespace: str | None = None, *, labels: Mapping[str, str] | None = None) -> Docs:
        """Objects by namespace and name; `labels` must all be equal."""
