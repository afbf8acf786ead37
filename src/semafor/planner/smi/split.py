"""TrafficSplits as VirtualServices, so that they obey the same rules of who wins. Source: SMI's Traffic Split."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import lcm

from semafor.base import names
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin, RouteMatch
from semafor.planner import hosts
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.hosts import Age
from semafor.planner.routes import http_action
from semafor.planner.routes.step import L4Step, Source, Step, Target, Will
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.services.instances import Key
from semafor.planner.services.service import Service
from semafor.planner.smi.specs import RouteGroup
from semafor.resources import quantity
from semafor.resources.smi import split as smi

_GROUP = "HTTPRouteGroup"


class TrafficSplit(Value, cache_hash=True):
    """`groups` are the HTTPRouteGroups one of whose requests is split; without any, every request is."""

    host: str
    age: Age
    targets: tuple[Target, ...]
    groups: tuple[str, ...]
    origin: Origin
    problems: tuple[Problem, ...] = ()

    @property
    def keys(self) -> tuple[Key, ...]:
        """The groups, as tables know them."""
        return tuple((self.origin.ref.namespace, name) for name in self.groups)


def read(document: smi.TrafficSplit) -> TrafficSplit:
    """The object as a value. Raises ValueError for a weight that is no number."""
    meta, spec = document.metadata, document.spec
    ref = ObjectRef(kind="TrafficSplit", namespace=meta.namespace, name=meta.name, group=smi.KIND.group)
    origin = Origin(ref=ref, path="spec")
    return TrafficSplit(
        host=names.qualify(spec.service, meta.namespace),
        age=hosts.age(meta),
        targets=_targets(spec.backends, origin),
        groups=tuple(match.name for match in spec.matches if match.kind == _GROUP),
        origin=origin,
        problems=tuple(
            problems.value_not_supported(at(origin, f"matches[{index}].kind"), match.kind, _GROUP)
            for index, match in enumerate(spec.matches)
            if match.kind != _GROUP
        ),
    )


def _targets(backends: tuple[smi.TrafficSplitBackend, ...], origin: Origin) -> tuple[Target, ...]:
    """Whole weights in the same proportions: v1alpha1 has fractions, such as 900m."""
    shares = [quantity.parse(backend.weight) for backend in backends]
    unit = lcm(*(share.denominator for share in shares))
    return tuple(
        _target(backend, share * unit, at(origin, f"backends[{index}]"))
        for index, (backend, share) in enumerate(zip(backends, shares, strict=True))
    )


def _target(backend: smi.TrafficSplitBackend, weight: Fraction, origin: Origin) -> Target:
    return Target(
        host=names.qualify(backend.service, origin.ref.namespace),
        short=backend.service,
        subset="",
        port=0,
        weight=int(weight),
        origin=origin,
        same_port=True,
        host_path="service",
        port_path="service",
    )


def virtual_service(split: TrafficSplit, groups: Mapping[Key, RouteGroup], root: Service | None) -> VirtualService:
    """What the split says of the ports that its root service has, as a VirtualService of its age would."""
    ports = root.ports if root else ()
    carries_bytes = any(not port.protocol.is_http for port in ports)
    requests = not ports or any(port.protocol.is_routed for port in ports)
    steps = tuple(_step(split, match) for match in _matches(split, groups)) if requests else ()
    return VirtualService(
        hosts=(split.host,),
        gateways=(),
        export_to=(),
        age=split.age,
        steps=steps,
        tcp=tuple(_bytes(split)) if carries_bytes else (),
        destinations=tuple(sorted({target.host for target in split.targets})),
        origin=split.origin,
        problems=(*split.problems, *_unknown(split, groups)),
    )


def _matches(split: TrafficSplit, groups: Mapping[Key, RouteGroup]) -> Iterator[RouteMatch]:
    """Which requests are split: all, or those that one of the groups names. A group that is not there names none."""
    if not split.groups and not split.problems:
        yield RouteMatch()
    for key in split.keys:
        if key in groups:
            yield from groups[key].named(())


def _step(split: TrafficSplit, match: RouteMatch) -> Step:
    will = Will(targets=split.targets, retry=http_action.DEFAULT_RETRY)
    return Step(origin=split.origin, name=split.origin.ref.name, match=match, source=Source(), will=will)


def _bytes(split: TrafficSplit) -> Iterator[L4Step]:
    """Connections that carry bytes are split as well, where no requests are singled out."""
    if not split.groups and not split.problems:
        yield L4Step(origin=split.origin, source=Source(), targets=split.targets)


def _unknown(split: TrafficSplit, groups: Mapping[Key, RouteGroup]) -> Iterator[Problem]:
    for index, key in enumerate(split.keys):
        if key not in groups:
            yield problems.unknown_traffic(at(split.origin, f"matches[{index}].name"), _GROUP, "/".join(key))
