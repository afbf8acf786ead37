"""The listeners of Gateways and their ListenerSets, together: which of them serve, and why the others do not."""

from collections.abc import Iterable, Iterator, Mapping

from semafor.base.problem import ObjectRef
from semafor.base.struct import Value
from semafor.planner import reserved
from semafor.planner.gateway_api import GROUP, hostnames, references, verdict
from semafor.planner.gateway_api.gateway import Gateway, Listener, ListenerSet
from semafor.planner.gateway_api.references import Reference
from semafor.planner.gateway_api.verdict import Verdict
from semafor.planner.mesh import Mesh
from semafor.planner.services.instances import Key

_KINDS = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute",),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}
_BY_TLS = {"HTTPS", "TLS"}  # told apart by the server name in the client's hello


class State(Value, cache_hash=True):
    """A listener with what is said of it. `kinds` are the kinds of routes that it takes.

    `certificates` are Secrets (`namespace/name`) that can be used, `authorities` a ConfigMap likewise; `insecure` lets
    clients in that have no good certificate. `conflict` is the reason, or empty. `overlaps`: another listener of the
    port takes some of its server names as well.
    """

    listener: Listener
    kinds: tuple[str, ...]
    accepted: Verdict
    resolved: Verdict
    conflict: str = ""
    overlaps: bool = False
    certificates: tuple[str, ...] = ()
    authorities: str = ""
    insecure: bool = False

    @property
    def serves(self) -> bool:
        """Whether traffic comes in here."""
        tls = self.listener.tls
        return self.accepted.holds and (tls is None or tls.passthrough or bool(self.certificates))


class SetState(Value, cache_hash=True):
    """A ListenerSet with what is said of it; it has no listeners when its Gateway does not let it in."""

    listener_set: ListenerSet
    accepted: Verdict
    listeners: tuple[State, ...] = ()


class GatewayState(Value, cache_hash=True):
    """A Gateway of ours with what is said of it, and of all its listeners. `client` is shown to backends."""

    gateway: Gateway
    accepted: Verdict
    resolved: Verdict
    listeners: tuple[State, ...]
    sets: tuple[SetState, ...] = ()
    client: str = ""

    @property
    def every(self) -> tuple[State, ...]:
        """The listeners of the Gateway itself and of its sets."""
        return (*self.listeners, *(state for each in self.sets for state in each.listeners))


def states(mesh: Mesh) -> Mapping[Key, GatewayState]:
    """Every Gateway of a class of ours, by namespace and name."""
    inputs = (
        mesh.gateway_classes,
        mesh.k8s_gateways,
        mesh.listener_sets,
        mesh.reference_grants,
        mesh.namespaces,
        mesh.credentials,
        mesh.bundles,
    )
    return mesh.memo("gateway api gateways", inputs, lambda: _states(mesh))


def is_ours(mesh: Mesh, gateway: Gateway) -> bool:
    """Whether the Gateway is of a class that we serve."""
    found = mesh.gateway_classes.get(("", gateway.class_name))
    return found is not None and found.is_ours


def _states(mesh: Mesh) -> Mapping[Key, GatewayState]:
    sets: dict[ObjectRef, list[ListenerSet]] = {}
    for each in sorted(mesh.listener_sets.values(), key=_seniority):
        sets.setdefault(each.parent, []).append(each)
    return {
        key: _gateway(mesh, gateway, sets.get(gateway.ref, []))
        for key, gateway in mesh.k8s_gateways.items()
        if is_ours(mesh, gateway)
    }


def _seniority(added: ListenerSet) -> tuple[str, str, str]:
    return (added.age.created, added.ref.namespace, added.ref.name)


