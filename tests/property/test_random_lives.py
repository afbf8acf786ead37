"""Of requests that real Envoys have served, `explain` tells from their access logs which route took each."""

import dataclasses
import random
import time
import uuid

import pytest
import ryaml
from tests.calls import matcher, real, script, told
from tests.golden import cases
from tests.property import meshes

from semafor import explain
from semafor.explain import outbound, recall

REQUESTS = 500  # for each of two callers
NUMBERS = (7,)
_FLUSHED_S = 30.0  # Envoy writes its log every few seconds
pytestmark = [pytest.mark.envoy, pytest.mark.timeout(600)]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("caller", meshes.CALLERS)
def test_a_route_is_recalled_from_what_envoy_has_written(pool, tmp_path, number, caller):
    case, rng = _case(tmp_path, number), random.Random(f"{number} {caller}")
    plan = case.plan(caller)[0]
    match = matcher.Matcher(pool, plan, case.names())
    calls = {_id(rng): script.parse(f"{meshes.request(rng)} from={caller} -> ?") for _ in range(REQUESTS)}
    folder = tmp_path / "envoy"
    folder.mkdir()
    with real.RealEnvoy(match, folder) as envoy:
        for id_, call in calls.items():
            envoy.follow(dataclasses.replace(call, headers=(*call.headers, ("x-request-id", id_))))
        entries = _entries(plan, envoy, {id_ for id_, call in calls.items() if _is_http(match, plan, call)})
    wrong = [line for id_, entry in entries.items() if (line := _wrong(match, plan, calls[id_], entry))]
    assert not wrong, "\n".join(wrong)
    assert len(entries) > REQUESTS / 2
    certain = [id_ for id_, entry in entries.items() if not recall.way(plan, entry)[1]]
    assert len(certain) > len(entries) / 2


def _case(folder, number):
    (folder / "in.yaml").write_text("---\n".join(str(ryaml.dumps(each)) for each in _documents(number)))
    (folder / "case.yaml").write_text("options: {access_log_file: /dev/stdout}\n")
    return cases.Case(folder)


def _documents(number):
    return meshes.documents(random.Random(number))


def _id(rng):
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _is_http(match, plan, call):
    way = outbound.way(plan, told._request(match, call))
    return way.carries == "requests" and not way.closed


def _entries(plan, envoy, wanted):
    """What the Envoy has written of each request, by its id, once it has written of all."""
    readers = [explain.reader(each) for each in explain.formats(plan)]
    deadline = time.monotonic() + _FLUSHED_S
    found = {}
    while wanted - found.keys():
        lines = (explain.read(readers, line) for line in envoy.log.read_text().splitlines())
        found = {each.request_id: each for each in lines if each is not None and each.request_id in wanted}
        assert time.monotonic() < deadline, f"{len(wanted - found.keys())} of {len(wanted)} are not in the log"
        time.sleep(0.2)
    return found


def _wrong(match, plan, call, entry):
    """What is recalled where it is none of the routes that take such a request; empty where it is one."""
    way, maybe = recall.way(plan, entry)
    true = {each.rule for each in outbound.way(plan, told._request(match, call)).outcomes}
    recalled = {each.rule for each in (*way.outcomes, *maybe)}
    return "" if true & recalled else f"{call.text}: {true}, not {recalled}: {entry}"
