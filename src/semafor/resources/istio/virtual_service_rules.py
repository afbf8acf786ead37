"""Istio's rules for VirtualServices that types alone cannot say. Source: Istio's configuration validation."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from semafor.resources import errors, marks
from semafor.resources.errors import FieldError
from semafor.resources.istio import cors_rules, hosts

Doc = dict[str, Any]

_ACTIONS = ("route", "redirect", "directResponse", "delegate")
_REDIRECTING = ("uri", "prefixRewrite", "authority", "port", "derivePort", "scheme")
_LARGE_BODY_BYTES = 100 << 10  # Istio's limits
_LARGEST_BODY_BYTES = 1 << 20
_LEAST_PERCENT = 0.0001  # Envoy counts in millionths
_MATCHED_NAME = re.compile(r"@request\.auth\.claims[.\[].*|:?[-_A-Za-z0-9]+", re.IGNORECASE)
_ABORTS = ("httpStatus", "grpcStatus", "http2Error")
_GRPC_STATUSES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
_REDIRECT_TEXTS = tuple(("redirect", field) for field in ("uri", "prefixRewrite", "authority", "scheme"))
# Source: RFC 9110, section 5.1; a colon in front marks HTTP/2's own names, such as :authority.
_HEADER_NAME = re.compile(r":?[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_AUTHORITY = (":authority", "host")
# An escaped percent sign, or a variable. Source: Envoy's substitution formatter.
_VARIABLE = re.compile(r"%%|%[A-Za-z0-9_]+(\([^)]*\))?(:[0-9]+)?%")
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
    if not names:
        for kind in ("tls", "tcp"):
            if spec.get(kind):
                yield errors.forbidden(f"spec.{kind}", f"a delegate must have no {kind} route")
    yield from _hosts(names)
    yield from hosts.gateways(gateways, "spec.gateways")
    if "*" in names and (not gateways or "mesh" in gateways):
        why = "wildcard host * is not allowed for virtual services bound to the mesh gateway"
        yield errors.invalid("spec.hosts", names, why)
    namespace = doc.get("metadata", {}).get("namespace", "")
    yield from hosts.export_to(spec.get("exportTo", ()), "spec.exportTo", namespace=namespace)
    if not gateways or "mesh" in gateways:
        yield from _claims(spec.get("http", ()))
    for index, route in enumerate(spec.get("http", ())):
        yield from _http(route, f"spec.http[{index}]", is_delegate=not names)
    for index, route in enumerate(spec.get("tls", ())):
        yield from _tls(route, names, f"spec.tls[{index}]")
    for index, route in enumerate(spec.get("tcp", ())):
        yield from _l4(route, f"spec.tcp[{index}]")


def remarks(doc: Doc) -> Iterator[FieldError]:
    """What is allowed in a VirtualService, and likely not meant."""
    spec = doc.get("spec", {})
    yield from hosts.old_gateways(spec.get("gateways", ()), "spec.gateways")
    for index, route in enumerate(spec.get("http", ())):
        path = f"spec.http[{index}]"
        if "mirrorPercent" in route or "mirror_percent" in route:
            yield errors.remark(f"{path}.mirrorPercent", "it is obsolete; use mirrorPercentage")
        abort = route.get("fault", {}).get("abort")
        if abort is not None and not any(name in abort for name in ("httpStatus", "grpcStatus")):
            yield errors.remark(f"{path}.fault.abort", "without httpStatus or grpcStatus nothing is aborted")
        if len(_body(route)) > _LARGE_BODY_BYTES:
            yield errors.remark(f"{path}.directResponse.body", "every proxy holds a copy of such a large body")
    for index, route in enumerate(spec.get("tls", ())):
        for place, match in enumerate(route.get("match", ())):
            for name in filter(hosts.is_address, match.get("sniHosts", ())):
                why = f"{name} is an address, which clients do not send as a server name"
                yield errors.remark(f"spec.tls[{index}].match[{place}].sniHosts", why)


def _hosts(names: list[str]) -> Iterator[FieldError]:
    """None of them may be among those that another one stands for."""
    for index, name in enumerate(names):
        path = f"spec.hosts[{index}]"
        if not hosts.is_address(name):
            yield from hosts.host(name, path)
        for other in names[:index]:
            if name == other:
                yield errors.duplicate(path, name)
            elif hosts.covers(name, other) or hosts.covers(other, name):
                yield errors.invalid(path, name, f"duplicate hosts in virtual service: {other} & {name}")


def _claims(routes: Iterable[Doc]) -> Iterator[FieldError]:
    """Claims of tokens are looked at by gateways only."""
    for index, route in enumerate(routes):
        for place, match in enumerate(route.get("match", ())):
            for group in ("headers", "withoutHeaders"):
                for key in match.get(group, {}):
                    if key.lower().startswith("@request.auth.claims"):
                        path = f"spec.http[{index}].match[{place}].{group}[{key}]"
                        yield errors.invalid(path, key, "JWT claim based routing is only supported for gateway")


def _http(route: Doc, path: str, *, is_delegate: bool) -> Iterator[FieldError]:
    yield from _actions(route, path, is_delegate=is_delegate)
    yield from _destinations(route.get("route", []), f"{path}.route")
    for index, match in enumerate(route.get("match", ())):
        yield from _match(match, f"{path}.match[{index}]")
    yield from hosts.time(route, "timeout", path, zero=True)
    yield from _retries(route.get("retries", {}), f"{path}.retries")
    if "fault" in route:
        yield from _fault(route["fault"], f"{path}.fault")
    yield from _headers(route.get("headers", {}), f"{path}.headers")
    yield from _authority(route, path)
    for action, field in (("rewrite", "authority"), ("rewrite", "uri"), *_REDIRECT_TEXTS):
        yield from _one_line(route.get(action, {}).get(field, ""), f"{path}.{action}.{field}")
    if "rewrite" in route:
        yield from _rewrite(route["rewrite"], f"{path}.rewrite")
    yield from cors_rules.validate(route.get("corsPolicy", {}), f"{path}.corsPolicy")
    if len(_body(route)) > _LARGEST_BODY_BYTES:
        yield errors.invalid(f"{path}.directResponse.body", "...", "must be less than 1MB")
    for name, mirror in _mirrors(route):
        yield from _destination(mirror, f"{path}.{name}")
    if route.get("mirror") and route.get("mirrors"):
        yield errors.invalid(path, ["mirror", "mirrors"], "mirror and mirrors exclude each other")


def _body(route: Doc) -> str:
    body = route.get("directResponse", {}).get("body", {})
    return str(body.get("string") or body.get("bytes") or "")


def _authority(route: Doc, path: str) -> Iterator[FieldError]:
    """The authority is set in one place."""
    request = route.get("headers", {}).get("request", {})
    places = [f"{path}.rewrite.authority"] if route.get("rewrite", {}).get("authority") else []
    for operation in ("set", "add"):
        names = (name for name in request.get(operation, {}) if name.lower() in _AUTHORITY)
        places += [f"{path}.headers.request.{operation}[{name}]" for name in names]
    for place in places[1:]:
        yield errors.invalid(place, "authority", "authority header cannot be set multiple times")


def _rewrite(rewrite: Doc, path: str) -> Iterator[FieldError]:
    regex = rewrite.get("uriRegexRewrite")
    if regex is None:
        if not rewrite.get("uri") and not rewrite.get("authority"):
            yield errors.required(path, "one of uri, uriRegexRewrite, authority must be set")
        return
    if rewrite.get("uri"):
        yield errors.invalid(path, rewrite, "uri and uriRegexRewrite exclude each other")
    for name in ("match", "rewrite"):
        if not regex.get(name):
            yield errors.required(f"{path}.uriRegexRewrite.{name}")
    yield from hosts.regex(regex.get("match", ""), f"{path}.uriRegexRewrite.match")


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
    if "delegate" in present and not route["delegate"].get("name"):
        yield errors.required(f"{path}.delegate.name")
    for action in ("redirect", "directResponse"):
        for name in ("fault", "rewrite"):
            if name in route and action in present:
                yield errors.forbidden(f"{path}.{name}", f"HTTP route cannot contain both {action} and {name}")
    if "directResponse" in present and not route["directResponse"].get("status"):
        yield errors.required(f"{path}.directResponse.status")
    if "redirect" in present:
        yield from _redirect(route["redirect"], path)


def _redirect(redirect: Doc, path: str) -> Iterator[FieldError]:
    if not any(redirect.get(name) for name in _REDIRECTING):
        yield errors.required(f"{path}.redirect", f"one of {', '.join(_REDIRECTING)} must be set")
    if redirect.get("scheme", "") not in {"", "http", "https"}:
        yield errors.not_supported(f"{path}.redirect.scheme", redirect["scheme"], ("http", "https"))
    if redirect.get("uri") and redirect.get("prefixRewrite"):
        yield errors.invalid(f"{path}.redirect", redirect, "uri and prefixRewrite exclude each other")
    code = redirect.get("redirectCode", 301)
    if code not in (0, 301, 302, 303, 307, 308):
        yield errors.invalid(f"{path}.redirect.redirectCode", code, "must be 301, 302, 303, 307 or 308")


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
    if destination.get("subset") and (why := marks.DNS_LABEL.test(destination["subset"].lower())):
        yield errors.invalid(f"{path}.subset", destination["subset"], why)
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
            elif group != "queryParams" and not _MATCHED_NAME.fullmatch(key):
                yield errors.invalid(f"{path}.{group}", key, "must be the name of a header")
            yield from _text(text, f"{path}.{group}[{key}]")
    yield from _caller(match, path)


def _caller(match: Doc, path: str) -> Iterator[FieldError]:
    """Where a request or a connection has to come from, and its port."""
    yield from hosts.labels(match.get("sourceLabels", {}), f"{path}.sourceLabels")
    yield from hosts.gateways(match.get("gateways", ()), f"{path}.gateways")
    if match.get("sourceNamespace") and (why := marks.DNS_LABEL.test(match["sourceNamespace"])):
        yield errors.invalid(f"{path}.sourceNamespace", match["sourceNamespace"], why)
    if not 0 <= match.get("port", 0) <= 65535:
        yield errors.invalid(f"{path}.port", match["port"], "must be between 1 and 65535, inclusive")


def _text(text: Doc, path: str, *, needed: bool = False) -> Iterator[FieldError]:
    if needed and not any(text.get(name) for name in ("exact", "prefix", "regex")):
        yield errors.required(path, "one of exact, prefix, regex must be set and not empty")
    for name in ("prefix", "regex"):
        if not needed and text.get(name) == "":
            yield errors.invalid(f"{path}.{name}", "", "must not be empty")
    if text.get("regex"):
        yield from hosts.regex(text["regex"], f"{path}.regex")


def _retries(retries: Doc, path: str) -> Iterator[FieldError]:
    yield from hosts.time(retries, "perTryTimeout", path, zero=True)
    yield from hosts.time(retries, "backoff", path)
    words = [word.strip() for word in retries.get("retryOn", "").split(",") if word.strip()]
    for word in words:
        if word not in _RETRY_WORDS and not (word.isdigit() and 100 <= int(word) <= 599):
            yield errors.invalid(f"{path}.retryOn", word, "must be a retry condition of Envoy or an HTTP status")
    settings = [name for name in ("perTryTimeout", "retryOn", "retryRemoteLocalities") if retries.get(name) is not None]
    if retries.get("attempts", 0) == 0 and settings:
        yield errors.invalid(f"{path}.attempts", 0, f"retries are off, so {', '.join(settings)} must not be set")


def _fault(fault: Doc, path: str) -> Iterator[FieldError]:
    delay, abort = fault.get("delay", {}), fault.get("abort", {})
    if "delay" not in fault and "abort" not in fault:
        yield errors.required(path, "HTTP fault injection must have an abort, a delay, or both")
    if len(kinds := [name for name in _ABORTS if name in abort]) > 1:
        yield errors.invalid(f"{path}.abort", kinds, f"only one of {', '.join(kinds)} may be set")
    if "delay" in fault:
        yield from hosts.time(delay, "fixedDelay", f"{path}.delay")
        if "exponentialDelay" in delay:
            yield errors.forbidden(f"{path}.delay.exponentialDelay", "exponentialDelay not supported yet")
        elif not delay.get("fixedDelay"):
            yield errors.required(f"{path}.delay.fixedDelay")
    if "http2Error" in abort:
        yield errors.forbidden(f"{path}.abort.http2Error", "HTTP/2 abort fault injection not supported yet")
    if abort.get("grpcStatus", "OK") not in _GRPC_STATUSES:
        yield errors.not_supported(f"{path}.abort.grpcStatus", abort["grpcStatus"], _GRPC_STATUSES)
    for name, part in (("delay", delay), ("abort", abort)):
        share = part.get("percentage", {}).get("value", 0)
        if 0 < share < _LEAST_PERCENT:
            yield errors.invalid(f"{path}.{name}.percentage.value", share, f"must be 0, or at least {_LEAST_PERCENT}")


def _headers(headers: Doc, path: str) -> Iterator[FieldError]:
    for side in ("request", "response"):
        for operation in ("set", "add", "remove"):
            changes = headers.get(side, {}).get(operation, ())
            may_be = _AUTHORITY if side == "request" and operation != "remove" else ()
            yield from _header_names(changes, f"{path}.{side}.{operation}", may_be)
            if operation != "remove":
                yield from _header_values(changes or {}, f"{path}.{side}.{operation}")


def _header_names(names: Iterable[str], path: str, may_be: tuple[str, ...]) -> Iterator[FieldError]:
    """Of the names that are HTTP's own, only those that `may_be` changed."""
    for name in names:
        if not _HEADER_NAME.fullmatch(name):
            yield errors.invalid(path, name, "must be the name of a header")
        elif (name.startswith(":") or name.lower() == "host") and name.lower() not in may_be:
            yield errors.invalid(path, name, "is not a header that can be changed here")


