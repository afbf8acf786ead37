"""The documents of Jaeger's HTTP API: what its own page, Grafana and Kiali read. Pure.

Source: Jaeger's documentation of its query service, and the documents that it answers with.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from semafor.telemetry.traces.span import Json, Kind, Span
from semafor.telemetry.traces.store import Call, Query

MAX_TRACES: Final = 1500  # that one search gives, as Jaeger's own page allows
_UNITS_US: Final = {"ns": 1e-3, "us": 1.0, "µs": 1.0, "ms": 1e3, "s": 1e6, "m": 6e7, "h": 3.6e9}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")
_KINDS: Final[Mapping[Kind, int]] = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}


class Wrong(Exception):  # noqa: N818 - named for what the query is
    """A query that cannot be answered, in Jaeger's words."""


def answer(data: Any, *, total: int | None = None) -> Json:
    """What every answer is wrapped in."""
    count = len(data) if total is None and isinstance(data, list) else total or 0
    return {"data": data, "total": count, "limit": 0, "offset": 0, "errors": None}


def failure(code: int, message: str) -> Json:
    return {"data": None, "total": 0, "limit": 0, "offset": 0, "errors": [{"code": code, "msg": message}]}


def query(parameters: Sequence[tuple[str, str]], *, of_all: bool = False) -> Query:
    """The search that the parameters of `/api/traces` ask for; `of_all` does without a service. Raises Wrong."""
    given = dict(parameters)
    tags = dict(_tag(text) for name, text in parameters if name == "tag") | _tags(given.get("tags", ""))
    if not given.get("service") and not of_all:
        raise Wrong("parameter 'service' is required")
    return Query(
        service=given.get("service", ""),
        operation=given.get("operation", ""),
        tags=tuple(sorted(tags.items())),
        since_us=_number(given, "start"),
        until_us=_number(given, "end"),
        min_us=_duration(given, "minDuration"),
        max_us=_duration(given, "maxDuration"),
        limit=min(_number(given, "limit") or 20, MAX_TRACES),
    )


def _number(given: Mapping[str, str], name: str) -> int | None:
    if not given.get(name):
        return None
    if not given[name].isascii() or not given[name].isdigit() or len(given[name]) > 18:
        raise Wrong(f"cannot parse {name}: {given[name][:80]!r} is no whole number")
    return int(given[name])


def _duration(given: Mapping[str, str], name: str) -> int | None:
    """`1.5s` or `2m30s`, in microseconds."""
    if not given.get(name):
        return None
    if not _DURATION.fullmatch(given[name]):
        raise Wrong(f"cannot parse {name}: {given[name][:80]!r} is no duration, such as 250ms or 1.5s")
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", given[name])
    return round(sum(float(number) * _UNITS_US[unit] for number, unit in parts))


def _tag(text: str) -> tuple[str, str]:
    key, colon, value = text.partition(":")
    if not colon:
        raise Wrong(f"malformed 'tag' parameter, expecting key:value, received: {text[:80]}")
    return key, value


def _tags(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Wrong("malformed 'tags' parameter, expecting a JSON object of texts")
    return found


def trace(spans: Sequence[Span]) -> Json:
    """A trace as the page of Jaeger reads it: spans that name processes, which are told once."""
    names: dict[str, str] = {}
    for span in spans:
        names.setdefault(_process(span), f"p{len(names) + 1}")
    return {
        "traceID": spans[0].trace,
        "spans": [_span(span, names[_process(span)]) for span in spans],
        "processes": {name: json.loads(process) for process, name in names.items()},
        "warnings": None,
    }


def _process(span: Span) -> str:
    return json.dumps({"serviceName": span.service, "tags": _pairs(span.resource)})


def _span(span: Span, process: str) -> Json:
    parent = {"refType": "CHILD_OF", "traceID": span.trace, "spanID": span.parent}
    return {
        "traceID": span.trace,
        "spanID": span.id,
        "operationName": span.name,
        "references": [parent] if span.parent else [],
        "startTime": span.start_us,
        "duration": span.duration_us,
        "tags": _pairs(_told(span)),
        "logs": [
            {"timestamp": event.time_us, "fields": _pairs({"event": event.name, **event.attributes})}
            for event in span.events
        ],
        "processID": process,
        "warnings": None,
    }


def _told(span: Span) -> Json:
    tags = {**span.attributes, "span.kind": span.kind}
    if span.failed:
        tags |= {"error": True, "otel.status_code": "ERROR"}
        tags |= {"otel.status_description": span.message} if span.message else {}
    return tags


def _pairs(attributes: Json) -> list[Json]:
    return [{"key": key, **_typed(value)} for key, value in attributes.items()]


def _typed(value: Any) -> Json:
    match value:
        case bool():
            return {"type": "bool", "value": value}
        case int():
            return {"type": "int64", "value": value}
        case float():
            return {"type": "float64", "value": value}
        case str():
            return {"type": "string", "value": value}
        case _:
            return {"type": "string", "value": json.dumps(value, ensure_ascii=False)}


def calls(found: Iterable[Call]) -> list[Json]:
    """The dependencies between services."""
    return [{"parent": each.caller, "child": each.callee, "callCount": each.count} for each in found]


def operations(found: Iterable[tuple[str, Kind]]) -> list[Json]:
    return [{"name": name, "spanKind": kind} for name, kind in found]


def otlp(traces: Iterable[Sequence[Span]]) -> Json:
    """The answer of version 3 of the API: OpenTelemetry's own document, wrapped."""
    return {"result": {"resourceSpans": [_resource_spans(span) for spans in traces for span in spans]}}


def _resource_spans(span: Span) -> Json:
    document: Json = {
        "traceId": span.trace,
        "spanId": span.id,
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.start_us * 1000),
        "endTimeUnixNano": str(span.end_us * 1000),
        "attributes": _key_values(span.attributes),
        "status": {"code": 2, "message": span.message} if span.failed else {},
    }
    document |= {"parentSpanId": span.parent} if span.parent else {}
    if span.events:
        document["events"] = [
            {"timeUnixNano": str(each.time_us * 1000), "name": each.name, "attributes": _key_values(each.attributes)}
            for each in span.events
        ]
    resource = {"attributes": _key_values({"service.name": span.service, **span.resource})}
    return {"resource": resource, "scopeSpans": [{"scope": {}, "spans": [document]}]}


def _key_values(attributes: Json) -> list[Json]:
    return [{"key": key, "value": _any_value(value)} for key, value in attributes.items()]


def _any_value(value: Any) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_any_value(each) for each in value]}}
        case dict():
            return {"kvlistValue": {"values": _key_values(value)}}
        case _:
            return {"stringValue": str(value)}
