"""What was measured, and how it is shown. Pure."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

_DIGITS = {"s": 2, "ms": 1, "MB": 1, "us": 1, "req/s": 0, "x": 3, "B": 2}


@dataclass(frozen=True)
class Measure:
    """Samples of one thing. `unit` is a key of _DIGITS; `budget`, where there is one, is the most for the median."""

    part: str
    name: str
    unit: str
    samples: Sequence[float]
    budget: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def verdict(self) -> str:
        if self.budget is None:
            return ""
        return "ok" if self.median <= self.budget else "OVER"

    def document(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "name": self.name,
            "unit": self.unit,
            "median": _round(self.median),
            "min": _round(min(self.samples)),
            "max": _round(max(self.samples)),
            "budget": self.budget,
            "within": None if self.budget is None else self.verdict == "ok",
            "samples": [_round(sample) for sample in self.samples],
        }


@dataclass
class Report:
    """All of a run. `machine` says on what; `notes` say what was left out, and why."""

    command: str
    machine: dict[str, Any]
    measures: list[Measure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, measure: Measure) -> None:
        """Keep the measure, unless nothing could be measured."""
        if measure.samples:
            self.measures.append(measure)
        else:
            self.notes.append(f"{measure.part}: nothing measured for: {measure.name}")

    def json(self) -> str:
        document = {
            "command": self.command,
            "machine": self.machine,
            "seconds": _round(self.seconds),
            "measures": [measure.document() for measure in self.measures],
            "notes": self.notes,
        }
        return json.dumps(document, indent=2)

    def table(self) -> str:
        """Columns for people, one row for each measure."""
        header = ("", "median", "min", "max", "n", "unit", "budget", "")
        rows = [header, *(_row(measure) for measure in self.measures)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
        lines = [_line(row, widths) for row in rows]
        machine = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        notes = [f"note: {note}" for note in self.notes]
        return "\n".join([f"$ {self.command}", machine, "", *lines, "", *notes, f"took {self.seconds:.0f} s"])


def _row(measure: Measure) -> tuple[str, ...]:
    def shown(value: float) -> str:
        return f"{value:.{_DIGITS[measure.unit]}f}"

    values = (shown(value) for value in (measure.median, min(measure.samples), max(measure.samples)))
    budget = "" if measure.budget is None else f"<= {measure.budget:g}"
    name = f"{measure.part}: {measure.name}"
    return (name, *values, str(len(measure.samples)), measure.unit, budget, measure.verdict)


def _line(row: Iterable[str], widths: Sequence[int]) -> str:
    """Words to the left, numbers to the right."""
    cells = [
        cell.rjust(width) if 1 <= column <= 4 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _round(value: float) -> float:
    return float(f"{value:.5g}")
