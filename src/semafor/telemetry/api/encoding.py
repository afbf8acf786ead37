"""What is answered, in Prometheus's shapes."""

from typing import Any

import msgspec
from starlette.responses import Response

from semafor.telemetry.labels import NAME, Labels, escaped
from semafor.telemetry.promql import Result, Row, numbers

Json = dict[str, Any]

# Source: Prometheus 2, web/api/v1/api.go, respondError.
_CODES = {"bad_data": 400, "execution": 422, "timeout": 503, "canceled": 499, "not_found": 404, "internal": 500}


def success(data: Any) -> Response:
    return _json({"status": "success", "data": data}, 200)


def failure(kind: str, message: str) -> Response:
    """An error of one of Prometheus's kinds."""
    return _json({"status": "error", "errorType": kind, "error": message}, _CODES[kind])


def _json(document: Json, code: int) -> Response:
    return Response(msgspec.json.encode(document), code, media_type="application/json")


def seconds(time_ms: int) -> float | int:
    """A time as the API has it: seconds, with as many digits as there are."""
    whole, rest = divmod(time_ms, 1000)
    return whole if rest == 0 else time_ms / 1000


def point(time_ms: int, value: float) -> list[Any]:
    return [seconds(time_ms), numbers.written(value)]


def result(found: Result) -> Json:
    """The answer of a query."""
    value: Any
    match found.kind:
        case "string":
            value = [seconds(found.time_ms), found.text]
        case "scalar":
            row = found.rows[0]
            value = point(row.last.time_ms, row.last.value)
        case "vector":
            value = [{"metric": dict(row.labels), "value": point(*_last(row))} for row in found.rows]
        case "matrix":
            value = [{"metric": dict(row.labels), "values": _points(row)} for row in found.rows]
    return {"resultType": found.kind, "result": value}


def _last(row: Row) -> tuple[int, float]:
    return row.last.time_ms, row.last.value


def _points(row: Row) -> list[list[Any]]:
    pairs = zip(row.times.tolist(), row.values.tolist(), strict=True)
    return [[seconds(time_ms), numbers.written(value)] for time_ms, value in pairs]


def exposed(labels: Labels, value: float, time_ms: int) -> str:
    """A line of the text format."""
    pairs = dict(labels)
    name = pairs.pop(NAME, "")
    inside = ",".join(f'{key}="{escaped(text)}"' for key, text in pairs.items())
    return f"{name}{{{inside}}} {numbers.written(value)} {time_ms}\n"
