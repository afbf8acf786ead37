"""What this is, and how it does. Grafana and Kiali read some of it to tell what they may ask."""

import os
import platform
import threading

from starlette.requests import Request
from starlette.responses import Response

from semafor.telemetry.api import encoding
from semafor.telemetry.api.backend import Backend
from semafor.telemetry.api.parameters import Parameters
from semafor.telemetry.labels import NAME
from semafor.telemetry.promql import Engine
from semafor.telemetry.series import Store
from semafor.telemetry.times import stamp

_LIKE = "2.42.0"  # the Prometheus whose answers ours are compared with: clients decide by it
_TOP = 10


async def build(backend: Backend, _: Parameters, __: Request) -> Response:
    named = {"version": _LIKE, "revision": f"semafor {backend.version}", "branch": "", "buildUser": "", "buildDate": ""}
    return encoding.success({**named, "goVersion": f"python {platform.python_version()}"})


async def config(backend: Backend, _: Parameters, __: Request) -> Response:
    return encoding.success({"yaml": f"global:\n  scrape_interval: {backend.interval()}\n"})


async def flags(backend: Backend, _: Parameters, __: Request) -> Response:
    values = {"storage.tsdb.retention.time": backend.retention(), "query.lookback-delta": "5m"}
    return encoding.success({**values, "query.max-samples": "20000000", "query.timeout": "1m"})


async def runtime(backend: Backend, _: Parameters, __: Request) -> Response:
    return encoding.success(
        {
            "startTime": stamp(backend.started),
            "CWD": "/",
            "reloadConfigSuccess": True,
            "lastConfigTime": stamp(backend.started),
            "corruptionCount": 0,
            "goroutineCount": threading.active_count(),
            "GOMAXPROCS": os.cpu_count() or 1,
            "GOGC": "",
            "GODEBUG": "",
            "storageRetention": backend.retention(),
        }
    )


async def replay(_: Backend, __: Parameters, ___: Request) -> Response:
    return encoding.success({"min": 0, "max": 0, "current": 0, "state": "done"})


async def tsdb(backend: Backend, _: Parameters, __: Request) -> Response:
    return await backend.run(lambda store, _: encoding.success(_described(store)))


def _described(store: Store, _: Engine | None = None) -> encoding.Json:
    span = store.span or (0, 0)
    names = {name: sum(1 for _ in store.index.values(name)) for name in store.index.names()}
    blocks = sum(len(group.blocks) + 1 for group in store.groups.values())
    head = {"numSeries": len(store.index), "numLabelPairs": sum(names.values()), "chunkCount": blocks}
    return {
        "headStats": {**head, "minTime": span[0], "maxTime": span[1]},
        "seriesCountByMetricName": _top(store.index.counts()),
        "labelValueCountByLabelName": _top(names),
        "memoryInBytesByLabelName": _top({name: _bytes(store, name) for name in store.index.names() if name != NAME}),
        "seriesCountByLabelValuePair": [],
        # Beyond Prometheus: what holds, and what did not get in.
        "limits": {
            "series": store.limits.max_series,
            "bytes": store.limits.max_bytes,
            "windowMs": store.limits.window_ms,
        },
        "sampleBytes": store.bytes,
        "refused": {"seriesOverLimit": store.refused.over_limit, "samplesTooOld": store.refused.old},
    }


def _bytes(store: Store, name: str) -> int:
    return sum(map(len, store.index.values(name)))


def _top(counts: dict[str, int]) -> list[encoding.Json]:
    largest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
    return [{"name": name, "value": value} for name, value in largest]
