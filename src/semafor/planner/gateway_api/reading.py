"""Route documents of each kind as the values of `route`."""

from collections.abc import Iterable, Iterator

from semafor.base import duration
from semafor.base.problem import Problem
from semafor.ir import Origin, Retry
from semafor.planner import hosts
from semafor.planner.checks import refused, route_problems
from semafor.planner.checks.problems import at
from semafor.planner.gateway_api import filters, matches
from semafor.planner.gateway_api import route as values
from semafor.planner.gateway_api.route import Backend, Filters, Route, Rule
from semafor.planner.routes import http_action
from semafor.resources.gateway_api import grpc_route, http_route, tcp_route, tls_route, udp_route

HttpRule = http_route.HTTPRouteRule | grpc_route.GRPCRouteRule
ByteRule = tls_route.TLSRouteRule | tcp_route.TCPRouteRule | udp_route.UDPRouteRule
HttpBackend = http_route.HTTPBackendRef | grpc_route.GRPCBackendRef
Document = http_route.HTTPRoute | grpc_route.GRPCRoute | tls_route.TLSRoute | tcp_route.TCPRoute | udp_route.UDPRoute
_NOTHING = Filters()
_Read = tuple[Rule, list[Problem]]
_HTTP_RULE = ("name", "matches", "filters", "backend_refs", "timeouts", "retry")
_GRPC_RULE = ("name", "matches", "filters", "backend_refs")
# The backend has seen nothing of the request, or says that it has not acted on it.
_RETRY_ON = ("connect-failure", "refused-stream", "reset-before-request", "unavailable")


def http(document: http_route.HTTPRoute) -> Route:
    """An HTTPRoute."""
    rules = (_http_rule(rule, _rule_origin(document, index)) for index, rule in enumerate(document.spec.rules))
    return _route(document, rules)


def grpc(document: grpc_route.GRPCRoute) -> Route:
    """A GRPCRoute."""
    rules = (_grpc_rule(rule, _rule_origin(document, index)) for index, rule in enumerate(document.spec.rules))
    return _route(document, rules)


def of_bytes(document: tls_route.TLSRoute | tcp_route.TCPRoute | udp_route.UDPRoute) -> Route:
    """A TLSRoute, TCPRoute or UDPRoute. None of them has conditions of its rules' own, so the first rule counts."""
    rules = []
    written: tuple[ByteRule, ...] = document.spec.rules
    for index, rule in enumerate(written):
        origin = _rule_origin(document, index)
        backends = tuple(
            _backend(ref, at(origin, f"backendRefs[{place}]")) for place, ref in enumerate(rule.backend_refs)
        )
        wrong = [route_problems.unreachable(origin, _rule_origin(document, 0))] if index else []
        rules.append((Rule(origin=origin, name=rule.name or "", backends=backends), wrong))
    return _route(document, rules)


def _origin(document: Document) -> Origin:
    meta = document.metadata
    return Origin(ref=values.reference(document.kind, meta.namespace, meta.name), path="spec")


def _rule_origin(document: Document, index: int) -> Origin:
    return at(_origin(document), f"rules[{index}]")


def _route(document: Document, rules: Iterable[_Read]) -> Route:
    origin, spec, read = _origin(document), document.spec, list(rules)
    found = refused.fields(spec, origin, "parent_refs", "hostnames", "rules")
    return Route(
        ref=origin.ref,
        generation=document.metadata.generation,
        age=hosts.age(document.metadata),
        parents=tuple(values.parents(spec.parent_refs, origin.ref.namespace)),
        hostnames=tuple(getattr(spec, "hostnames", ())),
        rules=tuple(rule for rule, _ in read),
        origin=origin,
        problems=(*found, *(problem for _, wrong in read for problem in wrong)),
    )


