"""Spans as Zipkin's reporters send them: a JSON list, version 2 of its API."""

import re
from typing import Any, Final

import msgspec

from semafor.telemetry.traces.span import Event, Kind, Malformed, Span

_KINDS: Final[dict[str, Kind]] = {
    "CLIENT": "client",
    "SERVER": "server",
    "PRODUCER": "producer",
    "CONSUMER": "consumer",
}
_HEX: Final = re.compile(r"[0-9a-f]{1,32}")
_MAX_TEXT: Final = 4096


class _Endpoint(msgspec.Struct, rename="camel"):
    service_name: str = ""
    ipv4: str = ""
    ipv6: str = ""
    port: int = 0


class _Annotation(msgspec.Struct):
    timestamp: int = 0
    value: str = ""


class _Span(msgspec.Struct, rename="camel"):
    trace_id: str
    id: str
    parent_id: str | None = None
    name: str | None = None
    kind: str | None = None
    timestamp: int | None = None
    duration: int | None = None
    shared: bool | None = None
    local_endpoint: _Endpoint | None = None
    remote_endpoint: _Endpoint | None = None
    tags: dict[str, str] | None = None
    annotations: list[_Annotation] | None = None


def spans(raw: bytes) -> list[Span]:
    """The spans of a report. Raises Malformed."""
    try:
        found = msgspec.json.decode(raw, type=list[_Span])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Malformed(f"this is no list of Zipkin's spans: {error}") from error
    return [_span(each) for each in found if _HEX.fullmatch(each.trace_id) and _HEX.fullmatch(each.id)]


def _span(span: _Span) -> Span:
    """A server's span that shares the id of its client's gets one of its own below it, as OpenTelemetry has it."""
    kind = _KINDS.get(span.kind or "", "internal")
    own, parent = span.id.zfill(16)[-16:], (span.parent_id or "").zfill(16)[-16:] if span.parent_id else ""
    if kind == "server" and span.shared:
        own, parent = f"{int(own, 16) ^ 1:016x}", own
    local = span.local_endpoint or _Endpoint()
    tags: dict[str, Any] = {key: value[:_MAX_TEXT] for key, value in (span.tags or {}).items()}
    return Span(
        trace=span.trace_id.zfill(32)[-32:],
        id=own,
        parent=parent,
        service=local.service_name or "unknown_service",
        name=span.name or "",
        kind=kind,
        start_us=span.timestamp or 0,
        duration_us=max(0, span.duration or 0),
        failed="error" in tags,
        attributes=tags | _peer(span.remote_endpoint),
        resource={"ip": local.ipv4 or local.ipv6} if local.ipv4 or local.ipv6 else {},
        events=tuple(Event(each.value[:_MAX_TEXT], each.timestamp, {}) for each in span.annotations or ()),
        message=str(tags.get("error", "")),
    )


def _peer(endpoint: _Endpoint | None) -> dict[str, Any]:
    if endpoint is None:
        return {}
    told = {
        "peer.service": endpoint.service_name,
        "peer.ip": endpoint.ipv4 or endpoint.ipv6,
        "peer.port": endpoint.port,
    }
    return {key: value for key, value in told.items() if value}
