"""TrafficTargets as authorization: who may call a workload that is one's destination.

A service account that no TrafficTarget names as its destination takes every call; one that is named takes the calls
that its TrafficTargets allow, and no others. Source: SMI's Traffic Access Control.
"""

from collections.abc import Iterator, Mapping

from semafor.base import names
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Condition, Guard, Origin, RouteMatch, Rule, StringMatch
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.proxy import Workload
from semafor.planner.services.instances import Key
from semafor.planner.smi.specs import PortGroup, RouteGroup
from semafor.resources.smi import access as smi

_REQUESTS, _PORTS = "HTTPRouteGroup", "TCPRoute"
_SUBJECT = "ServiceAccount"

Conditions = tuple[Condition, ...]


class Reference(Value):
    """A kind of traffic that a target allows, by the name of the object that describes it."""

    kind: str
    key: Key
    matches: tuple[str, ...]
    origin: Origin


class TrafficTarget(Value, cache_hash=True):
    """`sources` may call the service account `destination`, at `port` (a number or a name) if one is given."""

    destination: Key
    sources: tuple[Key, ...]
    references: tuple[Reference, ...]
    port: str
    origin: Origin
    problems: tuple[Problem, ...] = ()


class Specs(Value):
    """The objects that describe traffic."""

    groups: Mapping[Key, RouteGroup]
    ports: Mapping[Key, PortGroup]


def read(document: smi.TrafficTarget) -> TrafficTarget | None:
    """The object as a value, wherever its version has the fields; None for one that targets nobody.

    SMI leaves it to the cluster's own rules who may write a target for whom. Here one has effect in its own namespace
    only: it takes rights away from all whom it does not name.
    """
    meta, spec = document.metadata, document.spec
    destination = spec.destination or document.destination
    if destination is None:
        return None
    place = "spec" if spec.destination else ""
    ref = ObjectRef(kind="TrafficTarget", namespace=meta.namespace, name=meta.name, group=smi.KIND.group)
    origin = Origin(ref=ref, path=place)
    sources = (*spec.sources, *document.sources)
    rules = (("rules", spec.rules), ("specs", document.specs))
    references = [_reference(rule, at(origin, f"{name}[{i}]")) for name, each in rules for i, rule in enumerate(each)]
    return TrafficTarget(
        destination=_key(destination, meta.namespace) if destination.kind == _SUBJECT else ("", ""),
        sources=tuple(_key(source, meta.namespace) for source in sources if source.kind == _SUBJECT),
        references=tuple(references),
        port=str(destination.port or ""),
        origin=origin,
        problems=tuple(_mistakes(destination, sources, references, origin)),
    )


def _key(subject: smi.IdentityBindingSubject, namespace: str) -> Key:
    return (subject.namespace or namespace, subject.name)


def _reference(rule: smi.TrafficTargetRule, origin: Origin) -> Reference:
    return Reference(kind=rule.kind, key=(origin.ref.namespace, rule.name), matches=rule.matches, origin=origin)


def _mistakes(
    destination: smi.IdentityBindingSubject,
    sources: tuple[smi.IdentityBindingSubject, ...],
    references: list[Reference],
    origin: Origin,
) -> Iterator[Problem]:
    if destination.kind != _SUBJECT:
        yield problems.value_not_supported(at(origin, "destination.kind"), destination.kind, _SUBJECT)
    elif _key(destination, origin.ref.namespace)[0] != origin.ref.namespace:
        yield problems.foreign_target(at(origin, "destination.namespace"), destination.namespace)
    for index, source in enumerate(sources):
        if source.kind != _SUBJECT:
            yield problems.value_not_supported(at(origin, f"sources[{index}].kind"), source.kind, _SUBJECT)
    for reference in references:
        if reference.kind not in (_REQUESTS, _PORTS):
            place = at(reference.origin, "kind")
            yield problems.value_not_supported(place, reference.kind, f"{_REQUESTS}, {_PORTS}")


def targeting(targets: Mapping[Key, TrafficTarget], workload: Workload) -> tuple[TrafficTarget, ...]:
    """The targets that have effect on the workload, sorted by name."""
    account = (workload.namespace, workload.service_account)
    found = (targets[key] for key in sorted(targets))
    return tuple(one for one in found if one.destination == account and one.origin.ref.namespace == account[0])


