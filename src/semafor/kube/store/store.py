"""Documents under (resource, namespace, name), one version counter for all, reads in memory, writes durable."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from semafor.kube.store.disk import Disk, Row
from semafor.kube.store.errors import Conflict, Exists, Missing, Unwritable
from semafor.kube.store.log import MAX_EVENTS, Event, Log, Watch

Key = tuple[str, str]  # namespace ("" for cluster-scoped), name


class Entry(NamedTuple):
    """A stored document, its version, and its JSON."""

    object: dict[str, Any]
    version: int
    body: bytes


class _Pending(NamedTuple):
    row: Row
    entry: Entry | None  # None: a deletion
    event: Event
    done: "asyncio.Future[None]"


class Store:
    """All objects of one home. Documents that it hands out are shared: copy before changing.

    A write is accepted against the *head* (the snapshot plus writes still on their way to the disk), becomes visible to
    readers and watches after its commit, in the order of acceptance, and only then returns.
    To be used from one event loop.
    """

    def __init__(self, *, max_events: int = MAX_EVENTS) -> None:
        self._disk: Disk | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._max_events = max_events
        self._committed = 0
        self._accepted = 0
        self._opened_at = 0
        self._snapshot: dict[str, dict[Key, Entry]] = {}
        self._sorted: dict[str, list[Key]] = {}
        self._logs: dict[str, Log] = {}
        self._changed: dict[str, int] = {}
        self._head: dict[tuple[str, Key], _Pending] = {}
        self._failure: Exception | None = None
        self._pending: list[_Pending] = []

    @classmethod
    def open(cls, path: Path | None, *, max_events: int = MAX_EVENTS) -> "Store":
        """Open the file, or with None a store that lives and dies in memory. Raises StoreError."""
        store = cls(max_events=max_events)
        if path is not None:
            store._load(Disk(path, store._on_disk))
        return store

    def _load(self, disk: Disk) -> None:
        for row in disk.rows():
            assert row.body is not None
            entry = Entry(msgspec.json.decode(row.body), row.version, row.body)
            self._snapshot.setdefault(row.resource, {})[row.namespace, row.name] = entry
        self._committed = self._accepted = self._opened_at = disk.version()
        self._disk = disk
        disk.start()

    @property
    def resource_version(self) -> int:
        """The version of the newest change that readers can see."""
        return self._committed

    def get(self, resource: str, namespace: str, name: str) -> dict[str, Any] | None:
        entry = self.entry(resource, namespace, name)
        return entry.object if entry else None

    def entry(self, resource: str, namespace: str, name: str) -> Entry | None:
        """The object with its JSON, for answers that need no change."""
        return self._snapshot.get(resource, {}).get((namespace, name))

    def head(self, resource: str, namespace: str, name: str) -> dict[str, Any] | None:
        """The object as the next write will find it: writes that are not yet on disk included."""
        entry = self._head_entry(resource, (namespace, name))
        return entry.object if entry else None

    def heads(self, resource: str) -> list[dict[str, Any]]:
        """All objects of a resource as the next write will find them, in no order: for allocators."""
        entries: dict[Key, Entry | None] = dict(self._snapshot.get(resource, {}))
        entries.update({key: pending.entry for (of, key), pending in self._head.items() if of == resource})
        return [entry.object for entry in entries.values() if entry]

    def list(self, resource: str, namespace: str | None = None) -> tuple[list[dict[str, Any]], int]:
        """Objects by namespace and name, and the version of this view; `namespace=None` means all."""
        return [entry.object for entry in self.entries(resource, namespace)], self._committed

    def entries(self, resource: str, namespace: str | None = None) -> Sequence[Entry]:
        """Like `list`, with the JSON of each object."""
        entries = self._snapshot.get(resource, {})
        keys = self._sorted.get(resource)
        if keys is None:
            keys = self._sorted[resource] = sorted(entries)
        return [entries[key] for key in keys if namespace is None or key[0] == namespace]

    def watch(self, resource: str, since: int, namespace: str | None = None) -> Watch:
        """Follow the changes after version `since`. Raises Expired, here or while iterating."""
        return Watch(self._log(resource), since, namespace)

    def changed(self, resource: str) -> int:
        """The version of a resource's newest change that readers can see; of the opening when there was none since."""
        return self._changed.get(resource, self._opened_at)

    def reaches(self, resource: str, since: int) -> bool:
        """Whether `watch` from that version would see everything."""
        return since >= self._log(resource).floor

    async def create(self, resource: str, obj: dict[str, Any]) -> dict[str, Any]:
        """Store a new object; return it with its version. Raises Exists."""
        key = _key(obj)
        if self._head_entry(resource, key):
            raise Exists(f"{resource} {'/'.join(key)} already exists")
        return await self._put(resource, key, obj, None)

    async def update(self, resource: str, obj: dict[str, Any], *, expected: int | None) -> dict[str, Any]:
        """Replace an object; `expected=None` whatever its version. Raises Conflict, Missing."""
        key = _key(obj)
        before = self._expect(resource, key, expected)
        return await self._put(resource, key, obj, before)

    async def delete(self, resource: str, namespace: str, name: str, *, expected: int | None = None) -> dict[str, Any]:
        """Remove an object; return its last state, with the deletion's version. Raises Conflict, Missing."""
        key = (namespace, name)
        before = self._expect(resource, key, expected)
        version = self._next_version()
        obj = _stamped(before.object, version)
        event = Event("DELETED", obj, version, before.object, msgspec.json.encode(obj))
        await self._submit(Row(resource, namespace, name, version, None), None, event)
        return obj

    async def close(self) -> None:
        """Finish the writes under way and let the file go."""
        if self._disk is not None:
            await asyncio.to_thread(self._disk.close)
            await asyncio.sleep(0)  # let the last batch's publication, already scheduled, run

    def _expect(self, resource: str, key: Key, expected: int | None) -> Entry:
        before = self._head_entry(resource, key)
        if before is None:
            raise Missing(f"{resource} {'/'.join(key)} not found")
        if expected is not None and before.version != expected:
            message = f"{resource} {'/'.join(key)} is at version {before.version}, not {expected}"
            raise Conflict(message, current=before.version)
        return before

    def _head_entry(self, resource: str, key: Key) -> Entry | None:
        pending = self._head.get((resource, key))
        return pending.entry if pending else self._snapshot.get(resource, {}).get(key)

    def _next_version(self) -> int:
        self._accepted += 1
        return self._accepted

    async def _put(self, resource: str, key: Key, obj: dict[str, Any], before: Entry | None) -> dict[str, Any]:
        version = self._next_version()
        stored = _stamped(obj, version)
        entry = Entry(stored, version, msgspec.json.encode(stored))
        previous = before.object if before else None
        event = Event("MODIFIED" if before else "ADDED", stored, version, previous, entry.body)
        await self._submit(Row(resource, *key, version, entry.body), entry, event)
        return stored

    async def _submit(self, row: Row, entry: Entry | None, event: Event) -> None:
        self._loop = asyncio.get_running_loop()
        pending = _Pending(row, entry, event, self._loop.create_future())
        self._pending.append(pending)
        self._head[row.resource, (row.namespace, row.name)] = pending
        if self._disk is None:
            self._publish(1)
        else:
            self._disk.write(row)
        await asyncio.shield(pending.done)  # a cancelled writer does not take back what is already on its way

    def _on_disk(self, batch: Sequence[Row], error: Exception | None) -> None:
        assert self._loop is not None
        if error is None:
            self._loop.call_soon_threadsafe(self._publish, len(batch))
        else:
            self._loop.call_soon_threadsafe(self._refuse, len(batch), error)

    def _publish(self, count: int) -> None:
        for pending in self._pending[:count]:
            row = pending.row
            self._show(row.resource, (row.namespace, row.name), pending.entry)
            self._settle(pending)
            self._committed = self._changed[row.resource] = row.version
            self._log(row.resource).append(pending.event)
            if not pending.done.done():
                pending.done.set_result(None)
        del self._pending[:count]

    def _show(self, resource: str, key: Key, entry: Entry | None) -> None:
        entries = self._snapshot.setdefault(resource, {})
        if (key in entries) != (entry is not None):
            self._sorted.pop(resource, None)
        if entry is None:
            entries.pop(key, None)
        else:
            entries[key] = entry

    def _settle(self, pending: _Pending) -> None:
        """Forget the head of this key, unless a later write of it is already on its way."""
        place = pending.row.resource, (pending.row.namespace, pending.row.name)
        if self._head.get(place) is pending:
            del self._head[place]

    def _refuse(self, count: int, error: Exception) -> None:
        for pending in self._pending[:count]:
            self._settle(pending)
            if not pending.done.done():
                pending.done.set_exception(Unwritable(f"the store could not be written: {error}"))
        del self._pending[:count]
        if error is not self._failure and self._disk is not None:  # once for each failure, however many batches it took
            self._failure = error
            self._disk.resume()

    def _log(self, resource: str) -> Log:
        if resource not in self._logs:
            self._logs[resource] = Log(self._opened_at, max_events=self._max_events)
        return self._logs[resource]


def _key(obj: dict[str, Any]) -> Key:
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _stamped(obj: dict[str, Any], version: int) -> dict[str, Any]:
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(version)}}
