"""AuthorizationPolicy: who may do what with a workload.

A request is refused when a CUSTOM policy takes it whose provider says no, or when a DENY policy takes it; else, where
there are ALLOW policies, when none of them does. AUDIT policies refuse nothing.
Source: Istio's reference of AuthorizationPolicy.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec.structs import replace

from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Authorizer, Conditions, Guard, Origin, Rule
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.proxy import Workload
from semafor.planner.security import conditions, selecting
from semafor.planner.security.selecting import Scope
from semafor.planner.services.instances import Key
from semafor.resources.istio import authorization_policy as istio

Action = Literal["allow", "deny", "ask", "log"]
_ACTIONS: dict[str, Action] = {"ALLOW": "allow", "DENY": "deny", "AUDIT": "log", "CUSTOM": "ask"}
_DRY_RUN = "istio.io/dry-run"
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})  # Go's strconv.ParseBool, which Istio uses
# What a rule is called whose provider can not be asked, and that of one who is. Source: Istio's names.
_BAD = "-deny-due-to-bad-CUSTOM-action"
_ASKED = "istio-ext-authz-"


class AuthorizationPolicy(Value, cache_hash=True):
    """One object. `provider` is who is asked, for the action "ask"."""

    scope: Scope
    action: Action
    dry_run: bool
    rules: tuple[Rule, ...]
    origin: Origin
    problems: tuple[Problem, ...] = ()
    provider: str = ""


def read(document: istio.AuthorizationPolicy) -> AuthorizationPolicy:
    """The object as a value."""
    meta, spec = document.metadata, document.spec
    ref = ObjectRef(kind=istio.KIND.kind, namespace=meta.namespace, name=meta.name, group=istio.KIND.group)
    origin = Origin(ref=ref, path="spec")
    return AuthorizationPolicy(
        scope=selecting.scope(meta.namespace, spec.selector, (*spec.target_refs, spec.target_ref)),
        action=_ACTIONS[spec.action],
        dry_run=meta.annotations.get(_DRY_RUN) in _TRUE,
        rules=tuple(
            _rule(rule, at(origin, f"rules[{index}]"), index, refuses=spec.action in ("DENY", "CUSTOM"))
            for index, rule in enumerate(spec.rules)
        ),
        origin=origin,
        problems=tuple(_mistakes(document, origin)),
        provider=spec.provider.name if spec.provider else "",
    )


def _mistakes(document: istio.AuthorizationPolicy, origin: Origin) -> Iterator[Problem]:
    spec = document.spec
    if spec.action in ("CUSTOM", "AUDIT") and document.metadata.annotations.get(_DRY_RUN) in _TRUE:
        place = Origin(ref=origin.ref, path=f"metadata.annotations[{_DRY_RUN}]")
        why = f"a dry run of the action {spec.action} does nothing at all"
        yield problems.no_effect(place, why, "remove the annotation, or use ALLOW or DENY")
    yield from selecting.mistakes(spec.target_refs, origin, spec.target_ref)
    for index, rule in enumerate(spec.rules):
        for number, condition in enumerate(rule.when):
            if not conditions.is_known(condition.key):
                place = at(origin, f"rules[{index}].when[{number}].key")
                yield problems.value_not_supported(place, condition.key, "the keys of Istio's reference of conditions")


def _rule(rule: istio.AuthorizationRule, origin: Origin, index: int, *, refuses: bool) -> Rule:
    ref = origin.ref
    return Rule(
        name=f"ns[{ref.namespace}]-policy[{ref.name}]-rule[{index}]",  # Istio's form, which people look for
        who=_alternatives(
            _callers(rule, ref.namespace, refuses=refuses), _when(rule, conditions.CALLER, ref.namespace)
        ),
        what=_alternatives(
            _called(rule, ref.namespace, refuses=refuses), _when(rule, conditions.CALLED, ref.namespace)
        ),
        origin=origin,
    )


def _callers(rule: istio.AuthorizationRule, namespace: str, *, refuses: bool) -> Iterator[Conditions]:
    for one in rule.from_:
        source = one.source or istio.Source()
        yield tuple(conditions.of_fields(source, conditions.SOURCE, namespace, refuses=refuses))


def _called(rule: istio.AuthorizationRule, namespace: str, *, refuses: bool) -> Iterator[Conditions]:
    for one in rule.to:
        operation = one.operation or istio.Operation()
        yield tuple(conditions.of_fields(operation, conditions.OPERATION, namespace, refuses=refuses))


def _when(rule: istio.AuthorizationRule, words: dict[str, conditions.Word], namespace: str) -> Conditions:
    return tuple(found for one in rule.when for found in conditions.of_key(one, words, namespace))


def _alternatives(said: Iterable[Conditions], further: Conditions) -> tuple[Conditions, ...]:
    """Each of what was said, with the further conditions. One without any condition takes everything."""
    found = tuple((*each, *further) for each in said) or ((further,) if further else ())
    return () if () in found else found


def guards(
    policies: Mapping[Key, AuthorizationPolicy], root: str, workload: Workload, asked: Mapping[str, Authorizer]
) -> Iterator[Guard]:
    """What stands before the workload, in the order in which it decides. `asked` are the providers that can be asked.

    Differs from Istio: policies with several providers may be for one workload, each for what its own rules take.
    (In Istio 1.29 that takes a switch, without which what any of them takes is refused.)
    """
    own = covering(policies, root, workload)
    yield from _asking([each for each in own if each.action == "ask" and not each.dry_run], asked)
    for action in ("log", "deny", "allow"):
        for dry_run in (True, False):  # what is tried counts what is refused then, too
            found = [each for each in own if each.action == action and each.dry_run == dry_run]
            if found and (action == "allow" or any(each.rules for each in found)) and not (dry_run and action == "log"):
                yield Guard(action=action, rules=_rules(found), dry_run=dry_run, policies=_names(found))


def covering(policies: Mapping[Key, AuthorizationPolicy], root: str, workload: Workload) -> list[AuthorizationPolicy]:
    """The policies that are for the workload, sorted."""
    return [policies[key] for key in sorted(policies) if policies[key].scope.covers(workload, root)]


def _asking(policies: list[AuthorizationPolicy], asked: Mapping[str, Authorizer]) -> Iterator[Guard]:
    """A guard for each provider. One that can not be asked refuses: what it was to decide on does not pass."""
    for provider in sorted({policy.provider for policy in policies}):
        rules = _rules([policy for policy in policies if policy.provider == provider])
        if rules and provider in asked:
            named = tuple(replace(rule, name=_ASKED + rule.name) for rule in rules)
            yield Guard(action="ask", rules=named, authorizer=asked[provider])
        elif rules:
            yield Guard(action="deny", rules=tuple(replace(rule, name=rule.name + _BAD) for rule in rules))


def _names(policies: list[AuthorizationPolicy]) -> tuple[str, ...]:
    return tuple(f"{policy.origin.ref.namespace}/{policy.origin.ref.name}" for policy in policies)


def _rules(policies: list[AuthorizationPolicy]) -> tuple[Rule, ...]:
    return tuple(rule for policy in policies for rule in policy.rules)