def _http_rule(rule: http_route.HTTPRouteRule, origin: Origin) -> _Read:
    written = rule.matches or (http_route.HTTPRouteMatch(),)
    done = filters.read(rule.filters, at(origin, "filters"))
    kinds = [match.path.type if match.path else "PathPrefix" for match in written]
    wrong = [
        *_filters(rule, origin),
        *filters.check_paths(done, kinds, at(origin, "filters")),
    ]
    for index, backend in enumerate(rule.backend_refs):
        place = at(origin, f"backendRefs[{index}].filters")
        wrong += filters.check_paths(filters.read(backend.filters, place), kinds, place)
    for index, match in enumerate(written):
        wrong += matches.check_http(match, at(origin, f"matches[{index}]"))
    timeouts = rule.timeouts or http_route.HTTPRouteTimeouts()
    return Rule(
        origin=origin,
        name=rule.name or "",
        matches=tuple(matches.of_http(match, at(origin, f"matches[{i}]")) for i, match in enumerate(written)),
        filters=done,
        backends=_http_backends(rule, origin),
        timeout_s=_seconds(timeouts.request) or 0.0,
        retry=_retry(rule.retry, _seconds(timeouts.backend_request)),
        wrong=_why(wrong),
    ), [*refused.fields(rule, origin, *_HTTP_RULE), *wrong]


def _grpc_rule(rule: grpc_route.GRPCRouteRule, origin: Origin) -> _Read:
    written = rule.matches or (grpc_route.GRPCRouteMatch(),)
    wrong = list(_filters(rule, origin))
    for index, match in enumerate(written):
        wrong += matches.check_grpc(match, at(origin, f"matches[{index}]"))
    return Rule(
        origin=origin,
        name=rule.name or "",
        matches=tuple(matches.of_grpc(match, at(origin, f"matches[{i}]")) for i, match in enumerate(written)),
        filters=filters.read(rule.filters, at(origin, "filters")),
        backends=_http_backends(rule, origin),
        retry=_retry(None, None),
        wrong=_why(wrong),
    ), [*refused.fields(rule, origin, *_GRPC_RULE), *wrong]


def _why(wrong: list[Problem]) -> str:
    """Why a rule with these problems is left out; unknown fields alone are no reason."""
    return next((f"{problem.path}: {problem.message}" for problem in wrong), "")


def _filters(rule: HttpRule, origin: Origin) -> Iterator[Problem]:
    yield from filters.check(rule.filters, at(origin, "filters"))
    backends: tuple[HttpBackend, ...] = rule.backend_refs
    for index, backend in enumerate(backends):
        yield from filters.check(backend.filters, at(origin, f"backendRefs[{index}].filters"))


def _http_backends(rule: HttpRule, origin: Origin) -> tuple[Backend, ...]:
    written: tuple[HttpBackend, ...] = rule.backend_refs
    places = [at(origin, f"backendRefs[{index}]") for index in range(len(written))]
    return tuple(
        _backend(ref, place, filters.read(ref.filters, at(place, "filters")))
        for ref, place in zip(written, places, strict=True)
    )


def _backend(ref: values.AnyBackendRef, origin: Origin, done: Filters = _NOTHING) -> Backend:
    target = values.target(ref, origin.ref.namespace)
    return Backend(ref=target, port=ref.port or 0, weight=ref.weight, origin=origin, filters=done)


def _retry(written: http_route.HTTPRouteRetry | None, per_try_s: float | None) -> Retry | None:
    """The rule's retries. Without a word the mesh's own, as for every other route."""
    per_try_s = per_try_s or None  # zero means no limit
    if written is None:
        default = http_action.DEFAULT_RETRY
        return Retry(
            attempts=default.attempts,
            retry_on=default.retry_on,
            status_codes=default.status_codes,
            per_try_timeout_s=per_try_s,
        )
    codes = tuple(sorted(written.codes))
    words = (*_RETRY_ON, "retriable-status-codes") if codes else _RETRY_ON
    return Retry(
        attempts=max(written.attempts, 0),
        retry_on=words if written.attempts > 0 else (),
        status_codes=codes,
        per_try_timeout_s=per_try_s,
        backoff_s=_seconds(written.backoff),
    )


def _seconds(text: str | None) -> float | None:
    return None if text is None else duration.parse(text)
