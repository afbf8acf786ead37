"""Rules are judged against everything that has been stored, however little of it is planned."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from semafor.app.fleet import Fleet
from semafor.app.pipeline import Pipeline
from semafor.kube.api.client import Client
from semafor.kube.api.objects import Objects
from semafor.kube.store import Store
from semafor.planner import Proxy
from semafor.resources.core import service
from semafor.resources.istio import destination_rule, virtual_service

SUBSETS = {
    "metadata": {"name": "echo", "namespace": "default"},
    "spec": {"host": "echo", "subsets": [{"name": "v1", "labels": {"version": "v1"}}]},
}
SERVICE = {"metadata": {"name": "echo", "namespace": "default"}, "spec": {"ports": [{"name": "http", "port": 80}]}}
ROUTE = {
    "apiVersion": virtual_service.KIND.api_version(),
    "kind": virtual_service.KIND.kind,
    "metadata": {"name": "echo", "namespace": "default"},
    "spec": {
        "hosts": ["echo"],
        "http": [{"route": [{"destination": {"host": "echo", "subset": "v1"}}]}],
    },
}


async def test_at_no_moment_is_a_stored_object_missed():
    client = Client(Objects(Store.open(None)))
    identities = cast("Any", SimpleNamespace(next_renewal=lambda: None))
    unused = cast("Any", None)
    pipeline = Pipeline(client, Fleet(unused, identities, unused))
    running = asyncio.create_task(pipeline.run(Proxy(id="node", role="node")))
    await client.create(service.KIND, SERVICE)
    await client.create(destination_rule.KIND, SUBSETS)
    judgements = set()
    while not (pipeline.mesh.destination_rules or running.done()):
        judgements.add(pipeline.judge(virtual_service.KIND, ROUTE))
        await asyncio.sleep(0)
    assert pipeline.mesh.destination_rules
    running.cancel()
    [judgement] = judgements
    assert [problem.reason for problem in judgement if problem.reason.startswith("Unknown")] == []
