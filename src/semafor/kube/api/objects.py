"""Objects, written by the rules: the one door to the store, for HTTP requests and for the in-process client alike.

document ─▶ understood (types, unknown fields) ─▶ completed (metadata, defaults, rules) ─▶ admitted ─▶ checked
         ─▶ owned (managedFields) ─▶ store
"""

import random
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from semafor.base import clock
from semafor.base.struct import Value
from semafor.kube import store
from semafor.kube.api import deletion, errors, metadata, patch, patches, rules
from semafor.kube.api.call import Call, DeleteOptions
from semafor.kube.api.catalog import DEFINITIONS, Catalog
from semafor.kube.api.documents import Understood, understand
from semafor.kube.api.options import Admission, AdmissionRequest
from semafor.kube.api.patch import server_side
from semafor.resources import check
from semafor.resources.kind import Kind
from semafor.resources.registry import KINDS
from semafor.resources.shape import shape_of

Doc = dict[str, Any]
Change = Callable[[Doc], Doc]

_ATTEMPTS = 8  # of a write without a version of its own, when others write the same object in between
_NO_NAMESPACE_NEEDED = frozenset({"default"})


class Outcome(Value):
    """What a write came to. `created` tells an apply that made the object from one that changed it."""

    obj: Doc
    warnings: tuple[str, ...] = ()
    created: bool = False


