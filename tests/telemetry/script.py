"""Reads and runs test scripts in the format of Prometheus's own (promql/promqltest).

load 5m                                     samples, every five minutes from 0
  http_requests{job="a"} 0+10x10 _ stale
eval instant at 50m sum(http_requests)      a query at one time, and what it must answer
  {} 100
eval range from 0 to 10m step 5m up         at several times
eval_fail instant at 0 -{__name__=~"a|b"}   it must have no answer
eval_ordered instant at 50m sort(x)         the order counts
clear

What is about native histograms, which are not kept, and functions that Prometheus keeps behind a switch, is left out.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from semafor.telemetry import exposition
from semafor.telemetry.labels import EMPTY, NAME, Labels, of, written
from semafor.telemetry.promql import Engine, Options, QueryError, lexer, parser
from semafor.telemetry.series import Limits, Store
from semafor.telemetry.series.bits import STALE

# As close as Prometheus's own tests want it.
_EPSILON = 1e-6
_HEAD = re.compile(r'\s*((?:[a-zA-Z_:][\w:]*)?\s*(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?)\s*(.*)', re.ASCII)
_RUN = re.compile(r"([-+]?(?:[\d.]+(?:e[-+]?\d+)?|inf|nan))(?:([-+])((?:[\d.]+(?:e[-+]?\d+)?|inf)))?(?:x(\d+))?", re.I)
_EVAL = re.compile(
    r"eval(?P<mode>_fail|_ordered|_warn|_info)?\s+(?:instant\s+(?:at\s+(?P<at>\S+)\s+)?|range\s+from\s+(?P<from>\S+)\s+to\s+(?P<to>\S+)\s+step\s+(?P<step>\S+)\s+)(?P<query>.+)"
)


# Prometheus 2 calls these experimental, and answers them only when it is started so.
_EXPERIMENTAL = re.compile(r"\b(limitk|limit_ratio|sort_by_label\w*|mad_over_time|info)\s*(\(|by|without)")
# Of native histograms alone; of other samples they give nothing.
_NATIVE = re.compile(r"\bhistogram_(avg|count|fraction|stddev|stdvar|sum)\(")


@dataclass
class Evaluation:
    """One `eval`, its line, and the lines of what it expects."""

    line: int
    found: re.Match[str]
    lines: list[str] = field(default_factory=list)

    @property
    def query(self) -> str:
        return self.found["query"]


def milliseconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("+-")
    try:
        return sign * round(float(text) * 1000)
    except ValueError:
        return sign * lexer.duration_ms(text)


def series(line: str) -> tuple[Labels, list[float | None]]:
    """A series and its values; None where there is none."""
    found = _HEAD.fullmatch(line)
    assert found is not None, line
    return labels(found[1]), list(values(found[2]))


def labels(text: str) -> Labels:
    text = text.strip()
    if not text:
        return EMPTY
    if text.startswith("{"):
        named = re.match(
            r"\{\s*(?:__name__=)?\"([^\"]*)\"\s*,?", text
        )  # the name may stand inside, with or without its label
        if named:
            return exposition.labels(named[1] + "{" + text[named.end() :])
        return tuple(pair for pair in exposition.labels("x" + text) if pair[0] != NAME)
    return exposition.labels(text)


def values(text: str) -> Iterator[float | None]:
    for word in text.split():
        gaps = re.fullmatch(r"_(?:x(\d+))?", word)
        if gaps:
            yield from [None] * int(gaps[1] or 1)
        elif word.startswith("stale"):
            yield float(STALE[0])
        else:
            found = _RUN.fullmatch(word)
            assert found is not None, word
            first = float(found[1])
            step = float((found[2] or "+") + (found[3] or "0"))
            # x5 without a step repeats; with one it adds: six values in both cases
            for number in range(int(found[4] or 0) + 1):
                yield first + step * number if step else first


class Script:
    """Runs one script. `modern` takes Prometheus 3's rules."""

    def __init__(self, text: str, *, modern: bool = False) -> None:
        self._text = text
        self._modern = modern
        self._clear()

    def _clear(self) -> None:
        self._loads = 0
        self._natives = set[str]()  # names of histograms that load_with_nhcb would have made native ones besides
        self.store = Store(Limits(window_ms=1 << 60))
        self.engine = Engine(self.store, Options(modern=self._modern))

    def run(self) -> Iterator[tuple[int, str, str]]:
        """Each query: its line, its text, and what is wrong ("" when nothing is)."""
        pending: Evaluation | None = None
        loading: list[str] | None = None
        step = 0
        for number, raw in enumerate([*self._text.split("\n"), "clear"], 1):
            line = raw.strip()
            if line.startswith("#") or (not line and not raw.startswith((" ", "\t"))):
                continue
            command = line.split()[0] if line else ""
            if command in ("load", "clear", "resume") or command.startswith(("eval", "load_")):
                if loading is not None:
                    self._load(step, loading)
                if pending is not None and not self._left_out(pending):
                    yield pending.line, pending.query, self._judge(pending)
                loading, pending = None, None
            if command.startswith("load"):
                step, loading = milliseconds(line.split()[1]), []
                buckets = re.findall(r"^\s*(\w+)_bucket\{", self._text, re.M) if command == "load_with_nhcb" else ()
                self._natives.update(buckets)
            elif command == "clear":
                self._clear()
            elif command.startswith("eval"):
                found = _EVAL.fullmatch(line)
                assert found is not None, line
                pending = Evaluation(number, found)
            elif loading is not None:
                loading.append(line)
            elif pending is not None and line:
                pending.lines.append(line)

    def _load(self, step: int, lines: list[str]) -> None:
        self._loads += 1
        found = [series(line) for line in lines if "{{" not in line]
        for place in range(max((len(each) for _, each in found), default=0)):
            column = {}
            for name, each in found:
                if place < len(each) and each[place] is not None:
                    column[self.store.resolve(f"load {self._loads}", name)] = each[place]
            home = self.store.groups.get(f"load {self._loads}")
            if home is not None:
                home.alive = frozenset()  # a gap is not an end here
                self.store.append_numbers(f"load {self._loads}", place * step, column)

    def _left_out(self, evaluation: Evaluation) -> bool:
        query, names = evaluation.query, "|".join(map(re.escape, self._natives))
        native = re.search(rf"\b({names})\b", query) if names else None
        return bool(native or _NATIVE.search(query) or _EXPERIMENTAL.search(query) or "{{" in "".join(evaluation.lines))

    def _judge(self, evaluation: Evaluation) -> str:
        found = evaluation.found
        try:
            if found["from"] is not None:
                times = [milliseconds(found[name]) for name in ("from", "to", "step")]
                result = self.engine.range(evaluation.query, *times)
            else:
                result = self.engine.instant(evaluation.query, milliseconds(found["at"] or "0"))
        except QueryError as error:
            expected = [line.split(None, 1)[1] for line in evaluation.lines if line.startswith("expected_fail_message")]
            if found["mode"] != "_fail" and "expect fail" not in "".join(evaluation.lines):
                return f"no answer: {error}"
            return "" if not expected or expected[0] in str(error) else f"the words are {error}"
        if found["mode"] == "_fail":
            return "it has an answer, and should not"
        return _compare(evaluation, result)


