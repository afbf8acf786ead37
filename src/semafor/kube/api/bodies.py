"""Request bodies: bytes to documents, whatever the bytes are. Nothing here raises anything but StatusError."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import ryaml

from semafor.base.struct import Value
from semafor.kube.api import errors, protobuf

MAX_BYTES = 3 * 1024 * 1024  # kube-apiserver's own limit
MAX_DEPTH = 200  # far beyond any kind; recursion over a document must never end in a RecursionError
PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPTED = ("application/json", "application/yaml", PROTOBUF)
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PATCHES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)


class Body(Value):
    """A decoded body. `duplicates` are the paths of keys that were given twice (the last one counts)."""

    value: Any
    duplicates: tuple[str, ...] = ()


def media_type(header: str) -> str:
    """The bare media type of a Content-Type header; JSON when there is none."""
    return header.partition(";")[0].strip().lower() or "application/json"


def decode(content_type: str, body: bytes) -> Body:
    """A JSON, YAML or protobuf document. Raises StatusError 400, or 415 for other types."""
    if content_type not in ACCEPTED:
        raise errors.unsupported_media_type(ACCEPTED)
    if content_type == PROTOBUF:
        return decode_protobuf(body)
    return decode_yaml(body) if content_type == "application/yaml" else decode_json(body)


def decode_json(body: bytes) -> Body:
    """A JSON document. Raises StatusError 400."""
    twice: list[str] = []
    hook = _Pairs(twice)
    try:
        value = json.loads(
            body, object_pairs_hook=hook, parse_constant=_refuse, parse_float=_number, parse_int=_integer
        )
    except (ValueError, RecursionError) as error:
        raise errors.bad_request(f"error decoding the body: {_plain(error)}") from None
    if not twice:
        return Body(value=_sane(value, body))
    _limit_depth(value)
    return Body(value=_sane(_ordinary(value), body), duplicates=tuple(_find_duplicates(value)))


def decode_yaml(body: bytes) -> Body:
    """A YAML document (YAML 1.2; JSON is YAML too). Raises StatusError 400."""
    if body.lstrip().startswith(b"{"):
        return decode_json(body)
    try:
        value = ryaml.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise errors.bad_request(f"error decoding YAML: {_plain(error)}") from None
    return Body(value=_sane(_jsonable(value), body))


def decode_protobuf(body: bytes) -> Body:
    """A document in Kubernetes' protobuf encoding. Raises StatusError 400."""
    try:
        return Body(value=protobuf.decode(body))
    except (protobuf.MalformedError, RecursionError) as error:
        raise errors.bad_request(f"error decoding protobuf: {_plain(error)}") from None


def as_object(body: Body) -> dict[str, Any]:
    """The body's value, which must be an object. Raises StatusError 400."""
    if not isinstance(body.value, dict):
        raise errors.bad_request(f"the body must be an object, not {_json_type(body.value)}")
    return body.value


class _Repeated(dict[str, Any]):
    """An object in which keys were given twice."""

    keys_twice: tuple[str, ...] = ()


class _Pairs:
    def __init__(self, twice: list[str]) -> None:
        self._twice = twice

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        counts = Counter(key for key, _ in pairs)
        repeated = _Repeated(made)
        repeated.keys_twice = tuple(key for key in made if counts[key] > 1)
        self._twice.extend(repeated.keys_twice)
        return repeated


def _find_duplicates(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, _Repeated):
        yield from (f"{path}.{key}".lstrip(".") for key in value.keys_twice)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _find_duplicates(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _find_duplicates(item, f"{path}[{index}]")


def _ordinary(value: Any) -> Any:
    """The value without the marks that `_Pairs` left: what reads documents looks at exact types."""
    if isinstance(value, dict):
        return {key: _ordinary(item) for key, item in value.items()}
    return [_ordinary(item) for item in value] if isinstance(value, list) else value


def _refuse(constant: str) -> Any:
    raise ValueError(f"invalid number {constant}")


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"number out of range: {text[:40]}")
    return value


def _integer(text: str) -> int | float:
    if len(text) < 19:
        return int(text)
    value = int(text) if len(text) < 40 else 2**64
    return value if -(2**63) <= value < 2**63 else _number(text)


def _sane(value: Any, body: bytes) -> Any:
    """Refuse nesting that no kind has; replace lone surrogates, which JSON may carry and UTF-8 may not."""
    _limit_depth(value)
    return _mended(value) if b"\\u" in body and b"\\ud" in body.lower() else value


def _limit_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for item in level for inner in _children(item)]
        if not level:
            return
    raise errors.bad_request(f"the document is nested more than {MAX_DEPTH} levels deep")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [item for item in value.values() if isinstance(item, dict | list)]
    return [item for item in value if isinstance(item, dict | list)] if isinstance(value, list) else []


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return [_mended(item) for item in value] if isinstance(value, list) else value


def _jsonable(value: Any) -> Any:
    """A YAML value as JSON has it: text keys, finite numbers."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise errors.bad_request(f"error decoding YAML: keys must be text, not {key!r}")
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise errors.bad_request(f"error decoding YAML: invalid number {value}")
    if isinstance(value, int) and not isinstance(value, bool):
        return _integer(str(value))
    return value if isinstance(value, str | bool | float | None) else str(value)


def _json_type(value: Any) -> str:
    names = {bool: "a boolean", str: "a string", list: "an array", int: "a number", float: "a number"}
    return names.get(type(value), "null")


def _plain(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)[:300]
