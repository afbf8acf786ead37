"""The configuration's revisions: what changed with who and when, kept and bounded, and undone in order."""

import asyncio
import contextlib

import pytest

from semafor.app.history import recorder, revision
from semafor.app.history.recorder import Recorder, Writers
from semafor.app.history.revision import Revision, Step
from semafor.app.questions import history
from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.kube.api.objects import Objects
from semafor.kube.store import Store
from semafor.resources.core import namespace
from semafor.resources.istio import virtual_service

DEADLINE_S = 20


def rule(name, timeout="1s"):
    spec = {"hosts": ["model"], "http": [{"timeout": timeout, "route": [{"destination": {"host": "model"}}]}]}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def step(name, before, after):
    return Step(before and rule(name, before), after and rule(name, after))


def revisions(*found):
    return tuple(Revision(number, "now", (each,)) for number, each in enumerate(found, 1))


@contextlib.asynccontextmanager
async def recording(path):
    """A recorder over a store, that has caught up."""
    store = Store.open(path)
    parts = []
    client = Client(Objects(store, admission=(Writers(lambda request: parts[0].heard(request)),)))  # noqa: PLW0108 - made below
    parts.append(Recorder(client, store))
    if not client.list(namespace.KIND):
        await client.create(namespace.KIND, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    task = asyncio.create_task(parts[0].run())
    await asyncio.sleep(0)
    try:
        yield parts[0], client, store
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await store.close()


async def until(condition):
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - it looks at the store
            await asyncio.sleep(0.02)


async def test_what_comes_together_is_one_revision_with_who_made_it(tmp_path):
    async with recording(tmp_path / "store.db") as (kept, client, _):
        await client.create(virtual_service.KIND, rule("a"))
        await client.create(virtual_service.KIND, rule("b"))
        await until(kept.revisions)
        (found,) = kept.revisions()
        assert [(each.how, each.key[3], each.who) for each in found.steps] == [
            ("created", "a", "system:semafor"),
            ("created", "b", "system:semafor"),
        ]


async def test_a_status_is_no_change(tmp_path):
    async with recording(tmp_path / "store.db") as (kept, client, _):
        made = await client.create(virtual_service.KIND, rule("a"))
        await until(kept.revisions)
        await client.update(virtual_service.KIND, {**made, "status": {"x": 1}}, subresource="status")
        await client.create(virtual_service.KIND, rule("b"))
        await until(lambda: len(kept.revisions()) == 2)
        assert [each.key[3] for each in kept.revisions()[1].steps] == ["b"]


async def test_revisions_survive_and_what_changed_meanwhile_is_noted(tmp_path):
    async with recording(tmp_path / "store.db") as (kept, client, _):
        await client.create(virtual_service.KIND, rule("a"))
        await until(kept.revisions)
    store = Store.open(tmp_path / "store.db")
    await Client(Objects(store)).delete(virtual_service.KIND, "default", "a")
    await store.close()
    async with recording(tmp_path / "store.db") as (kept, _, _):
        await until(lambda: len(kept.revisions()) == 2)
        assert [(each.how, each.who) for each in kept.revisions()[1].steps] == [("deleted", "")]


async def test_the_oldest_go_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "MOST", 2)
    monkeypatch.setattr(recorder, "QUIET_S", 0.01)
    async with recording(tmp_path / "store.db") as (kept, client, _):
        for number, name in enumerate("abcd", 1):
            await client.create(virtual_service.KIND, rule(name))
            await until(lambda number=number: [each.number for each in kept.revisions()][-1:] == [number])
        await until(lambda: [each.number for each in kept.revisions()] == [3, 4])


def test_what_changed_and_changed_back_is_no_change():
    assert tuple(revision.joined([step("a", "1s", "2s"), step("a", "2s", "1s")])) == ()


def test_undoing_puts_back_what_was_and_deletes_what_was_not():
    found = revisions(step("a", None, "1s"), step("a", "1s", "2s"), step("b", None, "1s"), step("c", "5s", None))
    assert history.undone(found, 1) == {"put": [rule("a", "1s"), rule("c", "5s")], "delete": [rule("b", "1s")]}
    assert history.undone(found, 4) == {"put": [], "delete": []}
    assert history.undone(found, 0)["delete"] == [rule("a", "2s"), rule("b", "1s")]


@pytest.mark.parametrize("number", [-1, 2])
def test_what_is_not_kept_cannot_be_gone_back_to(number):
    with pytest.raises(StatusError, match=r"there is no revision .*: 1 to 1 are kept, and 0 is what was before"):
        history.undone(revisions(step("a", None, "1s")), number)
