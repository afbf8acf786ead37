"""HTTPRouteGroup and TCPRoute as values. Source: SMI's Traffic Specs."""

from collections.abc import Iterator, Mapping
from typing import Any

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import HeaderMatch, Origin, PathMatch, RouteMatch, StringMatch
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.routes import http_match
from semafor.resources.smi import specs as smi

_EVERY_PATH = ("", ".*", "/.*")
_AUTHORITY = "host"  # Envoy knows the header by its name in HTTP/2


class Traffic(Value):
    """Requests with a name."""

    name: str
    match: RouteMatch


class RouteGroup(Value, cache_hash=True):
    """The kinds of requests that one HTTPRouteGroup names. One with a mistake is left out: it takes nothing."""

    origin: Origin
    traffic: tuple[Traffic, ...]
    problems: tuple[Problem, ...] = ()

    def named(self, names: tuple[str, ...]) -> tuple[RouteMatch, ...]:
        """The requests of these names; of all when there are none."""
        return tuple(one.match for one in self.traffic if not names or one.name in names)


class PortGroup(Value, cache_hash=True):
    """The ports that one TCPRoute names; none means all."""

    origin: Origin
    ports: tuple[int, ...]


def read_group(document: smi.HTTPRouteGroup) -> RouteGroup:
    """The group, wherever its version has the matches."""
    meta, found = document.metadata, []
    ref = ObjectRef(kind="HTTPRouteGroup", namespace=meta.namespace, name=meta.name, group=smi.HTTP_ROUTE_GROUP.group)
    wrong: list[Problem] = []
    for place, matches in (("spec.matches", document.spec.matches), ("matches", document.matches)):
        for index, match in enumerate(matches):
            mistakes = list(_check(match, Origin(ref=ref, path=f"{place}[{index}]")))
            wrong += mistakes
            if not mistakes:
                found.append(Traffic(name=match.name, match=_match(match)))
    return RouteGroup(origin=Origin(ref=ref, path="spec"), traffic=tuple(found), problems=tuple(wrong))


def read_ports(document: smi.TCPRoute) -> PortGroup:
    """The ports, sorted."""
    meta, matches = document.metadata, document.spec.matches
    ref = ObjectRef(kind="TCPRoute", namespace=meta.namespace, name=meta.name, group=smi.TCP_ROUTE.group)
    return PortGroup(origin=Origin(ref=ref, path="spec"), ports=tuple(sorted(matches.ports)) if matches else ())


def _match(match: smi.HTTPMatch) -> RouteMatch:
    headers = [_header(name, regex) for name, regex in _headers(match.headers)]
    return RouteMatch(path=_path(match.path_regex), headers=(*sorted(headers, key=_by_name), *_methods(match.methods)))


def _path(regex: str) -> PathMatch:
    """SMI ties an expression to the beginning of the path and leaves its end open."""
    if regex in _EVERY_PATH:
        return PathMatch()
    return PathMatch(kind="regex", value=f"(?:{regex}).*")


def _methods(methods: tuple[str, ...]) -> tuple[HeaderMatch, ...]:
    if not methods or "*" in methods:
        return ()
    wanted = StringMatch(kind="exact" if len(methods) == 1 else "regex", value="|".join(methods))
    return (HeaderMatch(name=":method", value=wanted),)


def _headers(headers: Any) -> tuple[tuple[str, str], ...]:
    """The pairs: a map since v1alpha4, a list of maps before."""
    maps = headers if isinstance(headers, list | tuple) else [headers] if headers else []
    return tuple((name, regex) for each in maps if isinstance(each, Mapping) for name, regex in each.items())


def _header(name: str, regex: str) -> HeaderMatch:
    name = name.lower()
    return HeaderMatch(
        name=":authority" if name == _AUTHORITY else name, value=StringMatch(kind="regex", value=str(regex))
    )


def _by_name(header: HeaderMatch) -> str:
    return header.name


def _check(match: smi.HTTPMatch, origin: Origin) -> Iterator[Problem]:
    """Expressions that Envoy would refuse together with everybody else's routes."""
    for place, regex in (("pathRegex", match.path_regex), *((f"headers[{n}]", r) for n, r in _headers(match.headers))):
        if why := http_match.regex_error(str(regex)):
            yield problems.invalid(at(origin, place), f"{regex!r} is not a regular expression: {why}")