def _header_values(headers: Mapping[str, str], path: str) -> Iterator[FieldError]:
    for name, value in headers.items():
        yield from _one_line(value, f"{path}[{name}]")
        if "%" in _VARIABLE.sub("", value):
            why = "write %% for a percent sign; a single one begins a variable of Envoy, such as %REQ(X-NAME)%"
            yield errors.invalid(f"{path}[{name}]", value, why)


def _one_line(value: str, path: str) -> Iterator[FieldError]:
    """What becomes part of a header; Envoy would take it, and answer every request with an error."""
    if _CONTROL.search(value):
        yield errors.invalid(path, value, "must not contain control characters")


def _tls(route: Doc, names: list[str], path: str) -> Iterator[FieldError]:
    if not route.get("match"):
        yield errors.required(f"{path}.match", "TLS route must have at least one match condition")
    for index, match in enumerate(route.get("match", ())):
        if not match.get("sniHosts"):
            yield errors.required(f"{path}.match[{index}].sniHosts", "TLS match must have at least one SNI host")
        for place, name in enumerate(match.get("sniHosts", ())):
            yield from _server_name(name, names, f"{path}.match[{index}].sniHosts[{place}]")
    yield from _l4(route, path)


def _server_name(name: str, names: list[str], path: str) -> Iterator[FieldError]:
    if hosts.is_address(name):
        return
    wrong = () if name.startswith("outbound_") else tuple(hosts.host(name, path))
    yield from wrong
    if not wrong and not any(hosts.covers(host, name) for host in names):
        yield errors.invalid(path, name, f"is not a compatible subset of any of the virtual service hosts: {names}")


def _l4(route: Doc, path: str) -> Iterator[FieldError]:
    if not route.get("route"):
        yield errors.required(f"{path}.route")
    yield from _destinations(route.get("route", []), f"{path}.route")
    for index, match in enumerate(route.get("match", ())):
        yield from _caller(match, f"{path}.match[{index}]")
        for place, network in enumerate(match.get("destinationSubnets", ())):
            yield from subnet(network, f"{path}.match[{index}].destinationSubnets[{place}]")


def subnet(value: str, path: str) -> Iterator[FieldError]:
    """An address or a network in CIDR notation."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        yield errors.invalid(path, value, "must be an address or a network, such as 10.0.0.0/8")
