import random
import sqlite3

import pytest

from semafor.telemetry import labels
from semafor.telemetry.series import Limits, Store
from semafor.telemetry.series.disk import Disk

A, B = labels.of({"__name__": "a"}), labels.of({"__name__": "b"})


def filled(columns):
    store = Store()
    for time in range(1, columns + 1):
        store.append("one", time * 1000, [(A, float(time)), *([(B, 2.0)] if time % 3 else [])])
    return store


def content(store):
    return {each.labels: (each.times.tolist(), each.values.tobytes()) for each in store.select([], 0, 1 << 50)}


def loaded(path):
    store = Store()
    assert Disk(path).load(store) == ""
    return store


@pytest.mark.parametrize("columns", [1, 7, 120, 121, 250])
def test_what_was_saved_is_there_again(tmp_path, columns):
    store = filled(columns)
    assert Disk(tmp_path / "series.db").save(store) == ""
    assert content(loaded(tmp_path / "series.db")) == content(store)


def test_saves_add_up_and_what_came_after_the_last_is_all_that_a_kill_costs(tmp_path):
    store, disk = filled(100), Disk(tmp_path / "series.db")
    for time in range(101, 260):
        disk.save(store)
        before = content(store)
        store.append("one", time * 1000, [(A, float(time))])
    assert content(loaded(tmp_path / "series.db")) == before  # the disk was neither closed nor saved again


def test_a_store_goes_on_where_it_was(tmp_path):
    Disk(tmp_path / "series.db").save(filled(50))
    store = loaded(tmp_path / "series.db")
    store.append("one", 51_000, [(A, 51.0)])
    disk = Disk(tmp_path / "series.db")
    disk.load(again := Store())
    again.append("one", 51_000, [(A, 51.0)])
    disk.save(again)
    assert content(loaded(tmp_path / "series.db")) == content(store)


def test_what_is_forgotten_leaves_the_file_too(tmp_path):
    store, disk = Store(Limits(window_ms=10_000)), Disk(tmp_path / "series.db")
    for time in range(1, 300):
        store.append("one", time * 1000, [(A, 1.0)])
    disk.save(store)
    store.append("two", 400_000, [(B, 1.0)])
    store.forget(400_000)
    disk.save(store)
    with sqlite3.connect(tmp_path / "series.db") as file:
        counts = [
            file.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("series", "blocks", "recent")
        ]
    assert counts == [1, 0, 1]


def test_a_full_disk_is_told_and_tried_again(tmp_path):
    disk = Disk(tmp_path / "series.db", max_bytes=20 << 12)
    store, chance = Store(), random.Random(1)
    for time in range(1, 200):
        store.append(
            "one",
            time * 1000,
            [(labels.of({"__name__": f"m{n}"}), chance.random()) for n in range(50)],
        )
    assert "full" in disk.save(store)
    assert len(content(store)) == 50
    store.forget(10**10)
    store.append("one", 10**10, [(A, 1.0)])
    assert disk.save(store) == ""
    assert list(content(loaded(tmp_path / "series.db"))) == [A]


@pytest.mark.parametrize("damage", [b"no database at all, but some text of a certain length" * 100, b""])
def test_a_damaged_file_is_put_aside(tmp_path, damage):
    path = tmp_path / "series.db"
    Disk(path).save(filled(200))
    raw = path.read_bytes()
    path.write_bytes(damage + raw[2000:] if damage else raw[:5000])
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"series.db{suffix}").unlink(missing_ok=True)
    store, disk = Store(), Disk(path)
    assert "put aside" in disk.load(store)
    assert len(store.index) == 0
    assert disk.save(filled(3)) == ""


def test_the_file_is_its_owners_alone(tmp_path):
    Disk(tmp_path / "series.db").save(filled(1))
    assert (tmp_path / "series.db").stat().st_mode & 0o777 == 0o600