class Objects:
    """All verbs that change objects. Reads go to `store`; nothing it returns may be changed by the caller."""

    def __init__(
        self,
        backing: store.Store,
        *,
        kinds: Sequence[Kind] = KINDS,
        admission: Sequence[Admission] = (),
        now: Callable[[], datetime] = clock.now,
        source: random.Random | None = None,
    ) -> None:
        self.store = backing
        self.catalog = Catalog(kinds, backing)
        self.now = now
        self._admission = tuple(admission)
        self._random = source or random.Random()  # noqa: S311 - names, not secrets

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that are served now."""
        return self.catalog.kinds

    def get(self, kind: Kind, namespace: str, name: str) -> Doc:
        """The object. Raises StatusError 404."""
        obj = self.store.get(kind.resource, namespace, name)
        if obj is None:
            raise errors.not_found(kind, name)
        return obj

    def listed(self, resource: str) -> list[Doc]:
        """All objects of a resource."""
        return self.store.list(resource)[0]

    async def create(self, call: Call, doc: Doc) -> Outcome:
        """Make a new object. Raises StatusError."""
        understood = understand(call, doc)
        return await self._create(call, understood, self._track)

    async def update(self, call: Call, change: Change) -> Outcome:
        """Let `change` turn the stored object into the wanted one, and store that.

        `change` must be pure: it is called again when someone else wrote in between, unless what it returns still has
        the older version, which the client then insists on. Raises StatusError.
        """
        return await self._retried(call, lambda old: self._update(call, old, change(old), self._track))

    async def apply(self, call: Call, applied: Doc) -> Outcome:
        """Server-side apply: create the object, or merge what this manager wants into it. Raises StatusError."""
        patches.check_applied(call, applied)
        understood = understand(call, applied)
        metadata.check_identity(call, understood.doc)
        if self.store.head(call.kind.resource, call.namespace, call.name) is None:
            return await self._apply_new(call, understood)

        async def again(old: Doc) -> Outcome:
            metadata.check_preconditions(call.kind, understood.doc, old)
            merged = self._merged(call, old, understood.doc)
            outcome = await self._update(call, old, merged, _keep)
            return Outcome(obj=outcome.obj, warnings=understood.warnings + outcome.warnings)

        return await self._retried(call, again)

    async def delete(self, call: Call, options: DeleteOptions) -> tuple[Doc, bool]:
        """Remove the object, or mark it. Return it, and whether it is gone. Raises StatusError."""
        call = msgspec.structs.replace(call, dry_run=call.dry_run or options.dry_run)
        for _ in range(_ATTEMPTS):
            old = self._head(call)
            verdict = deletion.decide(call.kind, old, options, self.now())
            await self._admit("DELETE", call, None, old)
            if call.dry_run:
                return verdict.obj, verdict.remove
            try:
                return await self._carry_out(call, old, verdict), verdict.remove
            except store.Conflict:
                continue
            except store.Missing:
                raise errors.not_found(call.kind, call.name) from None
        raise errors.conflict(call.kind, call.name)

    async def _carry_out(self, call: Call, old: Doc, verdict: deletion.Verdict) -> Doc:
        if verdict.obj is old and not verdict.remove:
            return old
        resource, expected = call.kind.resource, int(old["metadata"]["resourceVersion"])
        if verdict.remove:
            await self._empty(resource, old)
            return await _done(self.store.delete(resource, call.namespace, call.name, expected=expected))
        return await _done(self.store.update(resource, verdict.obj, expected=expected))

    async def _empty(self, resource: str, old: Doc) -> None:
        """With the definition of a kind go the kind's objects."""
        gone = old["metadata"]["name"] if resource == DEFINITIONS else ""
        for entry in self.store.entries(gone) if gone else ():
            meta = entry.object["metadata"]
            await _done(self.store.delete(gone, meta.get("namespace", ""), meta["name"]))

    async def _create(self, call: Call, understood: Understood, own: "Own") -> Outcome:
        kind = call.kind
        metadata.check_identity(call, understood.doc)
        self._require_namespace(call, understood.doc)
        obj = metadata.for_create(
            call,
            self._named(call, understood.doc),
            now=self.now(),
            uid=str(uuid.uuid4()),
            tail=metadata.suffix(self._random),
        )
        asked = kind.defaults(obj)
        obj = rules.of(kind).complete(asked, None, self._ground())
        obj, warnings = await self._admit("CREATE", call, obj, None)
        obj = self._allocated(kind, obj, None)
        warnings = (*understood.warnings, *warnings, *_verified(call, obj, None))
        obj = _owned(obj, own(call, None, asked))
        if call.dry_run:
            return Outcome(obj=obj, warnings=warnings, created=True)
        try:
            stored = await _done(self.store.create(kind.resource, obj))
        except store.Exists:
            found = self.store.head(kind.resource, call.namespace, obj["metadata"]["name"]) or {"metadata": {}}
            ends = "deletionTimestamp" in found["metadata"]
            raise errors.already_exists(kind, obj["metadata"]["name"], ends=ends) from None
        return Outcome(obj=stored, warnings=warnings, created=True)

    def _named(self, call: Call, doc: Doc) -> Doc:
        """The document of a kind that is commonly written without a name: the second one gets one made for it."""
        meta, usual = doc.get("metadata") or {}, call.kind.default_name
        if not usual or call.name or meta.get("name") or meta.get("generateName"):
            return doc
        if self.store.head(call.kind.resource, call.namespace, usual) is None:
            return doc
        return {**doc, "metadata": {**meta, "generateName": f"{usual}-"}}

    async def _apply_new(self, call: Call, understood: Understood) -> Outcome:
        if call.subresource:
            raise errors.not_found(call.kind, call.name)
        if uid := (understood.doc.get("metadata") or {}).get("uid"):
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise errors.conflict(call.kind, call.name, why)
        owners = self._merged(call, None, understood.doc)["metadata"].get("managedFields", [])

        def own(_: Call, __: Doc | None, obj: Doc) -> Doc:
            return {**obj, "metadata": {**obj["metadata"], "managedFields": owners}}

        return await self._create(call, understood, own)

    def _merged(self, call: Call, old: Doc | None, applied: Doc) -> Doc:
        """What is applied, merged into the live object, as far as the endpoint may write it."""
        if call.subresource == "status":
            shown: Doc = {key: value for key, value in applied.items() if key in ("apiVersion", "kind", "status")}
            shown["metadata"] = {"name": call.name}
        else:
            dropped = "status" if "status" in call.kind.subresources else ""
            shown = {key: value for key, value in applied.items() if key != dropped}
            skipped = ("resourceVersion", "uid", "managedFields", "creationTimestamp")
            meta = {key: value for key, value in (applied.get("metadata") or {}).items() if key not in skipped}
            shown["metadata"] = {**meta, "name": call.name}
        shape, where = shape_of(call.kind), call.subresource
        try:
            return server_side.apply(old, shown, call.manager, call.force, shape, self.now(), subresource=where)
        except patch.PatchError as error:
            raise patches.refused(error) from None

    async def _update(self, call: Call, old: Doc, doc: Doc, own: "Own") -> Outcome:
        kind = call.kind
        understood = understand(call, doc)
        metadata.check_identity(call, understood.doc, is_update=True)
        asked = kind.defaults(metadata.for_update(call, understood.doc, old))
        new = rules.of(kind).complete(asked, old, self._ground())
        new, warnings = await self._admit("UPDATE", call, new, old)
        new = metadata.with_generation(kind, self._allocated(kind, new, old), old)
        warnings = (*understood.warnings, *warnings, *_verified(call, new, old))
        new = _owned(new, own(call, old, asked))
        if metadata.same(new, old):
            return Outcome(obj=old, warnings=warnings)
        if call.dry_run:
            return Outcome(obj=new, warnings=warnings)
        return Outcome(obj=await self._replace(kind, new, old), warnings=warnings)

    async def _replace(self, kind: Kind, new: Doc, old: Doc) -> Doc:
        """Store the object; if it was only waiting for this change to go, let it go."""
        expected = int(old["metadata"]["resourceVersion"])
        if deletion.complete(kind, new) and deletion.held(kind, old):
            meta = new["metadata"]
            gone = self.store.delete(kind.resource, meta.get("namespace", ""), meta["name"], expected=expected)
            await _done(gone)
            return new
        return await _done(self.store.update(kind.resource, new, expected=expected))

    async def _retried(self, call: Call, attempt: Callable[[Doc], Awaitable[Outcome]]) -> Outcome:
        for _ in range(_ATTEMPTS):
            old = self._head(call)
            try:
                return await attempt(old)
            except store.Conflict:
                continue
            except store.Missing:
                raise errors.not_found(call.kind, call.name) from None
        raise errors.conflict(call.kind, call.name)

    def _head(self, call: Call) -> Doc:
        old = self.store.head(call.kind.resource, call.namespace, call.name)
        if old is None:
            raise errors.not_found(call.kind, call.name)
        return old

    async def _admit(self, operation: str, call: Call, new: Doc | None, old: Doc | None) -> tuple[Doc, tuple[str, ...]]:
        """Ask the hooks, then fill in the defaults of what they added."""
        obj = new
        warnings: tuple[str, ...] = ()
        for hook in self._admission if not call.subresource else ():
            admitted = await hook.admit(_request(operation, call, obj, old))
            warnings += admitted.warnings
            obj = admitted.obj if new is not None else None
        if obj is not None and obj is not new:
            obj = call.kind.defaults(obj)
        return obj or {}, warnings

    def _allocated(self, kind: Kind, new: Doc, old: Doc | None) -> Doc:
        try:
            return rules.of(kind).allocate(new, old, self._ground())
        except rules.Refused as refused:
            raise errors.invalid(kind, new["metadata"]["name"], [refused.error]) from None

    def _ground(self) -> rules.Ground:
        time = clock.stamp(self.now())
        return rules.Ground(heads=self.store.heads, tail=metadata.suffix(self._random), time=time)

    def _track(self, call: Call, old: Doc | None, new: Doc) -> Doc:
        """Note in managedFields what the write changes; parts that it leaves alone are not compared field by field."""
        same = {key for key in new if key != "metadata" and old is not None and key in old and new[key] == old[key]}
        before, after = _without(old, same), _without(new, same) or {}
        shape, where = shape_of(call.kind), call.subresource
        tracked = server_side.track(before, after, call.manager, "Update", shape, self.now(), subresource=where)
        return {**new, "metadata": tracked["metadata"]}

    def _require_namespace(self, call: Call, doc: Doc) -> None:
        if not call.kind.namespaced or call.namespace in _NO_NAMESPACE_NEEDED:
            return
        namespace = self.store.head("namespaces", "", call.namespace)
        if namespace is None:
            raise errors.no_namespace(call.namespace)
        if "deletionTimestamp" in namespace["metadata"]:
            name = (doc.get("metadata") or {}).get("name", "")
            raise errors.namespace_terminating(call.kind, name, call.namespace)


