"""The Gateway API's rules that types alone cannot say. Source: the validation rules in its CRDs."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from semafor.base import duration
from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.gateway_api import filter_rules, limits

Doc = dict[str, Any]

_PATH = re.compile(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+")
_SERVICE = re.compile(r"\.?[a-zA-Z_][a-zA-Z_0-9]*(\.[a-zA-Z_][a-zA-Z_0-9]*)*")
_METHOD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def route(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a route of any kind."""
    spec = doc.get("spec", {})
    yield from limits.lists(doc)
    yield from _parents(spec.get("parentRefs", []))
    names: set[str] = set()
    for index, rule in enumerate(spec.get("rules", ())):
        if rule.get("name") and rule["name"] in names:
            yield errors.duplicate(f"spec.rules[{index}].name", rule["name"])
        names.add(rule.get("name", ""))
        for place, backend in enumerate(rule.get("backendRefs", ())):
            yield from filter_rules.port_of_service(backend, f"spec.rules[{index}].backendRefs[{place}]")


def _parents(parents: list[Doc]) -> Iterator[FieldError]:
    """A parent that is named more than once is told apart by section or port each time."""
    seen: dict[tuple[Any, ...], list[tuple[Any, Any]]] = {}
    for index, parent in enumerate(parents):
        group, kind = parent.get("group", "gateway.networking.k8s.io"), parent.get("kind", "Gateway")
        parts = seen.setdefault((group, kind, parent.get("namespace", ""), parent.get("name")), [])
        part = (parent.get("sectionName"), parent.get("port"))
        if part in parts:
            yield errors.duplicate(f"spec.parentRefs[{index}]", parent.get("name", ""))
        elif parts and (part == (None, None) or (None, None) in parts):
            why = "sectionName or port must be specified when there are several references to the same parent"
            yield errors.required(f"spec.parentRefs[{index}].sectionName", why)
        parts.append(part)


def l4_route(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a TCPRoute or UDPRoute."""
    yield from route(doc)
    rules = doc.get("spec", {}).get("rules", [])
    if not rules:
        yield errors.required("spec.rules", "must have at least one rule")
    for index, rule in enumerate(rules):
        if not rule.get("backendRefs"):
            yield errors.required(f"spec.rules[{index}].backendRefs", "must name at least one backend")


def tls_route(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a TLSRoute."""
    yield from l4_route(doc)
    for index, name in enumerate(doc.get("spec", {}).get("hostnames", ())):
        if _is_address(name):
            yield errors.invalid(f"spec.hostnames[{index}]", name, "Hostnames cannot contain an IP")


def http_route(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with an HTTPRoute."""
    yield from route(doc)
    rules = doc.get("spec", {}).get("rules", [])
    yield from limits.matches(rules)
    for index, rule in enumerate(rules):
        path = f"spec.rules[{index}]"
        yield from filter_rules.of_rule(rule, path)
        if rule.get("backendRefs") and "RequestRedirect" in {item.get("type") for item in rule.get("filters", ())}:
            why = "RequestRedirect filter must not be used together with backendRefs"
            yield errors.invalid(path, "RequestRedirect", why)
        for place, match in enumerate(rule.get("matches", ())):
            yield from _path_match(match.get("path", {}), f"{path}.matches[{place}].path")
            yield from _names(match.get("headers", []), f"{path}.matches[{place}].headers", fold=True)
            yield from _names(match.get("queryParams", []), f"{path}.matches[{place}].queryParams", fold=False)
        yield from _timeouts(rule.get("timeouts", {}), f"{path}.timeouts")
        yield from _session(rule.get("sessionPersistence"), f"{path}.sessionPersistence")


def grpc_route(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a GRPCRoute."""
    yield from route(doc)
    rules = doc.get("spec", {}).get("rules", [])
    yield from limits.matches(rules)
    for index, rule in enumerate(rules):
        path = f"spec.rules[{index}]"
        yield from filter_rules.of_rule(rule, path)
        for place, match in enumerate(rule.get("matches", ())):
            yield from _names(match.get("headers", []), f"{path}.matches[{place}].headers", fold=True)
            if "method" in match:
                yield from _grpc_method(match["method"], f"{path}.matches[{place}].method")
        yield from _session(rule.get("sessionPersistence"), f"{path}.sessionPersistence")


def _grpc_method(method: Doc, path: str) -> Iterator[FieldError]:
    if not method.get("service") and not method.get("method"):
        yield errors.required(path, "One or both of 'service' or 'method' must be specified")
    if method.get("type", "Exact") != "Exact":
        return
    for name, pattern in (("service", _SERVICE), ("method", _METHOD)):
        if method.get(name) and not pattern.fullmatch(method[name]):
            yield errors.invalid(f"{path}.{name}", method[name], f"{name} must only contain valid characters")


def _timeouts(timeouts: Doc, path: str) -> Iterator[FieldError]:
    try:
        whole, one = (duration.parse(timeouts.get(name, "0s")) for name in ("request", "backendRequest"))
    except ValueError:
        return  # its form is told elsewhere
    if 0 < whole < one:
        why = "backendRequest timeout cannot be longer than request timeout"
        yield errors.invalid(f"{path}.backendRequest", timeouts["backendRequest"], why)


def _session(session: Doc | None, path: str) -> Iterator[FieldError]:
    if session is None:
        return
    cookie: Doc = session.get("cookie", {})
    if cookie.get("lifetimeType") == "Permanent" and "absoluteTimeout" not in session:
        why = "AbsoluteTimeout must be specified when cookie lifetimeType is Permanent"
        yield errors.required(f"{path}.absoluteTimeout", why)
    if cookie and session.get("type", "Cookie") != "Cookie":
        yield errors.forbidden(f"{path}.cookie", "cookie can only be set with type Cookie")


def _path_match(match: Doc, path: str) -> Iterator[FieldError]:
    value, type_ = match.get("value", "/"), match.get("type", "PathPrefix")
    if type_ == "RegularExpression":
        return
    if not value.startswith("/"):
        yield errors.invalid(f"{path}.value", value, "value must be an absolute path and start with '/'")
    bad = [sign for sign in ("//", "/./", "/../", "%2f", "%2F", "#") if sign in value]
    for sign in bad:
        yield errors.invalid(f"{path}.value", value, f"must not contain '{sign}'")
    for sign in ("/..", "/."):
        if value.endswith(sign):
            yield errors.invalid(f"{path}.value", value, f"must not end with '{sign}'")
    if not bad and not _PATH.fullmatch(value):
        yield errors.invalid(f"{path}.value", value, "must only contain characters that are valid in a path")


def _names(items: list[Doc], path: str, *, fold: bool) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        name = item.get("name", "").lower() if fold else item.get("name", "")
        if name in seen:
            yield errors.duplicate(f"{path}[{index}].name", item.get("name", ""))
        seen.add(name)


def gateway(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a Gateway."""
    spec = doc.get("spec", {})
    listeners = spec.get("listeners", [])
    yield from limits.lists(doc)
    yield from _addresses(spec.get("addresses", []))
    if not listeners and "allowedListeners" not in doc.get("spec", {}):
        yield errors.required("spec.listeners", "must have at least one listener")
    yield from _listeners(listeners)


def listener_set(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a ListenerSet."""
    yield from limits.lists(doc)
    yield from _listeners(doc.get("spec", {}).get("listeners", []))


def _listeners(listeners: list[Doc]) -> Iterator[FieldError]:
    names: set[str] = set()
    keys: set[tuple[Any, ...]] = set()
    for index, listener in enumerate(listeners):
        path, name, protocol = f"spec.listeners[{index}]", listener.get("name", ""), listener.get("protocol")
        if name in names:
            yield errors.duplicate(f"{path}.name", name)
        key = (listener.get("port"), protocol, listener.get("hostname"))
        if key in keys:
            yield errors.invalid(
                path, name, "Combination of port, protocol and hostname must be unique for each listener"
            )
        names.add(name)
        keys.add(key)
        if protocol == "TLS" and "tls" not in listener:
            yield errors.required(f"{path}.tls.mode", "tls mode must be set for protocol TLS")
        if protocol in {"HTTP", "TCP", "UDP"} and "tls" in listener:
            yield errors.forbidden(f"{path}.tls", f"tls must not be specified for protocol {protocol}")
        if protocol in {"TCP", "UDP"} and listener.get("hostname"):
            yield errors.forbidden(f"{path}.hostname", f"hostname must not be specified for protocol {protocol}")
        tls = listener.get("tls", {})
        if protocol == "HTTPS" and tls.get("mode", "Terminate") != "Terminate":
            yield errors.invalid(f"{path}.tls.mode", tls["mode"], "tls mode must be Terminate for protocol HTTPS")
        ending = "tls" in listener and tls.get("mode", "Terminate") == "Terminate"
        if ending and not tls.get("certificateRefs") and not tls.get("options"):
            why = "certificateRefs or options must be specified when mode is Terminate"
            yield errors.required(f"{path}.tls.certificateRefs", why)


def _addresses(addresses: list[Doc]) -> Iterator[FieldError]:
    seen: set[tuple[str, str]] = set()
    for index, address in enumerate(addresses):
        kind, value, path = address.get("type", "IPAddress"), address.get("value", ""), f"spec.addresses[{index}].value"
        if value and (kind, value) in seen:
            yield errors.duplicate(path, value)
        elif value and kind == "IPAddress" and not _is_address(value):
            yield errors.invalid(path, value, "must be an IP address")
        seen.add((kind, value))


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def reference_grant(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a ReferenceGrant."""
    yield from limits.lists(doc)
    for name in ("from", "to"):
        if not doc.get("spec", {}).get(name):
            yield errors.required(f"spec.{name}", "must have at least one item")


def _targets(targets: list[Doc]) -> Iterator[FieldError]:
    """A target that is named more than once is told apart by its section each time."""
    if not targets:
        yield errors.required("spec.targetRefs", "must have at least one item")
    seen: dict[tuple[Any, ...], list[Any]] = {}
    for index, target in enumerate(targets):
        path, section = f"spec.targetRefs[{index}].sectionName", target.get("sectionName")
        sections = seen.setdefault((target.get("group"), target.get("kind"), target.get("name")), [])
        if section in sections and section is not None:
            yield errors.duplicate(path, section)
        elif sections and (section is None or None in sections):
            why = "sectionName must be specified when targetRefs includes 2 or more references to the same target"
            yield errors.required(path, why)
        sections.append(section)


def backend_tls_policy(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a BackendTLSPolicy."""
    yield from limits.lists(doc)
    yield from _targets(doc.get("spec", {}).get("targetRefs", []))
    validation = doc.get("spec", {}).get("validation", {})
    own, known = validation.get("caCertificateRefs"), validation.get("wellKnownCACertificates")
    if bool(own) == bool(known):
        why = "exactly one of CACertificateRefs or WellKnownCACertificates must be specified"
        yield errors.required("spec.validation", why)
    for index, name in enumerate(validation.get("subjectAltNames", ())):
        for type_, field in (("Hostname", "hostname"), ("URI", "uri")):
            path = f"spec.validation.subjectAltNames[{index}].{field}"
            if name.get("type") == type_ and not name.get(field):
                yield errors.required(path)
            elif name.get("type") != type_ and name.get(field):
                yield errors.forbidden(path, f"must be empty unless type is {type_}")
