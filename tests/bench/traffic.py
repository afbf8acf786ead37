"""Requests through real pods: how many, how fast, and what the proxies spend on each.

wrk runs on one CPU; backends and proxies share another, so that requests/s compares what a path costs. Rounds of all
paths are interleaved: what else happens on the machine hits all of them. Those that are compared run once more, side by
side in the same seconds: sidecars against Envoys by hand that do and tell the same, and what telling costs.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.bench import load, paths, processes, traffic_pods
from tests.bench.effort import Effort
from tests.bench.load import CONNECTIONS, Load
from tests.bench.mesh import Mesh, running
from tests.bench.paths import Path
from tests.bench.result import Measure, Report
from tests.bench.traffic_pods import NAMESPACE

# What is measured side by side, with the most for the ratio.
_PAIRS: dict[tuple[str, str], float | None] = {
    (paths.TWO, paths.HAND): 1.10,
    (paths.TWO, paths.SILENT): None,
    (paths.TOLD, paths.SILENT): None,
    (paths.TRACED, paths.SILENT): None,
}


@dataclass
class Samples:
    """What the rounds of a path found; `cpu_us` is for each request."""

    loads: list[Load] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)


def measure(report: Report, effort: Effort) -> None:
    """Needs `wrk`; without it a note says so."""
    if reason := load.missing():
        report.notes.append(reason)
        return
    with running() as mesh:
        mesh.make_namespace(NAMESPACE)
        traffic_pods.start(mesh)
        every = paths.every(mesh)
        paths.pin(mesh)
        for path in every:
            _run(mesh, path, seconds=1)  # connections are made, stats exist
        paths.prove_mtls(mesh)
        _alone(mesh, report, effort, every)
        by_name = {path.name: path for path in every}
        for pair, budget in _PAIRS.items():
            _side_by_side(mesh, report, effort, (by_name[pair[0]], by_name[pair[1]]), budget)


def _alone(mesh: Mesh, report: Report, effort: Effort, every: list[Path]) -> None:
    samples = {path.name: Samples() for path in every}
    seconds = effort.seconds(full=2, quick=1)
    for number in effort.rounds("traffic", full=(7, 120), quick=(3, 25)):
        turned = every[number % len(every) :] + every[: number % len(every)]
        for path in turned if number % 2 else reversed(turned):
            done, cpu_us = _run(mesh, path, seconds=seconds)
            samples[path.name].loads.append(done)
            samples[path.name].cpu_us.append(cpu_us)
    for path in every:
        _report(report, path, samples[path.name])


def _side_by_side(mesh: Mesh, report: Report, effort: Effort, pair: tuple[Path, Path], budget: float | None) -> None:
    """Both get what the machine gives in those seconds, so the ratio holds on a busy machine too."""
    ratios = []
    seconds, connections = effort.seconds(full=3, quick=2), CONNECTIONS // 2
    with ThreadPoolExecutor(max_workers=2) as pool:
        for _ in effort.rounds("traffic, side by side", full=(7, 45), quick=(3, 12)):
            runs = [pool.submit(_run, mesh, path, seconds=seconds, connections=connections) for path in pair]
            (_, one), (_, other) = (run.result() for run in runs)
            ratios.append(one / other)
    report.add(Measure("traffic", f"CPU for a request, {pair[0].name} / {pair[1].name}", "x", ratios, budget))


def _run(mesh: Mesh, path: Path, *, seconds: float, connections: int = CONNECTIONS) -> tuple[Load, float]:
    """One run of wrk, and the microseconds on a CPU that each request cost. Raises RuntimeError when requests fail."""
    before = processes.cpu_ns(path.counted)
    cpu, _ = load.cpus()
    done = load.run(mesh, NAMESPACE, path.target, seconds=seconds, connections=connections, cpu=cpu)
    spent = processes.cpu_ns(path.counted) - before
    if done.failed:
        raise RuntimeError(f"{path.name}: {done.failed} of {done.requests} requests failed")
    return done, spent / 1e3 / done.requests


def _report(report: Report, path: Path, samples: Samples) -> None:
    def add(what: str, unit: str, values: list[float]) -> None:
        report.add(Measure("traffic", f"{path.name}: {what}", unit, values))

    add("requests", "req/s", [each.per_s for each in samples.loads])
    add("p50", "ms", [each.p50 / 1e3 for each in samples.loads])
    add("p99", "ms", [each.p99 / 1e3 for each in samples.loads])
    add(f"{path.who} CPU for a request", "us", samples.cpu_us)
