"""What Envoy tells of a tapped request, as people read it. Secrets are blacked out."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

Doc = dict[str, Any]

REDACTED: Final = "[redacted]"
_MAX_DOCUMENT: Final = 16 << 20  # characters: more than the largest bodies, escaped
_SECRET_HEADER = re.compile(r"authorization|cookie|token|secret|password|passwd|api-?key|^x-amz-security|signature")
_SECRET_PARAMETER = re.compile(r"token|secret|password|passwd|key|sig|signature|auth|code", re.IGNORECASE)
_DECODER: Final = json.JSONDecoder()


def documents(texts: Iterator[str]) -> Iterator[Doc]:
    """JSON documents that come one after the other, in pieces of any size."""
    waiting = ""
    for text in texts:
        waiting = (waiting + text).lstrip()
        while waiting:
            try:
                document, end = _DECODER.raw_decode(waiting)
            except json.JSONDecodeError:
                if len(waiting) > _MAX_DOCUMENT:
                    yield {"left_out": "a request that is larger than can be told"}
                    return
                break
            yield document
            waiting = waiting[end:].lstrip()


def told(pod: str, direction: str, found: Doc, *, redact: bool) -> Doc:
    """One request, or one piece of it, flat."""
    made: Doc = {"pod": pod, "direction": direction}
    piece = found.get("http_streamed_trace_segment")
    if piece is not None:
        return made | _piece(piece, redact=redact)
    whole = found.get("http_buffered_trace") or {}
    request, response = whole.get("request") or {}, whole.get("response") or {}
    made |= _request(_headers(request, redact=redact)) | _response(_headers(response, redact=redact))
    made |= _times(request, response)
    address = (whole.get("downstream_connection") or {}).get("remote_address", {}).get("socket_address", {})
    if address:
        made["from"] = address["address"]
    for name, message in (("request_body", request), ("response_body", response)):
        made |= _body(name, message.get("body"))
    return made


def is_request(told: Doc) -> bool:
    """Whether it counts as one: a whole request, or the beginning of one that is told in pieces."""
    return "method" in told


def line(told: Doc) -> str:
    """One line, and below it what there is of bodies."""
    words = [told.get("time", ""), told["pod"], told["direction"]]
    if "stream" in told:
        words.append(f"#{told['stream']}")
    if "method" in told:
        words.append(f"{told['method']} {told['host']}{told['path']}")
    if "status" in told:
        words.append(str(told["status"] or "no answer"))
    if "ms" in told:
        words.append(f"{told['ms']:.1f}ms")
    if told.get("from"):
        words.append(f"from {told['from']}")
    text = " ".join(word for word in words if word)
    for name in ("request_body", "response_body"):
        if name in told:
            more = " (the rest is left out: --body)" if told.get(f"{name}_truncated") else ""
            text += f"\n  {name.replace('_', ' ')}: {told[name]}{more}"
    return text


def _piece(piece: Doc, *, redact: bool) -> Doc:
    made: Doc = {"stream": int(piece.get("trace_id", 0))}
    if "request_headers" in piece:
        return made | _request(_headers(piece["request_headers"], redact=redact))
    if "response_headers" in piece:
        return made | _response(_headers(piece["response_headers"], redact=redact))
    for name in ("request_body", "response_body"):
        made |= _body(name, piece.get(f"{name}_chunk"))
    return made


def _headers(message: Doc, *, redact: bool) -> list[tuple[str, str]]:
    pairs = [(each["key"], each.get("value", "")) for each in message.get("headers") or ()]
    return [(key, _shown(key, value)) for key, value in pairs] if redact else pairs


def _shown(key: str, value: str) -> str:
    if key == ":path":
        path, mark, query = value.partition("?")
        return path + mark + _query(query)
    return REDACTED if _SECRET_HEADER.search(key) else value


def _query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(_SECRET_PARAMETER.search(name) for name, _ in pairs):
        return query
    shown = [(name, REDACTED if _SECRET_PARAMETER.search(name) else value) for name, value in pairs]
    return urlencode(shown, safe="[]")


def _request(headers: list[tuple[str, str]]) -> Doc:
    own = dict(headers)
    return {
        "method": own.get(":method", ""),
        "host": own.get(":authority", ""),
        "path": own.get(":path", ""),
        "request_id": own.get("x-request-id", ""),
        "request_headers": [[key, value] for key, value in headers if not key.startswith(":")],
    }


def _response(headers: list[tuple[str, str]]) -> Doc:
    status = dict(headers).get(":status", "")
    told = [[key, value] for key, value in headers if not key.startswith(":")]
    return {"status": int(status) if status.isdigit() else None, "response_headers": told}


def _times(request: Doc, response: Doc) -> Doc:
    """When the request's headers came, and how long after them those of the answer did."""
    begun, answered = (_time(each.get("headers_received_time")) for each in (request, response))
    made: Doc = {"time": begun.isoformat(timespec="milliseconds")} if begun else {}
    return made | ({"ms": round((answered - begun).total_seconds() * 1000, 1)} if begun and answered else {})


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _body(name: str, body: Doc | None) -> Doc:
    if not body or not body.get("as_string"):
        return {}  # nothing was asked for, or there is nothing
    return {name: body.get("as_string", ""), f"{name}_truncated": bool(body.get("truncated"))}
