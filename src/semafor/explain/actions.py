"""What a route does with the requests that it takes.

Source: Envoy's references of RouteAction, RedirectAction, and of the CORS and fault filters.
"""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from semafor.explain import matching, targets, texts
from semafor.explain.request import Request
from semafor.explain.story import Outcome
from semafor.explain.targets import Known
from semafor.ir import (
    Cors,
    DirectResponse,
    Fail,
    Fault,
    Forward,
    HashKey,
    PathMatch,
    Redirect,
    RegexRewrite,
    Route,
)

_ALLOW = "access-control-"
_GRPC = "application/grpc"


def outcomes(found: Known, route: Route, share: float, request: Request) -> Iterator[Outcome]:
    """What becomes of the requests that the route takes, `share` per cent of all: answers of filters go first."""
    base = Outcome(share=share, rule=route.origin, route=route.name, match=matching.words(route.match))
    if answer := _preflight(route.cors, base, request):
        yield answer
        return
    aborted = _aborted(route.fault, base, request)
    if aborted:
        yield aborted
    left = share - (aborted.share if aborted else 0.0)
    if left > 0:
        yield _filtered(route, replace(_acted(found, route, base, request), share=left), request)


def _filtered(route: Route, outcome: Outcome, request: Request) -> Outcome:
    """With what filters do to requests that they let pass."""
    delay = route.fault.delay if route.fault else None
    headers = (*_origin(route.cors, request), *_exposed(route.cors, request))
    if delay:
        outcome = replace(outcome, delay_s=delay.seconds, delay_share=delay.percent)
    return replace(outcome, request=route.request, response=route.response, headers=headers)


def _acted(found: Known, route: Route, base: Outcome, request: Request) -> Outcome:
    match route.action:
        case Forward() as action:
            return _forwarded(found, action, replace(base, path=_rewritten(route.match.path, action, request)))
        case Redirect() as action:
            location = _location(route.match.path, action, request)
            return replace(base, status=action.status, location=location, reason="the route redirects")
        case DirectResponse(status=status, body=body):
            text = body if isinstance(body, str) else f"{len(body)} bytes"
            return replace(base, status=status, reason=text)
        case Fail(reason=reason):
            return replace(base, status=503, reason=reason)


def _forwarded(found: Known, action: Forward, base: Outcome) -> Outcome:
    chosen = targets.of(found, action.destinations)
    return replace(
        base,
        targets=tuple(replace(each, missing=_failure(each.missing, action)) for each in chosen),
        host=action.rewrite.host,
        timeout_s=action.timeout_s,
        retry=action.retry,
        hash_key=_hash_words(action.hash_keys[0]) if action.hash_keys else "",
        mirrors=action.mirrors,
    )


def _failure(missing: str, action: Forward) -> str:
    return f"{action.failure}: {missing}" if missing else ""


def _hash_words(key: HashKey) -> str:
    return "address" if key.kind == "source_ip" else f"{key.kind} {key.name}"


# --- rewriting ---


def _rewritten(match: PathMatch, action: Forward, request: Request) -> str:
    """The new path, without its query; empty where it stays."""
    rewrite, before = action.rewrite, request.plain_path
    after = before
    if rewrite.prefix is not None:
        after = rewrite.prefix + before[_taken(match, before) :]
    elif rewrite.path is not None:
        after = rewrite.path
    elif rewrite.regex is not None:
        after = _substituted(rewrite.regex, before)
    return "" if after == before else after


def _taken(match: PathMatch, path: str) -> int:
    """How much of the path the match took."""
    if match.kind == "segment_prefix":
        return len(match.value.rstrip("/"))
    return len(match.value) if match.kind == "prefix" else len(path)


def _substituted(rule: RegexRewrite, path: str) -> str:
    return re.sub(rule.pattern, rule.substitution, path).partition("?")[0]


def _location(match: PathMatch, node: Redirect, request: Request) -> str:
    """Where a redirection leads. A port is kept unless it is the scheme's own, or the host is another."""
    before, mark, query = request.path.partition("?")
    path = before
    if node.path:
        path = node.path
    elif node.prefix:
        path = node.prefix + before[_taken(match, before) :]
    elif node.regex is not None:
        path = _substituted(node.regex, before)
    host, _, own_port = request.authority.partition(":")
    port = node.port or (0 if node.host else int(own_port or 0))
    authority = f"{node.host or host}:{port}" if port else node.host or host
    return f"{node.scheme or request.scheme}://{authority}{path}{mark}{query}"


# --- filters ---


def _aborted(fault: Fault | None, base: Outcome, request: Request) -> Outcome | None:
    abort = fault.abort if fault else None
    if abort is None or not abort.percent:
        return None
    share = base.share * abort.percent / 100
    if abort.grpc_status is None:
        return replace(base, share=share, status=abort.status, reason="fault filter abort")
    is_grpc = (request.header("content-type") or "").startswith(_GRPC)
    status = abort.grpc_status if is_grpc else None
    return replace(base, share=share, status=200, grpc_status=status, reason="fault filter abort")


def _preflight(policy: Cors | None, base: Outcome, request: Request) -> Outcome | None:
    """What the filter answers by itself to a browser that asks whether its page may call."""
    asked = request.method == "OPTIONS" and request.header(f"{_ALLOW}request-method")
    if policy is None or not asked or request.header("origin") is None:
        return None
    answer = replace(base, status=200, reason="a browser asks whether its page may call")
    if not _allowed(policy, request):
        return None if policy.forward_unmatched else answer
    lists = (("allow-methods", policy.methods), ("allow-headers", policy.headers))
    said = [(name, ",".join(values)) for name, values in lists if values]
    said += _exposed(policy, request)
    said += [("max-age", str(policy.max_age_s))] if policy.max_age_s is not None else []
    return replace(answer, headers=(*_origin(policy, request), *said))


def _origin(policy: Cors | None, request: Request) -> tuple[tuple[str, str], ...]:
    if policy is None or not _allowed(policy, request):
        return ()
    allowed = (("allow-origin", request.header("origin") or ""),)
    return (*allowed, ("allow-credentials", "true")) if policy.credentials else allowed


def _exposed(policy: Cors | None, request: Request) -> tuple[tuple[str, str], ...]:
    if policy is None or not policy.expose or not _allowed(policy, request):
        return ()
    return (("expose-headers", ",".join(policy.expose)),)


def _allowed(policy: Cors, request: Request) -> bool:
    """Envoy also asks whether a test takes an asterisk."""
    origin = request.header("origin")
    return origin is not None and any(texts.holds(test, each) for test in policy.origins for each in (origin, "*"))
