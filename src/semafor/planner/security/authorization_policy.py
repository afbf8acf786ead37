"""AuthorizationPolicy: who may do what with a workload.

A request is refused when a DENY policy takes it; else, where there are ALLOW policies, when none of them does.
Source: Istio's reference of AuthorizationPolicy.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Conditions, Guard, Origin, Rule
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.proxy import Workload
from semafor.planner.security import conditions, selecting
from semafor.planner.security.selecting import Scope
from semafor.planner.services.instances import Key
from semafor.resources.istio import authorization_policy as istio

Action = Literal["allow", "deny", "audit"]
# A provider that nobody can ask refuses: what it was to decide on does not pass.
_ACTIONS: dict[str, Action] = {"ALLOW": "allow", "DENY": "deny", "AUDIT": "audit", "CUSTOM": "deny"}
_DRY_RUN = "istio.io/dry-run"


class AuthorizationPolicy(Value, cache_hash=True):
    """One object."""

    scope: Scope
    action: Action
    dry_run: bool
    rules: tuple[Rule, ...]
    origin: Origin
    problems: tuple[Problem, ...] = ()


def read(document: istio.AuthorizationPolicy) -> AuthorizationPolicy:
    """The object as a value."""
    meta, spec = document.metadata, document.spec
    ref = ObjectRef(kind=istio.KIND.kind, namespace=meta.namespace, name=meta.name, group=istio.KIND.group)
    origin = Origin(ref=ref, path="spec")
    return AuthorizationPolicy(
        scope=selecting.scope(meta.namespace, spec.selector, (*spec.target_refs, spec.target_ref)),
        action=_ACTIONS[spec.action],
        dry_run=meta.annotations.get(_DRY_RUN) == "true",
        rules=tuple(_rule(rule, at(origin, f"rules[{index}]"), index) for index, rule in enumerate(spec.rules)),
        origin=origin,
        problems=tuple(_mistakes(spec, origin)),
    )


def _mistakes(spec: istio.AuthorizationPolicySpec, origin: Origin) -> Iterator[Problem]:
    if spec.action == "CUSTOM":
        yield problems.provider_not_supported(at(origin, "action"))
    if spec.action == "AUDIT":
        yield problems.value_not_supported(at(origin, "action"), "AUDIT", "ALLOW and DENY, or the dry-run annotation")
    yield from selecting.mistakes(spec.target_refs, origin)
    for index, rule in enumerate(spec.rules):
        for number, condition in enumerate(rule.when):
            if not conditions.is_known(condition.key):
                place = at(origin, f"rules[{index}].when[{number}].key")
                yield problems.value_not_supported(place, condition.key, "the keys of Istio's reference of conditions")


def _rule(rule: istio.AuthorizationRule, origin: Origin, index: int) -> Rule:
    ref = origin.ref
    return Rule(
        name=f"ns[{ref.namespace}]-policy[{ref.name}]-rule[{index}]",  # Istio's form, which people look for
        who=_alternatives(_callers(rule, ref.namespace), _when(rule, conditions.CALLER, ref.namespace)),
        what=_alternatives(_called(rule, ref.namespace), _when(rule, conditions.CALLED, ref.namespace)),
        origin=origin,
    )


def _callers(rule: istio.AuthorizationRule, namespace: str) -> Iterator[Conditions]:
    for one in rule.from_:
        yield tuple(conditions.of_fields(one.source or istio.Source(), conditions.SOURCE, namespace))


def _called(rule: istio.AuthorizationRule, namespace: str) -> Iterator[Conditions]:
    for one in rule.to:
        yield tuple(conditions.of_fields(one.operation or istio.Operation(), conditions.OPERATION, namespace))


def _when(rule: istio.AuthorizationRule, words: dict[str, conditions.Word], namespace: str) -> Conditions:
    return tuple(found for one in rule.when for found in conditions.of_key(one, words, namespace))


def _alternatives(said: Iterable[Conditions], further: Conditions) -> tuple[Conditions, ...]:
    """Each of what was said, with the further conditions. One without any condition takes everything."""
    found = tuple((*each, *further) for each in said) or ((further,) if further else ())
    return () if () in found else found


def guards(policies: Mapping[Key, AuthorizationPolicy], root: str, workload: Workload) -> Iterator[Guard]:
    """What stands before the workload, in the order in which it decides."""
    own = [policies[key] for key in sorted(policies) if policies[key].scope.covers(workload, root)]
    for action in ("deny", "allow"):
        for dry_run in (False, True):
            found = [each for each in own if each.action == action and each.dry_run == dry_run]
            if found and (action == "allow" or any(each.rules for each in found)):
                rules = tuple(rule for each in found for rule in each.rules)
                yield Guard(action=action, rules=rules, dry_run=dry_run)
