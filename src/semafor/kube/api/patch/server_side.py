"""Field ownership: server-side apply, and the tracking of ordinary writes.

    apply    merge what a manager wants into the live object; take away what it no longer wants and nobody else does;
             refuse to change what others own, unless forced
    track    note in metadata.managedFields who has changed what

Source: kubernetes.io, Server-Side Apply; sigs.k8s.io/structured-merge-diff merge/update.go;
k8s.io/apimachinery/pkg/util/managedfields.
"""

import json
from datetime import datetime
from typing import Any

from semafor.base import clock
from semafor.kube.api.patch import fields, managed, typed
from semafor.kube.api.patch.documents import clone, require_object, require_shallow, same
from semafor.kube.api.patch.errors import ConflictError, MalformedError
from semafor.kube.api.patch.fields import Fields
from semafor.kube.api.patch.managed import Entry, Managed, Operation
from semafor.resources.shape import Shape

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MAX_ANNOTATION_BYTES = 256 * 1024
# The name that kube-apiserver gives to what was there before anyone applied.
_BEFORE = "before-first-apply"
# Nobody owns what names the object and what the server sets.
_UNOWNED = frozenset({"apiVersion", "kind"})
_UNOWNED_METADATA = frozenset(
    {"name", "namespace", "creationTimestamp", "uid", "generation", "managedFields", "resourceVersion", "selfLink"}
)


def apply(
    live: dict[str, Any] | None,
    applied: Any,
    manager: str,
    force: bool,  # noqa: FBT001 - the order of the arguments is that of the query
    schema: Shape | None,
    now: datetime,
    *,
    subresource: str = "",
) -> dict[str, Any]:
    """Return the object after `manager` has applied `applied`; equal to `live` when nothing changes.

    `applied` holds only fields that the endpoint may write: the caller takes `status` out of an apply to the main
    resource, and everything but `status` out of one to the subresource. Raises MalformedError, or ConflictError when
    others own fields that would change and `force` is not set.
    """
    require_shallow(applied)
    applied = require_object(applied, "what is applied")
    _require_applicable(applied, schema)
    entry = Entry(manager=manager, operation="Apply", api_version=_version(applied), subresource=subresource, time="")
    run = _Apply(live, applied, entry, schema, now)
    try:
        return run.result(force=force)
    except ConflictError:
        if manager != "kubectl" or live is None or not run.conflicts() <= _untouched_since_client_apply(live, schema):
            raise
        return run.result(force=True)


def track(
    old: dict[str, Any] | None,
    new: dict[str, Any],
    manager: str,
    operation: Operation,
    schema: Shape | None,
    now: datetime,
    *,
    subresource: str = "",
) -> dict[str, Any]:
    """Return `new` with managedFields that say what `manager` has changed since `old` (None: everything is new).

    The result shares its parts with `new`.

    managedFields that the writer itself has changed are taken as they are, and `[{}]` resets them; unreadable ones
    are replaced by the old ones. Raises MalformedError for a document that nests too deep.
    """
    require_shallow(new)
    owners = _readable_owners(old, new, subresource)
    change = typed.compare(_bare(old or {}), _bare(new), schema)
    entry = Entry(manager=manager, operation=operation, api_version=_version(new), subresource=subresource)
    owners = _disown(owners, change.changed | change.removed)
    owned = change.changed - {("f:metadata",)}
    if owned:
        before = owners.get(entry.key, entry)
        owners[entry.key] = before.owning(fields.plus(before.fields, sorted(owned)), time=clock.stamp(now))
    return _with_owners(new, managed.capped(owners))


class _Apply:
    """One apply, decided step by step: the merge, the new owners, the fields that nobody wants any more."""

    def __init__(
        self, live: dict[str, Any] | None, applied: dict[str, Any], entry: Entry, schema: Shape | None, now: datetime
    ) -> None:
        self.live = live or {}
        self.applied = applied
        self.schema = schema
        self.now = now
        self.entry = entry.owning(fields.encode(_owned_by(applied, schema)))
        self.owners = self._owners_before()
        self.last = self.owners.get(entry.key)
        self.wanted = self._pruned(typed.merge(self.live, applied, schema))
        self.change = typed.compare(_bare(self.live), _bare(self.wanted), schema)

    def result(self, *, force: bool) -> dict[str, Any]:
        conflicts = self._conflicts()
        if conflicts and not force:
            raise ConflictError(tuple(entry.conflict(path) for entry, path in conflicts))
        others = {key: entry for key, entry in self.owners.items() if key != self.entry.key}
        owners = _disown(others, self.change.changed | self.change.removed)
        wanted = self._with_last_applied()
        owners |= managed.index([self.entry.owning(self.entry.fields, time=self._time(wanted))])
        return _with_owners(wanted, owners)

    def conflicts(self) -> Fields:
        return frozenset(path for _, path in self._conflicts())

    def _conflicts(self) -> list[tuple[Entry, fields.Path]]:
        return [
            (entry, path)
            for key, entry in sorted(self.owners.items())
            if key != self.entry.key
            for path in sorted(self.change.changed)
            if fields.holds(entry.fields, path)
        ]

    def _owners_before(self) -> Managed:
        owners = managed.decode(self.live)
        if owners is not None or not self.live:
            return owners or {}
        entry = Entry(manager=_BEFORE, operation="Update", api_version=_version(self.live))
        everything = typed.compare({}, _bare(self.live), self.schema).added - {("f:metadata",)}
        return managed.index([entry.owning(fields.encode(everything), time=clock.stamp(self.now))])

    def _pruned(self, merged: dict[str, Any]) -> dict[str, Any]:
        """Take out what this manager applied last time, does not apply now, and nobody else owns."""
        if self.last is None:
            return merged
        last = typed.with_parents(fields.decode(self.last.fields), self.schema)
        there = typed.with_parents(typed.field_set(merged, self.schema), self.schema)
        owners = [self.entry, *(entry for key, entry in self.owners.items() if key != self.entry.key)]
        owned = typed.with_parents(fields.NONE.union(*(fields.decode(each.fields) for each in owners)), self.schema)
        kept = typed.field_set(typed.remove(merged, fields.encode(last), self.schema), self.schema)
        gone = there - typed.with_parents(kept, self.schema) - owned
        pruned: dict[str, Any] = typed.remove(merged, fields.encode(gone & last), self.schema)
        return pruned

    def _time(self, wanted: dict[str, Any]) -> str:
        unchanged = (
            self.last is not None and self.last.fields == self.entry.fields and same(_bare(self.live), _bare(wanted))
        )
        return self.last.time if unchanged and self.last else clock.stamp(self.now)

    def _with_last_applied(self) -> dict[str, Any]:
        """Keep kubectl's client-side annotation in step, so that both ways of applying can be mixed."""
        annotations = _annotations(self.wanted)
        if self.entry.manager != "kubectl" or _LAST_APPLIED not in annotations:
            return self.wanted
        wanted: dict[str, Any] = clone(self.wanted)
        text = json.dumps(_without_annotation(self.applied), separators=(",", ":"), ensure_ascii=False) + "\n"
        annotations = wanted["metadata"]["annotations"]
        annotations[_LAST_APPLIED] = text if len(text.encode()) <= _MAX_ANNOTATION_BYTES else ""
        return wanted


def _require_applicable(applied: dict[str, Any], schema: Shape | None) -> None:
    metadata = applied.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields"):
        raise MalformedError("metadata.managedFields must be nil")
    try:
        typed.require_associative(applied, schema)
    except MalformedError as error:
        raise MalformedError(f"failed to create typed patch object: {error}") from None


def _readable_owners(old: dict[str, Any] | None, new: dict[str, Any], subresource: str) -> Managed:
    """The new document's own entries where they may be written and can be read, else the old one's."""
    written = None if subresource else managed.decode(new)
    if written is not None:
        return written
    return (managed.decode(old) if old is not None else None) or {}


def _disown(owners: Managed, paths: Fields) -> Managed:
    return managed.index(entry.owning(fields.minus(entry.fields, paths)) for entry in owners.values())


def _with_owners(doc: dict[str, Any], owners: Managed) -> dict[str, Any]:
    metadata = doc.get("metadata")
    metadata = {**metadata} if isinstance(metadata, dict) else {}
    metadata["managedFields"] = managed.encode(owners)
    if not metadata["managedFields"]:
        del metadata["managedFields"]
    return {**doc, "metadata": metadata}


def _owned_by(applied: dict[str, Any], schema: Shape | None) -> Fields:
    return typed.field_set(_bare(applied), schema) - {("f:metadata",), ()}


def _bare(doc: dict[str, Any]) -> dict[str, Any]:
    """The document without what nobody owns."""
    bare = {key: value for key, value in doc.items() if key not in _UNOWNED}
    metadata = bare.get("metadata")
    if isinstance(metadata, dict):
        bare["metadata"] = {key: value for key, value in metadata.items() if key not in _UNOWNED_METADATA}
    return bare


def _untouched_since_client_apply(live: dict[str, Any], schema: Shape | None) -> Fields:
    """The fields that `kubectl apply` (client-side) set last and that still have its values."""
    try:
        last = json.loads(_annotations(live).get(_LAST_APPLIED, ""))
        require_shallow(last)
    except (ValueError, TypeError, RecursionError, MalformedError):
        return fields.NONE
    if not isinstance(last, dict):
        return fields.NONE
    change = typed.compare(_bare(last), _bare(live), schema)
    return _owned_by(last, schema) - change.changed - change.removed


def _annotations(doc: dict[str, Any]) -> dict[str, Any]:
    metadata = doc.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return annotations if isinstance(annotations, dict) else {}


def _without_annotation(applied: dict[str, Any]) -> dict[str, Any]:
    doc: dict[str, Any] = clone(applied)
    _annotations(doc).pop(_LAST_APPLIED, None)
    return doc


def _version(doc: dict[str, Any]) -> str:
    version = doc.get("apiVersion")
    return version if isinstance(version, str) else ""
