"""Steps of VirtualServices as routes of the plan, and the route of a service without any."""

from msgspec.structs import replace

from semafor.ir import (
    Destination,
    DirectResponse,
    Fail,
    Forward,
    HashKey,
    Redirect,
    Retry,
    Route,
    RouteMatch,
)
from semafor.planner import clusters, http_action, layering, resolve
from semafor.planner.mesh import Mesh
from semafor.planner.service import Port, Service
from semafor.planner.step import Step
from semafor.planner.view import View
from semafor.planner.virtual_service import VirtualService

_NOWHERE = "nowhere"  # no cluster has this name


def default(mesh: Mesh, view: View, service: Service, port: Port) -> Route:
    """The route of requests that no VirtualService takes."""
    rule = mesh.rule(service.host, view.namespace, service.namespace)
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
        return view.takes(step.source, port) and resolve.live(mesh, view.namespace, step, port)

    counted = layering.chosen(services, mesh.options.several_virtual_services)
    return routes(mesh, view, layering.layer(counted, takes), port)


def routes(mesh: Mesh, view: View, steps: tuple[Step, ...], port: int) -> tuple[Route, ...]:
    """The steps as routes, in their order."""
    return tuple(_route(mesh, view, step, port) for step in steps)


def _route(mesh: Mesh, view: View, step: Step, port: int) -> Route:
    return Route(
        name=step.name,
        match=step.match,
        action=_action(mesh, view, step, port),
        request=step.request,
        response=step.response,
        origin=step.origin,
    )


def _action(mesh: Mesh, view: View, step: Step, port: int) -> Forward | Redirect | DirectResponse | Fail:
    will = step.will
    if will.answer:
        return will.answer
    if will.redirect:
        return http_action.redirect_at(will.redirect, port, to_request_port=will.redirect_to_request_port)
    return _forward(mesh, view, step, port)


def _forward(mesh: Mesh, view: View, step: Step, port: int) -> Forward | Fail:
    """Forward to the live destinations; a share that has none goes to the others."""
    keys: list[HashKey] = []
    destinations = []
    for target in resolve.weighted(step):
        found = resolve.destination(mesh, view.namespace, target, port)
        if target.failure or (found.cluster and (found.live or not mesh.options.hold)):
            keys += [found.hash_key] if found.hash_key else []
            destinations.append(
                Destination(
                    cluster=found.cluster or _NOWHERE,
                    weight=target.weight or 1,
                    request=target.request,
                    response=target.response,
                    host=target.authority,
                    origin=target.origin,
                )
            )
    if not destinations:
        return Fail(reason=_why(mesh, view, step, port))
    return Forward(
        destinations=tuple(destinations),
        timeout_s=step.will.timeout_s,
        retry=_retry(step.will.retry, sticky=bool(keys) and len(step.will.targets) == 1),
        rewrite=step.rewrite,
        hash_keys=tuple(dict.fromkeys(keys)),
        failure=next((target.failure for target in step.will.targets if target.failure), 503),
    )


def _retry(retry: Retry | None, *, sticky: bool) -> Retry | None:
    """With a consistent hash, going to another host would defeat it. Source: Istio's ConvertPolicy."""
    return replace(retry, other_hosts=False) if retry and sticky else retry


def _why(mesh: Mesh, view: View, step: Step, port: int) -> str:
    wrong = list(resolve.mistakes(mesh, view.namespace, step, port))
    return str(wrong[0]) if wrong else f"{step.origin}: all weights are 0"
