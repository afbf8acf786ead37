"""Watches the mesh's configuration, and keeps what it was."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from semafor.app import mesh_config
from semafor.app.history import revision
from semafor.app.history.revision import Key, Revision, Step
from semafor.app.pipeline import RULES
from semafor.base import clock
from semafor.kube.api.client import Client
from semafor.kube.api.options import AdmissionRequest, Admitted
from semafor.kube.store import Store, StoreError
from semafor.resources.core import config_map
from semafor.resources.kind import Kind

Doc = dict[str, Any]
log = logging.getLogger(__name__)

RESOURCE: Final = "revisions.semafor"  # in the store alone: no API serves it
MOST: Final = 200  # revisions that are kept
MOST_BYTES: Final = 8_000_000  # of all of them together, for they are in memory too
QUIET_S: Final = 0.3  # what one `kubectl apply` changes is one revision
_LONGEST_S: Final = 3.0  # but a steady stream of changes is several
_DIGITS: Final = 12  # names of revisions sort as their numbers do


class Writers:
    """The admission hook that tells who writes, and has no say itself."""

    def __init__(self, hear: Callable[[AdmissionRequest], None]) -> None:
        self._hear = hear

    async def admit(self, request: AdmissionRequest) -> Admitted:
        self._hear(request)
        return Admitted(request.new or {})


class Recorder:
    """Learns who writes from admission, and what has been written from watches."""

    def __init__(self, client: Client, store: Store) -> None:
        self._client = client
        self._store = store
        self._writers: dict[Key, str] = {}
        self._known: dict[Key, Doc] = {}
        self._steps: list[Step] = []
        self._news = asyncio.Event()

    def heard(self, request: AdmissionRequest) -> None:
        """Remember who asks for a write that is about to happen."""
        if _is_kept(request.kind, request.namespace, request.name) and not request.dry_run:
            key = (request.kind.group, request.kind.kind, request.namespace, request.name)
            self._writers[key] = request.user.name

    # --- what is asked of it ---

    def revisions(self) -> tuple[Revision, ...]:
        """Those that are kept, the oldest first."""
        return tuple(msgspec.convert(each["revision"], Revision) for each in self._store.list(RESOURCE)[0])

    # --- what it does ---

    async def run(self) -> None:
        """Record for ever."""
        self._catch_up()
        async with asyncio.TaskGroup() as tasks:
            for kind in (*RULES, config_map.KIND):
                tasks.create_task(self._watch(kind), name=f"revisions {kind.plural}")
            tasks.create_task(self._record(), name="revisions")

    def _catch_up(self) -> None:
        """Note what has changed while nobody looked: what is there now against what was kept last."""
        last = {step.key: step.after for each in self.revisions() for step in each.steps}
        self._known = {revision.key(each): each for each in self._present()}
        for key, before in last.items():
            after = self._known.get(key)
            if after != before:
                self._note(Step(before=before, after=after))

    def _present(self) -> Iterator[Doc]:
        for kind in (*RULES, config_map.KIND):
            for obj in self._client.list(kind):
                if _is_kept(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]):
                    yield _essence(kind, obj)

    async def _watch(self, kind: Kind) -> None:
        namespace = mesh_config.NAMESPACE if kind is config_map.KIND else None
        async for change, obj in self._client.watch(kind, namespace):
            metadata = obj["metadata"]
            if _is_kept(kind, metadata.get("namespace", ""), metadata["name"]):
                self._take(_essence(kind, obj), _manager(obj), gone=change == "DELETED")

    def _take(self, said: Doc, manager: str, *, gone: bool) -> None:
        key = revision.key(said)
        before, after = self._known.get(key), None if gone else said
        if before == after:
            return  # its status alone, or what it was at the start
        if after is None:
            self._known.pop(key, None)
        else:
            self._known[key] = after
        self._note(Step(before=before, after=after, who=self._writers.pop(key, ""), with_="" if gone else manager))

    def _note(self, step: Step) -> None:
        self._steps.append(step)
        self._news.set()

    async def _record(self) -> None:
        while True:
            await self._news.wait()
            await self._quiet()
            steps, self._steps = self._steps, []
            if changed := tuple(revision.joined(steps)):
                await self._keep(changed)

    async def _quiet(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LONGEST_S
        while self._news.is_set() and loop.time() < deadline:
            self._news.clear()
            await asyncio.sleep(QUIET_S)
        self._news.clear()

    async def _keep(self, steps: Sequence[Step]) -> None:
        kept = self._store.list(RESOURCE)[0]
        number = 1 + (kept[-1]["revision"]["number"] if kept else 0)
        made = Revision(number=number, at=clock.now().isoformat(timespec="seconds"), steps=tuple(steps))
        document = {"metadata": {"name": f"{number:0{_DIGITS}}"}, "revision": msgspec.to_builtins(made)}
        try:
            await self._store.create(RESOURCE, document)
            for name in _over(self._store, MOST, MOST_BYTES):
                await self._store.delete(RESOURCE, "", name)
        except StoreError as error:
            log.warning("the revision %s of the configuration could not be kept: %s", number, error)


def _over(store: Store, most: int, most_bytes: int) -> Iterator[str]:
    """The names of the oldest ones that are over a bound; the newest always stays."""
    entries = list(store.entries(RESOURCE))
    size = sum(len(each.body) for each in entries)
    count = len(entries)
    for each in entries[:-1]:
        if count <= most and size <= most_bytes:
            return
        count, size = count - 1, size - len(each.body)
        yield each.object["metadata"]["name"]


def _is_kept(kind: Kind, namespace: str, name: str) -> bool:
    if kind is config_map.KIND:
        return (namespace, name) == (mesh_config.NAMESPACE, mesh_config.NAME)
    return kind in RULES


def _essence(kind: Kind, obj: Doc) -> Doc:
    return revision.essence({"apiVersion": kind.api_version(), "kind": kind.kind, **obj})


def _manager(obj: Doc) -> str:
    """With what it was written last."""
    fields = [each for each in obj["metadata"].get("managedFields") or () if not each.get("subresource")]
    newest: Doc = max(fields, key=lambda each: str(each.get("time", "")), default={})
    return str(newest.get("manager", ""))
