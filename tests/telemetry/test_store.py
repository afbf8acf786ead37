import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semafor.telemetry import labels
from semafor.telemetry.ingest import Target
from semafor.telemetry.matching import BadExpression, Matcher
from semafor.telemetry.series import Limits, Store, packing
from semafor.telemetry.series.bits import ABSENT, STALE, is_absent, is_stale

A, B = labels.of({"__name__": "a", "x": "1"}), labels.of({"__name__": "a", "x": "2"})


def found(store, *matchers, start=0, end=1 << 50):
    return {each.labels: (each.times.tolist(), each.values.tolist()) for each in store.select(matchers, start, end)}


@given(st.integers(1, 9), st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_packing_keeps_every_bit(rows, columns, seed):
    bits = np.random.default_rng(seed).integers(0, 2**64, (rows, columns), dtype=np.uint64)
    packed = packing.pack(bits.view(np.float64))
    assert np.array_equal(packing.unpack(packed, rows, columns).view(np.uint64), bits)


def test_markers_are_no_ordinary_nan():
    values = np.concatenate([STALE, ABSENT, [np.nan, 1.0]])
    assert is_stale(values).tolist() == [True, False, False, False]
    assert is_absent(values).tolist() == [False, True, False, False]


def test_samples_come_back_over_blocks_and_head():
    store = Store()
    for time in range(1, 301):
        store.append("one", time * 1000, [(A, float(time)), *([(B, 2.0)] if time % 2 else [])])
    everything = found(store, Matcher("__name__", "=", "a"))
    assert everything[A] == ([time * 1000 for time in range(1, 301)], [float(time) for time in range(1, 301)])
    assert [value for value in everything[B][1] if value == 2.0] == [2.0] * 150
    assert found(store, Matcher("x", "=", "1"), start=120_000, end=121_000) == {A: ([120_000, 121_000], [120.0, 121.0])}


def test_samples_that_are_not_newer_are_refused_and_counted():
    store = Store()
    store.append("one", 2000, [(A, 1.0)])
    store.append("one", 2000, [(A, 2.0)])
    store.append("one", 1000, [(A, 3.0)])
    assert (found(store)[A], store.refused.old) == (([2000], [1.0]), 2)


def test_what_is_older_than_the_window_is_forgotten_with_its_series():
    store = Store(Limits(window_ms=100_000))
    store.append("gone", 1000, [(A, 1.0)])
    store.append("here", 150_000, [(B, 1.0)])
    store.forget(150_000)
    assert (list(found(store)), len(store.index)) == ([B], 1)
    store.append("gone", 160_000, [(A, 2.0)])
    assert found(store, Matcher("x", "=", "1"))[A][1][0] == 2.0


def test_a_store_keeps_to_its_bytes():
    store = Store(Limits(max_bytes=50_000))
    for time in range(1, 2000):
        store.append("one", time * 1000, [(A, float(np.random.default_rng(time).random())), (B, 1.0)])
        if time % 120 == 0:
            store.forget(time * 1000)
    assert store.bytes < 70_000
    assert found(store)[A][0][-1] == 1_999_000


def test_a_clock_set_back_costs_the_samples_of_the_future_alone():
    store = Store()
    store.append("one", 1000, [(A, 1.0)])
    store.groups["one"].close()
    store.append("one", 9_000_000, [(A, 2.0)])
    assert store.forget_after(5000) == 1
    store.append("one", 6000, [(A, 3.0)])
    assert found(store)[A] == ([1000, 6000], [1.0, 3.0])


@pytest.mark.parametrize(
    ("op", "value", "wanted"),
    [
        ("=", "1", "1"),
        ("!=", "1", "2-"),
        ("=~", "1|2", "12"),
        ("!~", "1|2", "-"),
        ("=", "", "-"),
        ("!=", "", "12"),
        ("=~", ".*", "12-"),
        ("=~", ".+", "12"),
        ("=~", "|2", "2-"),
    ],
)
def test_matchers_choose_series(op, value, wanted):
    store = Store()
    store.append("one", 1000, [(A, 1.0), (B, 1.0), (labels.of({"__name__": "a"}), 1.0)])
    chosen = {
        labels.value(each, "x") or "-" for each in found(store, Matcher("__name__", "=", "a"), Matcher("x", op, value))
    }
    assert chosen == set(wanted)


def test_an_expression_that_is_none_is_refused():
    with pytest.raises(BadExpression, match="missing"):
        Matcher("a", "=~", "(")


def test_a_flood_of_label_values_is_refused_by_the_bound_and_harm_no_other_target():
    store = Store(Limits(max_series=20_000))
    other = Target("other", labels.of({"job": "pods", "instance": "b"}))
    flood = Target("flood", labels.of({"job": "pods", "instance": "a"}))
    refused = 0
    for round_ in range(4):
        body = "".join(f'asked_total{{who="{round_ * 20_000 + number}"}} 1\n' for number in range(20_000))
        outcome = flood.take(store, (round_ + 1) * 1000, body, 0.0)
        refused += outcome.refused
        assert other.take(store, (round_ + 1) * 1000, f"mine {round_}\n", 0.0).refused == 0
    assert len(store.index) <= 5_000 + 20  # a quarter for one target, and what tells of both
    assert refused == store.refused.over_limit >= 70_000
    assert store.bytes < 50 << 20
    mine = store.select([Matcher("__name__", "=", "mine")], 0, 30_000)
    assert [each.values.tolist() for each in mine] == [[float(round_) for round_ in range(4)]]
