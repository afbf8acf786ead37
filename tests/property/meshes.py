"""Random rules for the services of the golden cases, and random requests to them, out of one small alphabet.

Small, so that rules and requests meet: most requests are taken by some route, and many by a route that a neighbour of
it would have taken too.
"""

import random
from collections.abc import Callable
from typing import Any

Doc = dict[str, Any]

HOSTS = ("model", "tools", "legacy", "raw", "model.shop.svc.cluster.local", "api.example.com", "*.example.com")
TARGETS = (("model", "v1"), ("model", "v2"), ("model", ""), ("tools", ""), ("legacy", ""), ("model", "v9"), ("no", ""))
PATHS = ("/", "/a", "/a/", "/a/b", "/A/b", "/ab", "/b", "/api/v1", "/api/v22/x", "/api")
PATH_REGEXES = ("/a.*", "/a/b|/ab", "/api/v[0-9]+(/.*)?", ".*b", "/", ".*")
NAMES = ("x-a", "x-b", "X-C")
VALUES = ("1", "2", "ab", "")
VALUE_REGEXES = ("1|2", "a.*", ".+", "*")
METHODS = ("GET", "POST", "DELETE")
CALLERS = ("default/agent-1", "shop/visitor-1")
_LABELS = ({"app": "agent"}, {"app": "visitor"}, {"team": "research"})
_REGEX_REWRITES = ({"match": "/a(.*)", "rewrite": r"/z\1"}, {"match": "b", "rewrite": "c"})


def documents(rng: random.Random) -> list[Doc]:
    """A DestinationRule, VirtualServices for a few hosts, and what they delegate to."""
    delegates = [_delegate(rng, number) for number in range(2)]
    services = [_virtual_service(rng, number) for number in range(rng.randint(4, 9))]
    return [_subsets(), *delegates, *services]


