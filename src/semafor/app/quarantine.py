"""Rules that no proxy can use: the mesh goes on with their last good version, until they change.

One bad rule would otherwise hold up all others, because Envoy refuses a route table as a whole. Pure.
"""

from collections.abc import Iterator

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Document


class Quarantine:
    """Knows of every rule the version that is asked for, the last one that proxies took, and why it is held."""

    def __init__(self) -> None:
        self._asked: dict[ObjectRef, Document] = {}
        self._good: dict[ObjectRef, Document] = {}
        self._held: dict[ObjectRef, Problem] = {}
        self._tried: set[ObjectRef] = set()

    def arrived(self, ref: ObjectRef, document: Document | None, *, proven: bool) -> None:
        """There is a new version (None: no more), which gets its own chance. `proven`: proxies have the one before."""
        before = self._asked.pop(ref, None)
        if before is not None:
            self._tried.discard(ref)
        if before is not None and proven and ref not in self._held:
            self._good[ref] = before
        self._held.pop(ref, None)
        if document is None:
            self._good.pop(ref, None)
        else:
            self._asked[ref] = document

    def hold(self, problem: Problem) -> bool:
        """Keep the rule out for this reason. False when it is out already, or not there at all."""
        if problem.ref in self._held or problem.ref not in self._asked:
            return False
        self._held[problem.ref] = problem
        return True

    def good(self, ref: ObjectRef) -> Document | None:
        """The last version that proxies took; None where there was none."""
        return self._good.get(ref)

    def release(self, ref: ObjectRef) -> Document | None:
        """The version that was held, to arrive once more; None when it is not held any more, or had its trial."""
        if ref not in self._held or ref in self._tried:
            return None
        self._tried.add(ref)
        del self._held[ref]
        return self._asked.pop(ref)

    def problems(self) -> Iterator[Problem]:
        """Why each rule is held."""
        yield from self._held.values()
