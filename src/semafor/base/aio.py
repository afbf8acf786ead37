"""Primitives over asyncio: the newest value, supervised background work, a body that may not be too long."""

import asyncio
from collections.abc import AsyncIterable
from typing import Generic, TypeVar

T = TypeVar("T")


class TooLargeError(ValueError):
    """Somebody sends more than is taken."""


async def joined(parts: AsyncIterable[bytes], most: int) -> bytes:
    """All parts together. Raises TooLargeError as soon as they are more than `most` bytes."""
    taken, size = list[bytes](), 0
    async for part in parts:
        size += len(part)
        if size > most:
            raise TooLargeError(f"more than {most} bytes")
        taken.append(part)
    return b"".join(taken)


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
