"""Two homes are two meshes."""

from collections.abc import Iterator

import pytest
from tests.e2e.conftest import machine
from tests.e2e.machine import Machine

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture
def other() -> Iterator[Machine]:
    made = machine("user", "other")
    try:
        yield made
    finally:
        made.end()


def test_two_homes_run_side_by_side(alone, other):
    for each in (alone, other):
        each.semafor("up")
    alone.kubectl("create", "configmap", "mine", "--from-literal=a=b")
    assert "mine" not in other.kubectl("get", "configmaps", "-o", "name")
    for each in (alone, other):
        each.kubectl("wait", "--for=condition=Available", "deployment", "--all", "-n", "istio-system", "--timeout=60s")
    alone.semafor("down")
    assert "Ready" in other.kubectl("get", "nodes")
