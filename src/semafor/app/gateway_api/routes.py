"""Statuses of routes: an entry for each parent of ours, beside those that other controllers keep. Pure."""

from collections.abc import Iterator
from typing import Any

from semafor.app.gateway_api import conditions
from semafor.planner.gateway_api import attach, backends, check, verdict
from semafor.planner.gateway_api.attach import Outcome
from semafor.planner.gateway_api.gateway import CONTROLLERS
from semafor.planner.gateway_api.route import Route
from semafor.planner.gateway_api.verdict import Verdict
from semafor.planner.mesh import Mesh

Doc = dict[str, Any]

OURS = frozenset({*CONTROLLERS, attach.MESH_CONTROLLER})
_TYPES = frozenset({"Accepted", "ResolvedRefs", "PartiallyInvalid"})
_SAME = ("group", "kind", "namespace", "name", "sectionName", "port")


def of(obj: Doc, mesh: Mesh, route: Route, now: str) -> Doc:
    """The new status of the stored route."""
    old = obj.get("status") or {}
    before = old.get("parents") or []
    written = obj["spec"].get("parentRefs") or []
    resolved = _resolved(mesh, route)
    entries = [entry for entry in before if entry.get("controllerName") not in OURS]
    for outcome in attach.attachments(mesh).outcomes.get(route.ref, ()):
        if outcome.parent.index >= len(written):
            continue  # the stored route is newer than the planned one, which will come
        parent = written[outcome.parent.index]
        known: Doc = next((each for each in before if _is(each, parent, outcome.controller)), {})
        new = list(_conditions(route, outcome, resolved))
        entries.append(
            {
                "parentRef": parent,
                "controllerName": outcome.controller,
                "conditions": conditions.merged(known.get("conditions") or (), new, route.generation, now, ours=_TYPES),
            }
        )
    return {**old, "parents": entries}


def _is(entry: Doc, parent: Doc, controller: str) -> bool:
    ref = entry.get("parentRef") or {}
    return entry.get("controllerName") == controller and all(ref.get(key) == parent.get(key) for key in _SAME)


def _conditions(route: Route, outcome: Outcome, resolved: Verdict) -> Iterator[Doc]:
    yield conditions.condition("Accepted", verdict.noted(outcome.accepted, route.problems))
    yield conditions.condition("ResolvedRefs", resolved)
    wrong = [rule for rule in route.rules if rule.wrong]
    if outcome.accepted.holds and wrong:
        names = ", ".join(f"{rule.origin.path} ({rule.wrong})" for rule in wrong)
        told = Verdict(holds=True, reason="UnsupportedValue", message=f"Dropped Rule: {names}")
        yield conditions.condition("PartiallyInvalid", told)


def _resolved(mesh: Mesh, route: Route) -> Verdict:
    """The first reference that leads nowhere decides."""
    for target, port, place in check.references(route):
        found = backends.resolve(mesh, route, target, port)
        if found.reason:
            return verdict.refused(found.reason, f"{place.path}: {found.message}")
    return verdict.resolved()
