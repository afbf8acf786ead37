"""Queries, and which series there are."""

import re
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from semafor.telemetry.api import encoding, parameters
from semafor.telemetry.api.backend import Backend
from semafor.telemetry.api.parameters import BadParameter, Parameters
from semafor.telemetry.labels import NAME, Labels
from semafor.telemetry.matching import Matcher
from semafor.telemetry.promql import Engine, parse, printer
from semafor.telemetry.promql.engine import MAX_STEPS
from semafor.telemetry.series import Store
from semafor.telemetry.series.bits import is_stale

_LOOKBACK_MS = 300_000
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
Selectors = list[tuple[Matcher, ...]]


async def instant(backend: Backend, given: Parameters, _: Request) -> Response:
    query, at = parameters.text(given, "query"), parameters.moment(given, "time", backend.now())
    return await backend.run(lambda _, engine: _answer(encoding.result(engine.instant(query, at))))


def _answer(document: encoding.Json) -> Response:
    """Encoded where it was made, not on the daemon's loop: it may be large."""
    return encoding.success(document)


async def over_time(backend: Backend, given: Parameters, _: Request) -> Response:
    start, end = parameters.moment(given, "start"), parameters.moment(given, "end")
    if end < start:
        raise BadParameter('invalid parameter "end": end timestamp must not be before start time')
    step = parameters.step(given)
    if (end - start) // step > MAX_STEPS:
        words = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution"
        raise BadParameter(f"{words} (?step=XX)")
    query = parameters.text(given, "query")
    return await backend.run(lambda _, engine: _answer(encoding.result(engine.range(query, start, end, step))))


async def exemplars(_: Backend, given: Parameters, __: Request) -> Response:
    """There are none: targets' exemplars are not kept."""
    parse(parameters.text(given, "query"))
    return encoding.success([])


async def formatted(_: Backend, given: Parameters, __: Request) -> Response:
    return encoding.success(printer.laid_out(parse(parameters.text(given, "query"))))


def _within(given: Parameters) -> tuple[int, int]:
    return parameters.moment(given, "start", -9.2e15), parameters.moment(given, "end", 9.2e15)


def _found(store: Store, wanted: Selectors, within: tuple[int, int]) -> Iterable[Labels]:
    span = store.span
    if span is None or span[0] > within[1] or span[1] < within[0]:
        return []
    return dict.fromkeys(labels for matchers in wanted or [()] for labels in store.matching(matchers))


async def label_names(backend: Backend, given: Parameters, _: Request) -> Response:
    wanted, within = parameters.selectors(given), _within(given)

    def answer(store: Store, _: Engine) -> Response:
        return encoding.success(sorted({name for labels in _found(store, wanted, within) for name, _ in labels}))

    return await backend.run(answer)


async def label_values(backend: Backend, given: Parameters, request: Request) -> Response:
    name: str = request.path_params["name"]
    if not _LABEL.fullmatch(name):
        raise BadParameter(f'invalid label name: "{name}"')
    wanted, within = parameters.selectors(given), _within(given)

    def answer(store: Store, _: Engine) -> Response:
        if not wanted:  # of all series: the index knows
            return encoding.success(sorted(store.index.values(name)))
        found = {value for labels in _found(store, wanted, within) for key, value in labels if key == name}
        return encoding.success(sorted(found))

    return await backend.run(answer)


async def series(backend: Backend, given: Parameters, _: Request) -> Response:
    wanted, within = parameters.selectors(given, needed=True), _within(given)

    def answer(store: Store, _: Engine) -> Response:
        return encoding.success([dict(labels) for labels in sorted(_found(store, wanted, within))])

    return await backend.run(answer)


async def federated(backend: Backend, given: Parameters, _: Request) -> Response:
    """The newest samples of the chosen series, in the text format."""
    wanted, now_ms = parameters.selectors(given), round(backend.now() * 1000)

    def answer(store: Store, _: Engine) -> Response:
        lines: dict[Labels, str] = {}
        for matchers in wanted:
            for found in store.select(matchers, now_ms - _LOOKBACK_MS, now_ms):
                if not is_stale(found.values[-1:])[0]:
                    last, time_ms = float(found.values[-1]), int(found.times[-1])
                    lines[found.labels] = encoding.exposed(found.labels, last, time_ms)
        ordered = sorted(lines, key=lambda labels: (dict(labels).get(NAME, ""), labels))
        return PlainTextResponse(_typed(ordered, lines), media_type="text/plain; version=0.0.4")

    return await backend.run(answer)


def _typed(ordered: list[Labels], lines: dict[Labels, str]) -> str:
    text, before = [], ""
    for labels in ordered:
        name = dict(labels).get(NAME, "")
        if name != before:
            text.append(f"# TYPE {name} untyped\n")
            before = name
        text.append(lines[labels])
    return "".join(text)
