"""One http route of a VirtualService as steps. Source: Istio's reference, HTTPRoute."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from semafor.base import names
from semafor.base.problem import Problem
from semafor.ir import DirectResponse, Fail, Origin
from semafor.planner.checks import refused
from semafor.planner.checks.problems import at
from semafor.planner.routes import http_action, http_cors, http_fault, http_match
from semafor.planner.routes.step import Mirrored, Source, Step, Target, Will
from semafor.resources.istio import virtual_service as istio

# A route, and where it is written.
Written = tuple[istio.HTTPRoute, Origin]


@dataclass(frozen=True, eq=False)
class Routes:
    """Routes as they are written: documents hold maps, so they are told apart by being another object."""

    written: tuple[Written, ...] = ()


_IMPLEMENTED = (
    "name",
    "match",
    "route",
    "redirect",
    "direct_response",
    "delegate",
    "rewrite",
    "timeout",
    "retries",
    "fault",
    "mirror",
    "mirrors",
    "mirror_percent",
    "mirror_percent_old",
    "mirror_percentage",
    "cors_policy",
    "headers",
)


# Where a destination that is a field of the route itself has its own fields.
_DIRECT: dict[str, Any] = {"host_path": "host", "port_path": "port", "subset_path": "subset"}


def check(route: istio.HTTPRoute, origin: Origin) -> Iterator[Problem]:
    """What is wrong with the route, whatever the mesh looks like."""
    yield from refused.fields(route, origin, *_IMPLEMENTED)
    yield from _check_actions(route, origin)
    for index, match in enumerate(route.match):
        yield from http_match.check(match, at(origin, f"match[{index}]"))


def steps(routes: Iterable[Written]) -> tuple[Step, ...]:
    """The steps of the routes, in order. Those that delegate have none of their own."""
    return tuple(step for route, origin in routes if not route.delegate for step in _steps(route, origin))


def _check_actions(route: istio.HTTPRoute, origin: Origin) -> Iterator[Problem]:
    yield from http_action.check(route, origin)
    if route.fault:
        yield from http_fault.check(route.fault, at(origin, "fault"))
    if route.cors_policy:
        yield from http_cors.check(route.cors_policy, at(origin, "corsPolicy"))


def _steps(route: istio.HTTPRoute, origin: Origin) -> Iterator[Step]:
    """One for each match; a match with a mistake takes nothing rather than too much."""
    will = _will(route, origin)
    if not route.match:
        yield _step(route, istio.HTTPMatchRequest(), origin, will)
    for index, match in enumerate(route.match):
        place = at(origin, f"match[{index}]")
        if not any(http_match.check(match, place)):
            yield _step(route, match, place, will)


def _will(route: istio.HTTPRoute, origin: Origin) -> Will:
    retries = route.retries
    return Will(
        answer=_answer(route, origin),
        redirect=http_action.redirect(route.redirect) if route.redirect else None,
        redirect_to_request_port=route.redirect is not None and route.redirect.derive_port == "FROM_REQUEST_PORT",
        targets=tuple(_target(item, at(origin, f"route[{index}]")) for index, item in enumerate(route.route)),
        timeout_s=http_action.seconds(route.timeout) or 0.0,
        retry=http_action.retry(retries),
        retry_avoids_hosts=retries.retry_ignore_previous_hosts if retries else None,
        mirrors=tuple(_mirrors(route, origin)),
        fault=http_fault.read(route.fault),
        cors=http_cors.read(route.cors_policy),
    )


def _answer(route: istio.HTTPRoute, origin: Origin) -> DirectResponse | Fail | None:
    """What the route answers by itself, be it with its mistake; None when it forwards or redirects."""
    invalid = [problem for problem in _check_actions(route, origin) if problem.reason == "Invalid"]
    if invalid:
        return Fail(reason=str(invalid[0]))
    return http_action.direct_response(route.direct_response) if route.direct_response else None


def _step(route: istio.HTTPRoute, match: istio.HTTPMatchRequest, origin: Origin, will: Will) -> Step:
    headers = route.headers or istio.Headers()
    return Step(
        origin=origin,
        name=f"{route.name}.{match.name}" if match.name else route.name,
        match=http_match.read(match),
        source=_source(match, origin.ref.namespace),
        will=will,
        rewrite=http_action.rewrite(route.rewrite, http_action.authority(route.headers)),
        request=http_action.operations(headers.request),
        response=http_action.operations(headers.response),
        stat_prefix=match.stat_prefix,
    )


def _source(match: istio.HTTPMatchRequest, namespace: str) -> Source:
    return Source(
        gateways=tuple(names.gateway(gateway, namespace) for gateway in match.gateways),
        namespace=match.source_namespace,
        labels=tuple(sorted(match.source_labels.items())),
        port=match.port or 0,
    )


def _target(item: istio.HTTPRouteDestination, origin: Origin) -> Target:
    headers = item.headers or istio.Headers()
    return target(
        item.destination,
        origin,
        weight=item.weight,
        request=http_action.operations(headers.request),
        response=http_action.operations(headers.response),
        authority=http_action.authority(item.headers),
    )


def target(destination: istio.Destination, origin: Origin, **others: Any) -> Target:
    """The destination that is written at `origin`, with the other fields of a target."""
    known = Target(
        host=names.qualify(destination.host, origin.ref.namespace),
        short=destination.host,
        subset=destination.subset,
        port=destination.port.number if destination.port else 0,
        origin=origin,
    )
    return replace(known, **others)


def _mirrors(route: istio.HTTPRoute, origin: Origin) -> Iterator[Mirrored]:
    if route.mirror and (share := http_action.mirror_share(route)):
        yield Mirrored(target=replace(target(route.mirror, at(origin, "mirror")), **_DIRECT), percent=share)
    for index, mirror in enumerate(route.mirrors):
        share = mirror.percentage.value if mirror.percentage else 100.0
        if share:
            place = at(origin, f"mirrors[{index}]")
            yield Mirrored(target=target(mirror.destination, place), percent=share)
