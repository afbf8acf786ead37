"""How many items the Gateway API's lists may have. Source: `minItems` and `maxItems` in its CRDs."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError

Doc = dict[str, Any]
_MOST: dict[str, int] = {
    "spec.parentRefs": 32,
    "spec.hostnames": 16,
    "spec.rules": 16,
    "spec.rules[].matches": 64,
    "spec.rules[].matches[].headers": 16,
    "spec.rules[].matches[].queryParams": 16,
    "spec.rules[].filters": 16,
    "spec.rules[].backendRefs": 16,
    "spec.rules[].backendRefs[].filters": 16,
    "spec.listeners": 64,
    "spec.listeners[].tls.certificateRefs": 64,
    "spec.listeners[].tls.options": 16,
    "spec.listeners[].allowedRoutes.kinds": 8,
    "spec.addresses": 16,
    "spec.from": 16,
    "spec.to": 16,
    "spec.targetRefs": 16,
    "spec.validation.caCertificateRefs": 8,
    "spec.validation.subjectAltNames": 5,
}
_MOST_MATCHES = 128  # of all rules together


def lists(doc: Doc) -> Iterator[FieldError]:
    """Lists that are too long."""
    for pattern, most in _MOST.items():
        for path, value in _at(doc, pattern.split("."), ""):
            if len(value) > most:
                yield errors.too_many(path, len(value), most)


def matches(rules: list[Doc]) -> Iterator[FieldError]:
    """Conditions of all rules of a route together."""
    count = sum(len(rule.get("matches", ())) for rule in rules)
    if count >= _MOST_MATCHES:
        why = f"the total number of matches across all rules in a route must be less than {_MOST_MATCHES}"
        yield errors.invalid("spec.rules", count, why)


def _at(value: Any, names: list[str], path: str) -> Iterator[tuple[str, Any]]:
    """The values at a path whose `[]` stand for every item of a list."""
    if not names:
        yield path, value
        return
    name = names[0].removesuffix("[]")
    inner, where = value.get(name), f"{path}.{name}".lstrip(".")
    if inner is None:
        return
    if not names[0].endswith("[]"):
        yield from _at(inner, names[1:], where)
        return
    for index, item in enumerate(inner):
        yield from _at(item, names[1:], f"{where}[{index}]")
