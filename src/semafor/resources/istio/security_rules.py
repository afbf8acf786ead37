"""Istio's rules for its security kinds. Source: Istio's CRDs and configuration validation."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts, virtual_service_rules

Doc = dict[str, Any]
_CONDITIONS = (
    "request.headers",
    "request.auth.claims",
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.principal",
    "source.serviceAccount",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "destination.ip",
    "destination.port",
    "connection.sni",
    "experimental.envoy.filters.",
)


def targets(spec: Doc) -> Iterator[FieldError]:
    """A policy is for pods by labels or for named objects, not both."""
    present = [name for name in ("selector", "targetRef", "targetRefs") if spec.get(name) is not None]
    if len(present) > 1:
        yield errors.invalid("spec", present, "only one of targetRefs or selector can be set")
    if len(spec.get("targetRefs", ())) > 16:
        yield errors.too_many("spec.targetRefs", len(spec["targetRefs"]), 16)
    yield from hosts.labels(spec.get("selector", {}).get("matchLabels", {}), "spec.selector.matchLabels")


def peer_authentication(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a PeerAuthentication."""
    spec = doc.get("spec", {})
    yield from targets(spec)
    ports = spec.get("portLevelMtls")
    if ports is None:
        return
    if not ports:
        yield errors.invalid("spec.portLevelMtls", ports, "must have at least 1 port")
    if not spec.get("selector", {}).get("matchLabels"):
        yield errors.invalid("spec", "portLevelMtls", "portLevelMtls requires selector")
    for port in ports:
        if not (port.isdigit() and 0 < int(port) <= 65535):
            yield errors.invalid(f"spec.portLevelMtls[{port}]", port, "port must be between 1-65535")


def request_authentication(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a RequestAuthentication."""
    spec = doc.get("spec", {})
    yield from targets(spec)
    for index, rule in enumerate(spec.get("jwtRules", ())):
        path, uri = f"spec.jwtRules[{index}]", rule.get("jwksUri", "")
        if not rule.get("issuer"):
            yield errors.required(f"{path}.issuer")
        if uri and rule.get("jwks"):
            yield errors.invalid(path, ["jwks", "jwksUri"], "only one of jwks or jwksUri can be set")
        if uri and not uri.startswith(("http://", "https://")):
            yield errors.invalid(f"{path}.jwksUri", uri, "url must have scheme http:// or https://")
        yield from hosts.time(rule, "timeout", path)


def authorization_policy(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with an AuthorizationPolicy."""
    spec = doc.get("spec", {})
    yield from targets(spec)
    if spec.get("action") == "CUSTOM":
        if not spec.get("provider", {}).get("name"):
            yield errors.required("spec.provider.name", "must be set for action CUSTOM")
    elif "provider" in spec:
        yield errors.forbidden("spec.provider", "may only be set for action CUSTOM")
    for index, rule in enumerate(spec.get("rules", ())):
        path = f"spec.rules[{index}]"
        for place, side in enumerate(rule.get("from", ())):
            yield from _source(side.get("source", {}), f"{path}.from[{place}].source")
        for place, side in enumerate(rule.get("to", ())):
            yield from _operation(side.get("operation", {}), f"{path}.to[{place}].operation")
        for place, condition in enumerate(rule.get("when", ())):
            yield from _condition(condition, f"{path}.when[{place}]")


def _source(source: Doc, path: str) -> Iterator[FieldError]:
    if not source:
        yield errors.required(path, "must have at least one condition")
    for name in ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks"):
        for index, block in enumerate(source.get(name, ())):
            yield from virtual_service_rules.subnet(block, f"{path}.{name}[{index}]")
    accounts = [name for name in ("serviceAccounts", "notServiceAccounts") if source.get(name)]
    others = ("principals", "notPrincipals", "namespaces", "notNamespaces")
    if accounts and any(source.get(name) for name in others):
        yield errors.invalid(path, accounts, "Cannot set serviceAccounts with namespaces or principals")


def _operation(operation: Doc, path: str) -> Iterator[FieldError]:
    if not operation:
        yield errors.required(path, "must have at least one condition")
    for name in ("ports", "notPorts"):
        for index, port in enumerate(operation.get(name, ())):
            if not (port.isdigit() and 0 < int(port) <= 65535):
                yield errors.invalid(f"{path}.{name}[{index}]", port, "port must be between 1-65535")


def _condition(condition: Doc, path: str) -> Iterator[FieldError]:
    key = condition.get("key", "")
    if key and not key.startswith(_CONDITIONS):
        yield errors.invalid(f"{path}.key", key, "is not an attribute that conditions know")
    if not condition.get("values") and not condition.get("notValues"):
        yield errors.required(path, "values or notValues must be set")
