"""Who has what: a pure count of which generation of the mesh first held an object, and which one each proxy has."""

from collections.abc import Collection, Container, Iterable

from semafor.base.problem import ObjectRef
from semafor.base.struct import Value


class Count(Value):
    """An object is in `have` of `of` proxies."""

    have: int
    of: int

    @property
    def everywhere(self) -> bool:
        return self.have == self.of

    def __str__(self) -> str:
        if self.of == 0:
            return "no proxy is connected"
        return f"{self.have} of {self.of} {'proxy has' if self.of == 1 else 'proxies have'} it"


class Liveness:
    """Generations count up with every plan of the mesh. Who settled at 7 has every object first held by <= 7.

    A proxy counts from its first complete configuration on: before, its pod is not ready, and would make every object
    look as if it were taken back.
    """

    def __init__(self) -> None:
        self._since: dict[ObjectRef, int] = {}
        self._settled: dict[str, int] = {}
        self._doubts: dict[str, tuple[int, int]] = {}  # after the first, up to the second generation
        self._counts: dict[int, Count] = {}  # by the generation since which an object is held

    def changed(self, refs: Iterable[ObjectRef], generation: int) -> None:
        """These objects are new or different from `generation` on."""
        for ref in refs:
            self._since[ref] = generation

    def removed(self, refs: Iterable[ObjectRef]) -> None:
        for ref in refs:
            self._since.pop(ref, None)

    def left(self, proxy: str) -> None:
        self._settled.pop(proxy, None)
        self._doubts.pop(proxy, None)
        self._counts.clear()

    def doubted(self, proxy: str, generation: int) -> None:
        """The proxy goes without something that changed after it settled last, up to `generation`; what is unknown."""
        first, _ = self._doubts.get(proxy, (self._settled.get(proxy, 0), 0))
        self._doubts[proxy] = (first, generation)
        self._counts.clear()

    def trusted(self, proxy: str) -> None:
        """The proxy goes without nothing that nobody knows."""
        self._doubts.pop(proxy, None)
        self._counts.clear()

    def settled(self, proxy: str, generation: int) -> None:
        """The proxy has acknowledged everything up to `generation`, but for what is in doubt."""
        self._settled[proxy] = max(generation, self._settled.get(proxy, 0))
        self._counts.clear()

    def since(self, ref: ObjectRef) -> int:
        """The generation that first held the object as it is; 0 for one that is not known."""
        return self._since.get(ref, 0)

    def count(self, ref: ObjectRef, among: Container[str] | None = None) -> Count:
        """How many of the proxies have the object; without `among`, of all that are connected."""
        since = self.since(ref)
        if among is not None:
            return self._count(since, [proxy for proxy in self._settled if proxy in among])
        if since not in self._counts:
            self._counts[since] = self._count(since, self._settled)
        return self._counts[since]

    def _count(self, since: int, proxies: Collection[str]) -> Count:
        return Count(have=sum(self._has(proxy, since) for proxy in proxies), of=len(proxies))

    def _has(self, proxy: str, since: int) -> bool:
        first, last = self._doubts.get(proxy, (0, 0))
        return self._settled[proxy] >= since and not first < since <= last
