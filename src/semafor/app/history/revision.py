"""What a revision is. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from semafor.base.struct import Value

Doc = dict[str, Any]
Key = tuple[str, str, str, str]  # group, kind, namespace, name

# What the API keeps for itself; all else of an object is what somebody has said.
_OURS: Final = frozenset(
    ("managedFields", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "ownerReferences")
)


class Step(Value):
    """One object, before and after; None where there was or is none. `who` is empty where nobody saw it."""

    before: Doc | None
    after: Doc | None
    who: str = ""
    with_: str = ""

    @property
    def key(self) -> Key:
        return key(self.after or self.before or {})

    @property
    def how(self) -> str:
        return "created" if self.before is None else "deleted" if self.after is None else "changed"


class Revision(Value):
    """Changes that came together. `at` is in RFC 3339."""

    number: int
    at: str
    steps: tuple[Step, ...]


def key(document: Doc) -> Key:
    metadata = document.get("metadata") or {}
    group = str(document.get("apiVersion", "")).rpartition("/")[0]
    return group, str(document.get("kind", "")), str(metadata.get("namespace", "")), str(metadata.get("name", ""))


def essence(document: Doc) -> Doc:
    """The object as somebody has said it."""
    metadata = {name: value for name, value in document["metadata"].items() if name not in _OURS}
    return {**{name: value for name, value in document.items() if name != "status"}, "metadata": metadata}


def since(revisions: Iterable[Revision], number: int) -> dict[Key, Doc | None]:
    """What the objects were at that revision which have changed since; None for those that were not there."""
    found: dict[Key, Doc | None] = {}
    for revision in revisions:
        if revision.number > number:
            for step in revision.steps:
                found.setdefault(step.key, step.before)
    return found


def joined(steps: Sequence[Step]) -> Iterator[Step]:
    """One step for each object, from what it was before the first to what it is after the last."""
    first: dict[Key, Step] = {}
    last: dict[Key, Step] = {}
    for step in steps:
        first.setdefault(step.key, step)
        last[step.key] = step
    for key_, end in last.items():
        if first[key_].before != end.after:
            yield Step(before=first[key_].before, after=end.after, who=end.who, with_=end.with_)