def _gateway(mesh: Mesh, gateway: Gateway, sets: list[ListenerSet]) -> GatewayState:
    allowed = [each for each in sets if _lets_in(mesh, gateway, each)]
    groups = [gateway.listeners, *(each.listeners for each in allowed)]
    conflicts = _conflicts(groups)
    taken = [one for group in groups for one in group if one not in conflicts]

    def state(listener: Listener) -> State:
        return _state(mesh, gateway, listener, (conflicts.get(listener, ""), _overlaps(listener, taken)))

    own = tuple(state(listener) for listener in gateway.listeners)
    found = [_set(each, tuple(map(state, each.listeners)) if each in allowed else None) for each in sets]
    accepted = _accepted(mesh, gateway, own or tuple(one for each in found for one in each.listeners))
    shown = gateway.client_certificate
    client = references.client_certificate(mesh, gateway.ref, shown) if shown else Reference()
    return GatewayState(
        gateway=gateway,
        accepted=accepted,
        resolved=_resolved(own, client),
        listeners=own,
        sets=tuple(found if accepted.holds else (_orphan(each) for each in found)),
        client=client.name,
    )


def _lets_in(mesh: Mesh, gateway: Gateway, added: ListenerSet) -> bool:
    namespace = added.ref.namespace
    labels = dict(mesh.namespaces.get(("", namespace), ()))
    return gateway.sets.takes(namespace, labels, own=gateway.ref.namespace)


def _set(added: ListenerSet, listeners: tuple[State, ...] | None) -> SetState:
    """The set with its listeners; None when it is not let in."""
    if listeners is None:
        why = f"{added.parent} does not let ListenerSets of {added.ref.namespace} in"
        return SetState(listener_set=added, accepted=verdict.refused("NotAllowed", why))
    wrong = [state.listener.name for state in listeners if not state.serves]
    accepted = _but(wrong, len(listeners), "the ListenerSet is part of its Gateway")
    return SetState(listener_set=added, accepted=accepted, listeners=listeners)


def _orphan(state: SetState) -> SetState:
    why = verdict.refused("ParentNotAccepted", f"{state.listener_set.parent} is not accepted")
    return SetState(listener_set=state.listener_set, accepted=why if state.accepted.holds else state.accepted)


def _but(wrong: list[str], count: int, message: str) -> Verdict:
    """One listener that is sound is enough."""
    if not wrong:
        return verdict.accepted(message)
    told = f"these listeners are not accepted: {', '.join(wrong)}"
    return Verdict(holds=len(wrong) < count, reason="ListenersNotValid", message=told)


def _accepted(mesh: Mesh, gateway: Gateway, listeners: tuple[State, ...]) -> Verdict:
    settings = mesh.gateway_classes["", gateway.class_name].parameters
    if gateway.parameters:
        why = f"{gateway.parameters} cannot be used: no kind of object has settings for a Gateway"
        return verdict.refused("InvalidParameters", why)
    if settings:
        return verdict.refused("InvalidParameters", f"the class names {settings}, and no kind of object has settings")
    strange = [address for address in gateway.addresses if address.type not in {"IPAddress", "Hostname"}]
    if strange:
        return verdict.refused("UnsupportedAddress", f"addresses of the type {strange[0].type} are not supported")
    wrong = [state.listener.name for state in listeners if not state.accepted.holds]
    return _but(wrong, len(listeners), "the Gateway is served")


def _resolved(listeners: tuple[State, ...], client: Reference) -> Verdict:
    if client.reason:
        return verdict.refused(client.reason, client.message)
    wrong = [state.listener.name for state in listeners if not state.resolved.holds]
    if wrong:
        why = f"references of these listeners are not resolved: {', '.join(wrong)}"
        return verdict.refused("ListenersNotResolved", why)
    return verdict.resolved()


def _state(mesh: Mesh, gateway: Gateway, listener: Listener, others: tuple[str, bool]) -> State:
    conflict, overlaps = others
    kinds, strangers = _route_kinds(listener)
    shown = tuple(_certificates(mesh, listener))
    validation = gateway.validation(listener.port) if listener.protocol == "HTTPS" else None
    trusted = tuple(references.authorities(mesh, gateway.ref, validation.authorities)) if validation else ()
    good = [each.name for each in trusted if each.name]
    accepted = _listener_accepted(listener, conflict)
    if validation and not good and accepted.holds:
        why = trusted[0].message if trusted else "there are none"
        accepted = verdict.refused("NoValidCACertificate", f"no authority for clients' certificates can be used: {why}")
    return State(
        listener=listener,
        kinds=kinds,
        accepted=accepted,
        resolved=_listener_resolved((*trusted, *shown), strangers),
        conflict=conflict,
        overlaps=overlaps,
        certificates=tuple(each.name for each in shown if each.name),
        authorities=good[0] if good else "",
        insecure=bool(validation and validation.insecure),
    )


