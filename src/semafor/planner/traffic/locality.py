"""localityLbSetting: near instances first, or shares of the traffic for each locality.

A locality is written `region/zone/sub-zone`; the end may be left out or be `*`.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import lcm
from typing import Protocol

from msgspec.structs import replace

from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import Endpoint, EndpointSet, Locality, LocalityEndpoints, Origin
from semafor.planner.checks import refused
from semafor.planner.proxy import Labels
from semafor.resources.istio import load_balancer as istio

Weights = tuple[tuple[str, int], ...]
TOPOLOGY_LABELS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")
_HOST_LABEL = "kubernetes.io/hostname"
_PRIORITIES = 5  # same sub-zone, zone, region, elsewhere, elsewhere and not the region that failover names


class LocalitySetting(Value):
    """Of `distribute` and the other two at most one side is set. Off, localities do not count at all."""

    enabled: bool = True
    distribute: tuple[tuple[str, Weights], ...] = ()
    failover: tuple[tuple[str, str], ...] = ()
    failover_priority: tuple[str, ...] = ()


DEFAULT = LocalitySetting()


def read(setting: istio.LocalityLoadBalancerSetting | None) -> LocalitySetting | None:
    if setting is None:
        return None
    return LocalitySetting(
        enabled=setting.enabled is not False,
        distribute=tuple((each.from_, tuple(sorted(each.to.items()))) for each in setting.distribute),
        failover=tuple((each.from_, each.to) for each in setting.failover),
        failover_priority=setting.failover_priority,
    )


def mistakes(setting: istio.LocalityLoadBalancerSetting, origin: Origin) -> Iterator[Problem]:
    """What has no effect."""
    yield from refused.fields(setting, origin, "enabled", "distribute", "failover", "failover_priority")


def label_names(setting: LocalitySetting) -> tuple[str, ...]:
    """The labels of callers that the setting compares with those of instances."""
    return tuple(entry.partition("=")[0] for entry in setting.failover_priority)


def as_labels(place: Locality, node: str) -> Labels:
    """Where a pod is, as labels that it counts as having. Source: Istio's AugmentLabels."""
    said = (*zip(TOPOLOGY_LABELS, (place.region, place.zone, place.sub_zone), strict=True), (_HOST_LABEL, node))
    return tuple((name, value) for name, value in said if value)


def weighted(setting: LocalitySetting, *, ejects: bool) -> bool:
    """Whether the weights of localities count. Source: Istio's applyLocalityLoadBalancer."""
    told = setting.failover or setting.failover_priority
    return setting.enabled and bool(setting.distribute or (ejects and told))


def applied(
    found: EndpointSet, setting: LocalitySetting, caller: "Caller", labels: "LabelsOf", *, ejects: bool
) -> EndpointSet:
    """The endpoints with weights and priorities as this caller is to see them.

    Priorities are for clusters that eject failing instances: without that, Envoy never leaves the first one.
    Source: Istio's ApplyLocalityLoadBalancer.
    """
    if not setting.enabled or not (setting.distribute or ejects):
        return found
    groups = found.localities
    if setting.distribute:
        groups = _distributed(groups, setting, caller.locality)
    elif setting.failover_priority:
        groups = tuple(part for group in groups for part in _by_labels(group, setting, caller.labels, labels))
    if not setting.distribute and (setting.failover or not setting.failover_priority):
        groups = tuple(_by_distance(group, setting, caller.locality) for group in groups)
    groups = _dense(groups)
    return replace(found, localities=_weighed(groups) if weighted(setting, ejects=ejects) else groups)


class Caller(Protocol):
    """Where a caller is, and those of its labels that some rule asks for."""

    @property
    def locality(self) -> Locality: ...
    @property
    def labels(self) -> Labels: ...


LabelsOf = Mapping[str, Labels]  # of instances, by address


