"""VirtualServices that hand requests over to others: the routes of both as one.

Source: Istio's reference, Delegate, and its mergeHTTPRoutes. A route of the delegate counts where its conditions are
a part of those of the route that delegates; where it says nothing of a field, it takes the other's.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from semafor.base.problem import Problem
from semafor.planner import hosts
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.routes import http_route, virtual_service
from semafor.planner.routes.http_route import Written
from semafor.planner.routes.virtual_service import VirtualService
from semafor.resources.istio import virtual_service as istio

Key = tuple[str, str]
Find = Callable[[Key], VirtualService | None]

_INHERITED = (
    "rewrite",
    "timeout",
    "retries",
    "fault",
    "mirror",
    "mirror_percent",
    "mirror_percent_old",
    "mirror_percentage",
    "cors_policy",
    "headers",
)
_TEXTS = ("uri", "scheme", "method", "authority")
_MAPS = ("headers", "without_headers", "query_params")


def named(root: VirtualService) -> tuple[Key, ...]:
    """The delegates that the object names, by namespace and name."""
    return tuple(_key(route.delegate, root) for route, _ in root.routes.written if route.delegate)


def joined(root: VirtualService, find: Find) -> VirtualService:
    """The object with the routes of its delegates in the place of those that hand over to them."""
    found: list[Problem] = []
    routes = tuple(_joined(root, find, found))
    steps = http_route.steps(routes)
    return replace(
        root,
        steps=steps,
        destinations=virtual_service.destinations(steps, (*root.tcp, *root.tls)),
        problems=(*root.problems, *found),
    )


def _key(delegate: istio.Delegate, root: VirtualService) -> Key:
    return (delegate.namespace or root.origin.ref.namespace, delegate.name)


def _joined(root: VirtualService, find: Find, found: list[Problem]) -> Iterator[Written]:
    """All routes in order. One whose delegate can not be used is as absent."""
    for route, place in root.routes.written:
        if not route.delegate:
            yield route, place
            continue
        delegate = find(_key(route.delegate, root))
        if wrong := _unusable(root, delegate):
            found.append(problems.delegate_unusable(at(place, "delegate"), _key(route.delegate, root), wrong))
        elif delegate:
            yield from _merged_routes((route, place), delegate, found)


def _unusable(root: VirtualService, delegate: VirtualService | None) -> str:
    """Why requests can not be handed over to it; empty if they can."""
    if delegate is None:
        return "there is no such VirtualService"
    if delegate.hosts:
        return "it has hosts of its own, and a delegate has none"
    if not hosts.visible(delegate.export_to, delegate.origin.ref.namespace, root.origin.ref.namespace):
        return "its exportTo does not name the namespace of this one"
    return ""


def _merged_routes(root: Written, delegate: VirtualService, found: list[Problem]) -> Iterator[Written]:
    for route, place in delegate.routes.written:
        if route.delegate:
            found.append(problems.delegate_delegates(at(place, "delegate")))
            continue
        matches = _merged_matches(root[0].match, route.match)
        if matches is None:
            found.append(problems.delegate_conflict(place, root[1]))
        else:
            yield _merged(root[0], route, matches), place


def _merged(
    root: istio.HTTPRoute, delegate: istio.HTTPRoute, matches: tuple[istio.HTTPMatchRequest, ...]
) -> istio.HTTPRoute:
    inherited = {field: getattr(root, field) for field in _INHERITED if getattr(delegate, field) is None}
    return replace(delegate, match=matches, name=_name(root.name, delegate.name), **inherited)


def _name(root: str, delegate: str) -> str:
    return f"{root}-{delegate}" if root and delegate else root or delegate


def _merged_matches(
    root: tuple[istio.HTTPMatchRequest, ...], delegate: tuple[istio.HTTPMatchRequest, ...]
) -> tuple[istio.HTTPMatchRequest, ...] | None:
    """The conditions of both; None when one of the delegate's fits none of the root's."""
    if not root or not delegate:
        return root or delegate
    merged = []
    for own in delegate:
        fitting = [_merged_match(other, own) for other in root if not _conflict(other, own)]
        if not fitting:
            return None
        merged += fitting
    return tuple(merged)


def _merged_match(root: istio.HTTPMatchRequest, own: istio.HTTPMatchRequest) -> istio.HTTPMatchRequest:
    """Both conditions as one. Who calls is a condition of the root's (Istio refuses it in a delegate)."""
    changes: dict[str, Any] = {field: getattr(own, field) or getattr(root, field) for field in _TEXTS}
    changes |= {field: {**getattr(root, field), **getattr(own, field)} for field in _MAPS}
    return replace(
        own,
        **changes,
        name=_name(root.name, own.name),
        port=own.port or root.port,
        stat_prefix=own.stat_prefix or root.stat_prefix,
        source_labels={**root.source_labels, **own.source_labels},
        source_namespace=own.source_namespace or root.source_namespace,
        gateways=own.gateways or root.gateways,
    )


def _conflict(root: istio.HTTPMatchRequest, own: istio.HTTPMatchRequest) -> bool:
    return (
        any(_texts_conflict(getattr(root, field), getattr(own, field)) for field in _TEXTS)
        or _any_conflict(root.headers, own.headers)
        or _any_conflict(root.headers, own.without_headers)
        or _any_conflict(root.query_params, own.query_params)
        or root.ignore_uri_case != own.ignore_uri_case
        or (root.port > 0 and own.port > 0 and root.port != own.port)
    )


def _any_conflict(root: Mapping[str, istio.StringMatch], own: Mapping[str, istio.StringMatch]) -> bool:
    return any(_texts_conflict(root.get(name), test) for name, test in own.items())


def _texts_conflict(root: istio.StringMatch | None, own: istio.StringMatch | None) -> bool:
    """Whether what passes the delegate's test might not pass the root's. Regular expressions cannot be compared."""
    if root is None or own is None:
        return False
    if root.regex or own.regex:
        return True
    if root.exact:
        return own.exact != root.exact
    if root.prefix:
        return not (own.prefix or own.exact or "").startswith(root.prefix)
    return True