async def _done(write: Coroutine[Any, Any, Doc]) -> Doc:
    """The write's result; a disk that refuses is a server that is unavailable."""
    try:
        return await write
    except store.Unwritable as error:
        raise errors.unavailable(str(error)) from None


Own = Callable[[Call, Doc | None, Doc], Doc]


def _without(doc: Doc | None, keys: set[str]) -> Doc | None:
    return (
        None if doc is None else {key: value for key, value in doc.items() if key not in keys - {"apiVersion", "kind"}}
    )


def _owned(doc: Doc, told: Doc) -> Doc:
    """The document with the managedFields of the other: whoever writes owns what he wrote, not what the API adds."""
    rest = {key: value for key, value in doc["metadata"].items() if key != "managedFields"}
    managers = told["metadata"].get("managedFields")
    return {**doc, "metadata": {**rest, **({"managedFields": managers} if managers else {})}}


def _keep(_: Call, __: Doc | None, new: Doc) -> Doc:
    return new


def _request(operation: Any, call: Call, new: Doc | None, old: Doc | None) -> AdmissionRequest:
    name = call.name or (new or {}).get("metadata", {}).get("name", "")
    return AdmissionRequest(
        operation=operation,
        kind=call.kind,
        namespace=call.namespace,
        name=name,
        new=new,
        old=old,
        dry_run=call.dry_run,
        user=call.user,
    )


def _verified(call: Call, new: Doc, old: Doc | None) -> Iterable[str]:
    """Everything that is wrong, in one refusal; else what to warn of."""
    if call.trusted and call.subresource == "status":
        return ()  # our own controllers write these, often
    kind = call.kind
    report = check.check(kind, new)
    wrong = [*report.errors, *rules.of(kind).check(new, old)]
    if old is not None:
        wrong += metadata.update_errors(new, old)
    if wrong:
        raise errors.invalid(kind, new["metadata"].get("name", ""), wrong)
    return report.warnings
