"""Routes as steps, in the order in which the specification wants them tried."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from msgspec.structs import replace

from semafor.base.struct import Value
from semafor.ir import DirectResponse, HeaderOps, PathMatch, Redirect, RegexRewrite, Rewrite, RouteMatch
from semafor.planner import hosts
from semafor.planner.gateway_api import backends
from semafor.planner.gateway_api.hostnames import ANY
from semafor.planner.gateway_api.route import Backend, Filters, Match, Mirroring, PathChange, Redirection, Route, Rule
from semafor.planner.mesh import Mesh
from semafor.planner.routes import http_action
from semafor.planner.routes.step import L4Step, Mirrored, Source, Step, Target, Will

Failure = Literal[500, 503]
_STANDARD_PORTS: Final = {"http": 80, "https": 443}
_BAD_BACKEND: Final = 500
_UNAVAILABLE: Final = 503  # what Envoy tells callers of gRPC as UNAVAILABLE


class Place(Value):
    """Where requests come in: what a redirection follows."""

    port: int
    scheme: str = "http"


class Chosen(Value):
    """A route at a place, and the hostname by which it was chosen there."""

    route: Route
    hostname: str = ANY


def of(mesh: Mesh, place: Place, chosen: Iterable[Chosen]) -> tuple[Step, ...]:
    """The steps of these routes, the one to try first at the front."""
    ranked = [
        (_rank(one, match), _step(mesh, place, one.route, rule, match))
        for one in sorted(chosen, key=lambda one: one.route.seniority)
        for whole in one.route.rules
        for rule, percent in _alternatives(whole)
        for match in (_share(match, percent) for match in rule.matches)
    ]
    ranked.sort(key=lambda pair: pair[0], reverse=True)  # stable: what is equal stays by age, then as it is written
    return tuple(step for _, step in ranked)


def of_all(mesh: Mesh, route: Route) -> Step:
    """The backends of a TLSRoute or TCPRoute for all requests of a port that may carry such."""
    taken = l4(mesh, route, ())
    return Step(
        origin=taken.origin,
        name=route.ref.name,
        match=RouteMatch(),
        source=Source(),
        will=Will(targets=taken.targets, retry=http_action.DEFAULT_RETRY),
    )


def l4(mesh: Mesh, route: Route, names: tuple[str, ...]) -> L4Step:
    """Connections to the backends of the route's first rule, by their shares; those of a bad one are closed."""
    rule = route.rules[0]
    targets = tuple(target(mesh, route, each, _UNAVAILABLE, alone=True) for each in rule.backends if each.weight)
    return L4Step(origin=rule.origin, source=Source(), targets=targets, server_names=names)


def _rank(one: Chosen, match: Match) -> tuple[object, ...]:
    """The most specific hostname first; of one hostname gRPC, which takes no other requests; then the condition."""
    return (*hosts.specificity(one.hostname), one.route.kind == "GRPCRoute", match.rank)


def _step(mesh: Mesh, place: Place, route: Route, rule: Rule, match: Match) -> Step:
    filters = _merged(rule)
    return Step(
        origin=match.origin,
        name=".".join(part for part in (route.ref.name, rule.name) if part),
        match=match.match,
        source=Source(),
        will=_will(mesh, place, route, rule, match, filters),
        rewrite=_rewrite(filters, match.match.path),
        request=filters.request,
        response=filters.response,
    )


def _alternatives(rule: Rule) -> Iterator[tuple[Rule, float]]:
    """The rule or, where its backends want different things of Envoy's routes, one rule for each backend.

    Each takes so many per cent of the requests that those before it have left.
    """
    shared = [each for each in rule.backends if each.weight]
    if len(shared) <= 1 or not any(_needs_route(each.filters) for each in shared):
        yield rule, 100.0
        return
    left = sum(each.weight for each in shared)
    for each in shared:
        yield replace(rule, backends=(each,)), 100.0 * each.weight / left
        left -= each.weight


def _needs_route(filters: Filters) -> bool:
    """Whether the filters do more than change headers and the host, which Envoy can do for one of several clusters."""
    return bool(filters.redirect or filters.mirrors or filters.cors or filters.path != PathChange())


def _share(match: Match, percent: float) -> Match:
    return match if percent == 100.0 else replace(match, match=replace(match.match, percent=percent))


def _merged(rule: Rule) -> Filters:
    """The rule's filters; those of a sole backend are the rule's own."""
    if len(rule.backends) != 1:
        return rule.filters
    return _both(rule.filters, rule.backends[0].filters)


