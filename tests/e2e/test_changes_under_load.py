"""No request fails while rules and pods change at random. SEMAFOR_CHANGES=200 is the whole of it; by itself, a part."""

import json
import os
import random
import time
from pathlib import Path
from textwrap import indent

import httpx
import pytest
from tests.bench.api import Api
from tests.e2e.changes import Changes
from tests.e2e.machine import Machine
from tests.e2e.test_first_steps import deploy
from tests.e2e.test_steady_traffic import LOAD, PROGRAM, Load

CHANGES = int(os.environ.get("SEMAFOR_CHANGES", "25"))
REQUESTS_PER_S = 500
PAUSE_S = 0.3  # on average, between two changes
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(200 + 2 * CHANGES),
    pytest.mark.parametrize("mesh", ["user"], indirect=True),
]


def test_no_request_fails_while_everything_changes(mesh: Machine, namespace: str):
    seed = int(os.environ.get("SEMAFOR_SEED", "1"))
    rng, made = random.Random(seed), []
    deploy(mesh, namespace, "v1", "v2")
    program = LOAD.replace("/program/steady.py, echo]", f'/program/steady.py, echo, "{REQUESTS_PER_S}"]')
    mesh.apply(program % indent(PROGRAM.read_text(), "    "), "-n", namespace)
    mesh.kubectl("wait", "--for=condition=Ready", "pod/load", "-n", namespace, "--timeout=60s")
    load = Load(mesh, namespace)
    load.goes_on("v1")
    api, changes = Api(Path(mesh.environment["KUBECONFIG"])), Changes(rng, namespace)
    began, before = time.monotonic(), load.counts()["counts"]
    for _ in range(CHANGES):
        path, patch = changes.next()
        made.append(
            f"{time.strftime('%X')} {path.rpartition('/namespaces/')[2]} {json.dumps((patch or {}).get('spec'))}"
        )
        change(api, path, patch)
        time.sleep(rng.expovariate(1 / PAUSE_S))
    api.close()
    took_s, after = time.monotonic() - began, load.counts()
    answered = sum(after["counts"].values()) - sum(before.values())
    print(f"{CHANGES} changes in {took_s:.0f} s, {answered} answers, {answered / took_s:.0f} in a second")
    assert after["errors"] == [], "\n".join([f"seed {seed}", *after["errors"], *made])


def change(api: Api, path: str, patch: dict | None) -> None:
    """Bring the object to what the patch says; delete it, if it is there."""
    if patch is not None:
        api.apply(path, patch) if "kind" in patch else api.merge(path, patch)
        return
    try:
        api.delete(path)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise
