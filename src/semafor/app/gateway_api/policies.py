"""Statuses of BackendTLSPolicies: an entry for each Gateway whose routes lead to their Services. Pure."""

from typing import Any

from semafor.app.gateway_api import conditions, routes
from semafor.planner.gateway_api import backend_tls, verdict
from semafor.planner.gateway_api.backend_tls import State
from semafor.planner.mesh import Mesh

Doc = dict[str, Any]

_TYPES = frozenset({"Accepted", "ResolvedRefs"})
_MOST = 16  # entries, as the definition limits them


def of(old: Doc, mesh: Mesh, state: State, now: str) -> Doc:
    """The new status of the policy; entries of other controllers stay."""
    before = old.get("ancestors") or []
    entries = [entry for entry in before if entry.get("controllerName") not in routes.OURS]
    new = [
        conditions.condition("Accepted", verdict.noted(state.accepted, state.policy.problems)),
        conditions.condition("ResolvedRefs", state.resolved),
    ]
    for outcome in backend_tls.ancestors(mesh, state.policy):
        ref = outcome.parent.ref
        ancestor = {"group": ref.group, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name}
        known: Doc = next((each for each in before if each.get("ancestorRef") == ancestor), {})
        entries.append(
            {
                "ancestorRef": ancestor,
                "controllerName": outcome.controller,
                "conditions": conditions.merged(
                    known.get("conditions") or (), new, state.policy.generation, now, ours=_TYPES
                ),
            }
        )
    return {**old, "ancestors": entries[:_MOST]}
