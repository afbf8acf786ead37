"""The Gateway API's rules for filters of routes. Source: the validation rules in its CRDs."""

import re
from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError

Doc = dict[str, Any]

_FIELDS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "CORS": "cors",
    "ExternalAuth": "externalAuth",
    "ExtensionRef": "extensionRef",
}
_ONCE = {"RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite", "CORS"}
_REDIRECTS = (301, 302, 303, 307, 308)
_MODIFIERS = {"ReplaceFullPath": "replaceFullPath", "ReplacePrefixMatch": "replacePrefixMatch"}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+")
_ORIGIN = re.compile(r"\*|https?://((\*\.)?([a-zA-Z0-9-]+\.)*[a-zA-Z0-9-]+|\*)(:[0-9]{1,5})?")
_MOST_HEADERS = 16


def of_rule(rule: Doc, path: str) -> Iterator[FieldError]:
    """The filters of a rule and of its backends."""
    yield from _list(rule.get("filters", []), f"{path}.filters")
    yield from _prefixes(rule.get("filters", []), rule, f"{path}.filters")
    for index, backend in enumerate(rule.get("backendRefs", ())):
        where = f"{path}.backendRefs[{index}].filters"
        yield from _list(backend.get("filters", []), where)
        yield from _prefixes(backend.get("filters", []), rule, where)


def _list(filters: list[Doc], path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, item in enumerate(filters):
        type_ = item.get("type", "")
        if type_ in _ONCE and type_ in seen:
            yield errors.invalid(f"{path}[{index}].type", type_, f"{type_} filter cannot be repeated")
        seen.add(type_)
        yield from _one(item, f"{path}[{index}]")
    if {"RequestRedirect", "URLRewrite"} <= seen:
        yield errors.invalid(path, "URLRewrite", "must not be used together with RequestRedirect")


def _one(item: Doc, path: str) -> Iterator[FieldError]:
    type_ = item.get("type", "")
    field = _FIELDS.get(type_)
    if field and field not in item:
        yield errors.required(f"{path}.{field}", f"must be specified for {type_} filter.type")
    for other in _FIELDS.values():
        if other in item and other != field:
            yield errors.forbidden(f"{path}.{other}", f"must be nil if the filter.type is {type_}")
    code = item.get("requestRedirect", {}).get("statusCode", 302)
    if code not in _REDIRECTS:
        yield errors.invalid(f"{path}.requestRedirect.statusCode", code, "must be 301, 302, 303, 307 or 308")
    for name in ("requestRedirect", "urlRewrite"):
        if "path" in item.get(name, {}):
            yield from _modifier(item[name]["path"], f"{path}.{name}.path")
    for name in ("requestHeaderModifier", "responseHeaderModifier"):
        yield from _headers(item.get(name, {}), f"{path}.{name}")
    if "requestMirror" in item:
        yield from _mirror(item["requestMirror"], f"{path}.requestMirror")
    if "cors" in item:
        yield from _cors(item["cors"], f"{path}.cors")
    if "externalAuth" in item:
        yield from _external_auth(item["externalAuth"], f"{path}.externalAuth")


def _modifier(modifier: Doc, path: str) -> Iterator[FieldError]:
    for type_, field in _MODIFIERS.items():
        if modifier.get("type") == type_ and modifier.get(field) is None:
            yield errors.required(f"{path}.{field}", f"must be specified when type is set to {type_}")
        if modifier.get("type") != type_ and modifier.get(field) is not None:
            yield errors.forbidden(f"{path}.{field}", f"type must be {type_} when {field} is set")


def _prefixes(filters: list[Doc], rule: Doc, path: str) -> Iterator[FieldError]:
    """A prefix can be replaced where exactly one was matched."""
    matches = rule.get("matches") or [{}]
    one = len(matches) == 1 and matches[0].get("path", {}).get("type", "PathPrefix") == "PathPrefix"
    for index, item in enumerate(filters):
        for name in ("requestRedirect", "urlRewrite"):
            if item.get(name, {}).get("path", {}).get("type") == "ReplacePrefixMatch" and not one:
                why = "with replacePrefixMatch, exactly one PathPrefix match must be specified"
                yield errors.invalid(f"{path}[{index}].{name}.path.type", "ReplacePrefixMatch", why)


def _headers(changes: Doc, path: str) -> Iterator[FieldError]:
    for operation in ("set", "add"):
        seen: set[str] = set()
        for index, header in enumerate(changes.get(operation, ())):
            name, where = header.get("name", ""), f"{path}.{operation}[{index}].name"
            if name.lower() in seen:
                yield errors.duplicate(where, name)
            elif name and not _HEADER_NAME.fullmatch(name):
                yield errors.invalid(where, name, "must be the name of a header")
            seen.add(name.lower())
    for operation in ("set", "add", "remove"):
        count = len(changes.get(operation, ()))
        if count > _MOST_HEADERS:
            yield errors.too_many(f"{path}.{operation}", count, _MOST_HEADERS)


def _mirror(mirror: Doc, path: str) -> Iterator[FieldError]:
    if "percent" in mirror and "fraction" in mirror:
        yield errors.invalid(path, ["percent", "fraction"], "Only one of percent or fraction may be specified")
    fraction = mirror.get("fraction", {})
    if fraction.get("numerator", 0) > fraction.get("denominator", 100):
        why = "numerator must be less than or equal to denominator"
        yield errors.invalid(f"{path}.fraction.numerator", fraction["numerator"], why)
    yield from port_of_service(mirror.get("backendRef", {}), f"{path}.backendRef")


def _cors(cors: Doc, path: str) -> Iterator[FieldError]:
    for field, others in (("allowOrigins", "origins"), ("allowMethods", "methods"), ("allowHeaders", "headers")):
        values = cors.get(field, [])
        if "*" in values and len(values) > 1:
            yield errors.invalid(f"{path}.{field}", values, f"{field} cannot contain '*' alongside other {others}")
    for index, origin in enumerate(cors.get("allowOrigins", ())):
        if not _ORIGIN.fullmatch(origin):
            why = "must be `*`, or a scheme and a host such as https://*.example.com"
            yield errors.invalid(f"{path}.allowOrigins[{index}]", origin, why)


def _external_auth(auth: Doc, path: str) -> Iterator[FieldError]:
    protocol = auth.get("protocol", "")
    for name, field in (("GRPC", "grpc"), ("HTTP", "http")):
        if field in auth and protocol != name:
            yield errors.forbidden(f"{path}.{field}", f"protocol must be {name} when {field} is set")
    yield from port_of_service(auth.get("backendRef", {}), f"{path}.backendRef")


def port_of_service(reference: Doc, path: str) -> Iterator[FieldError]:
    """A Service is named with one of its ports."""
    if reference.get("kind", "Service") == "Service" and not reference.get("group") and "port" not in reference:
        yield errors.required(f"{path}.port", "Must have port for Service reference")
