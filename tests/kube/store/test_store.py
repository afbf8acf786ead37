"""The store keeps versions, refuses stale writers, and shows each change to each watch."""

import asyncio
from pathlib import Path

import pytest

from semafor.kube import store
from semafor.kube.store import Store


def pod(name: str, namespace: str = "default", **fields: object) -> dict:
    return {"kind": "Pod", "metadata": {"namespace": namespace, "name": name}, **fields}


@pytest.fixture(params=["memory", "disk"])
async def opened(request, tmp_path: Path):
    one = Store.open(tmp_path / "store.db" if request.param == "disk" else None)
    yield one
    await one.close()


async def test_a_created_object_is_read_back_with_its_version(opened: Store):
    created = await opened.create("pods", pod("a"))
    assert (
        opened.get("pods", "default", "a")
        == created
        == {**pod("a"), "metadata": {**pod("a")["metadata"], "resourceVersion": "1"}}
    )


async def test_creating_twice_is_refused(opened: Store):
    await opened.create("pods", pod("a"))
    with pytest.raises(store.Exists):
        await opened.create("pods", pod("a"))


async def test_of_two_writers_at_once_with_one_version_the_second_is_refused(opened: Store):
    await opened.create("pods", pod("a"))
    results = await asyncio.gather(
        *(opened.update("pods", pod("a", n=n), expected=1) for n in (1, 2)), return_exceptions=True
    )
    assert isinstance(results[0], dict)
    assert isinstance(results[1], store.Conflict)


async def test_updating_or_deleting_what_is_not_there_is_refused(opened: Store):
    with pytest.raises(store.Missing):
        await opened.update("pods", pod("a"), expected=None)
    with pytest.raises(store.Missing):
        await opened.delete("pods", "default", "a")


async def test_a_list_is_sorted_and_can_be_of_one_namespace(opened: Store):
    for namespace, name in [("b", "z"), ("a", "y"), ("b", "x")]:
        await opened.create("pods", pod(name, namespace))
    everything, version = opened.list("pods")
    assert [item["metadata"]["name"] for item in everything] == ["y", "x", "z"]
    assert [item["metadata"]["name"] for item in opened.list("pods", "b")[0]] == ["x", "z"]
    assert version == opened.resource_version == 3


async def test_a_watch_sees_the_life_of_an_object(opened: Store):
    watch = opened.watch("pods", 0)
    await opened.create("pods", pod("a"))
    await opened.update("pods", pod("a", n=1), expected=None)
    await opened.delete("pods", "default", "a")
    seen = [await anext(watch) for _ in range(3)]
    assert [(event.type, event.resource_version) for event in seen] == [("ADDED", 1), ("MODIFIED", 2), ("DELETED", 3)]
    assert seen[2].object["metadata"]["resourceVersion"] == "3"


async def test_a_cancelled_wait_loses_no_event(opened: Store):
    watch = opened.watch("pods", 0)
    waiting = asyncio.ensure_future(anext(watch))
    await asyncio.sleep(0)
    waiting.cancel()
    await opened.create("pods", pod("a"))
    assert (await anext(watch)).resource_version == 1


async def test_a_watch_from_too_far_back_has_expired():
    small = Store.open(None, max_events=2)
    slow = small.watch("pods", 0)
    for n in range(8):
        await small.create("pods", pod(f"p{n}"))
    with pytest.raises(store.Expired):
        await anext(slow)
    with pytest.raises(store.Expired):
        small.watch("pods", 0)


async def test_a_watch_from_before_a_restart_has_expired(tmp_path: Path):
    first = Store.open(tmp_path / "s.db")
    await first.create("pods", pod("a"))
    await first.close()
    second = Store.open(tmp_path / "s.db")
    with pytest.raises(store.Expired):
        second.watch("pods", 0)
    second.watch("pods", second.resource_version)
    await second.close()


async def test_versions_go_on_after_a_restart_even_when_the_last_write_was_a_deletion(tmp_path: Path):
    first = Store.open(tmp_path / "s.db")
    await first.create("pods", pod("a"))
    await first.delete("pods", "default", "a")
    await first.close()
    second = Store.open(tmp_path / "s.db")
    assert (await second.create("pods", pod("a")))["metadata"]["resourceVersion"] == "3"
    await second.close()


async def test_a_store_in_use_is_refused_to_another_process(tmp_path: Path):
    first = Store.open(tmp_path / "s.db")
    with pytest.raises(store.StoreError, match="cannot open"):
        await asyncio.to_thread(Store.open, tmp_path / "s.db")
    await first.close()


async def test_a_write_that_the_disk_refuses_has_no_effect_and_the_next_one_works(tmp_path: Path):
    one = Store.open(tmp_path / "s.db")
    await one.create("pods", pod("a"))
    assert one._disk is not None
    one._disk._connection.execute("PRAGMA query_only=ON")
    results = await asyncio.gather(
        one.create("pods", pod("b")), one.update("pods", pod("a", n=1), expected=1), return_exceptions=True
    )
    assert [type(result) for result in results] == [store.Unwritable, store.Unwritable]
    one._disk._connection.execute("PRAGMA query_only=OFF")
    await one.create("pods", pod("b"))
    assert [item["metadata"]["name"] for item in one.list("pods")[0]] == ["a", "b"]
    await one.close()


async def test_the_head_shows_writes_on_their_way(tmp_path: Path):
    one = Store.open(tmp_path / "s.db")
    writing = asyncio.ensure_future(one.create("pods", pod("a")))
    await asyncio.sleep(0)
    assert one.head("pods", "default", "a") is not None
    assert len(one.heads("pods")) == 1
    await writing
    await one.close()
