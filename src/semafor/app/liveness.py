"""Who has what: a pure count of which generation of the mesh first held an object, and which one each proxy has."""

from collections.abc import Container, Iterable

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
    """Generations count up with every plan of the mesh. Who settled at 7 has every object first held by <= 7."""

    def __init__(self) -> None:
        self._since: dict[ObjectRef, int] = {}
        self._settled: dict[str, int] = {}

    def changed(self, refs: Iterable[ObjectRef], generation: int) -> None:
        """These objects are new or different from `generation` on."""
        for ref in refs:
            self._since[ref] = generation

    def removed(self, refs: Iterable[ObjectRef]) -> None:
        for ref in refs:
            self._since.pop(ref, None)

    def joined(self, proxy: str) -> None:
        """The proxy is connected and has nothing yet."""
        self._settled.setdefault(proxy, 0)

    def left(self, proxy: str) -> None:
        self._settled.pop(proxy, None)

    def settled(self, proxy: str, generation: int) -> None:
        """The proxy has acknowledged everything up to `generation`."""
        self._settled[proxy] = max(generation, self._settled.get(proxy, 0))

    def since(self, ref: ObjectRef) -> int:
        """The generation that first held the object as it is; 0 for one that is not known."""
        return self._since.get(ref, 0)

    def count(self, ref: ObjectRef, among: Container[str] | None = None) -> Count:
        """How many of the proxies have the object; without `among`, of all that are connected."""
        since = self.since(ref)
        asked = [at for proxy, at in self._settled.items() if among is None or proxy in among]
        return Count(have=sum(at >= since for at in asked), of=len(asked))
