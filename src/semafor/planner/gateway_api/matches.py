"""Conditions of rules, and which of them is tried first."""

import re
from collections.abc import Iterable, Iterator

from semafor.base.problem import Problem
from semafor.ir import HeaderMatch, Origin, PathMatch, QueryMatch, RouteMatch, StringMatch
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.gateway_api.route import Match
from semafor.planner.routes import http_match
from semafor.resources.gateway_api import grpc_route, http_route

# The specification leaves open where regular expressions stand; they come last, as in Istio.
_PATH_RANK = {"Exact": 2, "PathPrefix": 1, "RegularExpression": 0}
_ANY_SEGMENT = "[^/]+"
# A GRPCRoute takes gRPC only, so that HTTPRoutes beside it get everything else.
_IS_GRPC = HeaderMatch(name="content-type", value=StringMatch(kind="prefix", value="application/grpc"))


def of_http(written: http_route.HTTPRouteMatch, origin: Origin) -> Match:
    """The condition of an HTTPRoute."""
    path = written.path or http_route.HTTPPathMatch()
    headers = _headers(written.headers)
    method = [_method(written.method)] if written.method else []
    query = {each.name: each for each in reversed(written.query_params)}  # the first of a name counts
    return Match(
        match=RouteMatch(
            path=_path(path),
            headers=(*headers, *method),
            query=tuple(
                QueryMatch(name=name, value=_value(each.type, each.value)) for name, each in sorted(query.items())
            ),
        ),
        rank=(
            _PATH_RANK[path.type],
            len(path.value.rstrip("/") if path.type == "PathPrefix" else path.value),
            len(method),
            len(headers),
            len(query),
        ),
        origin=origin,
    )


def of_grpc(written: grpc_route.GRPCRouteMatch, origin: Origin) -> Match:
    """The condition of a GRPCRoute."""
    method = written.method or grpc_route.GRPCMethodMatch()
    headers = _headers(written.headers)
    return Match(
        match=RouteMatch(path=_grpc_path(method), headers=(*headers, _IS_GRPC)),
        rank=(len(method.service or ""), len(method.method or ""), len(headers)),
        origin=origin,
    )


def _path(path: http_route.HTTPPathMatch) -> PathMatch:
    match path.type:
        case "Exact":
            return PathMatch(kind="exact", value=path.value)
        case "PathPrefix":
            prefix = path.value.rstrip("/")
            return PathMatch(kind="segment_prefix", value=prefix) if prefix else PathMatch()
        case "RegularExpression":
            return PathMatch(kind="regex", value=path.value)


def _grpc_path(method: grpc_route.GRPCMethodMatch) -> PathMatch:
    """A call's path is /SERVICE/METHOD."""
    if not method.service and not method.method:
        return PathMatch()
    if method.type == "RegularExpression":
        return PathMatch(kind="regex", value=f"/{method.service or _ANY_SEGMENT}/{method.method or _ANY_SEGMENT}")
    if method.service and method.method:
        return PathMatch(kind="exact", value=f"/{method.service}/{method.method}")
    if method.service:
        return PathMatch(kind="prefix", value=f"/{method.service}/")
    return PathMatch(kind="regex", value=f"/{_ANY_SEGMENT}/{re.escape(method.method or '')}")


def _headers(
    written: Iterable[http_route.HTTPHeaderMatch | grpc_route.GRPCHeaderMatch],
) -> tuple[HeaderMatch, ...]:
    """Of several tests of one header, whatever its case, the first counts."""
    found: dict[str, HeaderMatch] = {}
    for each in written:
        name = each.name.lower()
        # HTTP/2 has no host header, only the authority; Envoy keeps both versions' host there.
        shown = ":authority" if name == "host" else name
        found.setdefault(name, HeaderMatch(name=shown, value=_value(each.type, each.value)))
    return tuple(found[name] for name in sorted(found))


def _value(type_: str, value: str) -> StringMatch:
    return StringMatch(kind="regex" if type_ == "RegularExpression" else "exact", value=value)


def _method(name: str) -> HeaderMatch:
    return HeaderMatch(name=":method", value=StringMatch(kind="exact", value=name))


def check_http(written: http_route.HTTPRouteMatch, origin: Origin) -> Iterator[Problem]:
    """What of the condition can not work."""
    if written.path and written.path.type == "RegularExpression":
        yield from _regex(written.path.value, at(origin, "path.value"))
    yield from _tests(written.headers, at(origin, "headers"))
    yield from _tests(written.query_params, at(origin, "queryParams"))


def check_grpc(written: grpc_route.GRPCRouteMatch, origin: Origin) -> Iterator[Problem]:
    """What of the condition can not work."""
    method = written.method
    if method and method.type == "RegularExpression":
        yield from _regex(method.service or "", at(origin, "method.service"))
        yield from _regex(method.method or "", at(origin, "method.method"))
    yield from _tests(written.headers, at(origin, "headers"))


def _tests(
    written: Iterable[http_route.HTTPHeaderMatch | http_route.HTTPQueryParamMatch | grpc_route.GRPCHeaderMatch],
    origin: Origin,
) -> Iterator[Problem]:
    for index, each in enumerate(written):
        if each.type == "RegularExpression":
            yield from _regex(each.value, at(origin, f"[{index}].value"))


def _regex(expression: str, origin: Origin) -> Iterator[Problem]:
    if why := http_match.regex_error(expression):
        yield problems.invalid(origin, f"{expression!r} is not a regular expression: {why}", "write it as RE2 has it")
