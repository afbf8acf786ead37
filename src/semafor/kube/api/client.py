"""The API without HTTP: what controllers, the kubelet and `app` use. The same rules as for everybody else."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from semafor.kube import store
from semafor.kube.api import errors, events, patch
from semafor.kube.api.call import Call, DeleteOptions, Propagation
from semafor.kube.api.objects import Objects
from semafor.kube.api.options import SEMAFOR, User
from semafor.resources.kind import Kind

Doc = dict[str, Any]
Docs = list[Doc]
Changes = list[tuple[str, Doc]]


class Client:
    """Reads and writes objects in process. Documents that it returns are shared: copy before changing them.

    `manager` is the name under which its writes appear in managedFields.
    """

    def __init__(self, objects: Objects, *, manager: str = "semafor", user: User = SEMAFOR) -> None:
        self._objects = objects
        self._manager = manager
        self._user = user
        self._recorder = events.Recorder(self)

    def as_manager(self, manager: str) -> "Client":
        """The same client under another name in managedFields."""
        return Client(self._objects, manager=manager, user=self._user)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that are served now, those of CustomResourceDefinitions included."""
        return self._objects.kinds

    def get(self, kind: Kind, namespace: str, name: str) -> Doc | None:
        return self._objects.store.get(kind.resource, namespace, name)

    def list(self, kind: Kind, namespace: str | None = None, *, labels: Mapping[str, str] | None = None) -> Docs:
        """Objects by namespace and name; `labels` must all be equal."""
        found = self._objects.store.list(kind.resource, namespace)[0]
        if not labels:
            return found
        return [obj for obj in found if labels.items() <= (obj["metadata"].get("labels") or {}).items()]

    def changes(self, kind: Kind, since: int) -> tuple[Changes, int]:
        """What has changed after that version, as `watch` tells it, and the version of the last change.

        Of what is too long ago to be told, everything that is there now.
        """
        newest = self._objects.store.changed(kind.resource)
        if newest <= since:
            return [], since
        try:
            events = self._objects.store.watch(kind.resource, since).ready()
        except store.Expired:
            return [("ADDED", obj) for obj in self.list(kind)], newest
        return [(event.type, event.object) for event in events], newest

    async def create(self, kind: Kind, obj: Doc) -> Doc:
        """Make a new object and return it as stored. Raises StatusError."""
        return (await self._objects.create(self._call(kind, obj["metadata"].get("namespace", ""), ""), obj)).obj

    async def update(self, kind: Kind, obj: Doc, *, subresource: str = "") -> Doc:
        """Replace an object (or with "status": its status) and return it as stored.

        Raises StatusError; reason Conflict when `metadata.resourceVersion` is given and no longer the stored one.
        """
        meta = obj["metadata"]
        about = self._call(kind, meta.get("namespace", ""), meta["name"], subresource)
        return (await self._objects.update(about, lambda _: obj)).obj

    async def patch(self, kind: Kind, namespace: str, name: str, patch_: Doc, *, subresource: str = "") -> Doc:
        """Apply a JSON merge patch and return the object as stored; a patch that changes nothing writes nothing."""
        about = self._call(kind, namespace, name, subresource)
        return (await self._objects.update(about, lambda old: patch.merge(old, patch_))).obj

    async def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        grace_period_s: int | None = None,
        propagation: Propagation = "Background",
        uid: str | None = None,
    ) -> None:
        """Delete an object, or mark it for deletion. Raises StatusError; an object that is gone already is fine."""
        options = DeleteOptions(grace_period_s=grace_period_s, propagation=propagation, uid=uid)
        try:
            await self._objects.delete(self._call(kind, namespace, name), options)
        except errors.StatusError as error:
            if error.reason != "NotFound":
                raise

    async def watch(self, kind: Kind, namespace: str | None = None) -> AsyncIterator[tuple[str, Doc]]:
        """First ADDED for what exists, then ADDED, MODIFIED and DELETED for ever, each change in its order.

        When the watch falls too far behind it starts again from the present, as differences to what it has told.
        """
        known: dict[tuple[str, str], Doc] = {}
        while True:
            present, version = self._objects.store.list(kind.resource, namespace)
            for type_, obj in _differences(known, present):
                _remember(known, type_, obj)
                yield type_, obj
            try:
                async for event in self._objects.store.watch(kind.resource, version, namespace):
                    _remember(known, event.type, event.object)
                    yield event.type, event.object
            except store.Expired:
                continue

    async def event(self, involved: Doc, type_: str, reason: str, message: str, *, source: str) -> None:
        """Record an event about an object; repetitions are counted, not stored again. Never raises StatusError."""
        await self._recorder.record(events.Happening(involved, type_, reason, message, source), self._objects.now())

    def _call(self, kind: Kind, namespace: str, name: str, subresource: str = "") -> Call:
        return Call(
            kind=kind,
            version=kind.versions[0],
            namespace=namespace,
            name=name,
            subresource=subresource,
            user=self._user,
            manager=self._manager,
            validation="Ignore",
            trusted=True,
        )


def _key(obj: Doc) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _remember(known: dict[tuple[str, str], Doc], type_: str, obj: Doc) -> None:
    if type_ == "DELETED":
        known.pop(_key(obj), None)
    else:
        known[_key(obj)] = obj


def _differences(known: Mapping[tuple[str, str], Doc], present: Docs) -> list[tuple[str, Doc]]:
    """What changed between what was told and what is; an object that was replaced by a namesake was deleted first."""
    now = {_key(obj): obj for obj in present}
    gone = [obj for key, obj in known.items() if key not in now or _uid(now[key]) != _uid(obj)]
    told = {key: obj for key, obj in known.items() if obj not in gone}
    changes = [("DELETED", obj) for obj in gone]
    for key, obj in now.items():
        if key not in told:
            changes.append(("ADDED", obj))
        elif told[key]["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
            changes.append(("MODIFIED", obj))
    return changes


def _uid(obj: Doc) -> Any:
    return obj["metadata"].get("uid")