def _object(kind: str, name: str, spec: Doc, **meta: Any) -> Doc:
    return {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": {"name": name, **meta}, "spec": spec}


def _subsets() -> Doc:
    subsets = [{"name": f"v{number}", "labels": {"version": f"v{number}"}} for number in (1, 2, 9)]
    return _object("DestinationRule", "model", {"host": "model", "subsets": subsets})


def _virtual_service(rng: random.Random, number: int) -> Doc:
    routes = [_route(rng, hand_over=True) for _ in range(rng.randint(1, 5))]
    spec = {"hosts": [rng.choice(HOSTS)], "http": routes}
    if rng.random() < 0.2:
        spec["exportTo"] = ["."]
    meta = {"namespace": "shop" if rng.random() < 0.15 else "default"}
    created = f"2026-01-01T00:00:{rng.randint(0, 59):02}Z"
    return _object("VirtualService", f"rule-{number}", spec, creationTimestamp=created, **meta)


def _delegate(rng: random.Random, number: int) -> Doc:
    return _object("VirtualService", f"delegate-{number}", {"http": [_route(rng) for _ in range(rng.randint(1, 3))]})


def _route(rng: random.Random, *, hand_over: bool = False) -> Doc:
    matches = [_match(rng) for _ in range(rng.choice((0, 1, 1, 1, 2)))]
    made: Doc = {"match": matches} if matches else {}
    if hand_over and rng.random() < 0.1:
        return {**made, "delegate": {"name": f"delegate-{rng.randint(0, 1)}"}}
    chance = rng.random()
    if chance < 0.1:
        return {**made, "directResponse": {"status": 418, "body": {"string": "a teapot"}}}
    return {**made, **(_redirect(rng) if chance < 0.2 else _forward(rng))}


def _redirect(rng: random.Random) -> Doc:
    made: Doc = {"redirectCode": rng.choice((301, 302, 308))}
    if rng.random() < 0.7:
        made["uri"] = rng.choice(("/new", "/new/", "/"))
    if rng.random() < 0.5:
        made["authority"] = rng.choice(("other.example.com", "model"))
    if rng.random() < 0.3:
        made["scheme"] = "https"
    if rng.random() < 0.3:
        made |= rng.choice(({"port": 8443}, {"derivePort": "FROM_REQUEST_PORT"}))
    return {"redirect": made}


def _forward(rng: random.Random) -> Doc:
    chosen = rng.sample(TARGETS, rng.choice((1, 1, 1, 2, 3)))
    shares = [rng.choice((0, 10, 50, 90)) for _ in chosen]
    made: Doc = {"route": [_destination(rng, *each) for each in zip(chosen, shares, strict=True)]}
    if sum(shares) == 0:
        made["route"] = [{"destination": one["destination"]} for one in made["route"][:1]]
    if rng.random() < 0.35:
        made["rewrite"] = _rewrite(rng)
    if rng.random() < 0.15:
        made["fault"] = {"abort": {"httpStatus": 599, "percentage": {"value": rng.choice((30, 100))}}}
    if rng.random() < 0.2:
        made["timeout"] = "3s"
    if rng.random() < 0.2:
        made["headers"] = {"request": {"set": {"x-set": "1"}, "remove": ["x-a"]}, "response": {"add": {"x-y": "1"}}}
    if rng.random() < 0.2:
        made["mirror"] = {"host": "tools", "port": {"number": 80}}
    return made


def _destination(rng: random.Random, target: tuple[str, str], share: int) -> Doc:
    host, subset = target
    made: Doc = {"destination": {"host": host, **({"subset": subset} if subset else {})}, "weight": share}
    if rng.random() < 0.1:
        made["headers"] = {"request": {"set": {":authority": "set.example.com"}}}
    return made


def _rewrite(rng: random.Random) -> Doc:
    made: Doc = rng.choice(
        (
            {"uri": rng.choice(("/", "/new", "/new/"))},
            {"uriRegexRewrite": rng.choice(_REGEX_REWRITES)},
            {},
        )
    )
    return {**made, "authority": "rewritten.example.com"} if not made or rng.random() < 0.4 else made


def _match(rng: random.Random) -> Doc:
    """Some conditions; a part of them is there in each match."""
    parts: tuple[tuple[float, Callable[[random.Random], Doc]], ...] = (
        (0.6, lambda r: {"uri": _text(r, PATHS, PATH_REGEXES)} | ({"ignoreUriCase": True} if r.random() < 0.2 else {})),
        (0.3, lambda r: {"headers": {r.choice(NAMES): _text(r, VALUES[:3], VALUE_REGEXES)}}),
        (0.15, lambda r: {"withoutHeaders": {r.choice(NAMES): _text(r, VALUES[:3], VALUE_REGEXES)}}),
        (0.2, lambda r: {"queryParams": {r.choice(("x", "y")): _text(r, VALUES[:3], VALUE_REGEXES[:3])}}),
        (0.2, lambda r: {"method": _text(r, METHODS, ("GET|POST", "P.*"))}),
        (0.1, lambda r: {"authority": _text(r, ("model", "tools", "api.example.com"), ("m.*", ".*com"))}),
        (0.1, lambda r: {"port": r.choice((80, 8000, 9000))}),
        (0.1, lambda r: {"sourceLabels": r.choice(_LABELS)}),
        (0.08, lambda r: {"sourceNamespace": r.choice(("default", "shop"))}),
        (0.05, lambda r: {"scheme": {"exact": r.choice(("http", "https"))}}),
    )
    made: Doc = {}
    for share, part in parts:
        if rng.random() < share:
            made |= part(rng)
    return made or {"uri": {"prefix": rng.choice(PATHS)}}


def _text(rng: random.Random, values: tuple[str, ...], regexes: tuple[str, ...]) -> Doc:
    kind = rng.choice(("exact", "prefix", "regex"))
    return {kind: rng.choice(regexes if kind == "regex" else values)}


def request(rng: random.Random) -> str:
    """A line of `tests.calls.script`, without its result."""
    host, port = rng.choice(
        (
            ("model", 80),
            ("model.default", 80),
            ("model.shop", 80),
            ("tools", 80),
            ("tools", 9000),
            ("legacy", 8000),
            ("raw", 7000),
            ("api.example.com", 80),
            ("other.example.com", 80),
            ("api.example.com", 8000),
        )
    )
    path = rng.choice(PATHS) + rng.choice(("", "", "?x=1", "?x", "?y=ab&x=2", "?y=&x=ab"))
    headers = {rng.choice(NAMES).lower(): rng.choice(VALUES) for _ in range(rng.choice((0, 0, 1, 1, 2)))}
    said = " ".join(f"{name}={value}" for name, value in sorted(headers.items()))
    return f"call {rng.choice(METHODS)} {host}:{port}{path} {said}".strip()
