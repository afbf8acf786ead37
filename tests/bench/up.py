"""`semafor up` and `semafor down`: seconds from the return key to the prompt."""

from tests.bench.effort import Effort
from tests.bench.mesh import home, timed
from tests.bench.result import Measure, Report

_BUDGET_S = 3.0


def measure(report: Report, effort: Effort) -> None:
    """Each round: a fresh home, and then the same home again, whose objects and certificates are there."""
    fresh: list[float] = []
    old: list[float] = []
    down: list[float] = []
    for _ in effort.rounds("up", full=(7, 60), quick=(2, 10)):
        with home() as mesh:
            fresh.append(timed(mesh, "up", "--no-kubeconfig"))
            down.append(timed(mesh, "down"))
            old.append(timed(mesh, "up", "--no-kubeconfig"))
            down.append(timed(mesh, "down"))
    report.add(Measure("up", "semafor up to Ready, fresh home", "s", fresh, _BUDGET_S))
    report.add(Measure("up", "semafor up to Ready, old home", "s", old, _BUDGET_S))
    report.add(Measure("up", "semafor down", "s", down))
