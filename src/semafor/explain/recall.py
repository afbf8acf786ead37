"""Which route took a request that has been: what its proxy has written, held against the plan.

A log does not tell every header, so a route that asks for one it does not tell may or may not have taken the request.
What it does tell (the cluster, the route's name, the status) says which; where it leaves several, all are told.
"""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from semafor.explain import actions, matching, outbound, targets
from semafor.explain.entry import Entry
from semafor.explain.request import Caller, Request
from semafor.explain.story import Outcome, Tried, Way
from semafor.ir import Forward, HeaderMatch, Plan, Route, RouteMatch, VirtualHost

_HTTP_PORT = 80
_FAULT = "FI"
_ANY = RouteMatch()


def request(entry: Entry, *, secure: bool = False) -> Request:
    """The request as far as the entry tells it."""
    host, _, port = entry.authority.partition(":")
    address, _, local_port = entry.downstream_local.rpartition(":")
    number = int(local_port) if local_port.isdigit() else int(port) if port.isdigit() else _HTTP_PORT
    if secure and port.isdigit():
        number = int(port)
    return Request(
        host=host,
        port=number,
        method=entry.method,
        path=entry.path,
        headers=tuple((name, value) for name, value in entry.headers if not name.startswith(":")),
        scheme="https" if secure else "http",
        server_name=entry.server_name or host,
        protocols=("h2", "http/1.1") if secure else (),
        address=address.strip("[]"),
    )


def way(plan: Plan, entry: Entry, *, at_edge: bool = False) -> tuple[Way, tuple[Tried, ...]]:
    """The way that it took, and routes that may have taken it as well, each with what the request had to have then.

    Without outcomes no route of the plan is like what was written: the plan was another one then.
    """
    asked = request(entry, secure=at_edge and bool(entry.server_name))
    if at_edge:
        asked = replace(asked, at_port=asked.port)
        begun = outbound.entrance(plan, asked, Caller(name="outside"))
    else:
        begun = outbound.way(plan, asked)
    if any(host.https_only for host in _hosts(plan, begun, entry)[:1]):
        return begun, ()
    fitting = [each for each in _possible(_hosts(plan, begun, entry), asked, entry) if _fits(plan, each, asked, entry)]
    if not fitting:
        return replace(begun, before=(), later=(), judged=(), outcomes=_nowhere(begun, entry)), ()
    chosen = next((each for each in fitting if not each.unknown), fitting[0])
    told = replace(
        begun,
        virtual_host=chosen.host.name,
        domain=begun.domain if chosen.host.name == begun.virtual_host else chosen.host.domains[0],
        before=tuple(_passed(chosen, asked, entry)),
        later=(),
        judged=(),
        outcomes=tuple(_outcomes(plan, chosen.route, asked)),
    )
    return told, tuple(_tried(each) for each in fitting if each is not chosen)


class _Candidate(NamedTuple):
    """A route that may have taken the request, and its tests of which nothing is known."""

    host: VirtualHost
    route: Route
    unknown: tuple[HeaderMatch, ...]


def _hosts(plan: Plan, begun: Way, entry: Entry) -> tuple[VirtualHost, ...]:
    """The virtual host of the name, then those that put this name in place of another: it is logged as changed."""
    hosts = [host for table in plan.routes if table.name == begun.table for host in table.hosts]
    named = [host for host in hosts if host.name == begun.virtual_host]
    renaming = [host for host in hosts if host not in named and any(_renames(each, entry) for each in host.routes)]
    return (*named, *renaming)


def _renames(route: Route, entry: Entry) -> bool:
    """Whether requests leave the route with the entry's host."""
    return isinstance(route.action, Forward) and entry.authority in (
        route.action.rewrite.host,
        *(each.host for each in route.action.destinations),
        *(value for name, value in route.request.set if name == ":authority"),
        *(value for each in route.action.destinations for name, value in each.request.set if name == ":authority"),
    )


def _possible(hosts: tuple[VirtualHost, ...], asked: Request, entry: Entry) -> Iterator[_Candidate]:
    """The routes that may have taken it, in their order."""
    for host in hosts:
        for route in host.routes:
            unknown, known = _tests(route, entry)
            if matching.refusal(replace(route.match, headers=known), asked):
                continue
            yield _Candidate(host, route, unknown)
            if not unknown and route.match.percent >= 100:
                break


def _tests(route: Route, entry: Entry) -> tuple[tuple[HeaderMatch, ...], tuple[HeaderMatch, ...]]:
    """The route's tests of headers of which the entry tells nothing, and the others."""
    renamed = _renames(route, entry)
    known = tuple(
        test for test in route.match.headers if _is_known(test, entry) and not (renamed and test.name == ":authority")
    )
    return tuple(test for test in route.match.headers if test not in known), known


def _is_known(test: HeaderMatch, entry: Entry) -> bool:
    """Whether the format names the header; one that is named and was not there is not among the entry's."""
    return not test.claim and (test.name.startswith(":") or test.name.lower() in entry.logged)


def _fits(plan: Plan, candidate: _Candidate, asked: Request, entry: Entry) -> bool:
    """Whether what was written is what the route does."""
    route = candidate.route
    if "route" in entry.logged and (entry.route or route.name) and entry.route != route.name:
        return False
    return any(_is_like(each, entry) for each in _outcomes(plan, route, asked))


def _is_like(outcome: Outcome, entry: Entry) -> bool:
    if outcome.status:
        return outcome.status == entry.status and not entry.is_answered_upstream
    if "cluster" not in entry.logged or (not entry.cluster and "NC" in entry.flags):
        return True
    return entry.cluster in {each.cluster for each in outcome.targets} and _FAULT not in entry.flags


def _outcomes(plan: Plan, route: Route, asked: Request) -> Iterator[Outcome]:
    yield from actions.outcomes(targets.known(plan), route, 100.0, asked)


def _nowhere(begun: Way, entry: Entry) -> tuple[Outcome, ...]:
    """That nothing took it is what the plan says too."""
    is_nowhere = not entry.cluster and entry.status == 404
    return tuple(each for each in begun.outcomes if is_nowhere and each.rule is None and each.status == entry.status)


def _passed(taken: _Candidate, asked: Request, entry: Entry) -> Iterator[Tried]:
    """The routes before the one that took it, and why they did not."""
    for route in taken.host.routes:
        if route is taken.route:
            return
        unknown, known = _tests(route, entry)
        reason = matching.refusal(replace(route.match, headers=known), asked)
        if not reason and unknown:
            lacking = matching.words(replace(_ANY, headers=unknown))
            reason = f"it would have done something else, so the request did not have {lacking} (which no log tells)"
        elif not reason:
            reason = "it would have done something else, and takes a part of the requests only"
        yield Tried(rule=route.origin, name=route.name, match=matching.words(route.match), reason=reason)


def _tried(candidate: _Candidate) -> Tried:
    route, lacking = candidate.route, candidate.unknown
    reason = "it leads there too, and takes a part of the requests"
    if lacking:
        reason = f"it leads there too, if the request had {matching.words(replace(_ANY, headers=lacking))}"
    return Tried(rule=route.origin, name=route.name, match=matching.words(route.match), reason=reason)
