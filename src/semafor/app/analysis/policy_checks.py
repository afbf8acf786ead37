"""What policies name and does not exist, or can never hold; and what callers and callees say differently of mutual TLS.

Source: Kiali's checks KIA0101 to KIA0106, KIA0207 and KIA1601; Istio's message IST0113.
"""

from collections.abc import Iterator
from typing import Any

from semafor.app.analysis import codes
from semafor.app.analysis.message import Message
from semafor.app.analysis.reading import Source
from semafor.app.analysis.world import World, full, name, selects, space, spec, told
from semafor.base.names import CLUSTER_DOMAIN

Doc = dict[str, Any]

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))
_MUTUAL = frozenset(("ISTIO_MUTUAL", "MUTUAL"))


def messages(world: World) -> Iterator[Message]:
    for policy in world.of("AuthorizationPolicy"):
        for index, rule in enumerate(spec(policy).get("rules") or ()):
            yield from _sources(world, policy, f"spec.rules[{index}]", rule or {})
            yield from _operations(policy, f"spec.rules[{index}]", rule or {})
    for grant in world.of("ReferenceGrant"):
        yield from _granted(world, grant)
    yield from _mutual_tls(world)


def _sources(world: World, policy: Source, at: str, rule: Doc) -> Iterator[Message]:
    accounts = {(space(each), name(each)) for each in world.of("ServiceAccount")}
    for index, each in enumerate(rule.get("from") or ()):
        source, place = each.get("source") or {}, f"{at}.from[{index}].source"
        for field in ("namespaces", "notNamespaces"):
            for number, namespace in enumerate(source.get(field) or ()):
                if world.is_live and not any(_matches(namespace, each) for each in world.namespaces()):
                    text = (
                        f"there is no namespace {namespace}, so nobody ever comes from it (mend its name, or make it)"
                    )
                    yield told(policy, codes.NOT_FOUND, "Error", f"{place}.{field}[{number}]", text)
        for number, principal in enumerate(source.get("principals") or ()):
            account = _account(principal)
            if world.is_live and accounts and account and account not in accounts:
                text = (
                    f"there is no service account {account[1]} in {account[0]}, so nobody ever is {principal} "
                    "(mend its name, or make it)"
                )
                yield told(policy, codes.NO_ACCOUNT, "Warning", f"{place}.principals[{number}]", text)
            if principal.startswith("spiffe://"):
                text = "principals are written without spiffe://, so this one is nobody (take spiffe:// away)"
                yield told(policy, codes.NO_ACCOUNT, "Error", f"{place}.principals[{number}]", text)
        if {"principals", "namespaces", "notPrincipals", "notNamespaces"} & source.keys() and _is_plain(world, policy):
            text = (
                "who calls is known from mutual TLS alone, and a PeerAuthentication disables it here (let its mode be "
                "STRICT or PERMISSIVE)"
            )
            yield told(policy, codes.NEEDS_MUTUAL_TLS, "Error", place, text)


def _matches(pattern: str, name: str) -> bool:
    """As policies have it: a star at the front or at the end."""
    if pattern.startswith("*"):
        return name.endswith(pattern[1:])
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _account(principal: str) -> tuple[str, str] | None:
    """Namespace and name in `cluster.local/ns/NS/sa/NAME`; None for patterns and others."""
    parts = principal.split("/")
    is_whole = "*" not in principal and len(parts) == 5 and parts[1] == "ns" and parts[3] == "sa"
    return (parts[2], parts[4]) if is_whole else None


def _granted(world: World, grant: Source) -> Iterator[Message]:
    for index, each in enumerate(spec(grant).get("from") or ()):
        namespace = str(each.get("namespace") or "")
        if world.is_live and namespace not in world.namespaces():
            text = f"there is no namespace {namespace}, so nobody is granted anything (mend its name, or make it)"
            yield told(grant, codes.NO_GRANT, "Error", f"spec.from[{index}].namespace", text)


def _operations(policy: Source, at: str, rule: Doc) -> Iterator[Message]:
    for index, each in enumerate(rule.get("to") or ()):
        operation, place = each.get("operation") or {}, f"{at}.to[{index}].operation"
        for number, method in enumerate((*(operation.get("methods") or ()), *(operation.get("notMethods") or ()))):
            if "*" not in method and not method.startswith("/") and method not in _METHODS:
                text = f"{method} is no method of HTTP, which are upper case (write {method.upper()})"
                yield told(policy, codes.NO_METHOD, "Warning", f"{place}.methods[{number}]", text)
        for number, path in enumerate(operation.get("paths") or ()):
            if not path.startswith(("/", "*", "{")):
                text = f"no path is {path}: each begins with a slash (write /{path})"
                yield told(policy, codes.NO_PATH, "Warning", f"{place}.paths[{number}]", text)


def _is_plain(world: World, policy: Source) -> bool:
    chosen = (spec(policy).get("selector") or {}).get("matchLabels") or {}
    return _mode(world, space(policy), chosen) == "DISABLE"


def _mode(world: World, namespace: str, found: Any) -> str:
    """What the closest PeerAuthentication says of workloads with these labels."""
    policies = [each for each in world.of("PeerAuthentication") if space(each) in (namespace, "istio-system")]

    def closeness(each: Source) -> tuple[bool, bool]:
        return bool((spec(each).get("selector") or {}).get("matchLabels")), space(each) == namespace

    for each in sorted(policies, key=closeness, reverse=True):
        wanted = (spec(each).get("selector") or {}).get("matchLabels")
        mode = (spec(each).get("mtls") or {}).get("mode", "UNSET")
        if mode != "UNSET" and selects(wanted, found) and (not wanted or space(each) == namespace):
            return str(mode)
    return "PERMISSIVE"


def _mutual_tls(world: World) -> Iterator[Message]:
    selectors = {
        f"{name(each)}.{space(each)}.svc.{CLUSTER_DOMAIN}": (space(each), spec(each).get("selector") or {})
        for each in world.services()
    }
    for rule in world.of("DestinationRule"):
        host = full(str(spec(rule).get("host", "")), space(rule))
        tls = ((spec(rule).get("trafficPolicy") or {}).get("tls") or {}).get("mode", "")
        if host not in selectors or not tls:
            continue
        namespace, wanted = selectors[host]
        found = [each for _, each, _ in world.pod_templates(namespace) if wanted and selects(wanted, each)]
        modes = {_mode(world, namespace, each) for each in found} or {_mode(world, namespace, wanted)}
        if tls == "DISABLE" and modes == {"STRICT"}:
            text = (
                f"callers of {host} come in plain text, and it takes mutual TLS alone (STRICT): they are refused "
                "(leave tls out, so that the mesh finds out by itself)"
            )
            yield told(rule, codes.TLS_CONFLICT, "Error", "spec.trafficPolicy.tls.mode", text)
        if tls in _MUTUAL and modes == {"DISABLE"}:
            text = f"callers of {host} come with mutual TLS, and it takes plain text alone (DISABLE) (leave tls out)"
            yield told(rule, codes.TLS_CONFLICT, "Error", "spec.trafficPolicy.tls.mode", text)
