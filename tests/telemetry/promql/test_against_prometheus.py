"""The same samples, the same queries, a real Prometheus 2: the same answers."""

import json
import math
import random
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from tests.telemetry.promql.queries import QUERIES, START_S
from tests.telemetry.script import close

from semafor.telemetry import labels
from semafor.telemetry.promql import Engine, QueryError
from semafor.telemetry.series import Limits, Store

pytestmark = [
    pytest.mark.machine,
    pytest.mark.skipif(not (shutil.which("prometheus") and shutil.which("promtool")), reason="no prometheus here"),
]

COLUMNS = 120
STEP_S = 15


def samples():
    """Counters with resets, gauges with gaps and odd values, a histogram: name -> {time in seconds: value}."""
    chance = random.Random(7)
    series = {}
    for pod in "abc":
        for code in ("200", "500", "503"):
            value, points = chance.random() * 100, {}
            for column in range(COLUMNS):
                value = 0.0 if chance.random() < 0.02 else value + chance.choice([0, 0, 1, 2.5, 1000])
                if chance.random() > 0.05:
                    points[START_S + column * STEP_S] = value
            series[labels.of({"__name__": "asked_total", "pod": pod, "code": code, "job": "app"})] = points
        odd = {
            START_S + c * STEP_S: chance.choice([1.5, -2.0, 0.0, math.nan, math.inf, -math.inf, 1e300])
            for c in range(COLUMNS)
        }
        series[labels.of({"__name__": "odd", "pod": pod})] = odd
        level = {
            START_S + c * STEP_S: 20 + 10 * math.sin(c / 7) + chance.random()
            for c in range(0, COLUMNS, 1 + (pod == "c"))
        }
        series[labels.of({"__name__": "temperature", "pod": pod, "job": "app"})] = level
        total = dict.fromkeys(("0.1", "0.5", "1", "5", "+Inf"), 0.0)
        rows = {bound: {} for bound in total}
        for column in range(COLUMNS):
            took = chance.expovariate(1.5)
            for bound in total:
                total[bound] += took <= float(bound)
                rows[bound][START_S + column * STEP_S] = total[bound]
        for bound, points in rows.items():
            series[labels.of({"__name__": "took_bucket", "le": bound, "pod": pod})] = points
    series[labels.of({"__name__": "owner", "pod": "a", "team": "red"})] = dict.fromkeys(
        range(START_S, START_S + 1800, STEP_S), 1.0
    )
    series[labels.of({"__name__": "owner", "pod": "b", "team": "blue"})] = dict.fromkeys(
        range(START_S, START_S + 1800, STEP_S), 1.0
    )
    return series


SERIES = samples()


def exposition():
    by_name = {}
    for name, points in SERIES.items():
        by_name.setdefault(labels.value(name, "__name__"), []).append((name, points))
    lines = []
    for name, found in by_name.items():
        lines.append(f"# TYPE {name} unknown")
        for each, points in found:
            pairs = ",".join(f'{key}="{text}"' for key, text in each if key != "__name__")
            lines += [f"{name}{{{pairs}}} {value!r} {at}" for at, value in points.items()]
    return (
        "\n".join(lines).replace(" inf ", " +Inf ").replace(" -inf ", " -Inf ").replace(" nan ", " NaN ") + "\n# EOF\n"
    )


class Prometheus:
    def __init__(self, port):
        self._base = f"http://127.0.0.1:{port}/api/v1/"

    def ask(self, path, **parameters):
        url = self._base + path + "?" + urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            return json.load(error)["errorType"]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "samples").write_text(exposition())
    (folder / "config.yml").write_text("global: {}\n")
    making = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "samples"), str(folder / "data")]
    subprocess.run(making, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = ["prometheus", f"--config.file={folder}/config.yml", f"--storage.tsdb.path={folder}/data"]
    argv += [f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y", "--log.level=error"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield Prometheus(port)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def engine():
    store = Store(Limits(window_ms=1 << 60))
    for number, (name, points) in enumerate(SERIES.items()):
        for at, value in points.items():
            series = store.resolve(f"g{number}", name)
            store.groups[f"g{number}"].alive = frozenset()  # a gap is not an end here
            store.append_numbers(f"g{number}", at * 1000, {series: value})
    return Engine(store)


TIMES = [START_S + 7, START_S + 600, START_S + 611, START_S + 1795, START_S + 2090]


def ours(engine, ask):
    try:
        result = ask(engine)
    except QueryError as error:
        return "bad_data" if type(error).__name__ == "ParseError" else "execution"
    if result.kind == "string":
        return {"string": result.text}
    rows = {
        tuple(row.labels): dict(zip((row.times / 1000).tolist(), row.values.tolist(), strict=True))
        for row in result.rows
    }
    return {result.kind: rows}


def theirs(data):
    if isinstance(data, str):
        return data
    kind, found = data["resultType"], data["result"]
    if kind == "string":
        return {"string": found[1]}
    if kind == "scalar":
        return {"scalar": {(): {float(found[0]): float(found[1])}}}
    return {
        kind: {
            labels.of(row["metric"]): {float(at): float(value) for at, value in row.get("values", [row.get("value")])}
            for row in found
        }
    }


def same(a, b):
    if isinstance(a, str) or isinstance(b, str) or set(a) != set(b):
        return a == b
    ((kind, left),) = a.items()
    right = b[kind]
    if kind == "string":
        return left == right
    return set(left) == set(right) and all(
        set(left[row]) == set(right[row]) and all(close(left[row][at], right[row][at]) for at in left[row])
        for row in left
    )


def test_there_are_some_hundreds_of_queries():
    assert len(QUERIES) > 400


def test_instant_queries_answer_as_prometheus_does(prometheus, engine):
    wrong = []
    for query in QUERIES:
        for at in TIMES:
            got = ours(engine, lambda found, query=query, at=at: found.instant(query, at * 1000))
            wanted = theirs(prometheus.ask("query", query=query, time=at))
            if not same(got, wanted):
                wrong.append((query, at, got, wanted))
    assert wrong == [], "\n".join(map(repr, wrong))


def test_range_queries_answer_as_prometheus_does(prometheus, engine):
    wrong = []
    start, end, step = START_S + 100, START_S + 2000, 95
    for query in QUERIES:
        got = ours(engine, lambda found, query=query: found.range(query, *(each * 1000 for each in (start, end, step))))
        wanted = theirs(prometheus.ask("query_range", query=query, start=start, end=end, step=step))
        wanted = "execution" if wanted == "bad_data" and got == "execution" else wanted  # a type that has no range
        if not same(got, wanted):
            wrong.append((query, got, wanted))
    assert wrong == [], "\n".join(map(repr, wrong))
