"""The objects of one kind as they are now, and who follows them. No I/O.

A follower that is slow finds the newest of each object when it gets round to reading: what waits for it is never more
than the objects that there are, and those that have gone since.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

Doc = dict[str, Any]
Key = tuple[str, str]  # namespace, name


class Follower:
    """What one reader has not been told yet."""

    def __init__(self, namespace: str | None) -> None:
        self._namespace = namespace
        self._waiting: dict[tuple[Key, str], tuple[str, Doc]] = {}
        self._arrived = asyncio.Event()

    @property
    def idle(self) -> bool:
        return not self._waiting

    def put(self, type_: str, obj: Doc) -> None:
        where = key(obj)
        if self._namespace in (None, where[0]):
            # By uid too: a namesake that replaces an object does not hide that the other one has gone.
            self._waiting[where, obj["metadata"].get("uid", "")] = type_, obj
            self._arrived.set()

    async def told(self) -> AsyncIterator[tuple[str, Doc]]:
        """Everything, for ever, the newest of each object."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                first = next(iter(self._waiting))
                yield self._waiting.pop(first)


class Cache:
    """Implements reflector.Sink. `synced` is set once everything that there was at first is known."""

    def __init__(self) -> None:
        self.synced = asyncio.Event()
        self.objects: dict[Key, Doc] = {}
        self.followers: list[Follower] = []

    def replace(self, objects: list[Doc]) -> None:
        now = {key(obj): obj for obj in objects}
        for where, old in list(self.objects.items()):
            if where not in now or _uid(now[where]) != _uid(old):
                self.change("DELETED", old)
        for where, obj in now.items():
            known = self.objects.get(where)
            if known is None:
                self.change("ADDED", obj)
            elif known["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
                self.change("MODIFIED", obj)
        self.synced.set()

    def change(self, type_: str, obj: Doc) -> None:
        if type_ == "DELETED":
            self.objects.pop(key(obj), None)
        else:
            self.objects[key(obj)] = obj
        for follower in self.followers:
            follower.put(type_, obj)

    async def follow(self, namespace: str | None) -> AsyncIterator[tuple[str, Doc]]:
        """First ADDED for what exists, then each change, for ever."""
        follower = Follower(namespace)
        for obj in self.objects.values():
            follower.put("ADDED", obj)
        self.followers.append(follower)
        try:
            async for told in follower.told():
                yield told
        finally:
            self.followers.remove(follower)


def key(obj: Doc) -> Key:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _uid(obj: Doc) -> Any:
    return obj["metadata"].get("uid")