def _both(outer: Filters, inner: Filters) -> Filters:
    return Filters(
        request=_joined(outer.request, inner.request),
        response=_joined(outer.response, inner.response),
        redirect=outer.redirect or inner.redirect,
        host=inner.host or outer.host,
        path=inner.path if inner.path != PathChange() else outer.path,
        mirrors=(*outer.mirrors, *inner.mirrors),
        cors=outer.cors or inner.cors,
    )


def _joined(one: HeaderOps, other: HeaderOps) -> HeaderOps:
    return HeaderOps(remove=(*one.remove, *other.remove), set=(*one.set, *other.set), add=(*one.add, *other.add))


def _will(mesh: Mesh, place: Place, route: Route, rule: Rule, match: Match, filters: Filters) -> Will:
    failure: Failure = _UNAVAILABLE if route.kind == "GRPCRoute" else _BAD_BACKEND
    if rule.wrong:
        return Will(answer=DirectResponse(status=failure, body=rule.wrong), cors=filters.cors)
    if filters.redirect:
        return Will(redirect=_redirect(filters.redirect, place, match.match.path), cors=filters.cors)
    if not any(backend.weight for backend in rule.backends):
        why = f"{rule.origin}: no backend gets any share"
        return Will(answer=DirectResponse(status=failure, body=why), cors=filters.cors)
    if why := _all_lost(mesh, route, rule):
        return Will(answer=DirectResponse(status=failure, body=why), cors=filters.cors)
    alone = len(rule.backends) == 1
    return Will(
        targets=tuple(target(mesh, route, backend, failure, alone=alone) for backend in rule.backends),
        timeout_s=rule.timeout_s,
        retry=rule.retry,
        mirrors=tuple(_mirrors(mesh, route, filters.mirrors)),
        cors=filters.cors,
    )


def _all_lost(mesh: Mesh, route: Route, rule: Rule) -> str:
    """Why none of the backends can be had; empty when one of them can."""
    found = [backends.resolve(mesh, route, each.ref, each.port) for each in rule.backends if each.weight]
    return "" if any(each.host for each in found) else f"{rule.backends[0].origin}: {found[0].message}"


def target(mesh: Mesh, route: Route, backend: Backend, failure: Failure, *, alone: bool) -> Target:
    """The backend as a target. The filters of one that stands `alone` are its rule's."""
    found = backends.resolve(mesh, route, backend.ref, backend.port)
    own = Filters() if alone else backend.filters
    return Target(
        host=found.host,
        short=backend.ref.name,
        subset="",
        port=backend.port,
        weight=backend.weight,
        origin=backend.origin,
        request=own.request,
        response=own.response,
        authority=own.host,
        failure=failure,
    )


def _mirrors(mesh: Mesh, route: Route, written: Iterable[Mirroring]) -> Iterator[Mirrored]:
    """The mirrors that lead somewhere."""
    for mirror in written:
        found = backends.resolve(mesh, route, mirror.ref, mirror.port)
        if found.host:
            target = Target(
                host=found.host, short=mirror.ref.name, subset="", port=mirror.port, weight=1, origin=mirror.origin
            )
            yield Mirrored(target=target, percent=mirror.percent)


# --- paths ---


def _rewrite(filters: Filters, match: PathMatch) -> Rewrite:
    change = filters.path
    if change.full is not None:
        return Rewrite(path=change.full, host=filters.host)
    if change.prefix is None:
        return Rewrite(host=filters.host)
    prefix, regex = _prefix(match, change.prefix)
    return Rewrite(prefix=prefix, regex=regex, host=filters.host)


def _prefix(match: PathMatch, replacement: str) -> tuple[str | None, RegexRewrite | None]:
    """What replaces the matched prefix, with exactly one slash where the rest begins.

    Source: the table at HTTPPathModifier's field replacePrefixMatch.
    """
    bare = replacement.rstrip("/")
    matched = match.value.rstrip("/")
    if not matched:
        return f"{bare}/", None
    if bare:
        return bare, None
    return None, RegexRewrite(pattern=f"^{re.escape(matched)}/?", substitution="/")


def _redirect(said: Redirection, place: Place, match: PathMatch) -> Redirect:
    """Source: HTTPRequestRedirectFilter, field port: what it follows when it is absent, and when it is left out."""
    scheme = said.scheme or place.scheme
    port = said.port or (_STANDARD_PORTS[said.scheme] if said.scheme else place.port)
    prefix, regex = (None, None) if said.path.prefix is None else _prefix(match, said.path.prefix)
    return Redirect(
        status=said.status,  # type: ignore[arg-type] # checked when it was written
        scheme=said.scheme,
        host=said.host,
        port=0 if port == _STANDARD_PORTS.get(scheme) else port,
        path=said.path.full or "",
        prefix=prefix or "",
        regex=regex,
    )
