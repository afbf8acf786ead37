"""Istio's rules for cross-origin policies. Source: Istio's validateCORSPolicy."""

import re
from collections.abc import Iterator
from typing import Any

from semafor.base import duration
from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts

Doc = dict[str, Any]
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*")
_HEADER = re.compile(r"[-_A-Za-z0-9]+|\*")


def validate(policy: Doc, path: str) -> Iterator[FieldError]:
    """What is wrong with the policy of one route."""
    for index, origin in enumerate(policy.get("allowOrigins", ())):
        place = f"{path}.allowOrigins[{index}]"
        if not any(origin.get(name) for name in ("exact", "prefix", "regex")):
            yield errors.required(place, "one of exact, prefix, regex must be set and not empty")
        if origin.get("regex"):
            yield from hosts.regex(origin["regex"], f"{place}.regex")
    for index, method in enumerate(policy.get("allowMethods", ())):
        if method not in _METHODS:
            yield errors.not_supported(f"{path}.allowMethods[{index}]", method, _METHODS)
    for field in ("allowHeaders", "exposeHeaders"):
        for index, name in enumerate(policy.get(field, ())):
            if not _HEADER.fullmatch(name):
                yield errors.invalid(f"{path}.{field}[{index}]", name, "must be the name of a header")
    yield from hosts.time(policy, "maxAge", path)
    yield from _whole_seconds(policy, path)


def _whole_seconds(policy: Doc, path: str) -> Iterator[FieldError]:
    try:
        age_s = duration.parse(policy.get("maxAge") or "1s")
    except ValueError:
        return  # its form is told elsewhere
    if not age_s.is_integer():
        yield errors.invalid(f"{path}.maxAge", policy["maxAge"], "must be whole seconds")
