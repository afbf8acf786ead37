"""The tcp and tls routes of a VirtualService as steps. Source: Istio's reference, TCPRoute and TLSRoute."""

import ipaddress
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from semafor.base import names
from semafor.base.problem import Problem
from semafor.ir import Origin
from semafor.planner.checks import problems, refused
from semafor.planner.checks.problems import at
from semafor.planner.routes import http_route
from semafor.planner.routes.step import L4Step, Source, Target
from semafor.resources.istio import virtual_service as istio

Match = istio.TLSMatchAttributes | istio.L4MatchAttributes

_IMPLEMENTED = ("sni_hosts", "destination_subnets", "port", "source_labels", "gateways", "source_namespace")
_ANY = istio.L4MatchAttributes()


def tcp(routes: Iterable[istio.TCPRoute], origin: Origin) -> Iterator[L4Step]:
    """The steps of the routes, in order: one for each match."""
    for index, route in enumerate(routes):
        place = at(origin, f"tcp[{index}]")
        targets = _targets(route.route, place)
        if not route.match:
            yield _step(_ANY, place, targets)
        yield from _steps(route.match, place, targets)


def tls(routes: Iterable[istio.TLSRoute], origin: Origin) -> Iterator[L4Step]:
    """The steps of the routes, in order: one for each match."""
    for index, route in enumerate(routes):
        place = at(origin, f"tls[{index}]")
        yield from _steps(route.match, place, _targets(route.route, place))


def check(spec: istio.VirtualServiceSpec, origin: Origin) -> Iterator[Problem]:
    """What is wrong with the routes, whatever the mesh looks like."""
    for kind in ("tcp", "tls"):
        for index, route in enumerate(getattr(spec, kind)):
            place = at(origin, f"{kind}[{index}]")
            if len(route.route) > 1 and not any(item.weight for item in route.route):
                yield problems.no_weight(at(place, "route"))
            for number, match in enumerate(route.match):
                yield from _check(match, at(place, f"match[{number}]"))


def _check(match: Match, origin: Origin) -> Iterator[Problem]:
    yield from refused.fields(match, origin, *_IMPLEMENTED)
    for index, subnet in enumerate(match.destination_subnets):
        if not _network(subnet):
            place = at(origin, f"destinationSubnets[{index}]")
            yield problems.invalid(place, f"{subnet!r} is no network", "write one such as 10.0.0.0/8")


def _steps(matches: Iterable[Match], origin: Origin, targets: tuple[Target, ...]) -> Iterator[L4Step]:
    """One for each match; a match with a mistake takes nothing rather than too much."""
    for index, match in enumerate(matches):
        if all(_network(subnet) for subnet in match.destination_subnets):
            yield _step(match, at(origin, f"match[{index}]"), targets)


def _step(match: Match, origin: Origin, targets: tuple[Target, ...]) -> L4Step:
    sni = match.sni_hosts if isinstance(match, istio.TLSMatchAttributes) else ()
    return L4Step(
        origin=origin,
        source=Source(
            gateways=tuple(names.gateway(gateway, origin.ref.namespace) for gateway in match.gateways),
            namespace=match.source_namespace,
            labels=tuple(sorted(match.source_labels.items())),
            port=match.port,
        ),
        targets=targets,
        server_names=() if "*" in sni else tuple(name.lower() for name in sni),
        ranges=tuple(_network(subnet) for subnet in match.destination_subnets),
    )


def _network(subnet: str) -> str:
    """The network in its one spelling; empty when it is none."""
    try:
        return str(ipaddress.ip_network(subnet, strict=False))
    except ValueError:
        return ""


def _targets(items: tuple[istio.RouteDestination, ...], origin: Origin) -> tuple[Target, ...]:
    return tuple(
        replace(http_route.target(item.destination, at(origin, f"route[{index}]")), weight=item.weight)
        for index, item in enumerate(items)
    )
