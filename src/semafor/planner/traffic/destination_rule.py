"""DestinationRules: which apply to a host for callers of one namespace, and what they say together."""

from collections.abc import Iterator

from semafor.base import names
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin
from semafor.planner import hosts
from semafor.planner.checks import problems, refused
from semafor.planner.checks.problems import at
from semafor.planner.hosts import Age
from semafor.planner.proxy import Labels
from semafor.planner.traffic import policy
from semafor.planner.traffic.policy import Policy
from semafor.resources.istio import destination_rule as istio
from semafor.resources.meta.meta import ObjectMeta


class Subset(Value):
    """A part of a host's instances, by their labels, with what differs in its policy."""

    name: str
    labels: Labels
    policy: Policy
    origin: Origin


class DestinationRule(Value, cache_hash=True):
    """One object, or several of one namespace and host merged into one.

    `selector` is None where the rule is for all callers, else it is for those of its namespace with these labels.
    """

    host: str
    policy: Policy
    subsets: tuple[Subset, ...]
    export_to: tuple[str, ...]
    age: Age
    origin: Origin
    policy_origin: Origin | None = None
    selector: Labels | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Every policy of the rule, those of its subsets and single ports included."""
        whole = (self.policy, *(subset.policy for subset in self.subsets))
        return (*whole, *(settings for each in whole for _, settings in each.ports))

    def is_for(self, namespace: str, labels: Labels) -> bool:
        """Whether callers of the namespace with these labels are meant."""
        if self.selector is None:
            return True
        return self.origin.ref.namespace == namespace and set(self.selector) <= set(labels)

    def subset(self, name: str) -> Subset | None:
        return next((subset for subset in self.subsets if subset.name == name), None)


def read(meta: ObjectMeta, spec: istio.DestinationRuleSpec) -> DestinationRule:
    """The object as a value, without a look at others."""
    ref = ObjectRef(kind="DestinationRule", namespace=meta.namespace, name=meta.name, group="networking.istio.io")
    origin = Origin(ref=ref, path="spec")
    own, found = policy.read(spec.traffic_policy, at(origin, "trafficPolicy"))
    subsets = [_subset(subset, at(origin, f"subsets[{index}]")) for index, subset in enumerate(spec.subsets)]
    others = refused.fields(spec, origin, "host", "traffic_policy", "subsets", "export_to", "workload_selector")
    return DestinationRule(
        host=names.qualify(spec.host, meta.namespace),
        policy=own,
        subsets=tuple(subset for subset, _ in subsets),
        export_to=tuple(spec.export_to),
        age=hosts.age(meta),
        origin=origin,
        policy_origin=at(origin, "trafficPolicy") if spec.traffic_policy else None,
        selector=_selector(spec),
        problems=(*others, *found, *(problem for _, problems in subsets for problem in problems)),
    )


def _selector(spec: istio.DestinationRuleSpec) -> Labels | None:
    wanted = spec.workload_selector
    return tuple(sorted(wanted.match_labels.items())) if wanted and wanted.match_labels else None


def _subset(subset: istio.Subset, origin: Origin) -> tuple[Subset, tuple[Problem, ...]]:
    own, found = policy.read(subset.traffic_policy, at(origin, "trafficPolicy"))
    labels = tuple(sorted(subset.labels.items()))
    return Subset(name=subset.name, labels=labels, policy=own, origin=origin), found


def merged(rules: tuple[DestinationRule, ...]) -> tuple[DestinationRule, tuple[Problem, ...]]:
    """Rules of one namespace and host as one: all their subsets, and the first traffic policy.

    Those with a selector stand above those without, then the older above the newer. A policy counts as a whole: what
    the first one does not say is not taken from the next.
    Source: Istio's mergeDestinationRule, and its "Merging destination rules": the oldest object wins.
    """
    first, *later = sorted(rules, key=lambda rule: (rule.selector is None, rule.age))
    found: list[Problem] = []
    for rule in later:
        if rule.selector == first.selector:
            found += _conflicts(first, rule)
        first = _joined(first, rule)
    return first, tuple(found)


def _conflicts(first: DestinationRule, rule: DestinationRule) -> Iterator[Problem]:
    """What both say, so that it has no effect in the second."""
    known = {subset.name: subset for subset in first.subsets}
    for subset in rule.subsets:
        if subset.name in known:
            yield problems.duplicate_subset(subset.origin, subset.name, known[subset.name].origin)
    if rule.policy_origin and first.policy_origin:
        yield problems.duplicate_policy(rule.policy_origin, first.policy_origin)


def _joined(first: DestinationRule, rule: DestinationRule) -> DestinationRule:
    known = {subset.name for subset in first.subsets}
    speaker = first if first.policy_origin else rule
    return DestinationRule(
        host=first.host,
        policy=speaker.policy,
        subsets=first.subsets + tuple(subset for subset in rule.subsets if subset.name not in known),
        export_to=first.export_to,
        age=first.age,
        origin=first.origin,
        policy_origin=speaker.policy_origin,
        selector=first.selector,
    )


def choose(rules: tuple[DestinationRule, ...], namespaces: tuple[str, ...]) -> DestinationRule | None:
    """What applies: of the first of `namespaces` that has one of the rules, those with the most specific host.

    `rules` are those that cover the host and that the caller may see. `namespaces` are the caller's, the service's and
    the root's, in this order. Source: Istio's reference of DestinationRule and its "Cross namespace configuration".
    """
    for namespace in namespaces:
        local = [rule for rule in rules if rule.origin.ref.namespace == namespace]
        if local:
            best = max(local, key=lambda rule: hosts.specificity(rule.host)).host
            return merged(tuple(rule for rule in local if rule.host == best))[0]
    return None