def _certificates(mesh: Mesh, listener: Listener) -> Iterator[Reference]:
    if listener.tls and not listener.tls.passthrough:
        yield from references.certificates(mesh, listener.owner, listener.tls.certificates)


def _listener_accepted(listener: Listener, conflict: str) -> Verdict:
    if listener.protocol not in _KINDS:
        words = ", ".join(_KINDS)
        return verdict.refused("UnsupportedProtocol", f"the protocol {listener.protocol} is none of {words}")
    if listener.port in reserved.PORTS:
        return verdict.refused("PortUnavailable", f"the proxies need port {listener.port} for themselves")
    if conflict:
        return verdict.refused(conflict, f"another listener has the port {listener.port} for itself")
    if listener.protocol in _BY_TLS and listener.tls is None:
        return verdict.refused("UnsupportedValue", f"a listener for {listener.protocol} needs tls")
    return verdict.accepted("the listener is served")


def _listener_resolved(found: tuple[Reference, ...], strangers: tuple[str, ...]) -> Verdict:
    if strangers:
        why = f"routes of the kind {', '.join(strangers)} cannot be attached here"
        return verdict.refused("InvalidRouteKinds", why)
    for each in found:
        if each.reason:
            return verdict.refused(each.reason, each.message)
    return verdict.resolved()


def _route_kinds(listener: Listener) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The kinds of routes that the listener takes, and those that it names but cannot take."""
    possible = _KINDS.get(listener.protocol, ())
    if not listener.kinds:
        return possible, ()
    taken = tuple(kind for group, kind in listener.kinds if group == GROUP and kind in possible)
    return taken, tuple(kind for group, kind in listener.kinds if group != GROUP or kind not in possible)


def _overlaps(listener: Listener, others: Iterable[Listener]) -> bool:
    """Whether another listener of the port takes some of the server names as well."""
    return listener.protocol in _BY_TLS and any(
        other is not listener
        and other.port == listener.port
        and other.protocol in _BY_TLS
        and hostnames.overlap(listener.hostname, other.hostname)
        for other in others
    )


def _conflicts(groups: list[tuple[Listener, ...]]) -> dict[Listener, str]:
    """Listeners that cannot be told apart from others, with the reason.

    Within a Gateway or a ListenerSet none of them counts; what an earlier group has is kept from the later ones.
    """
    taken: list[Listener] = []
    found: dict[Listener, str] = {}
    for group in groups:
        found |= {one: why for one in group if (why := _lost(one, taken))}
        # who has lost to an earlier group is in nobody's way in its own
        left = [one for one in group if one not in found]
        found |= {one: why for one in left if (why := _lost(one, left))}
        taken += [one for one in left if one not in found]
    return found


def _lost(one: Listener, rivals: Iterable[Listener]) -> str:
    """Why the listener cannot be told apart from one of the others; empty when it can."""
    return next((why for other in rivals if other is not one and (why := _conflict(one, other))), "")


def _conflict(one: Listener, other: Listener) -> str:
    """Why connections to the two cannot be told apart; empty when they can."""
    if one.port != other.port or not {one.protocol, other.protocol} <= _KINDS.keys():
        return ""
    if (one.protocol == "UDP") != (other.protocol == "UDP"):
        return ""  # the transports tell them apart
    if {"TCP", "UDP"} & {one.protocol, other.protocol} or (one.protocol in _BY_TLS) != (other.protocol in _BY_TLS):
        return "ProtocolConflict"
    return "HostnameConflict" if one.hostname == other.hostname else ""
