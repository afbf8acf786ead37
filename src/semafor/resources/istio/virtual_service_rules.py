"""Istio's rules for VirtualServices that types alone cannot say. Source: Istio's configuration validation."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts

Doc = dict[str, Any]

_ACTIONS = ("route", "redirect", "directResponse", "delegate")
_REDIRECT_TEXTS = tuple(("redirect", field) for field in ("uri", "prefixRewrite", "authority", "scheme"))
# Source: RFC 9110, section 5.1; a colon in front marks HTTP/2's own names, such as :authority.
_HEADER_NAME = re.compile(r":?[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_RETRY_WORDS = frozenset(
    [
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "retriable-headers",
        "envoy-ratelimited",
        "http3-post-connect-failure",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    ]
)


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a VirtualService, whatever else there is in the mesh."""
    spec = doc.get("spec", {})
    names, gateways = spec.get("hosts", []), spec.get("gateways", [])
    routes = [kind for kind in ("http", "tls", "tcp") if spec.get(kind)]
    # Without hosts it is a delegate: another VirtualService hands requests over to it.
    if not names and (gateways or not spec.get("http")):
        yield errors.required("spec.hosts", "must name at least one host")
    if not routes:
        yield errors.required("spec", "http, tcp or tls must be provided in virtual service")
    yield from hosts.hosts(names, "spec.hosts")
    if "*" in names and (not gateways or "mesh" in gateways):
        why = "wildcard host * is not allowed for virtual services bound to the mesh gateway"
        yield errors.invalid("spec.hosts", names, why)
    yield from hosts.export_to(spec.get("exportTo", ()), "spec.exportTo")
    for index, route in enumerate(spec.get("http", ())):
        yield from _http(route, f"spec.http[{index}]", is_delegate=not names)
    for index, route in enumerate(spec.get("tls", ())):
        yield from _tls(route, f"spec.tls[{index}]")
    for index, route in enumerate(spec.get("tcp", ())):
        yield from _l4(route, f"spec.tcp[{index}]")


def _http(route: Doc, path: str, *, is_delegate: bool) -> Iterator[FieldError]:
    yield from _actions(route, path, is_delegate=is_delegate)
    yield from _destinations(route.get("route", []), f"{path}.route")
    for index, match in enumerate(route.get("match", ())):
        yield from _match(match, f"{path}.match[{index}]")
    yield from hosts.time(route, "timeout", path, zero=True)
    yield from _retries(route.get("retries", {}), f"{path}.retries")
    yield from _fault(route.get("fault", {}), f"{path}.fault")
    yield from _headers(route.get("headers", {}), f"{path}.headers")
    rewrite = route.get("rewrite", {})
    for action, field in (("rewrite", "authority"), ("rewrite", "uri"), *_REDIRECT_TEXTS):
        yield from _one_line(route.get(action, {}).get(field, ""), f"{path}.{action}.{field}")
    if "uriRegexRewrite" in rewrite:
        if rewrite.get("uri"):
            yield errors.invalid(f"{path}.rewrite", rewrite, "uri and uriRegexRewrite exclude each other")
        yield from hosts.regex(rewrite["uriRegexRewrite"].get("match", ""), f"{path}.rewrite.uriRegexRewrite.match")
    for index, origin in enumerate(route.get("corsPolicy", {}).get("allowOrigins", ())):
        yield from _text(origin, f"{path}.corsPolicy.allowOrigins[{index}]")
    for name, mirror in _mirrors(route):
        yield from _destination(mirror, f"{path}.{name}")
    if route.get("mirror") and route.get("mirrors"):
        yield errors.invalid(path, ["mirror", "mirrors"], "mirror and mirrors exclude each other")


def _mirrors(route: Doc) -> Iterator[tuple[str, Doc]]:
    if "mirror" in route:
        yield "mirror", route["mirror"]
    for index, mirror in enumerate(route.get("mirrors", ())):
        yield f"mirrors[{index}].destination", mirror.get("destination", {})


def _actions(route: Doc, path: str, *, is_delegate: bool) -> Iterator[FieldError]:
    present = [name for name in _ACTIONS if route.get(name) not in (None, [])]
    if not present:
        yield errors.required(path, "HTTP route, redirect or directResponse is required")
    if len(present) > 1:
        yield errors.invalid(path, present, f"only one of {', '.join(present)} may be set")
    if is_delegate and "delegate" in present:
        yield errors.forbidden(f"{path}.delegate", "a delegate cannot have delegates")
    for name in ("fault", "rewrite"):
        if name in route and "redirect" in present:
            yield errors.forbidden(f"{path}.{name}", f"HTTP route cannot contain both redirect and {name}")
    redirect = route.get("redirect", {})
    if redirect.get("uri") and redirect.get("prefixRewrite"):
        yield errors.invalid(f"{path}.redirect", redirect, "uri and prefixRewrite exclude each other")
    code = redirect.get("redirectCode", 301)
    if code not in (0, 301, 302, 303, 307, 308):
        yield errors.invalid(f"{path}.redirect.redirectCode", code, "must be 301, 302, 303, 307 or 308")
    if "directResponse" in present and not route["directResponse"].get("status"):
        yield errors.required(f"{path}.directResponse.status")


