"""Steps of VirtualServices as routes of the plan, and the route of a service without any."""

from collections.abc import Iterator
from typing import Literal

from msgspec.structs import replace

from semafor.ir import (
    Destination,
    DirectResponse,
    Fail,
    Forward,
    HashKey,
    HeaderOps,
    Mirror,
    Redirect,
    Retry,
    Rewrite,
    Route,
    RouteMatch,
)
from semafor.planner.calling import clusters
from semafor.planner.calling.view import View
from semafor.planner.mesh import Mesh
from semafor.planner.routes import http_action, layering, resolve
from semafor.planner.routes.step import Step, Target
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.services.service import Port, Service

_NOWHERE = "nowhere"  # no cluster has this name

Scheme = Literal["http", "https"]


def default(mesh: Mesh, view: View, service: Service, port: Port) -> Route:
    """The route of requests that no VirtualService takes."""
    rule = mesh.rule(service.host, view.namespace, service.namespace, view.labels)
    key = clusters.hash_key(rule, port)
    action = Forward(
        destinations=(Destination(cluster=clusters.name(service, port)),),
        retry=_retry(http_action.DEFAULT_RETRY, sticky=key is not None),
        hash_keys=(key,) if key else (),
    )
    return Route(name="default", match=RouteMatch(), action=action, origin=service.origin)


def of(mesh: Mesh, view: View, services: tuple[VirtualService, ...], port: int) -> tuple[Route, ...]:
    """The routes that the VirtualServices of one host have for these callers at this port, in order."""

    def takes(step: Step) -> bool:
        return view.takes(step.source, port) and resolve.live(mesh, view.namespace, step, port, view.labels)

    counted = layering.chosen(services, mesh.options.several_virtual_services)
    return routes(mesh, view, layering.layer(counted, takes), port)


def routes(mesh: Mesh, view: View, steps: tuple[Step, ...], port: int, *, scheme: Scheme = "http") -> tuple[Route, ...]:
    """The steps as routes, in their order. Requests come in by `scheme`, which redirections may keep."""
    return tuple(_route(mesh, view, _redirected(step, port, scheme), port) for step in steps)


def _redirected(step: Step, port: int, scheme: Scheme) -> Step:
    """The step with the redirection of requests that came in at this port, if it has one."""
    will = step.will
    if will.redirect is None:
        return step
    found = http_action.redirect_at(will.redirect, port, scheme, to_request_port=will.redirect_to_request_port)
    return replace(step, will=replace(will, redirect=found))


def _route(mesh: Mesh, view: View, step: Step, port: int) -> Route:
    return Route(
        name=step.name,
        match=step.match,
        action=_action(mesh, view, step, port),
        request=_with_sole_target(step.request, [target.request for target in step.will.targets]),
        response=_with_sole_target(step.response, [target.response for target in step.will.targets]),
        fault=step.will.fault if step.will.redirect is None else None,
        cors=step.will.cors,
        stat_prefix=step.stat_prefix,
        origin=step.origin,
    )


def _action(mesh: Mesh, view: View, step: Step, port: int) -> Forward | Redirect | DirectResponse | Fail:
    will = step.will
    if will.answer:
        return will.answer
    if will.redirect:
        return will.redirect
    return _forward(mesh, view, step, port)


def _forward(mesh: Mesh, view: View, step: Step, port: int) -> Forward | Fail:
    """Forward to the live destinations; a share that has none goes to the others."""
    keys: list[HashKey] = []
    destinations = []
    several = len(step.will.targets) > 1
    for target in resolve.weighted(step):
        found = resolve.destination(mesh, view.namespace, target, port, view.labels)
        if target.failure or (found.cluster and (found.live or not mesh.options.hold)):
            keys += [found.hash_key] if found.hash_key else []
            destinations.append(
                Destination(
                    cluster=found.cluster or _NOWHERE,
                    weight=target.weight or 1,
                    request=target.request if several else HeaderOps(),
                    response=target.response if several else HeaderOps(),
                    host=target.authority if several else "",
                    origin=target.origin,
                )
            )
    if not destinations:
        return Fail(reason=_why(mesh, view, step, port))
    return Forward(
        destinations=tuple(destinations),
        timeout_s=step.will.timeout_s,
        retry=_retry(step.will.retry, sticky=bool(keys) and not several, said=step.will.retry_avoids_hosts),
        mirrors=tuple(_mirrors(mesh, view, step, port)),
        rewrite=step.rewrite if several else _with_authority(step.rewrite, step.will.targets),
        hash_keys=tuple(dict.fromkeys(keys)),
        failure=next((target.failure for target in step.will.targets if target.failure), 503),
    )


def _mirrors(mesh: Mesh, view: View, step: Step, port: int) -> Iterator[Mirror]:
    """The destinations of copies that are live; a copy that nobody gets harms nobody."""
    for mirrored in step.will.mirrors:
        found = resolve.destination(mesh, view.namespace, mirrored.target, port, view.labels)
        if found.cluster and (found.live or not mesh.options.hold):
            yield Mirror(cluster=found.cluster, percent=mirrored.percent, origin=mirrored.target.origin)


def _with_authority(rewrite: Rewrite, targets: tuple[Target, ...]) -> Rewrite:
    """With the authority that the only destination sets, unless the route sets one. As Istio's processDestination."""
    return replace(rewrite, host=rewrite.host or targets[0].authority)


def _with_sole_target(own: HeaderOps, targets: list[HeaderOps]) -> HeaderOps:
    """The route's changes of headers, with those of its only destination, which win.

    Source: Istio's processDestination. Of several destinations Envoy makes the changes first, so the route's win.
    """
    if len(targets) != 1:
        return own
    (target,) = targets
    replaced = {name.lower() for name, _ in target.set}
    return HeaderOps(
        remove=tuple(dict.fromkeys((*own.remove, *target.remove))),
        set=(*(pair for pair in own.set if pair[0].lower() not in replaced), *target.set),
        add=(*(pair for pair in own.add if pair[0].lower() not in replaced), *target.add),
    )


def _retry(retry: Retry | None, *, sticky: bool, said: bool | None = None) -> Retry | None:
    """With a consistent hash, going to another host would defeat it. Source: Istio's ConvertPolicy."""
    avoids = not sticky if said is None else said
    return retry if retry is None or avoids else replace(retry, other_hosts=False)


def _why(mesh: Mesh, view: View, step: Step, port: int) -> str:
    wrong = list(resolve.mistakes(mesh, view.namespace, step, port))
    return str(wrong[0]) if wrong else f"{step.origin}: all weights are 0"
