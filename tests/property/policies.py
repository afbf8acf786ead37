"""Random policies for the pods of the golden cases, and random calls of these pods, out of one small alphabet."""

import random
from typing import Any

Doc = dict[str, Any]

CALLED = ("tools-1", "raw-1", "model-v1-1")
CALLERS = ("", "default/agent-1", "shop/visitor-1", "default/model-v2-1")
_PRINCIPALS = ("cluster.local/ns/default/sa/default", "cluster.local/ns/shop/*", "*/sa/model", "*")
_NAMESPACES = ("default", "shop", "sh*")
_ADDRESSES = ("10.244.0.0/16", "10.244.0.250", "127.0.0.0/8", "192.0.2.0/24")
_PATHS = ("/", "/a", "/a/*", "*/b", "/a/{*}/c", "/a/{**}", "*")
_METHODS = ("GET", "POST", "P*", "*")
_HOSTS = ("tools-1", "raw*", "TOOLS-1", "*")
_PORTS = ("8080", "9000", "7000")
_VALUES = ("1", "a*", "*b", "*")


def documents(rng: random.Random) -> list[Doc]:
    """A few policies, some of them for all pods, some of them of the root namespace; who has to prove an identity."""
    return [*(_policy(rng, number) for number in range(rng.randint(1, 5))), *_peers(rng)]


def _peers(rng: random.Random) -> list[Doc]:
    if rng.random() < 0.5:
        return []
    spec: Doc = {"selector": {"matchLabels": {"app": "tools"}}, "mtls": {"mode": rng.choice(("STRICT", "PERMISSIVE"))}}
    if rng.random() < 0.5:
        spec["portLevelMtls"] = {"8080": {"mode": rng.choice(("STRICT", "DISABLE", "PERMISSIVE"))}}
    return [_object("PeerAuthentication", "peers", spec)]


def _object(kind: str, name: str, spec: Doc, **meta: Any) -> Doc:
    return {"apiVersion": "security.istio.io/v1", "kind": kind, "metadata": {"name": name, **meta}, "spec": spec}


def _policy(rng: random.Random, number: int) -> Doc:
    spec: Doc = {"action": rng.choice(("ALLOW", "ALLOW", "DENY"))}
    spec["rules"] = [_rule(rng) for _ in range(rng.choice((0, 1, 1, 2)))]
    if rng.random() < 0.6:
        spec["selector"] = {"matchLabels": {"app": rng.choice(("tools", "raw", "model"))}}
    meta: Doc = {"annotations": {"istio.io/dry-run": "true"}} if rng.random() < 0.15 else {}
    where = {"namespace": "istio-system"} if rng.random() < 0.2 else {}
    return _object("AuthorizationPolicy", f"policy-{number}", spec, **meta, **where)


def _rule(rng: random.Random) -> Doc:
    made: Doc = {}
    if rng.random() < 0.6:
        made["from"] = [{"source": _some(rng, _SOURCE)} for _ in range(rng.choice((1, 1, 2)))]
    if rng.random() < 0.6:
        made["to"] = [{"operation": _some(rng, _OPERATION)} for _ in range(rng.choice((1, 1, 2)))]
    if rng.random() < 0.3:
        made["when"] = [_when(rng)]
    return made


_SOURCE = (
    ("principals", "notPrincipals", _PRINCIPALS),
    ("namespaces", "notNamespaces", _NAMESPACES),
    ("ipBlocks", "notIpBlocks", _ADDRESSES),
    ("remoteIpBlocks", "notRemoteIpBlocks", _ADDRESSES),
)
_OPERATION = (
    ("methods", "notMethods", _METHODS),
    ("paths", "notPaths", _PATHS),
    ("hosts", "notHosts", _HOSTS),
    ("ports", "notPorts", _PORTS),
)


def _some(rng: random.Random, fields: tuple[tuple[str, str, tuple[str, ...]], ...]) -> Doc:
    """One or two of the fields, some of them in their negative form."""
    chosen = rng.sample(fields, rng.choice((1, 1, 2)))
    return {
        (opposite if rng.random() < 0.25 else name): rng.sample(values, rng.choice((1, 2)))
        for name, opposite, values in chosen
    }


def _when(rng: random.Random) -> Doc:
    key, values = rng.choice(
        (
            ("request.headers[x-a]", _VALUES),
            ("source.namespace", _NAMESPACES),
            ("source.principal", _PRINCIPALS),
            ("destination.port", _PORTS),
        )
    )
    return {"key": key, rng.choice(("values", "values", "notValues")): rng.sample(values, 1)}


def call(rng: random.Random) -> str:
    """A line of `tests.calls.script`, without its result."""
    pod, caller = rng.choice(CALLED), rng.choice(CALLERS)
    said = f" from={caller}" if caller else ""
    if rng.random() < 0.2:
        return f"accept {pod}:{rng.choice((7000, 4000))}{said}"
    path = rng.choice(("/", "/a", "/a/b", "/a/b/c", "/x/b", "/a?x=/b"))
    header = rng.choice(("", "", " x-a=1", " x-a=ab", " x-a=cb"))
    port = rng.choice((8080, 8080, 7000, 4000))
    return f"receive {rng.choice(('GET', 'POST', 'PUT'))} {pod}:{port}{path}{header}{said}"
