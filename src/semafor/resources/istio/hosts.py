"""What Istio takes for a host, a namespace list, a duration and a regular expression; shared by its kinds' rules."""

import ipaddress
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
_PRECISION_MS = 1e-6  # what floating point leaves of a whole number
_LONGEST_REGEX = 1024


def host(value: str, path: str) -> Iterator[FieldError]:
    """A DNS name, perhaps with a wildcard in place of its first label."""
    if not value:
        yield errors.required(path)
        return
    first, *rest = value.rstrip(".").split(".")
    labels = [label for label in (re.sub(r"^\*-?", "", first), *rest) if first != "*" or label]
    if len(value) > 255 or not all(_LABEL.fullmatch(label) for label in labels):
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


def full(value: str, path: str) -> Iterator[FieldError]:
    """A DNS name without a wildcard."""
    if "*" in value:
        yield errors.invalid(path, value, "must be a full DNS name, without a wildcard")
    else:
        yield from host(value, path)


def partial(value: str, path: str) -> Iterator[FieldError]:
    """A wildcard that stands for a part of a label, where only whole ones are allowed."""
    if value.startswith("*") and value != "*" and not value.startswith("*."):
        yield errors.invalid(path, value, "a wildcard must stand for whole labels, as in *.example.com")


def is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def address(value: str, path: str) -> Iterator[FieldError]:
    """An IP address."""
    if not is_address(value):
        yield errors.invalid(path, value, "must be an IP address")


def covers(wider: str, narrower: str) -> bool:
    """Whether every name that `narrower` stands for is one of `wider`'s; both may have a wildcard."""
    if wider.startswith("*"):
        return narrower.removeprefix("*").endswith(wider[1:]) and len(narrower) >= len(wider)
    return wider == narrower


def gateways(names: Iterable[str], path: str) -> Iterator[FieldError]:
    """Names of Gateways: `name`, `namespace/name`, or the older form of a host; `mesh` stands for all sidecars."""
    for index, name in enumerate(names):
        namespace, slash, own = name.partition("/")
        if not slash:
            yield from full(name, f"{path}[{index}]")
        elif any(part != "." and marks.DNS_LABEL.test(part.lower()) for part in (namespace, own)):
            yield errors.invalid(f"{path}[{index}]", name, "must be the name of a Gateway, perhaps as namespace/name")


def old_gateways(names: Iterable[str], path: str) -> Iterator[FieldError]:
    """Remarks on names of Gateways that are hosts."""
    for index, name in enumerate(names):
        if "/" not in name and "." in name:
            first, second, *_ = name.split(".")
            yield errors.remark(f"{path}[{index}]", f"{name} is an older form; write {second}/{first}")


def export_to(
    values: Iterable[str], path: str, *, namespace: str = "", nobody: bool = False, alone: bool = False
) -> Iterator[FieldError]:
    """Namespaces that see an object of `namespace`: names, `.` or `*`, which stands alone, none of them twice.

    `nobody`: `~` is allowed too, by itself. `alone`: the object is seen in its own namespace only.
    """
    values = tuple(values)
    seen: set[str] = set()
    for index, value in enumerate(values):
        key = namespace if value == "." and namespace else value
        if key in seen:
            yield errors.duplicate(f"{path}[{index}]", value)
        seen.add(key)
        if value == "~" and not nobody:
            yield errors.invalid(f"{path}[{index}]", value, "only a ServiceEntry may be exported to nobody")
        elif value not in {".", "*", "~"} and (why := marks.DNS_LABEL.test(value)):
            yield errors.invalid(f"{path}[{index}]", value, why)
    if alone and values and seen != {namespace or "."}:
        why = "with a workload selector the object cannot be exported beyond its own namespace"
        yield errors.invalid(path, values, why)
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
    elif abs(seconds * 1000 - round(seconds * 1000)) > _PRECISION_MS:
        yield errors.invalid(f"{path}.{name}", doc[name], "only durations to ms precision are supported")


def regex(value: str, path: str) -> Iterator[FieldError]:
    """A regular expression in RE2's syntax, which has neither lookaround nor back references."""
    if len(value) > _LONGEST_REGEX:
        yield errors.invalid(path, value, f"must be no more than {_LONGEST_REGEX} characters")
        return
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
        if not key:
            yield errors.invalid(path, key, "empty key is not supported in selector")
        elif "*" in key or "*" in value:
            yield errors.invalid(f"{path}[{key}]", value, "wildcard is not supported in selector")
        elif why := marks.QUALIFIED_NAME.test(key) or marks.LABEL_VALUE.test(value):
            yield errors.invalid(f"{path}[{key}]", value, why)


def empty_selector(doc: dict[str, Any], field: str, path: str) -> Iterator[FieldError]:
    """A remark on a selector without labels, which is more than most people mean."""
    selector = doc.get(field)
    if selector is not None and not selector.get("labels") and not selector.get("matchLabels"):
        yield errors.remark(f"{path}.{field}", "there are no labels in it, so it means every pod of the namespace")
