"""Rendered resources and patches in, changed resources out."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from semafor import ir
from semafor.base import xds
from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.base.xds import Resource, Resources
from semafor.envoy.check import Checker
from semafor.envoy.patch import clusters, listeners, merge, routes, values
from semafor.envoy.patch.values import Decoded
from semafor.envoy.patch.work import Work
from semafor.envoy.pool import Pool, resource

Patches = tuple[ir.Patch, ...]
Remember = Callable[[Callable[[Any], Any], Any], Any]

MATCHES_NOTHING: Final = "MatchesNothing"
_ADDED: Final = {"LISTENER": xds.LISTENER, "CLUSTER": xds.CLUSTER, "EXTENSION_CONFIG": xds.EXTENSION}
_RESPONSE: Final = "envoy.service.discovery.v3.DeltaDiscoveryResponse"
_CHANGES: Final[dict[str, Callable[[Work, Any], Any]]] = {
    xds.CLUSTER: clusters.change,
    xds.LISTENER: listeners.change,
    xds.ROUTES: routes.change,
}


class Patched(Value):
    """What a proxy gets, and what is wrong with its patches."""

    resources: Resources
    problems: tuple[Problem, ...]


class _Changed(Value):
    """One resource after its patches (None: removed); those that found something in it; what is wrong with them."""

    resource: Resource | None
    used: frozenset[ir.Patch]
    problems: tuple[Problem, ...] = ()


class _Part(Value):
    """The same for all resources of one type: those that are changed by name, and the names of those that are gone."""

    changed: dict[str, Resource]
    gone: frozenset[str]
    used: frozenset[ir.Patch]
    problems: tuple[Problem, ...]


class Patcher:
    """`remember` keeps results of functions by their argument, so that equal work is done once."""

    def __init__(self, pool: Pool, checker: Checker, remember: Remember) -> None:
        self._pool = pool
        self._checker = checker
        self._remember = remember

    def apply(self, rendered: Resources, plan: ir.Plan) -> Patched:
        """The resources of the plan with its patches applied. The mesh's own DNS is nobody's to change."""
        if not plan.patches:
            return Patched(rendered, ())
        sound = tuple(patch for patch in plan.patches if self._is_sound(patch))
        found = [problem for patch in plan.patches for problem in self.decode(patch).problems]
        parts = {type_url: self._part(rendered, type_url, names, sound) for type_url, names in _names(plan).items()}
        by_type = {type_url: rendered.named(type_url) for type_url in rendered.types}
        for type_url, part in parts.items():
            found += part.problems
            if part.used:
                kept = {name: one for name, one in by_type[type_url].items() if name not in part.gone}
                by_type[type_url] = {**kept, **part.changed}
        for added in self._additions(sound):
            by_type[added.type_url] = {**by_type.get(added.type_url, {}), added.name: added}
        used = {patch for part in parts.values() for patch in part.used}
        idle = (patch for patch in sound if patch not in used and not _adds(patch) and patch.apply_to != "BOOTSTRAP")
        return Patched(Resources(by_type), (*found, *(_matches_nothing(patch) for patch in idle)))

    def _part(self, rendered: Resources, type_url: str, names: list[str], patches: Patches) -> "_Part":
        known = rendered.named(type_url)
        return self._remember(self._changes, (tuple(known[name] for name in names), patches))  # type: ignore[no-any-return]

    def _changes(self, what: tuple[tuple[Resource, ...], Patches]) -> "_Part":
        resources, patches = what
        made = {one: self._changed(one, patches) for one in resources}
        changed = {one.name: made[one].resource for one in resources if made[one].used}
        return _Part(
            changed={name: one for name, one in changed.items() if one is not None},
            gone=frozenset(name for name, one in changed.items() if one is None),
            used=frozenset(patch for each in made.values() for patch in each.used),
            problems=tuple(dict.fromkeys(problem for each in made.values() for problem in each.problems)),
        )

    def bootstrap(self, document: bytes, patches: Patches) -> bytes:
        """What an Envoy starts with, with the patches for that merged into it; one that does not fit is left out."""
        message = self._pool.parse(values.TYPES["BOOTSTRAP"], json.loads(document))
        own = [patch for patch in patches if patch.apply_to == "BOOTSTRAP" and self._is_sound(patch)]
        for patch in own:
            made = type(message).FromString(message.SerializeToString())
            merge.merge(made, self._value(patch))
            if not self._checker.violations(made):
                message = made
        return json.dumps(self._pool.document(message), separators=(",", ":")).encode() if own else document

    def decode(self, patch: ir.Patch) -> Decoded:
        """What the patch carries, and what is wrong with it whoever gets it."""
        return self._remember(self._decode, patch)  # type: ignore[no-any-return]

    def _decode(self, patch: ir.Patch) -> Decoded:
        return values.decode(self._pool, self._checker, patch)

    def _is_sound(self, patch: ir.Patch) -> bool:
        return patch.operation == "REMOVE" or self.decode(patch).message is not None

    def _value(self, patch: ir.Patch) -> Any:
        return self.decode(patch).message

    def _additions(self, patches: Patches) -> Iterator[Resource]:
        for patch in patches:
            if _adds(patch):
                yield resource(self._value(patch).name, self._value(patch))

    def _changed(self, one: Resource, patches: Patches) -> _Changed:
        about = tuple(patch for patch in patches if _concerns(patch, one.type_url, one.name))
        if not about:
            return _Changed(one, frozenset())
        return self._remember(self._change, (one, about))  # type: ignore[no-any-return]

    def _change(self, what: tuple[Resource, Patches]) -> _Changed:
        """The resource with its patches; one that makes what Envoy refuses is left out."""
        one, patches = what
        used, message, wrong = self._tried(one, patches)
        if not wrong:
            return _Changed(self._framed(one, message, changed=bool(used)), used)
        for culprit in [patch for patch in patches if patch in used]:
            others = tuple(patch for patch in patches if patch is not culprit)
            rest, message, still = self._tried(one, others)
            if not still:
                done = self._framed(one, message, changed=bool(rest))
                return _Changed(done, rest | {culprit}, (values.refused(culprit, wrong),))
        return _Changed(one, used, tuple(values.refused(patch, wrong) for patch in patches if patch in used))

    def _tried(self, one: Resource, patches: Patches) -> tuple[frozenset[ir.Patch], Any, tuple[str, ...]]:
        response = self._pool(_RESPONSE).FromString(one.frame)
        type_ = self._pool.message(one.type_url.rpartition("/")[2])
        work = Work(self._pool, self._value, patches)
        message = _CHANGES[one.type_url](work, type_.FromString(response.resources[0].resource.value))
        wrong = self._checker.violations(message) if message is not None and work.used else ()
        return frozenset(work.used), message, wrong

    def _framed(self, one: Resource, message: Any, *, changed: bool) -> Resource | None:
        if not changed:
            return one
        return resource(one.name, message) if message is not None else None


def _names(plan: ir.Plan) -> Mapping[str, list[str]]:
    """What patches may change: everything that the plan names."""
    return {
        xds.CLUSTER: [node.name for node in plan.clusters],
        xds.LISTENER: [node.name for node in plan.listeners],
        xds.ROUTES: [node.name for node in plan.routes],
    }


def _adds(patch: ir.Patch) -> bool:
    return patch.operation == "ADD" and patch.apply_to in _ADDED


def _concerns(patch: ir.Patch, type_url: str, name: str) -> bool:
    match type_url:
        case xds.CLUSTER:
            return clusters.concerns(patch, name)
        case xds.LISTENER:
            return listeners.concerns(patch, name)
        case _:
            return routes.concerns(patch, name, "outbound")


def _matches_nothing(patch: ir.Patch) -> Problem:
    return Problem(
        ref=patch.origin.ref,
        path=f"{patch.origin.path}.match",
        reason=MATCHES_NOTHING,
        message=f"no {patch.apply_to} of any proxy that the object is for is as the match asks, so nothing is changed",
        fix="compare the names with those that the proxies have: semafor proxy-config",
    )