def _compare(evaluation: Evaluation, result) -> str:
    lines = [line for line in evaluation.lines if not line.startswith("expect")]
    if result.kind == "string":
        return "" if not lines or lines == [f"expect string {result.text!r}"] else f"{result.text!r}"
    ranged = evaluation.found["from"] is not None
    if result.kind == "scalar" and not ranged:
        got = float(result.rows[0].values[0])
        return "" if len(lines) == 1 and close(got, float(lines[0])) else f"got {got}, not {lines}"
    expected = dict(series(line) for line in lines)
    rows = {row.labels: row for row in result.rows}
    if evaluation.found["mode"] == "_ordered" and list(expected) != list(rows):
        return f"the order is {[written(each) for each in rows]}"
    if set(expected) != set(rows):
        return f"got {sorted(map(written, rows))}, not {sorted(map(written, expected))}"
    for name, wanted in expected.items():
        row = rows[name]
        if ranged:
            start, step = milliseconds(evaluation.found["from"]), milliseconds(evaluation.found["step"])
            points = {start + step * place: each for place, each in enumerate(wanted) if each is not None}
        else:
            points = {int(row.times[-1]): wanted[0]}
        got = dict(zip(row.times.tolist(), row.values.tolist(), strict=True))
        if set(got) != set(points) or not all(close(got[at], points[at]) for at in points):
            return f"{written(name)}: got {got}, not {points}"
    return ""


def close(a: float, b: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if a == b:
        return True
    if math.isinf(a) or math.isinf(b):
        return False
    return abs(a - b) <= _EPSILON * max(abs(a) + abs(b), np.finfo(float).tiny)


def parses(text: str) -> bool:
    try:
        parser.parse(text)
    except QueryError:
        return False
    return True


def named(**values: str) -> Labels:
    return of(values)
