"""Which virtual host and which of its routes take a request.

Source: Envoy's reference of VirtualHost and RouteMatch.
"""

from typing import NamedTuple

from semafor.explain import matching
from semafor.explain.request import Request
from semafor.explain.story import Tried
from semafor.ir import Route, RouteTable, VirtualHost


class Chosen(NamedTuple):
    """The routes that take the request, each with its share in per cent; what does not take it, or comes too late."""

    taken: tuple[tuple[Route, float], ...]
    before: tuple[Tried, ...]
    later: tuple[Tried, ...]
    left: float


def virtual_host(table: RouteTable, authority: str) -> tuple[VirtualHost, str] | None:
    """The virtual host and its domain that fits: the exact one, then the longest `*.suffix`, then `*`."""
    name = authority.lower()
    if table.any_port:
        name = name.partition(":")[0]
    wanted = [name, *(f"*{name[start:]}" for start in range(1, len(name))), "*"]
    domains = {domain.lower(): host for host in table.hosts for domain in host.domains}
    return next(((domains[domain], domain) for domain in wanted if domain in domains), None)


def choose(host: VirtualHost, request: Request) -> Chosen:
    """Go through the routes in their order. One that takes a part of the requests leaves the rest to those behind."""
    taken: list[tuple[Route, float]] = []
    before, later, left = [], [], 100.0
    for route in host.routes:
        reason = matching.refusal(route.match, request)
        if left and not reason:
            share = left * route.match.percent / 100
            taken.append((route, share))
            left -= share
        elif left:
            before.append(_tried(route, reason))
        elif not reason:
            later.append(_tried(route, "it would take the request, but one before it does"))
    return Chosen(tuple(taken), tuple(before), tuple(later), left)


def _tried(route: Route, reason: str) -> Tried:
    return Tried(rule=route.origin, name=route.name, match=matching.words(route.match), reason=reason)
