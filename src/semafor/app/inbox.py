"""What the watches have told and the mesh does not have yet. No I/O.

documents ─▶ take (decode; has anything changed that plans depend on?) ─▶ drain ─▶ Mesh.replace
"""

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

from semafor import resources
from semafor.base.problem import ObjectRef
from semafor.base.struct import Document
from semafor.resources.kind import Kind

Doc = dict[str, Any]
Changes = dict[ObjectRef, Document | None]  # None: gone, or of a shape that cannot be read
log = logging.getLogger(__name__)

_CONDITIONS_THAT_COUNT = {"Pod": "Ready", "WorkloadEntry": "Healthy"}
_BOOKKEEPING_THAT_COUNTS = ("uid", "labels", "annotations", "creationTimestamp", "deletionTimestamp")


@dataclasses.dataclass(frozen=True, slots=True)
class _Seen:
    """What plans depend on of an object, its generation, and its last resourceVersion."""

    essence: Any
    generation: int
    version: str


class Inbox:
    """The newest change of each object, and the last version seen of every object."""

    def __init__(self) -> None:
        self._changes: Changes = {}
        self._seen: dict[ObjectRef, _Seen] = {}

    def take(self, kind: Kind, obj: Doc, *, gone: bool) -> bool:
        """Take in what a watch tells; whether it is anything that plans depend on."""
        ref = reference(kind, obj)
        if gone:
            self._seen.pop(ref, None)
            self._changes[ref] = None
            return True
        before, seen = self._seen.get(ref), _seen(kind, obj)
        self._seen[ref] = seen
        if before is not None and before.essence == seen.essence:
            return False  # only its status changed, which is our own doing
        self._changes[ref] = decoded(kind, obj)
        return True

    def put_back(self, ref: ObjectRef, document: Document) -> None:
        """Let the object be planned once more, unless something newer waits."""
        self._changes.setdefault(ref, document)

    def withhold(self, ref: ObjectRef) -> Document | None:
        """Take an object out that waits, so that it is not planned."""
        return self._changes.pop(ref, None)

    def waiting(self) -> Mapping[ObjectRef, Document | None]:
        """What the mesh does not have yet."""
        return self._changes

    def drain(self) -> Changes:
        """Like `waiting`; then nothing waits any more."""
        changes, self._changes = self._changes, {}
        return changes

    def knows(self, ref: ObjectRef) -> bool:
        """Whether the object is there, as far as watches have told."""
        return ref in self._seen

    def generation(self, ref: ObjectRef) -> int:
        """The object's `metadata.generation` as it was last told; 0 for one that is not there."""
        seen = self._seen.get(ref)
        return seen.generation if seen else 0

    def has(self, ref: ObjectRef, obj: Doc, *, gone: bool) -> bool:
        """Whether a watch has told this very version of the object, or that it is gone."""
        seen = self._seen.get(ref)
        if gone or seen is None:
            return gone and seen is None
        return bool(seen.version == obj["metadata"]["resourceVersion"])


def reference(kind: Kind, obj: Doc) -> ObjectRef:
    """The object, as problems name it."""
    metadata = obj["metadata"]
    namespace = metadata.get("namespace", "")
    return ObjectRef(kind=kind.kind, namespace=namespace, name=metadata["name"], group=kind.group)


def decoded(kind: Kind, obj: Doc) -> Document | None:
    """The typed view; None, and a line in the log, for a document of a shape that cannot be read."""
    try:
        return resources.decode(kind, obj)
    except resources.DecodeError as error:
        log.warning("%s %s is passed over: %s", kind.kind, obj["metadata"]["name"], error)
        return None


def _seen(kind: Kind, obj: Doc) -> _Seen:
    """Everything of an object counts but its bookkeeping and, mostly, its status."""
    metadata = obj["metadata"]
    kept = {key: metadata.get(key) for key in _BOOKKEEPING_THAT_COUNTS}
    rest = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    return _Seen((kept, rest, _state(kind, obj)), metadata.get("generation", 0), metadata["resourceVersion"])


def _state(kind: Kind, obj: Doc) -> tuple[Any, ...]:
    """What plans depend on of a status: whether an instance may be called, and where."""
    wanted = _CONDITIONS_THAT_COUNT.get(kind.kind)
    if wanted is None:
        return ()
    status = obj.get("status") or {}
    said = (each.get("status") for each in status.get("conditions") or () if each.get("type") == wanted)
    return (status.get("podIP", ""), next(said, ""))
