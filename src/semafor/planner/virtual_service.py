"""VirtualServices as values: what the document says, without a look at the mesh or at who asks."""

from semafor.base import names
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import DirectResponse, Fail, Origin
from semafor.planner import hosts, http_action, http_match, refused
from semafor.planner.hosts import Age
from semafor.planner.problems import at
from semafor.planner.step import L4Step, Source, Step, Target, Will
from semafor.resources.istio import virtual_service as istio
from semafor.resources.meta.meta import ObjectMeta

MESH = "mesh"

_ROUTE_FIELDS = (
    "name",
    "match",
    "route",
    "redirect",
    "direct_response",
    "rewrite",
    "timeout",
    "retries",
    "headers",
)


class VirtualService(Value, cache_hash=True):
    """One object; `hosts`, `gateways` and the `destinations` of all steps are in full."""

    hosts: tuple[str, ...]
    gateways: tuple[str, ...]
    export_to: tuple[str, ...]
    age: Age
    steps: tuple[Step, ...]
    destinations: tuple[str, ...]
    origin: Origin
    tcp: tuple[L4Step, ...] = ()
    tls: tuple[L4Step, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def in_mesh(self) -> bool:
        """Whether sidecars use it."""
        return not self.gateways or MESH in self.gateways


def read(meta: ObjectMeta, spec: istio.VirtualServiceSpec) -> VirtualService:
    """The object as a value."""
    ref = ObjectRef(kind="VirtualService", namespace=meta.namespace, name=meta.name, group="networking.istio.io")
    origin = Origin(ref=ref, path="spec")
    found = list(refused.fields(spec, origin, "hosts", "gateways", "http", "export_to"))
    steps: list[Step] = []
    for index, route in enumerate(spec.http):
        own_steps, mistakes = _route(route, at(origin, f"http[{index}]"))
        steps += own_steps
        found += mistakes
    return VirtualService(
        hosts=tuple(names.qualify(host, meta.namespace) for host in spec.hosts),
        gateways=tuple(names.gateway(name, meta.namespace) for name in spec.gateways),
        export_to=tuple(spec.export_to),
        age=hosts.age(meta),
        steps=tuple(steps),
        destinations=tuple(sorted({target.host for step in steps for target in step.will.targets})),
        origin=origin,
        problems=tuple(found),
    )


def _route(route: istio.HTTPRoute, origin: Origin) -> tuple[list[Step], list[Problem]]:
    """The route's steps, one for each match; a match with a mistake takes nothing rather than too much."""
    mistakes = [*refused.fields(route, origin, *_ROUTE_FIELDS), *http_action.check(route, origin)]
    will = Will(
        answer=_answer(route, mistakes),
        redirect=http_action.redirect(route.redirect) if route.redirect else None,
        redirect_to_request_port=route.redirect is not None and route.redirect.derive_port == "FROM_REQUEST_PORT",
        targets=tuple(_target(item, at(origin, f"route[{index}]")) for index, item in enumerate(route.route)),
        timeout_s=http_action.seconds(route.timeout) or 0.0,
        retry=http_action.retry(route.retries),
    )
    if not route.match:
        return [_step(route, istio.HTTPMatchRequest(), origin, will)], mistakes
    steps = []
    for index, match in enumerate(route.match):
        place = at(origin, f"match[{index}]")
        wrong = tuple(http_match.check(match, place))
        mistakes += wrong
        if not wrong:
            steps.append(_step(route, match, place, will))
    return steps, mistakes


def _answer(route: istio.HTTPRoute, mistakes: list[Problem]) -> DirectResponse | Fail | None:
    """What the route answers by itself, be it with its mistake; None when it forwards or redirects."""
    invalid = [problem for problem in mistakes if problem.reason == "Invalid"]
    if invalid:
        return Fail(reason=str(invalid[0]))
    if route.direct_response:
        return http_action.direct_response(route.direct_response)
    if not route.route and not route.redirect:
        return Fail(reason=str(mistakes[0]))
    return None


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
    )


def _source(match: istio.HTTPMatchRequest, namespace: str) -> Source:
    return Source(
        gateways=tuple(names.gateway(name, namespace) for name in match.gateways),
        namespace=match.source_namespace,
        labels=tuple(sorted(match.source_labels.items())),
        port=match.port or 0,
    )


def _target(item: istio.HTTPRouteDestination, origin: Origin) -> Target:
    headers, destination = item.headers or istio.Headers(), item.destination
    return Target(
        host=names.qualify(destination.host, origin.ref.namespace),
        short=destination.host,
        subset=destination.subset,
        port=destination.port.number if destination.port else 0,
        weight=item.weight,
        request=http_action.operations(headers.request),
        response=http_action.operations(headers.response),
        authority=http_action.authority(item.headers),
        origin=origin,
    )
