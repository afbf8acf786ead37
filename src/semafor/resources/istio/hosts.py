"""What Istio takes for a host, a namespace list, a duration and a regular expression; shared by its kinds' rules."""

import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from semafor.base import duration
from semafor.resources import errors, marks
from semafor.resources.errors import FieldError

_LABEL = re.compile(r"[a-zA-Z0-9_]([-a-zA-Z0-9_]*[a-zA-Z0-9_])?")
_NOT_IN_RE2 = (("(?=", "lookahead"), ("(?!", "lookahead"), ("(?<=", "lookbehind"), ("(?<!", "lookbehind"))
_ONLY_IN_RE2 = ("\\p", "\\P", "\\z", "\\Q", "\\C", "(?U", "(?<")
_LEAST_S = 0.001


def host(value: str, path: str) -> Iterator[FieldError]:
    """A DNS name, perhaps with a wildcard in place of its first label."""
    if not value:
        yield errors.required(path)
        return
    rest = value.removeprefix("*.") if value.startswith("*.") else value
    if value == "*":
        return
    if len(value) > 255 or not all(_LABEL.fullmatch(label) for label in rest.rstrip(".").split(".")):
        yield errors.invalid(
            path, value, "must be a DNS name, perhaps with a wildcard as its first label, such as *.example.com"
        )


def hosts(values: Iterable[str], path: str) -> Iterator[FieldError]:
    """Hosts, none of them twice."""
    seen: set[str] = set()
    for index, value in enumerate(values):
        yield from host(value, f"{path}[{index}]")
        if value in seen:
            yield errors.duplicate(f"{path}[{index}]", value)
        seen.add(value)


def export_to(values: Iterable[str], path: str) -> Iterator[FieldError]:
    """Namespaces that see an object: names, `.`, `*` or `~`, where `*` and `~` stand alone."""
    values = tuple(values)
    for index, value in enumerate(values):
        if value not in {".", "*", "~"} and (why := marks.DNS_LABEL.test(value)):
            yield errors.invalid(f"{path}[{index}]", value, why)
    if len(values) > 1 and ("*" in values or "~" in values):
        yield errors.invalid(path, values, "`*` and `~` must stand alone")


def time(doc: dict[str, Any], name: str, path: str, *, zero: bool = False) -> Iterator[FieldError]:
    """A duration of at least a millisecond; `zero` allows 0 too. A form that is wrong is not told again here."""
    try:
        seconds = duration.parse(doc.get(name) or "1s")
    except ValueError:
        return
    if seconds < _LEAST_S and not (zero and seconds == 0):
        yield errors.invalid(f"{path}.{name}", doc[name], "must be at least 1ms")


def regex(value: str, path: str) -> Iterator[FieldError]:
    """A regular expression in RE2's syntax, which has neither lookaround nor back references."""
    for sign, name in _NOT_IN_RE2:
        if sign in value:
            yield errors.invalid(path, value, f"RE2 has no {name} (`{sign}`)")
            return
    if any(sign in value for sign in _ONLY_IN_RE2):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        yield errors.invalid(path, value, f"not a regular expression: {error}")


def labels(values: dict[str, str], path: str) -> Iterator[FieldError]:
    """Labels of a selector: no wildcards, as Kubernetes allows them."""
    for key, value in values.items():
        if "*" in key or "*" in value:
            yield errors.invalid(f"{path}[{key}]", value, "wildcard is not supported in selector")
        elif why := marks.QUALIFIED_NAME.test(key) or marks.LABEL_VALUE.test(value):
            yield errors.invalid(f"{path}[{key}]", value, why)
