"""Two primitives over asyncio: the newest value, and supervised background work."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """The newest value of something; readers wait for a change and may skip intermediate ones.

    Setting an equal value is a no-op, so nobody wakes up for nothing.
    """

    def __init__(self, value: T) -> None:
        self._value = value
        self._version = 0
        self._changed = asyncio.Event()

    @property
    def value(self) -> T:
        return self._value

    @property
    def version(self) -> int:
        return self._version

    def set(self, value: T) -> None:
        if value == self._value:
            return
        self._value = value
        self._version += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def newer_than(self, version: int) -> tuple[int, T]:
        """Wait until the value's version is above `version`; return both."""
        while self._version <= version:
            await self._changed.wait()
        return self._version, self._value
