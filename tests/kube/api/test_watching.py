"""A watch tells a client exactly what it needs to follow its selection of objects."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from semafor.kube.api import accept, errors, reading, watching
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.api.views import View
from semafor.kube.store import Store
from semafor.resources.registry import by_plural

MAPS = by_plural("", "configmaps")
TABLE = accept.Form(shape="Table", version="v1")


class World:
    """A store with some writers' shorthand."""

    def __init__(self, **options: Any) -> None:
        self.store = Store.open(None, **options)
        self.client = Client(Objects(self.store))
        self.late = timedelta()

    async def make(self, name: str, **labels: str) -> None:
        await self.client.create(MAPS, {"metadata": {"name": name, "namespace": "default", "labels": labels}})

    async def label(self, name: str, **labels: str | None) -> None:
        await self.client.patch(MAPS, "default", name, {"metadata": {"labels": labels}})

    async def remove(self, name: str) -> None:
        await self.client.delete(MAPS, "default", name)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.late

    def watch(self, form: accept.Form | None = None, **query: str):
        view = View(MAPS, "v1", form or accept.Form(), "", self.now)
        return watching.start(self.store, view, None, reading.list_options({"watch": "true", **query}))


async def take(lines, count: int) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(5):
        while len(events) < count:
            events += [json.loads(line) for line in (await anext(lines)).splitlines()]
    return events


def brief(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


async def test_without_a_version_it_starts_with_what_is_there():
    world = World()
    await world.make("a")
    lines = world.watch()
    assert brief(await take(lines, 1)) == [("ADDED", "a")]
    await world.make("b")
    assert brief(await take(lines, 1)) == [("ADDED", "b")]


async def test_from_a_version_it_tells_only_what_came_after():
    world = World()
    await world.make("a")
    await world.make("b")
    await world.remove("a")
    assert brief(await take(world.watch(resourceVersion="1"), 2)) == [("ADDED", "b"), ("DELETED", "a")]


async def test_objects_enter_and_leave_a_selection():
    world = World()
    await world.make("a")
    lines = world.watch(labelSelector="tier=front", resourceVersion="1")
    await world.label("a", tier="front")
    await world.label("a", more="x")
    await world.label("a", tier="back")
    await world.remove("a")
    await world.make("b", tier="front")
    events = await take(lines, 4)
    assert brief(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a"), ("ADDED", "b")]
    assert events[2]["object"]["metadata"]["resourceVersion"] == "4"
    assert events[2]["object"]["metadata"]["labels"]["tier"] == "front"


async def test_a_watch_list_marks_the_end_of_its_first_part():
    world = World()
    await world.make("a")
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    events = await take(world.watch(**query), 2)
    assert brief(events) == [("ADDED", "a"), ("BOOKMARK", "")]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert events[1]["object"]["metadata"]["resourceVersion"] == "1"


async def test_a_watch_list_needs_its_match():
    with pytest.raises(errors.StatusError, match="sendInitialEvents"):
        World().watch(sendInitialEvents="true")


async def test_a_watch_ends_at_its_time_with_a_bookmark():
    world = World()
    await world.make("a")
    lines = world.watch(resourceVersion="1", timeoutSeconds="1", allowWatchBookmarks="true")
    events = [json.loads(line) async for line in lines]
    assert [(event["type"], event["object"]["metadata"]["resourceVersion"]) for event in events] == [("BOOKMARK", "1")]


async def test_a_watch_that_falls_behind_is_told_so():
    world = World(max_events=2)
    lines = world.watch()
    waiting = asyncio.ensure_future(anext(lines))
    await asyncio.sleep(0)
    for name in "abcdef":
        await world.make(name)
    told = json.loads((await waiting).splitlines()[0])
    assert (told["type"], told["object"]["reason"]) == ("ERROR", "Expired")
    with pytest.raises(errors.StatusError) as caught:
        world.watch(resourceVersion="1")
    assert (caught.value.code, caught.value.reason) == (410, "Expired")


async def test_rows_of_a_table_name_the_columns_once():
    world = World()
    await world.make("a")
    await world.make("b")
    first, second = await take(world.watch(TABLE), 2)
    assert [column["name"] for column in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second["object"]["columnDefinitions"] is None
    assert second["object"]["rows"][0]["cells"][:2] == ["b", 0]


async def test_a_row_of_a_table_has_the_age_of_its_moment():
    world = World()
    await world.make("a")
    lines = world.watch(TABLE)
    await take(lines, 1)
    world.late = timedelta(seconds=90)
    await world.label("a", colour="red")
    [later] = await take(lines, 1)
    assert later["object"]["rows"][0]["cells"][-1].removesuffix("s") in ("89", "90", "91")


async def test_the_clients_watch_survives_falling_behind():
    world = World(max_events=2)
    await world.make("a")
    changes = world.client.watch(MAPS)
    assert (await anext(changes))[0] == "ADDED"
    for name in "bcdefg":
        await world.make(name)
    await world.remove("a")
    told: dict[str, str] = {}
    async with asyncio.timeout(5):
        while told.get("g") != "ADDED" or told.get("a") != "DELETED":
            type_, obj = await anext(changes)
            told[obj["metadata"]["name"]] = type_
    assert sorted(told) == ["a", "b", "c", "d", "e", "f", "g"]
