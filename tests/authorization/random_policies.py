"""Policies and requests drawn at random from few words, so that they meet often."""

import random
from collections.abc import Sequence
from typing import Any

from tests.authorization import trial
from tests.authorization.trial import Asked
from tests.calls import inbound, tokens

Doc = dict[str, Any]
_ACCOUNTS = ("default/web", "default/api", "shop/web", "shop/cart-api", "")
_PATHS = ("/", "/items", "/items/7", "/items/7/price", "/admin", "/admin/keys", "/Admin")
_HEADERS = ("free", "team", "team-gold")
_CLAIMS: tuple[Doc, ...] = (
    {},
    {"sub": "ada", "group": "staff"},
    {"sub": "eve", "group": ["guests", "staff-x"], "aud": ["shop", "web"], "azp": "app"},
    {"sub": "ada", "realm": {"level": "gold"}, "scope": "read write", "aud": "shop"},
)
_HOSTS = ("web", "WEB", "web:8080", "api.example.com", "api.example.com.", "shop.example.com:80")
_VALUES: dict[str, tuple[str, ...]] = {
    "principals": ("*", "cluster.local/ns/default/sa/web", "cluster.local/ns/shop/*", "*/sa/web", "other/ns/a/sa/b"),
    "namespaces": ("default", "shop", "sh*", "*op", "def*"),
    "serviceAccounts": ("web", "shop/web", "default/api"),
    "requestPrincipals": ("*", f"{tokens.ISSUER}/ada", f"{tokens.ISSUER}/*", "*/ada", "https://iss*", "*example/eve"),
    "ipBlocks": (inbound.PEER_ADDRESS, "127.0.0.0/8", "10.0.0.0/8"),
    "remoteIpBlocks": (inbound.CALLER_ADDRESS, "10.244.0.0/16", "10.244.0.0/28"),
    "hosts": ("web", "Web", "*.example.com", "api.example.com", "api*", "web:8080", "*"),
    "ports": ("8080", "9090", "7001"),
    "methods": ("GET", "POST", "P*", "*"),
    "paths": ("/", "/items*", "*/keys", "/items/{*}", "/items/{**}", "/{*}/7/price", "*", "/admin"),
}
_KEYS: dict[str, tuple[str, ...]] = {
    "source.ip": _VALUES["ipBlocks"],
    "remote.ip": _VALUES["remoteIpBlocks"],
    "source.namespace": _VALUES["namespaces"],
    "source.principal": _VALUES["principals"],
    "source.serviceAccount": _VALUES["serviceAccounts"],
    "request.auth.principal": _VALUES["requestPrincipals"],
    "request.auth.audiences": ("shop", "web", "sh*"),
    "request.auth.presenter": ("app", "*"),
    "request.auth.claims[group]": ("staff", "staff*", "*"),
    "request.auth.claims[realm][level]": ("gold", "*"),
    "request.auth.claims[scope]": ("read", "write*"),
    "request.headers[x-plan]": ("free", "team*", "*gold", "*"),
    "destination.ip": (inbound.OWN_ADDRESS, "10.244.1.0/24"),
    "destination.port": _VALUES["ports"],
}
_SOURCE = ("principals", "namespaces", "requestPrincipals", "ipBlocks", "remoteIpBlocks")
_OPERATION = ("hosts", "ports", "methods", "paths")


def _some(rng: random.Random, values: Sequence[str]) -> list[str]:
    return rng.sample(values, rng.randint(1, min(2, len(values))))


def _fields(rng: random.Random, names: Sequence[str]) -> Doc:
    chosen = rng.sample(names, rng.randint(1, 2))
    return {_maybe_not(rng, name): _some(rng, _VALUES[name]) for name in chosen}


def _maybe_not(rng: random.Random, name: str) -> str:
    return name if rng.random() < 0.75 else f"not{name[0].upper()}{name[1:]}"


def _source(rng: random.Random) -> Doc:
    """Accounts cannot stand beside principals and namespaces."""
    return _fields(rng, ("serviceAccounts", *_SOURCE[2:]) if rng.random() < 0.2 else _SOURCE)


def _when(rng: random.Random) -> Doc:
    key = rng.choice(list(_KEYS))
    both = {name: _some(rng, _KEYS[key]) for name in ("values", "notValues") if rng.random() < 0.6}
    return {"key": key, **(both or {"values": _some(rng, _KEYS[key])})}


def _rule(rng: random.Random) -> Doc:
    rule: Doc = {}
    if rng.random() < 0.6:
        rule["from"] = [{"source": _source(rng)} for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.7:
        rule["to"] = [{"operation": _fields(rng, _OPERATION)} for _ in range(rng.randint(1, 2))]
    if rng.random() < 0.4:
        rule["when"] = [_when(rng) for _ in range(rng.randint(1, 2))]
    return rule


def policies(rng: random.Random) -> list[Doc]:
    """One to four, of all places and actions."""
    return [_policy(rng, number) for number in range(rng.randint(1, 4))]


def _policy(rng: random.Random, number: int) -> Doc:
    place = rng.choices(["default", "istio-system", "shop"], [7, 2, 1])[0]
    spec: Doc = {"action": rng.choices(["ALLOW", "DENY", "AUDIT"], [6, 4, 1])[0]}
    if labels := rng.choice([{}, {"app": "web"}, trial.LABELS, {"app": "other"}]):
        spec["selector"] = {"matchLabels": labels}
    if rng.random() < 0.95:
        spec["rules"] = [_rule(rng) for _ in range(rng.randint(1, 3))]
    dry = {"annotations": {"istio.io/dry-run": "true"}} if rng.random() < 0.1 else {}
    meta = {"name": f"policy-{number}", "namespace": place, **dry}
    return {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": meta, "spec": spec}


def asked(rng: random.Random) -> Asked:
    """A request, or one time in six a connection of bytes."""
    account = rng.choice(_ACCOUNTS)
    if rng.random() < 0.17:
        return Asked(account=account, port=trial.BYTES_PORT, method="")
    plan = rng.choice([None, *_HEADERS])
    return Asked(
        account=account,
        port=rng.choice(trial.HTTP_PORTS),
        method=rng.choice(["GET", "POST", "PUT"]),
        path=rng.choice(_PATHS) + rng.choice(["", "?a=/admin"]),
        host=rng.choice(_HOSTS),
        headers={"x-plan": plan} if plan else {},
        claims=rng.choice(_CLAIMS),
    )
