"""AuthorizationPolicies on one request, as Istio's reference words them, and with no look at how the mesh does it.

Policies are documents as users write them. It knows no proxy: what the mesh makes of policies is compared with this.
Source: Istio's references "Authorization Policy" and "Authorization Policy Conditions", the task on TCP traffic.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Doc = dict[str, Any]
ROOT = "istio-system"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, or with no method a connection of bytes. `identity` has no `spiffe://`."""

    identity: str = ""
    address: str = ""
    original_address: str = ""
    destination: str = ""
    port: int = 80
    method: str = ""
    host: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    claims: Doc = field(default_factory=dict)


def allowed(policies: list[Doc], namespace: str, labels: dict[str, str], request: Request) -> bool:
    """Whether the workload gets the request."""
    own = [policy for policy in policies if _covers(policy, namespace, labels) and not _is_dry(policy)]
    if any(_takes(policy, request) for policy in own if _action(policy) == "DENY"):
        return False
    allowing = [policy for policy in own if _action(policy) == "ALLOW"]
    return not allowing or any(_takes(policy, request) for policy in allowing)


def _action(policy: Doc) -> str:
    return str(policy["spec"].get("action", "ALLOW"))


def _is_dry(policy: Doc) -> bool:
    return bool(policy["metadata"].get("annotations", {}).get("istio.io/dry-run") == "true")


def _covers(policy: Doc, namespace: str, labels: dict[str, str]) -> bool:
    wanted = policy["spec"].get("selector", {}).get("matchLabels", {})
    return policy["metadata"]["namespace"] in (namespace, ROOT) and wanted.items() <= labels.items()


def _takes(policy: Doc, request: Request) -> bool:
    judge = _Judge(policy["metadata"]["namespace"], _action(policy), request)
    return any(judge.rule(rule) for rule in policy["spec"].get("rules", []))


Values = list[str]


class _Judge:
    """One policy, one request."""

    def __init__(self, namespace: str, action: str, request: Request) -> None:
        self._namespace = namespace
        self._denies = action == "DENY"
        self._request = request

    def rule(self, rule: Doc) -> bool:
        froms = [one["source"] for one in rule.get("from", [])]
        tos = [one["operation"] for one in rule.get("to", [])]
        return (
            (not froms or any(self._fields(one) for one in froms))
            and (not tos or any(self._fields(one) for one in tos))
            and all(self._when(one) for one in rule.get("when", []))
        )

    def _fields(self, fields: Doc) -> bool:
        """All of them have to hold."""
        return all(self._field(name, values) for name, values in fields.items())

    def _field(self, name: str, values: Values) -> bool:
        positive = name if not name.startswith("not") else name[3].lower() + name[4:]
        if self._is_of_requests_only(positive) and not self._request.method:
            return self._denies  # bytes: a rule that denies looks at the rest, one that allows takes nothing
        return any(self._one(positive, value) for value in values) == (positive == name)

    def _when(self, condition: Doc) -> bool:
        key, values, others = condition["key"], condition.get("values", []), condition.get("notValues", [])
        if key.startswith(("request.", "remote.ip")) and not self._request.method:
            return self._denies
        test = self._test_of(key)
        return (not values or any(map(test, values))) and not (others and any(map(test, others)))

    @staticmethod
    def _is_of_requests_only(name: str) -> bool:
        return name in ("requestPrincipals", "remoteIpBlocks", "hosts", "methods", "paths")

    def _one(self, name: str, value: str) -> bool:
        request = self._request
        match name:
            case "principals":
                return _text(value, request.identity)
            case "namespaces":
                return _text(value, _part(request.identity, "ns"))
            case "serviceAccounts":
                return self._account(value)
            case "requestPrincipals":
                return _text(value, _principal(request.claims))
            case "ipBlocks":
                return _within(request.address, value)
            case "remoteIpBlocks":
                return _within(request.original_address, value)
            case "hosts":
                return _host(value, request.host)
            case "ports":
                return int(value) == request.port
            case "methods":
                return _text(value, request.method)
            case "paths":
                return _path(value, request.path.partition("?")[0])
        raise AssertionError(name)

    def _account(self, value: str) -> bool:
        owner, _, name = value.rpartition("/")
        own = _part(self._request.identity, "ns"), _part(self._request.identity, "sa")
        return bool(self._request.identity) and own == (owner or self._namespace, name)

    def _test_of(self, key: str) -> Callable[[str], bool]:
        request = self._request
        names = re.findall(r"\[([^\]]+)\]", key)
        fields = {
            "source.ip": "ipBlocks",
            "remote.ip": "remoteIpBlocks",
            "source.namespace": "namespaces",
            "source.principal": "principals",
            "source.serviceAccount": "serviceAccounts",
            "request.auth.principal": "requestPrincipals",
            "destination.port": "ports",
        }
        if key in fields:
            return lambda value: self._one(fields[key], value)
        match key.partition("[")[0]:
            case "destination.ip":
                return lambda value: _within(request.destination, value)
            case "request.headers":
                return lambda value: _text(value, request.headers.get(names[0].lower(), ""))
            case "request.auth.audiences":
                return lambda value: _claim(value, request.claims, ["aud"])
            case "request.auth.presenter":
                return lambda value: _claim(value, request.claims, ["azp"])
            case "request.auth.claims":
                return lambda value: _claim(value, request.claims, names)
        raise AssertionError(key)


def _text(wanted: str, text: str) -> bool:
    """Exact, or with an asterisk at one end, or anything that is not empty."""
    if wanted == "*":
        return bool(text)
    if wanted.endswith("*"):
        return bool(text) and text.startswith(wanted[:-1])
    if wanted.startswith("*"):
        return bool(text) and text.endswith(wanted[1:])
    return text == wanted and bool(text)


def _host(wanted: str, host: str) -> bool:
    """Without regard to case; Semafor also without regard to a port, and to a dot at the end."""
    wanted, host = wanted.lower(), host.lower()
    return _text(wanted, host) or _text(wanted, host.partition(":")[0].removesuffix("."))


def _path(wanted: str, path: str) -> bool:
    """`{*}` stands for one segment, `{**}` for any number of them."""
    if "{" not in wanted:
        return _text(wanted, path)
    parts = [{"{*}": "[^/]+", "{**}": ".*"}.get(part, re.escape(part)) for part in re.split(r"(\{\*\*?\})", wanted)]
    return re.fullmatch("".join(parts), path) is not None


def _within(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(network)


def _part(identity: str, name: str) -> str:
    """The namespace (`ns`) or service account (`sa`) of `domain/ns/NAMESPACE/sa/ACCOUNT`."""
    parts = identity.split("/")
    return parts[parts.index(name) + 1] if name in parts else ""


def _principal(claims: Doc) -> str:
    return f"{claims['iss']}/{claims['sub']}" if claims.get("iss") and claims.get("sub") else ""


def _claim(wanted: str, claims: Doc, names: Values) -> bool:
    """The text, or one of a list; `scope` is a list with spaces between its items."""
    found: Any = claims
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    if names[-1] in ("scope", "permission") and isinstance(found, str):
        found = found.split(" ")
    return any(isinstance(one, str) and _text(wanted, one) for one in (found if isinstance(found, list) else [found]))