def _destinations(routes: list[Doc], path: str) -> Iterator[FieldError]:
    for index, route in enumerate(routes):
        yield from _destination(route.get("destination", {}), f"{path}[{index}].destination")
        yield from _headers(route.get("headers", {}), f"{path}[{index}].headers")
    if len(routes) > 1 and sum(route.get("weight", 0) for route in routes) == 0:
        yield errors.invalid(path, 0, "total destination weight must be greater than 0")


def _destination(destination: Doc, path: str) -> Iterator[FieldError]:
    name = destination.get("host", "")
    if name == "*":
        yield errors.invalid(f"{path}.host", name, "a destination must be one service, not a wildcard")
    elif name:
        yield from hosts.host(name, f"{path}.host")
    if "port" in destination and not destination["port"].get("number"):
        yield errors.required(f"{path}.port.number")


def _match(match: Doc, path: str) -> Iterator[FieldError]:
    for name in ("uri", "scheme", "method", "authority"):
        if name in match:
            yield from _text(match[name], f"{path}.{name}", needed=True)
    for group in ("headers", "withoutHeaders", "queryParams"):
        for key, text in match.get(group, {}).items():
            if not key:
                yield errors.invalid(f"{path}.{group}", key, "the name must not be empty")
            yield from _text(text, f"{path}.{group}[{key}]")
    yield from hosts.labels(match.get("sourceLabels", {}), f"{path}.sourceLabels")


def _text(text: Doc, path: str, *, needed: bool = False) -> Iterator[FieldError]:
    if needed and not any(text.get(name) for name in ("exact", "prefix", "regex")):
        yield errors.required(path, "one of exact, prefix, regex must be set and not empty")
    if text.get("regex"):
        yield from hosts.regex(text["regex"], f"{path}.regex")


def _retries(retries: Doc, path: str) -> Iterator[FieldError]:
    yield from hosts.time(retries, "perTryTimeout", path, zero=True)
    yield from hosts.time(retries, "backoff", path)
    words = [word.strip() for word in retries.get("retryOn", "").split(",") if word.strip()]
    for word in words:
        if word not in _RETRY_WORDS and not (word.isdigit() and 100 <= int(word) <= 599):
            yield errors.invalid(f"{path}.retryOn", word, "must be a retry condition of Envoy or an HTTP status")
    settings = [name for name in ("perTryTimeout", "retryOn") if retries.get(name)]
    if "attempts" in retries and retries["attempts"] == 0 and settings:
        yield errors.invalid(f"{path}.attempts", 0, f"retries are off, so {', '.join(settings)} must not be set")


def _fault(fault: Doc, path: str) -> Iterator[FieldError]:
    if "delay" in fault:
        if not fault["delay"].get("fixedDelay"):
            yield errors.required(f"{path}.delay.fixedDelay")
        yield from hosts.time(fault["delay"], "fixedDelay", f"{path}.delay")
    if "abort" in fault and not any(fault["abort"].get(name) for name in ("httpStatus", "grpcStatus")):
        yield errors.required(f"{path}.abort", "httpStatus or grpcStatus must be set")


def _headers(headers: Doc, path: str) -> Iterator[FieldError]:
    for side in ("request", "response"):
        for operation in ("set", "add", "remove"):
            changes = headers.get(side, {}).get(operation, ())
            yield from _header_names(changes, f"{path}.{side}.{operation}")
            if operation != "remove":
                yield from _header_values(changes or {}, f"{path}.{side}.{operation}")


def _header_names(names: Iterable[str], path: str) -> Iterator[FieldError]:
    for name in names:
        if not _HEADER_NAME.fullmatch(name):
            yield errors.invalid(path, name, "must be the name of a header")


def _header_values(headers: Mapping[str, str], path: str) -> Iterator[FieldError]:
    for name, value in headers.items():
        yield from _one_line(value, f"{path}[{name}]")


def _one_line(value: str, path: str) -> Iterator[FieldError]:
    """What becomes part of a header; Envoy would take it, and answer every request with an error."""
    if _CONTROL.search(value):
        yield errors.invalid(path, value, "must not contain control characters")


def _tls(route: Doc, path: str) -> Iterator[FieldError]:
    if not route.get("match"):
        yield errors.required(f"{path}.match", "TLS route must have at least one match condition")
    for index, match in enumerate(route.get("match", ())):
        if not match.get("sniHosts"):
            yield errors.required(f"{path}.match[{index}].sniHosts", "TLS match must have at least one SNI host")
        yield from hosts.hosts(match.get("sniHosts", ()), f"{path}.match[{index}].sniHosts")
    yield from _l4(route, path)


def _l4(route: Doc, path: str) -> Iterator[FieldError]:
    if not route.get("route"):
        yield errors.required(f"{path}.route")
    yield from _destinations(route.get("route", []), f"{path}.route")
    for index, match in enumerate(route.get("match", ())):
        for place, network in enumerate(match.get("destinationSubnets", ())):
            yield from subnet(network, f"{path}.match[{index}].destinationSubnets[{place}]")


def subnet(value: str, path: str) -> Iterator[FieldError]:
    """An address or a network in CIDR notation."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        yield errors.invalid(path, value, "must be an address or a network, such as 10.0.0.0/8")
