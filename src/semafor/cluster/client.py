"""Objects of the cluster: what is followed is read from memory, what is written goes to the API server.

The same words as those of `semafor.kube.api.client.Client`.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

from semafor.base import clock
from semafor.base.status_error import StatusError
from semafor.cluster import api, trim
from semafor.cluster.api import Api
from semafor.cluster.cache import Cache
from semafor.cluster.reflector import Reflector
from semafor.resources.core import event as events
from semafor.resources.kind import Kind

log = logging.getLogger(__name__)

Doc = dict[str, Any]
Docs = list[Doc]
Changes = list[tuple[str, Doc]]
_NOT_FOUND: Final = 404
_OPTIONS: Final = ("fieldManager", "force")


class Client:
    """Follows `kinds` while `run` runs. Documents that it returns are shared: copy before changing them.

    `manager` is the name under which its writes appear in managedFields.
    """

    def __init__(self, server: Api, kinds: Iterable[Kind], *, manager: str = "semafor") -> None:
        self.api = server
        self._kinds = tuple(kinds)
        self._manager = manager
        self._caches: dict[str, Cache] = {kind.resource: Cache() for kind in self._kinds}
        self._reflectors = {
            kind.resource: Reflector(server, kind, self._caches[kind.resource], trim.of(kind)) for kind in self._kinds
        }

    def as_manager(self, manager: str) -> "Client":
        """The same client under another name in managedFields."""
        made = Client(self.api, (), manager=manager)
        made._kinds, made._caches, made._reflectors = self._kinds, self._caches, self._reflectors
        return made

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that are followed."""
        return self._kinds

    async def run(self) -> None:
        """Follow the kinds, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for resource, reflector in self._reflectors.items():
                tasks.create_task(reflector.run(), name=f"cluster {resource}")

    async def synced(self) -> None:
        """Wait until everything that there is is known."""
        for cache in self._caches.values():
            await cache.synced.wait()

    @property
    def idle(self) -> bool:
        """Whether every follower has been told everything."""
        return all(follower.idle for cache in self._caches.values() for follower in cache.followers)

    # --- what there is ---

    def get(self, kind: Kind, namespace: str, name: str) -> Doc | None:
        return self._caches[kind.resource].objects.get((namespace, name))

    def list(self, kind: Kind, namespace: str | None = None, *, labels: Mapping[str, str] | None = None) -> Docs:
        """Objects by namespace and name; `labels` must all be equal."""
        found = sorted(self._caches[kind.resource].objects.items())
        return [
            obj
            for (home, _), obj in found
            if namespace in (None, home)
            and (not labels or labels.items() <= (obj["metadata"].get("labels") or {}).items())
        ]

    def changes(self, kind: Kind, since: int) -> tuple[Changes, int]:  # noqa: ARG002
        """Nothing: what is known here, watches have told."""
        return [], since

    def watch(self, kind: Kind, namespace: str | None = None) -> AsyncIterator[tuple[str, Doc]]:
        """First ADDED for what exists, then ADDED, MODIFIED and DELETED for ever; the newest of each object.

        Objects whose changes come faster than they are read are told once.
        """
        return self._caches[kind.resource].follow(namespace)

    # --- what is written ---

    async def read(self, kind: Kind, namespace: str, name: str) -> Doc | None:
        """The object as the API server has it now; also of kinds that are not followed. Raises StatusError."""
        try:
            return await self.api.get(self._path(kind, namespace, name))
        except StatusError as error:
            if error.code != _NOT_FOUND:
                raise
            return None

    async def create(self, kind: Kind, obj: Doc) -> Doc:
        """Make a new object and return it as stored. Raises StatusError."""
        body = {"apiVersion": kind.api_version(self._version(kind)), "kind": kind.kind, **obj}
        return await self.api.post(self._path(kind, obj["metadata"].get("namespace", "")), body)

    async def update(self, kind: Kind, obj: Doc, *, subresource: str = "") -> Doc:
        """Replace an object (or with "status": its status) and return it as stored.

        Raises StatusError; reason Conflict when `metadata.resourceVersion` is given and no longer the stored one.
        """
        metadata = obj["metadata"]
        where = self._path(kind, metadata.get("namespace", ""), metadata["name"], subresource)
        return await self.api.put(where, obj)

    async def patch(self, kind: Kind, namespace: str, name: str, patch_: Doc, *, subresource: str = "") -> Doc:
        """Apply a JSON merge patch and return the object as stored. Raises StatusError."""
        where = self._path(kind, namespace, name, subresource)
        return await self.api.patch(where, patch_, params={"fieldManager": self._manager})

    async def apply(self, kind: Kind, obj: Doc, *, force: bool = True) -> Doc:
        """Server-side apply. Raises StatusError; reason Conflict when others own a field and it is not forced."""
        metadata = obj["metadata"]
        where = self._path(kind, metadata.get("namespace", ""), metadata["name"])
        params = dict(zip(_OPTIONS, (self._manager, str(force).lower()), strict=True))
        return await self.api.patch(where, obj, form=api.APPLY, params=params)

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str | None = None) -> None:
        """Delete an object. Raises StatusError; an object that is gone already is fine."""
        body: Doc = {"propagationPolicy": "Background"} | ({"preconditions": {"uid": uid}} if uid else {})
        try:
            await self.api.delete(self._path(kind, namespace, name), body)
        except StatusError as error:
            if error.code != _NOT_FOUND:
                raise

    async def event(self, involved: Doc, type_: str, reason: str, message: str, *, source: str) -> None:
        """Record an event about an object; one that cannot be recorded is dropped. Never raises StatusError."""
        metadata, now = involved["metadata"], clock.now()
        home = metadata.get("namespace") or "default"
        named = {key: metadata.get(key) for key in ("name", "namespace", "uid", "resourceVersion") if key in metadata}
        body = {
            "metadata": {"name": f"{metadata['name']}.{int(now.timestamp() * 1e6):x}", "namespace": home},
            "involvedObject": {"apiVersion": involved.get("apiVersion"), "kind": involved.get("kind"), **named},
            "type": type_,
            "reason": reason,
            "message": message,
            "source": {"component": source},
            "firstTimestamp": clock.stamp(now),
            "lastTimestamp": clock.stamp(now),
            "count": 1,
        }
        with contextlib.suppress(StatusError):
            await self.create(events.KIND, body)

    def _version(self, kind: Kind) -> str:
        known = self._reflectors.get(kind.resource)
        return known.served if known else kind.versions[0]

    def _path(self, kind: Kind, namespace: str, name: str = "", subresource: str = "") -> str:
        return api.path(kind, namespace, name, version=self._version(kind), sub=subresource)
