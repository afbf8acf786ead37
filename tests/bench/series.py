"""The store of metrics: bytes for each sample, what a scrape of 50 proxies costs, how long a query takes."""

import random
import resource
import time

from tests.bench.effort import Effort, say
from tests.bench.result import Measure, Report

from semafor.telemetry import labels
from semafor.telemetry.ingest import Target
from semafor.telemetry.promql import Engine
from semafor.telemetry.series import Store

_PROXIES = 50
_SERIES = 200  # of each: ten thousand in all
_INTERVAL_MS = 15_000
_HOURS = {False: 2.0, True: 0.5}
_BEGIN_MS = 1_700_000_000_000


def measure(report: Report, effort: Effort) -> None:
    """Ten thousand series of counters, a third of which move."""
    store, chance = Store(), random.Random(5)
    targets = [Target(f"p{n}", labels.of({"job": "pods", "pod": f"p{n}"})) for n in range(_PROXIES)]
    counters = [[0.0] * _SERIES for _ in targets]
    heads = [
        f'istio_requests_total{{code="{n % 7}",destination="service-{n}",reporter="source"}}' for n in range(_SERIES)
    ]
    scrapes = int(_HOURS[effort.quick] * 3_600_000 / _INTERVAL_MS)
    say(f"  {scrapes} scrapes of {_PROXIES} proxies")
    costs = []
    for scrape in range(scrapes):
        bodies = [_body(heads, counter, chance) for counter in counters]
        began = time.process_time()
        for target, body in zip(targets, bodies, strict=True):
            target.take(store, _BEGIN_MS + scrape * _INTERVAL_MS, body, 0.01)
        costs.append((time.process_time() - began) * 1000)
    series = len(store.index)
    report.add(Measure("series", "scrape of 50 proxies, 10,000 series, CPU", "ms", costs))
    report.add(Measure("series", "memory of a sample", "B", [store.bytes / (series * scrapes)]))
    report.add(
        Measure("series", f"memory of 10,000 series, {scrapes} samples each", "MB", [store.bytes / series / 100])
    )
    report.add(
        Measure("series", "the process, largest", "MB", [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024])
    )
    _queries(report, Engine(store), scrapes)


def _body(heads: list[str], counter: list[float], chance: random.Random) -> str:
    for place in range(0, len(counter), 3):
        counter[place] += chance.randrange(100)
    return "".join(f"{head} {value:g}\n" for head, value in zip(heads, counter, strict=True))


def _queries(report: Report, engine: Engine, scrapes: int) -> None:
    end = _BEGIN_MS + scrapes * _INTERVAL_MS
    hour = (end - 3_600_000, end, 15_000)
    asked = {
        "rate of 10,000 series, now": lambda: engine.instant("sum by (pod) (rate(istio_requests_total[1m]))", end),
        "rate of 1,000 series, an hour in 240 steps": lambda: engine.range(
            'sum by (destination) (rate(istio_requests_total{pod=~"p[0-4]"}[1m]))', *hour
        ),
        "one series, an hour in 240 steps": lambda: engine.range(
            'rate(istio_requests_total{pod="p1",destination="service-3"}[1m])', *hour
        ),
    }
    for name, query in asked.items():
        times = []
        for _ in range(3):
            began = time.perf_counter()
            query()
            times.append((time.perf_counter() - began) * 1000)
        report.add(Measure("series", name, "ms", times))