def guard(
    targets: tuple[TrafficTarget, ...], specs: Specs, workload: Workload, trust_domains: tuple[str, ...]
) -> Guard | None:
    """Who may call the workload; None where everybody may."""
    if not targets:
        return None
    rules = (_rule(target, specs, workload, trust_domains) for target in targets)
    names = tuple(str(target.origin.ref) for target in targets)
    return Guard(action="allow", rules=tuple(rule for rule in rules if rule), policies=names)


def _rule(target: TrafficTarget, specs: Specs, workload: Workload, trust_domains: tuple[str, ...]) -> Rule | None:
    """What one target allows; None where that is nothing at all, because it names no one or nothing that is there."""
    identities = (names.spiffe_id(*source, domain) for source in target.sources for domain in trust_domains)
    values = tuple(StringMatch(kind="exact", value=identity) for identity in identities)
    what = tuple(_what(target, specs, workload))
    if not values or not what:
        return None
    who = ((Condition(on="identity", values=values),),)
    return Rule(name=str(target.origin.ref), who=who, what=() if () in what else what, origin=target.origin)


def _what(target: TrafficTarget, specs: Specs, workload: Workload) -> Iterator[Conditions]:
    """The kinds of traffic that are allowed. TCPRoutes limit the ports, HTTPRouteGroups the requests at these ports."""
    ports = _ports(target, specs, workload)
    if ports is None:
        return
    if not any(reference.kind != _PORTS for reference in target.references):
        yield ports
    for reference in target.references:
        if reference.kind == _REQUESTS and reference.key in specs.groups:
            for match in specs.groups[reference.key].named(reference.matches):
                yield (*_conditions(match), *ports)


def _ports(target: TrafficTarget, specs: Specs, workload: Workload) -> Conditions | None:
    """A condition on the port; none where every port is allowed, None where no port is."""
    named = [reference for reference in target.references if reference.kind == _PORTS]
    found = [specs.ports[reference.key].ports for reference in named if reference.key in specs.ports]
    if named and not found:
        return None
    allowed = {port for ports in found for port in ports} if all(found) else set()
    conditions = [_port_condition(tuple(sorted(allowed)))] if allowed else []
    if target.port:
        number = int(target.port) if target.port.isdigit() else dict(workload.ports).get(target.port, 0)
        conditions.append(_port_condition((number,)))
    return tuple(conditions)


def _port_condition(ports: tuple[int, ...]) -> Condition:
    return Condition(on="port", values=tuple(StringMatch(kind="exact", value=str(port)) for port in ports))


def _conditions(match: RouteMatch) -> Iterator[Condition]:
    if not match.path.is_any:
        yield Condition(on="path", values=(StringMatch(kind="regex", value=match.path.value),))
    for header in match.headers:
        assert header.value is not None
        if header.name == ":method":
            yield Condition(on="method", values=(header.value,))
        else:
            yield Condition(on="header", name=header.name, values=(header.value,))


def check(target: TrafficTarget, specs: Specs) -> Iterator[Problem]:
    """What is wrong with the target: with itself, and with what it refers to."""
    yield from target.problems
    for reference in target.references:
        place = at(reference.origin, "name")
        if reference.kind == _REQUESTS:
            yield from _check_requests(reference, specs)
        elif reference.kind == _PORTS and reference.key not in specs.ports:
            yield problems.unknown_traffic(place, _PORTS, "/".join(reference.key))


def _check_requests(reference: Reference, specs: Specs) -> Iterator[Problem]:
    group = specs.groups.get(reference.key)
    if group is None:
        yield problems.unknown_traffic(at(reference.origin, "name"), _REQUESTS, "/".join(reference.key))
        return
    known = {one.name for one in group.traffic}
    for index, name in enumerate(reference.matches):
        if name not in known:
            place = at(reference.origin, f"matches[{index}]")
            yield problems.unknown_traffic(place, f"match {name} of the {_REQUESTS}", "/".join(reference.key))
