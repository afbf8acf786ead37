"""Values by the exact or wildcard host that they are for."""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from semafor.planner import hosts

T = TypeVar("T")


class ByHost(Generic[T]):
    """Values by the exact or wildcard host that they are for."""

    def __init__(self, pairs: Iterable[tuple[str, T]]) -> None:
        self._exact: dict[str, list[tuple[str, T]]] = {}
        self._wildcards: list[tuple[str, T]] = []
        for host, value in pairs:
            if host.startswith("*"):
                self._wildcards.append((host, value))
            else:
                self._exact.setdefault(host, []).append((host, value))

    def __iter__(self) -> Iterator[str]:
        """The hosts, wildcards last."""
        yield from self._exact
        yield from dict.fromkeys(host for host, _ in self._wildcards)

    def at(self, host: str) -> list[T]:
        """The values for this very host or wildcard."""
        if host.startswith("*"):
            return [value for wildcard, value in self._wildcards if wildcard == host]
        return [value for _, value in self._exact.get(host, ())]

    def covering(self, host: str) -> list[tuple[str, T]]:
        """The values whose host covers `host`, each with its own host."""
        return self._exact.get(host, []) + [pair for pair in self._wildcards if hosts.covers(pair[0], host)]