def _distributed(
    groups: tuple[LocalityEndpoints, ...], setting: LocalitySetting, caller: Locality
) -> tuple[LocalityEndpoints, ...]:
    shares = next((to for source, to in setting.distribute if matches(caller, source)), None)
    if shares is None:
        return groups
    left, chosen = list(groups), []
    for pattern, share in shares:
        mine = [group for group in left if matches(group.locality, pattern)]
        left = [group for group in left if group not in mine]
        total = sum(_weight(group) for group in mine)
        chosen += [(group, Fraction(share * _weight(group), total)) for group in mine if share]
    whole = lcm(*(part.denominator for _, part in chosen))
    return tuple(replace(group, weight=int(part * whole)) for group, part in chosen)


def _by_labels(
    group: LocalityEndpoints, setting: LocalitySetting, caller: Labels, labels: LabelsOf
) -> Iterator[LocalityEndpoints]:
    """The group in parts, by how many of the labels in order the instances share with the caller."""
    parts: dict[int, list[Endpoint]] = {}
    for endpoint in group.endpoints:
        rank = _rank(setting.failover_priority, dict(caller), dict(labels.get(endpoint.address, ())))
        parts.setdefault(rank, []).append(endpoint)
    for rank in sorted(parts):
        yield replace(group, endpoints=tuple(parts[rank]), priority=rank)


def _rank(wanted: tuple[str, ...], caller: Mapping[str, str], own: Mapping[str, str]) -> int:
    """0 where all labels agree, one more for each that is not reached. `name=value` asks for this value instead."""
    for index, entry in enumerate(wanted):
        name, given, value = entry.partition("=")
        if own.get(name, "") != (value if given else caller.get(name, "")):
            return len(wanted) - index
    return 0


def _by_distance(group: LocalityEndpoints, setting: LocalitySetting, caller: Locality) -> LocalityEndpoints:
    return replace(group, priority=group.priority * _PRIORITIES + _distance(group.locality, setting, caller))


def _distance(there: Locality, setting: LocalitySetting, caller: Locality) -> int:
    if there.region == caller.region:
        if there.zone != caller.zone:
            return 2
        return 1 if there.sub_zone != caller.sub_zone else 0
    next_best = dict(reversed(setting.failover)).get(caller.region)
    return 3 if next_best in (None, there.region) else 4


def _dense(groups: tuple[LocalityEndpoints, ...]) -> tuple[LocalityEndpoints, ...]:
    """The same order of priorities without gaps, which Envoy refuses."""
    ranks = {priority: rank for rank, priority in enumerate(sorted({group.priority for group in groups}))}
    return tuple(sorted((replace(group, priority=ranks[group.priority]) for group in groups), key=_order))


def _weighed(groups: tuple[LocalityEndpoints, ...]) -> tuple[LocalityEndpoints, ...]:
    """Where weights count, every group has one: Envoy sends nothing to a group without."""
    return tuple(replace(group, weight=group.weight or _weight(group)) for group in groups)


def _weight(group: LocalityEndpoints) -> int:
    return sum(endpoint.weight for endpoint in group.endpoints)


def _order(group: LocalityEndpoints) -> tuple[int, str, str, str]:
    where = group.locality
    return group.priority, where.region, where.zone, where.sub_zone


def matches(locality: Locality, pattern: str) -> bool:
    """Whether the locality is the pattern's. Source: Istio's LocalityMatch."""
    if pattern in ("", "*"):
        return True
    parts = (locality.region, locality.zone, locality.sub_zone)
    for own, wanted in zip(parts, pattern.split("/"), strict=False):
        if wanted == "*":
            return True
        if own != wanted:
            return False
    return True


def parse(text: str) -> Locality:
    """A locality from a label: `region.zone.sub-zone`, because a label takes no `/`, or with slashes elsewhere."""
    parts = (text if "/" in text else text.replace(".", "/")).split("/")
    region, zone, sub_zone = (*parts, "", "")[:3]
    return Locality(region=region, zone=zone, sub_zone=sub_zone)
