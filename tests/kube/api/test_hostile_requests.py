"""Requests that mean harm: each one is answered by a Status that names the field, and none takes the server's time."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.datastructures import QueryParams
from tests.kube.api.test_requests import MAPS, POD, PODS, client_of, config_map, make_app

from semafor.kube.api.streams import target

RULES = "/apis/networking.istio.io/v1/namespaces/default/virtualservices"
SERVICES = "/api/v1/namespaces/default/services"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CONTROLLERS = "/api/v1/namespaces/default/replicationcontrollers"


@pytest.fixture
async def api():
    async with client_of(make_app()) as client:
        yield client


@pytest.mark.parametrize("path", [MAPS, SERVICES, PODS, RULES])
async def test_an_object_without_a_name_is_refused(api, path):
    answer = await api.post(path, json={"metadata": {}})
    assert (answer.status_code, answer.json()["details"]["causes"][0]["field"]) == (422, "metadata.name")


@pytest.mark.parametrize("spec", [{}, {"spec": {"versions": [{"storage": True}]}}])
async def test_a_definition_of_a_kind_without_its_parts_is_refused(api, spec):
    answer = await api.post(DEFINITIONS, json={"metadata": {"name": "a.example.com"}, **spec})
    assert answer.status_code == 422


async def test_a_scale_of_an_object_without_a_spec_is_a_scale(api):
    controller: dict[str, Any] = {"metadata": {"name": "bare"}}
    await api.post(CONTROLLERS, json=controller)
    scaled = await api.put(f"{CONTROLLERS}/bare/scale", json={**controller, "spec": {"replicas": 2}})
    assert (scaled.status_code, scaled.json()["spec"]) == (200, {"replicas": 2})


async def test_warnings_fit_into_headers_whatever_a_field_is_called(api):
    answer = await api.post(MAPS, json=config_map("odd", **{"a\x00b\r\nX-Evil: 1\x7f2": 1}))
    assert answer.headers["warning"] == '299 - "unknown field \\"a b X-Evil: 1 2\\""'


async def test_a_pod_that_asks_for_an_endless_goodbye_can_be_deleted(api):
    spec = {**POD["spec"], "terminationGracePeriodSeconds": 2**62, "nodeName": "semafor"}
    await api.post(PODS, json={**POD, "spec": spec})
    marked = await api.delete(f"{PODS}/web")
    assert (marked.status_code, marked.json()["metadata"]["deletionGracePeriodSeconds"]) == (200, 2**31 - 1)


def test_logs_since_before_all_time_are_all_logs():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    options = target.log_options(QueryParams({"sinceSeconds": str(2**62)}), "web", now)
    assert options.since is not None
    assert options.since.year < 2000


async def test_a_great_many_keys_cost_time_in_proportion(api):
    many = ",".join(f'"k{number}":"v"' for number in range(40_000))
    twice = f'{{"metadata":{{"name":"many"}},"data":{{{many},"k1":"v"}}}}'
    started = time.monotonic()
    answer = await api.post(MAPS, content=twice, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201
    assert time.monotonic() - started < 10  # a square of it is minutes
