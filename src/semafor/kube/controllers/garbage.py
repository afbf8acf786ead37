"""Garbage collection: what goes when its owners have gone, and owners that wait for what they own.

Source: Kubernetes' page "Owners and Dependents" and its garbage collector.
"""

import asyncio
import logging
from typing import Any

from semafor.kube.api.call import Propagation
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.kube.controllers import ownership
from semafor.resources import registry
from semafor.resources.kind import Kind

Doc = dict[str, Any]

log = logging.getLogger(__name__)

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class Garbage:
    """Watches every kind, since anything may own anything. It has its own loop: its keys are identities."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kinds: dict[str, Kind] = {}  # uid -> kind, of everything that exists
        self._names: dict[str, tuple[str, str]] = {}  # uid -> namespace, name
        self._owned: dict[str, set[str]] = {}  # uid of an owner -> uids of what names it
        self._dirty: dict[str, None] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Collect, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for kind in registry.KINDS:
                tasks.create_task(self._feed(kind))
            tasks.create_task(self._drain())

    async def _feed(self, kind: Kind) -> None:
        async for event, obj in self._client.watch(kind):
            self._remember(kind, obj) if event != "DELETED" else self._forget(obj)
            self._wake.set()

    def _remember(self, kind: Kind, obj: Doc) -> None:
        metadata = obj["metadata"]
        uid = metadata["uid"]
        self._kinds[uid] = kind
        self._names[uid] = (metadata.get("namespace", ""), metadata["name"])
        for reference in metadata.get("ownerReferences", ()):
            self._owned.setdefault(reference["uid"], set()).add(uid)
        if metadata.get("ownerReferences") or ownership.leaving(obj):
            self._dirty[uid] = None

    def _forget(self, obj: Doc) -> None:
        uid = obj["metadata"]["uid"]
        self._kinds.pop(uid, None)
        self._names.pop(uid, None)
        self._dirty.update(dict.fromkeys(self._owned.pop(uid, ())))
        self._dirty.update({ref["uid"]: None for ref in obj["metadata"].get("ownerReferences", ())})

    async def _drain(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._dirty:
                uid = next(iter(self._dirty))
                del self._dirty[uid]
                try:
                    await self._collect(uid)
                except StatusError as error:
                    if error.reason == "Conflict":
                        self._dirty[uid] = None
                        await asyncio.sleep(0)
                except Exception:
                    log.exception("collecting %s", uid)

    def _current(self, uid: str) -> Doc | None:
        if uid not in self._kinds:
            return None
        obj = self._client.get(self._kinds[uid], *self._names[uid])
        return obj if obj is not None and obj["metadata"]["uid"] == uid else None

    async def _collect(self, uid: str) -> None:
        obj = self._current(uid)
        if obj is None:
            return
        finalizers = obj["metadata"].get("finalizers", ())
        if ownership.leaving(obj) and ORPHAN in finalizers:
            await self._orphan(obj)
        elif ownership.leaving(obj) and FOREGROUND in finalizers:
            await self._foreground(obj)
        elif not ownership.leaving(obj):
            await self._background(obj)

    async def _background(self, obj: Doc) -> None:
        """Delete what has lost every owner; drop references to owners that are gone."""
        references = obj["metadata"].get("ownerReferences", ())
        alive = [ref for ref in references if self._exists(ref, obj)]
        if references and not alive:
            await self._delete(obj)
        elif len(alive) < len(references):
            await self._patch(obj, {"ownerReferences": alive})

    def _exists(self, reference: Doc, obj: Doc) -> bool:
        """Whether the owner is there; one whose kind we do not keep is taken to be."""
        kind = registry.by_kind(reference["apiVersion"].rpartition("/")[0], reference["kind"])
        if kind is None:
            return True
        namespace = obj["metadata"].get("namespace", "") if kind.namespaced else ""
        owner = self._client.get(kind, namespace, reference["name"])
        return owner is not None and bool(owner["metadata"]["uid"] == reference["uid"])

    async def _foreground(self, obj: Doc) -> None:
        """Delete what it owns; let it go when nothing is left that should block it."""
        uid = obj["metadata"]["uid"]
        owned = [each for each in map(self._current, sorted(self._owned.get(uid, ()))) if each is not None]
        for each in owned:
            if not ownership.leaving(each):
                await self._delete(each, propagation="Foreground")
        if not any(_blocks(each, uid) for each in owned):
            await self._drop_finalizer(obj, FOREGROUND)

    async def _orphan(self, obj: Doc) -> None:
        """Take its reference from what it owns, then let it go."""
        uid = obj["metadata"]["uid"]
        for each in map(self._current, sorted(self._owned.get(uid, ()))):
            if each is not None:
                rest = [ref for ref in each["metadata"].get("ownerReferences", ()) if ref["uid"] != uid]
                await self._patch(each, {"ownerReferences": rest})
        await self._drop_finalizer(obj, ORPHAN)

    async def _drop_finalizer(self, obj: Doc, finalizer: str) -> None:
        rest = [each for each in obj["metadata"].get("finalizers", ()) if each != finalizer]
        await self._patch(obj, {"finalizers": rest})

    async def _patch(self, obj: Doc, metadata: Doc) -> None:
        old = obj["metadata"]
        kind = self._kinds.get(old["uid"])
        if kind is None:
            return  # it went away while others were dealt with
        guarded = {"metadata": {**metadata, "uid": old["uid"], "resourceVersion": old["resourceVersion"]}}
        await self._client.patch(kind, old.get("namespace", ""), old["name"], guarded)

    async def _delete(self, obj: Doc, propagation: Propagation = "Background") -> None:
        metadata = obj["metadata"]
        kind = self._kinds.get(metadata["uid"])
        if kind is None:
            return
        where = (metadata.get("namespace", ""), metadata["name"])
        try:
            await self._client.delete(kind, *where, propagation=propagation, uid=metadata["uid"])
        except StatusError as error:
            if error.reason != "NotFound":
                raise


def _blocks(obj: Doc, owner_uid: str) -> bool:
    references = obj["metadata"].get("ownerReferences", ())
    return any(ref["uid"] == owner_uid and ref.get("blockOwnerDeletion") for ref in references)
