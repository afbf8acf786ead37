import copy

import pytest

from semafor.app import inbox
from semafor.app.inbox import Inbox
from semafor.base.problem import ObjectRef
from semafor.resources.core import service

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "1", "generation": 4},
    "spec": {"ports": [{"port": 80}]},
}
REF = ObjectRef(kind="Service", name="web", namespace="shop")


def changed(path: str, value) -> dict:
    obj = copy.deepcopy(SERVICE)
    part, _, field = path.partition(".")
    obj.setdefault(part, {})[field] = value
    return obj


@pytest.fixture
def box() -> Inbox:
    filled = Inbox()
    filled.take(service.KIND, SERVICE, gone=False)
    filled.drain()
    return filled


def test_a_new_object_waits_until_it_is_drained():
    box = Inbox()
    assert box.take(service.KIND, SERVICE, gone=False)
    assert (list(box.drain()), list(box.drain())) == ([REF], [])


@pytest.mark.parametrize(
    ("path", "value", "counts"),
    [
        ("status.loadBalancer", {"ingress": []}, False),
        ("metadata.resourceVersion", "2", False),
        ("metadata.managedFields", [{}], False),
        ("metadata.labels", {"a": "b"}, True),
        ("spec.ports", [{"port": 81}], True),
    ],
)
def test_only_what_plans_depend_on_is_a_change(box, path, value, counts):
    assert box.take(service.KIND, changed(path, value), gone=False) is counts


def test_what_is_gone_is_told_as_nothing(box):
    assert box.take(service.KIND, SERVICE, gone=True)
    assert (box.drain(), box.knows(REF), box.generation(REF)) == ({REF: None}, False, 0)


def test_an_object_of_a_wrong_shape_counts_as_absent(box):
    box.take(service.KIND, changed("spec.ports", "80"), gone=False)
    assert box.drain() == {REF: None}


def test_a_status_that_was_written_is_the_newest_version(box):
    newer = changed("metadata.resourceVersion", "2")
    box.take(service.KIND, newer, gone=False)
    assert [box.has(REF, each, gone=False) for each in (SERVICE, newer)] == [False, True]


def test_what_is_put_back_does_not_replace_what_is_newer(box):
    old = inbox.decoded(service.KIND, SERVICE)
    box.take(service.KIND, changed("spec.ports", [{"port": 81}]), gone=False)
    box.put_back(REF, old)
    assert box.waiting()[REF] != old
