"""The sums of a rolling update. A set is (name, size, available), old sets oldest first."""

from typing import Any

import pytest

from semafor.kube.controllers import rollout

Set = tuple[str, int, int]


def doc(each: Set, index: int = 0) -> dict[str, Any]:
    name, size, available = each
    return {
        "metadata": {"name": name, "creationTimestamp": f"2026-01-01T00:00:0{index}Z"},
        "spec": {"replicas": size},
        "status": {"availableReplicas": available},
    }


def deployment(replicas: int, surge: int | str, unavailable: int | str) -> dict[str, Any]:
    steps = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": steps}}}


BOUNDS: list[tuple[int, int | str, int | str, tuple[int, int]]] = [
    (4, "25%", "25%", (5, 3)),
    (1, "25%", "25%", (2, 1)),
    (10, "25%", "25%", (13, 8)),
    (3, 0, 1, (3, 2)),
    (2, 0, "0%", (2, 1)),
    (2, 5, 9, (7, 0)),
]


@pytest.mark.parametrize(("replicas", "surge", "unavailable", "bounds"), BOUNDS)
def test_bounds(replicas: int, surge: int | str, unavailable: int | str, bounds: tuple[int, int]) -> None:
    assert rollout.bounds(deployment(replicas, surge, unavailable)) == bounds


STEPS: list[tuple[str, int, Set, tuple[Set, ...], dict[str, int]]] = [
    ("the first step surges", 4, ("new", 0, 0), (("old", 4, 4),), {"new": 1, "old": 4}),
    ("nothing moves while the new pod is not available", 4, ("new", 1, 0), (("old", 4, 4),), {"new": 1, "old": 4}),
    ("an available new pod lets an old one go", 4, ("new", 1, 1), (("old", 4, 4),), {"new": 1, "old": 3}),
    ("broken old pods go first", 4, ("new", 1, 1), (("old", 4, 3),), {"new": 1, "old": 3}),
    ("the last step", 4, ("new", 4, 4), (("old", 1, 1),), {"new": 4, "old": 0}),
    ("the oldest set shrinks first", 4, ("new", 2, 2), (("a", 1, 1), ("b", 2, 2)), {"new": 2, "a": 0, "b": 2}),
    ("too many new pods go at once", 2, ("new", 5, 5), (), {"new": 2}),
]


@pytest.mark.parametrize(("replicas", "new", "old", "sizes"), [case[1:] for case in STEPS], ids=lambda _: "")
def test_step(replicas: int, new: Set, old: tuple[Set, ...], sizes: dict[str, int]) -> None:
    docs = [doc(each, index) for index, each in enumerate(old)]
    assert rollout.rolling(deployment(replicas, 1, 0), doc(new, 9), docs) == sizes


def test_any_rolling_update_ends_within_its_bounds() -> None:
    for replicas in (1, 2, 3, 7):
        for surge, unavailable in ((1, 0), (0, 1), ("50%", "50%"), (replicas, 0)):
            _roll(replicas, deployment(replicas, surge, unavailable))


def _roll(replicas: int, wanted: dict[str, Any]) -> None:
    """All pods become available after each step."""
    most, fewest = rollout.bounds(wanted)
    sizes, available = {"new": 0, "old": replicas}, {"new": 0, "old": replicas}
    for _ in range(50):
        new, old = (doc((name, sizes[name], available[name])) for name in ("new", "old"))
        sizes = rollout.rolling(wanted, new, [old])
        left = sum(min(sizes[name], available[name]) for name in sizes)
        assert sum(sizes.values()) <= most
        assert left >= fewest
        available = dict(sizes)
    assert sizes == {"new": replicas, "old": 0}


def test_templates_are_equal_whatever_hash_their_set_carries() -> None:
    one = {"metadata": {"labels": {"app": "web"}}, "spec": {}}
    other = {"metadata": {"labels": {"app": "web", rollout.HASH_LABEL: "x"}, "creationTimestamp": None}, "spec": {}}
    assert rollout.same_template(one, other)
    assert rollout.template_hash(one) == rollout.template_hash(dict(one)) != rollout.template_hash(other)
