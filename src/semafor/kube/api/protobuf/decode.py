"""Messages to JSON, as Go's types marshal them: empty values that are not pointers are left out."""

import base64
import json
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from semafor.base import protobuf
from semafor.base.protobuf import MalformedError, Raw
from semafor.kube.api.protobuf.messages import Field, messages

Doc = dict[str, Any]

_MAGIC = b"k8s\x00"
_OPTIONS = frozenset({"CreateOptions", "DeleteOptions", "GetOptions", "ListOptions", "PatchOptions", "UpdateOptions"})
_EMPTY: tuple[Any, ...] = (None, "", 0, False, {}, [])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decode(body: bytes) -> Doc:
    """The document in a body. Raises MalformedError, also for a kind that has no message here."""
    if not body.startswith(_MAGIC):
        raise MalformedError("provided data does not appear to be a protobuf message, expected prefix k8s")
    envelope = _message("runtime.Unknown", body[len(_MAGIC) :])
    meta = envelope.get("typeMeta", {})
    api_version, kind = meta.get("apiVersion", ""), meta.get("kind", "")
    name = _message_name(api_version, kind)
    if name not in messages():
        raise MalformedError(f'no kind "{kind}" is registered for version "{api_version}"')
    raw = base64.b64decode(envelope.get("raw", ""))
    return {"apiVersion": api_version, "kind": kind, **_message(name, raw)}


def _message_name(api_version: str, kind: str) -> str:
    if kind in _OPTIONS:
        return f"meta.v1.{kind}"
    group, _, version = api_version.rpartition("/")
    return f"{group.partition('.')[0] or 'core'}.{version}.{kind}"


def _message(name: str, data: bytes) -> Any:
    if name in _SPECIAL:
        return _SPECIAL[name](dict(_fields(data)))
    known, doc = messages()[name], dict[str, Any]()
    for number, raw in _fields(data):
        field = known.get(number)
        if field is not None:
            _add(doc, field, raw)
    return doc.get("items", []) if name in _LISTS else doc


def _fields(data: bytes) -> Iterator[tuple[int, Raw]]:
    return ((number, value) for number, _, value in protobuf.read(data))


def _add(doc: Doc, field: Field, raw: Raw) -> None:
    match field.mode:
        case "inline":
            doc.update(_value(field.type, raw))
        case "list":
            doc.setdefault(field.name, []).append(_value(field.type, raw))
        case "map":
            key, value = _entry(field.type, raw)
            doc.setdefault(field.name, {})[key] = value
        case "value":
            value = _value(field.type, raw)
            if value not in _EMPTY:
                doc[field.name] = value
        case _:
            doc[field.name] = _value(field.type, raw)


def _entry(type_: str, raw: Raw) -> tuple[str, Any]:
    """A map's entry: a message whose field 1 is the key and field 2 the value."""
    parts = dict(_fields(_bytes(raw)))
    return _text(parts.get(1, b"")), _value(type_, parts.get(2, b""))


def _value(type_: str, raw: Raw) -> Any:
    match type_:
        case "string":
            return _text(raw)
        case "int":
            return _int(raw)
        case "bool":
            return bool(_int(raw))
        case "bytes":
            return base64.b64encode(_bytes(raw)).decode()
        case "double":
            return struct.unpack("<d", _bytes(raw).ljust(8, b"\0")[:8])[0]
    return _message(type_, _bytes(raw))


def _int(raw: Raw) -> int:
    if isinstance(raw, int):
        return protobuf.signed(raw)
    if raw:
        raise MalformedError("a number was expected")
    return 0


def _bytes(raw: Raw) -> bytes:
    if isinstance(raw, int):
        raise MalformedError("bytes were expected")
    return raw


def _text(raw: Raw) -> str:
    try:
        return _bytes(raw).decode()
    except UnicodeDecodeError:
        raise MalformedError("a text is not UTF-8") from None


Parts = dict[int, Raw]


def _json(parts: Parts) -> Any:
    raw = _bytes(parts.get(1, b""))
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        raise MalformedError("an embedded document is not JSON") from None


def _time(parts: Parts) -> str | None:
    """Empty for Go's zero time, which JSON writes as null."""
    if not parts:
        return None
    try:
        moment = _EPOCH + timedelta(seconds=_int(parts.get(1, 0)), microseconds=_int(parts.get(2, 0)) // 1000)
    except OverflowError:
        raise MalformedError("a time is out of range") from None
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def _int_or_string(parts: Parts) -> int | str:
    return _text(parts.get(3, b"")) if _int(parts.get(1, 0)) else _int(parts.get(2, 0))


def _duration(parts: Parts) -> str:
    return f"{_int(parts.get(1, 0)) / 1e9:g}s"


_SPECIAL: dict[str, Callable[[Parts], Any]] = {
    "intstr.IntOrString": _int_or_string,
    "meta.v1.Duration": _duration,
    "meta.v1.FieldsV1": _json,
    "meta.v1.MicroTime": _time,
    "meta.v1.Time": _time,
    "resource.Quantity": lambda parts: _text(parts.get(1, b"")),
    "runtime.RawExtension": _json,
}
# A message around one list, which JSON shows as the list.
_LISTS = frozenset({"authentication.v1.ExtraValue", "authorization.v1.ExtraValue", "certificates.v1.ExtraValue"})
