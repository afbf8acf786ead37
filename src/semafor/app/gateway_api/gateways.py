"""Statuses of GatewayClasses, Gateways and ListenerSets. Pure: what is known in, the new status out."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from semafor.app import status as live
from semafor.app.gateway_api import conditions, features
from semafor.app.liveness import Count
from semafor.base.problem import ObjectRef, Problem
from semafor.planner.gateway_api import GROUP, verdict
from semafor.planner.gateway_api.attach import Attachments
from semafor.planner.gateway_api.gateway import Gateway, GatewayClass
from semafor.planner.gateway_api.listeners import GatewayState, SetState, State
from semafor.planner.gateway_api.verdict import Verdict

Doc = dict[str, Any]

_CLASS = frozenset({"Accepted", "SupportedVersion"})
_GATEWAY = frozenset({"Accepted", "Programmed", "ResolvedRefs", "InsecureFrontendValidationMode", live.LIVE})
_LISTENER = frozenset({"Accepted", "Programmed", "ResolvedRefs", "Conflicted", "OverlappingTLSConfig"})


class Known(NamedTuple):
    """What is known of a Gateway beside the mesh.

    `addresses` are types and values. `own` counts the Gateway's own proxies that have it: the others need not.
    """

    addresses: tuple[tuple[str, str], ...]
    own: Count
    problems: tuple[Problem, ...]
    now: str


def of_class(old: Doc, found: GatewayClass, now: str) -> Doc:
    """The status of a class of ours."""
    if found.parameters:
        why = f"{found.parameters} cannot be used: no kind of object has settings for a class"
        accepted = verdict.refused("InvalidParameters", why)
    else:
        accepted = verdict.accepted("Gateways of the class are served")
    version = Verdict(
        holds=True, reason="SupportedVersion", message=f"the Gateway API is served as of {features.VERSION}"
    )
    new = [conditions.condition("Accepted", accepted), conditions.condition("SupportedVersion", version)]
    return {
        **old,
        "conditions": conditions.merged(old.get("conditions") or (), new, found.generation, now, ours=_CLASS),
        "supportedFeatures": [{"name": name} for name in features.SUPPORTED],
    }


def of_gateway(old: Doc, state: GatewayState, attached: Attachments, known: Known) -> Doc:
    """The status of a Gateway of ours."""
    gateway = state.gateway
    programmed = _programmed(state, known)
    new = [
        conditions.condition("Accepted", verdict.noted(state.accepted, gateway.problems)),
        conditions.condition("Programmed", programmed),
        conditions.condition("ResolvedRefs", state.resolved),
        *_insecure(gateway),
        {"type": live.LIVE, **live.live(known.own, known.problems)},
    ]
    before = old.get("conditions") or ()
    fresh = {
        **old,
        "addresses": [{"type": type_, "value": value} for type_, value in known.addresses],
        "conditions": conditions.merged(before, new, gateway.generation, known.now, ours=_GATEWAY),
        "listeners": _listeners(old, state.listeners, attached, (gateway.generation, programmed, known.now)),
    }
    if gateway.sets.scope != "None" or state.sets:
        fresh["attachedListenerSets"] = sum(each.accepted.holds for each in state.sets)
    return fresh


def of_set(old: Doc, state: SetState, parent: GatewayState, attached: Attachments, known: Known) -> Doc:
    """The status of a ListenerSet of a Gateway of ours; `known` is of the Gateway."""
    added, programmed = state.listener_set, _programmed(parent, known)
    if not state.accepted.holds:
        programmed = verdict.refused(state.accepted.reason, state.accepted.message)
    accepted = verdict.noted(state.accepted, added.problems)
    new = [conditions.condition("Accepted", accepted), conditions.condition("Programmed", programmed)]
    before = old.get("conditions") or ()
    return {
        **old,
        "conditions": conditions.merged(before, new, added.generation, known.now, ours=_GATEWAY),
        "listeners": _listeners(old, state.listeners, attached, (added.generation, programmed, known.now)),
    }


def _programmed(state: GatewayState, known: Known) -> Verdict:
    if not state.accepted.holds:
        return verdict.refused("Invalid", state.accepted.message)
    wanted = {address.value for address in state.gateway.addresses if address.type == "IPAddress" and address.value}
    if lost := wanted - {value for _, value in known.addresses}:
        why = f"the address {', '.join(sorted(lost))} cannot be had"
        return verdict.refused("AddressNotUsable", why)
    if not known.addresses:
        return verdict.refused("AddressNotAssigned", "the Service of the Gateway has no address yet")
    if known.own.of == 0:
        return verdict.refused("Pending", "no Envoy of the Gateway is ready yet")
    if not known.own.have:
        return verdict.refused("Pending", "no Envoy of the Gateway has it yet")
    return Verdict(holds=True, reason="Programmed", message="traffic can come in")


def _insecure(gateway: Gateway) -> Iterator[Doc]:
    validations = (gateway.frontend, *(each for _, each in gateway.frontend_by_port))
    if any(each and each.insecure for each in validations):
        why = "clients without a good certificate are let in"
        told = Verdict(holds=True, reason="ConfigurationChanged", message=why)
        yield conditions.condition("InsecureFrontendValidationMode", told)


def _listeners(old: Doc, states: Iterable[State], attached: Attachments, about: tuple[int, Verdict, str]) -> list[Doc]:
    """`about`: the generation, whether the Gateway is programmed, and the time."""
    before: Mapping[str, Doc] = {each["name"]: each for each in old.get("listeners") or ()}
    return [_listener(before.get(state.listener.name, {}), state, attached, about) for state in states]


def _listener(old: Doc, state: State, attached: Attachments, about: tuple[int, Verdict, str]) -> Doc:
    generation, programmed, now = about
    listener = state.listener
    new = [
        conditions.condition("Accepted", state.accepted),
        conditions.condition("Programmed", _listener_programmed(state, programmed)),
        conditions.condition("ResolvedRefs", state.resolved),
        conditions.condition("Conflicted", _conflicted(state)),
    ]
    if state.overlaps:
        why = f"another listener of the port {listener.port} is for some of the same hostnames"
        told = Verdict(holds=True, reason="OverlappingHostnames", message=why)
        new.append(conditions.condition("OverlappingTLSConfig", told))
    return {
        "name": listener.name,
        "supportedKinds": [{"group": GROUP, "kind": kind} for kind in state.kinds],
        "attachedRoutes": _count(attached, (listener.owner, listener.name)),
        "conditions": conditions.merged(old.get("conditions") or (), new, generation, now, ours=_LISTENER),
    }


def _count(attached: Attachments, place: tuple[ObjectRef, str]) -> int:
    return len(attached.listeners.get(place, ()))


def _listener_programmed(state: State, gateway: Verdict) -> Verdict:
    if state.conflict:
        return verdict.refused(state.conflict, state.accepted.message)
    if not state.accepted.holds:
        return verdict.refused("Invalid", state.accepted.message)
    if not state.serves:
        return verdict.refused("Invalid", state.resolved.message)
    if gateway.reason == "Programmed":
        return gateway
    return verdict.refused("Pending", gateway.message)


def _conflicted(state: State) -> Verdict:
    if state.conflict:
        return Verdict(holds=True, reason=state.conflict, message=state.accepted.message)
    return verdict.refused("NoConflicts", "no other listener is in the way")
