"""A pod's start: from its creation to the condition Ready, with a sidecar and without."""

import time
from typing import Any

from tests.bench.api import Api, condition
from tests.bench.effort import Effort
from tests.bench.mesh import running
from tests.bench.result import Measure, Report

_BUDGET_S = 0.5
_NAMESPACE = "pods"


def measure(report: Report, effort: Effort) -> None:
    """Pairs of one pod with and one without, one at a time, in changing order."""
    seconds: dict[bool, list[float]] = {True: [], False: []}
    with running() as mesh:
        mesh.make_namespace(_NAMESPACE)
        api = mesh.api()
        for sidecar in (True, False):
            _start(api, f"warm-{sidecar}".lower(), sidecar=sidecar)
        for number in effort.rounds("pods", full=(12, 45), quick=(4, 8)):
            for sidecar in (True, False) if number % 2 else (False, True):
                name = f"pod-{number}-{'with' if sidecar else 'without'}"
                seconds[sidecar].append(_start(api, name, sidecar=sidecar))
        api.close()
    extra = [after - before for after, before in zip(seconds[True], seconds[False], strict=True)]
    report.add(Measure("pods", "created to Ready, without sidecar", "s", seconds[False]))
    report.add(Measure("pods", "created to Ready, with sidecar", "s", seconds[True]))
    report.add(Measure("pods", "what the sidecar adds", "s", extra, _BUDGET_S))


def _start(api: Api, name: str, *, sidecar: bool) -> float:
    """Seconds until the pod is Ready. It is gone when this returns."""
    collection = f"/api/v1/namespaces/{_NAMESPACE}/pods"
    with api.watch(collection, name) as watch:
        began = time.perf_counter()
        api.create(collection, _pod(name, sidecar=sidecar))
        seconds = watch.until(lambda _, pod: condition(pod, "Ready").get("status") == "True") - began
        api.delete(f"{collection}/{name}")
        watch.until(lambda event, _: event == "DELETED")
    return seconds


def _pod(name: str, *, sidecar: bool) -> dict[str, Any]:
    container = {"name": "app", "image": "semafor/host", "command": ["sleep", "infinity"]}
    labels = {"sidecar.istio.io/inject": "true" if sidecar else "false"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": _NAMESPACE, "labels": labels},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }
