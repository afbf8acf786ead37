"""The Gateway API's rules that types alone cannot say. Source: the validation rules in its CRDs."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError

Doc = dict[str, Any]

_FILTER_FIELDS = {
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
_MOST_RULES = 16
_MOST_LISTENERS = 64


def route(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a route of any kind."""
    spec = doc.get("spec", {})
    seen: set[tuple[Any, ...]] = set()
    for index, parent in enumerate(spec.get("parentRefs", ())):
        keys = ("group", "kind", "namespace", "name", "sectionName", "port")
        key = tuple(parent.get(name) for name in keys)
        if key in seen:
            yield errors.duplicate(f"spec.parentRefs[{index}]", parent.get("name", ""))
        seen.add(key)
    names: set[str] = set()
    for index, rule in enumerate(spec.get("rules", ())):
        if rule.get("name") and rule["name"] in names:
            yield errors.duplicate(f"spec.rules[{index}].name", rule["name"])
        names.add(rule.get("name", ""))


def http_route(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with an HTTPRoute."""
    yield from route(doc)
    rules = doc.get("spec", {}).get("rules", [])
    if len(rules) > _MOST_RULES:
        yield errors.too_many("spec.rules", len(rules), _MOST_RULES)
    for index, rule in enumerate(rules):
        path = f"spec.rules[{index}]"
        yield from _filters(rule, path)
        types = {item.get("type") for item in rule.get("filters", ())}
        if "RequestRedirect" in types and rule.get("backendRefs"):
            why = "RequestRedirect filter must not be used together with backendRefs"
            yield errors.invalid(path, "RequestRedirect", why)
        if {"RequestRedirect", "URLRewrite"} <= types:
            yield errors.invalid(f"{path}.filters", "URLRewrite", "must not be used together with RequestRedirect")
        for place, match in enumerate(rule.get("matches", ())):
            yield from _path_match(match.get("path", {}), f"{path}.matches[{place}].path")
            yield from _names(match.get("headers", []), f"{path}.matches[{place}].headers", fold=True)
            yield from _names(match.get("queryParams", []), f"{path}.matches[{place}].queryParams", fold=False)


def grpc_route(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a GRPCRoute."""
    yield from route(doc)
    for index, rule in enumerate(doc.get("spec", {}).get("rules", ())):
        path = f"spec.rules[{index}]"
        yield from _filters(rule, path)
        for place, match in enumerate(rule.get("matches", ())):
            method = match.get("method")
            if method is not None and not method.get("service") and not method.get("method"):
                why = "One or both of 'service' or 'method' must be specified"
                yield errors.required(f"{path}.matches[{place}].method", why)


def _filters(rule: Doc, path: str) -> Iterator[FieldError]:
    yield from _filter_list(rule.get("filters", []), f"{path}.filters")
    for index, backend in enumerate(rule.get("backendRefs", ())):
        where = f"{path}.backendRefs[{index}]"
        yield from _filter_list(backend.get("filters", []), f"{where}.filters")
        if backend.get("kind", "Service") == "Service" and not backend.get("group") and "port" not in backend:
            yield errors.required(f"{where}.port", "Must have port for Service reference")


def _filter_list(filters: list[Doc], path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, item in enumerate(filters):
        type_ = item.get("type", "")
        field = _FILTER_FIELDS.get(type_)
        if field and field not in item:
            yield errors.required(f"{path}[{index}].{field}", f"must be specified for {type_} filter.type")
        for other in _FILTER_FIELDS.values():
            if other in item and other != field:
                yield errors.forbidden(f"{path}[{index}].{other}", f"must be nil if the filter.type is {type_}")
        code = item.get("requestRedirect", {}).get("statusCode", 302)
        if code not in _REDIRECTS:
            yield errors.invalid(
                f"{path}[{index}].requestRedirect.statusCode", code, "must be 301, 302, 303, 307 or 308"
            )
        if type_ in _ONCE and type_ in seen:
            yield errors.invalid(f"{path}[{index}].type", type_, f"{type_} filter cannot be repeated")
        seen.add(type_)


def _path_match(match: Doc, path: str) -> Iterator[FieldError]:
    value, type_ = match.get("value", "/"), match.get("type", "PathPrefix")
    if type_ == "RegularExpression":
        return
    if not value.startswith("/"):
        yield errors.invalid(f"{path}.value", value, "value must be an absolute path and start with '/'")
    for sign in ("//", "/./", "/../", "%2f", "%2F", "#"):
        if sign in value:
            yield errors.invalid(f"{path}.value", value, f"must not contain '{sign}'")


def _names(items: list[Doc], path: str, *, fold: bool) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        name = item.get("name", "").lower() if fold else item.get("name", "")
        if name in seen:
            yield errors.duplicate(f"{path}[{index}].name", item.get("name", ""))
        seen.add(name)


def gateway(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a Gateway."""
    listeners = doc.get("spec", {}).get("listeners", [])
    if len(listeners) > _MOST_LISTENERS:
        yield errors.too_many("spec.listeners", len(listeners), _MOST_LISTENERS)
    if not listeners and "allowedListeners" not in doc.get("spec", {}):
        yield errors.required("spec.listeners", "must have at least one listener")
    yield from _listeners(listeners)


def listener_set(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a ListenerSet."""
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


def backend_tls_policy(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a BackendTLSPolicy."""
    validation = doc.get("spec", {}).get("validation", {})
    own, known = validation.get("caCertificateRefs"), validation.get("wellKnownCACertificates")
    if bool(own) == bool(known):
        why = "exactly one of CACertificateRefs or WellKnownCACertificates must be specified"
        yield errors.required("spec.validation", why)
    for index, name in enumerate(validation.get("subjectAltNames", ())):
        field = {"Hostname": "hostname", "URI": "uri"}.get(name.get("type", ""))
        if field and not name.get(field):
            yield errors.required(f"spec.validation.subjectAltNames[{index}].{field}")
