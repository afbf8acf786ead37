"""Gateways of ours as servers, and what routes say of each of them: what `planner.gateway` plans.

Every host of a port belongs to one listener, the most specific one, whether or not it has routes for it.
"""

from collections.abc import Iterator, Mapping

from semafor.base import names
from semafor.base.problem import ObjectRef
from semafor.ir import DirectResponse, RouteMatch
from semafor.planner import hosts
from semafor.planner.gateway.attached import Attached
from semafor.planner.gateway.server import Gateway, Mode, ServedHost, Server, ServerTls, Speaks
from semafor.planner.gateway_api import attach, hostnames, listeners, naming, steps
from semafor.planner.gateway_api.attach import Joined
from semafor.planner.gateway_api.gateway import Address, Listener
from semafor.planner.gateway_api.hostnames import ANY
from semafor.planner.gateway_api.listeners import GatewayState, State
from semafor.planner.gateway_api.naming import NAME_LABEL
from semafor.planner.gateway_api.route import Route
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Labels, Workload
from semafor.planner.routes.step import L4Step, Source, Step, Will

_SPEAKS: Mapping[str, Speaks] = {"HTTP": "http", "HTTPS": "https", "TLS": "tls", "TCP": "tcp", "UDP": "udp"}
_MISDIRECTED = 421


def gateways(mesh: Mesh) -> tuple[Gateway, ...]:
    """The accepted Gateways of our classes."""
    found = listeners.states(mesh)
    return mesh.memo(
        "gateway api servers",
        (found, mesh.services),
        lambda: tuple(_gateway(mesh, state) for state in found.values() if state.accepted.holds),
    )


def _gateway(mesh: Mesh, state: GatewayState) -> Gateway:
    """It is served by its own pods or, when it names the host of a Service, by those of that one."""
    ref = state.gateway.ref
    selector: Labels = ((NAME_LABEL, naming.short(ref.name)),)
    namespace = ref.namespace
    named = service_host(state.gateway.addresses, ref.namespace)
    if named is not None:
        service = mesh.by_host.get(named)
        selector, namespace = (service.selector, service.namespace) if service else (((NAME_LABEL, ""),), ref.namespace)
    return Gateway(
        ref=ref,
        selector=selector,
        servers=tuple(_server(ref, each) for each in state.every if each.serves or _stands_closed(each)),
        age=state.gateway.age,
        origin=state.gateway.origin,
        pods_in=namespace,
    )


def _stands_closed(state: State) -> bool:
    """Whether the listener has its server names for itself though it cannot serve them: nobody may stand in for it."""
    tls = state.listener.tls
    return not state.conflict and state.listener.protocol in {"HTTPS", "TLS"} and bool(tls and not tls.passthrough)


def client(mesh: Mesh, workload: Workload) -> str:
    """The Secret (`namespace/name`) with what the gateway's pod shows to backends; empty where it has none."""
    labels = set(workload.labels)
    for gateway in gateways(mesh):
        if gateway.pods_in == workload.namespace and set(gateway.selector) <= labels:
            return listeners.states(mesh)[gateway.ref.namespace, gateway.ref.name].client
    return ""


def service_host(addresses: tuple[Address, ...], namespace: str) -> str | None:
    """The host of the Service that stands for the Gateway, when one is named: then nothing is made for it.

    Source: Istio's "Kubernetes Gateway API", manual deployment.
    """
    for address in addresses:
        if address.type == "Hostname" and address.value:
            return names.qualify(address.value, namespace)
    return None


def _server(gateway: ObjectRef, state: State) -> Server:
    listener = state.listener
    return Server(
        gateway=gateway,
        origin=listener.origin,
        port=listener.port,
        speaks=_SPEAKS[listener.protocol],
        hosts=(ServedHost(name=listener.hostname or ANY),),
        name=listener.name,
        port_name=listener.name,
        tls=_tls(state) if listener.tls else None,
    )


def _tls(state: State) -> ServerTls:
    tls = state.listener.tls
    if tls is None or tls.passthrough:
        return ServerTls(mode="passthrough")
    mode: Mode = "simple"
    if state.authorities:
        mode = "optional_mutual" if state.insecure else "mutual"
    return ServerTls(
        mode=mode,
        credentials=state.certificates if state.serves else (),
        authorities=f"ConfigMap:{state.authorities}" if state.authorities else "",
        untrusted=state.insecure,
    )


def attached(mesh: Mesh, server: Server) -> tuple[Attached, ...]:
    """What routes say of the server, whoever serves it."""
    found = attach.attachments(mesh)
    inputs = (found, mesh.services, mesh.reference_grants)
    return mesh.memo(("gateway api attached", server), inputs, lambda: _attached(mesh, server))


def _attached(mesh: Mesh, server: Server) -> tuple[Attached, ...]:
    state = listeners.states(mesh).get((server.gateway.namespace, server.gateway.name))
    own = next((one for one in state.every if one.listener.origin == server.origin), None) if state else None
    if state is None or own is None:
        return ()
    joined = attach.attachments(mesh).listeners.get((own.listener.owner, own.listener.name), ())
    rivals = [
        one.listener for one in state.every if one.listener.port == server.port and (one.serves or _stands_closed(one))
    ]
    if own.listener.speaks_http:
        return (*_hosts(mesh, own.listener, joined, rivals), *_misdirected(own.listener, rivals))
    if own.listener.protocol == "TLS":
        return tuple(Attached(l4=(step,)) for step in _by_name(mesh, own.listener, joined, rivals))
    oldest = min((one.route for one in joined), key=lambda route: route.seniority, default=None)
    return (Attached(l4=(steps.l4(mesh, oldest, ()),)),) if oldest else ()


def _owns(listener: Listener, rivals: list[Listener], host: str) -> bool:
    """Whether requests for the host, which may be a pattern, belong to the listener and to no other of its port."""
    alike = [one.hostname for one in rivals if one.protocol == listener.protocol or one.protocol != "HTTP"]
    return hostnames.most_specific(alike, host) == listener.hostname


def _hosts(mesh: Mesh, listener: Listener, joined: tuple[Joined, ...], rivals: list[Listener]) -> Iterator[Attached]:
    """A virtual host for each host that a route has written, and for the listener's own."""
    place = steps.Place(port=listener.port, scheme="https" if listener.protocol == "HTTPS" else "http")
    patterns = {host for one in joined for host, _ in one.hosts} | {listener.hostname or ANY}
    for pattern in sorted(patterns, key=hosts.specificity, reverse=True):
        if _owns(listener, rivals, pattern):
            chosen = [
                steps.Chosen(route=one.route, hostname=max(covering, key=hosts.specificity))
                for one in joined
                if (covering := [written for host, written in one.hosts if hosts.covers(host, pattern)])
            ]
            yield Attached(domains=(pattern,), steps=steps.of(mesh, place, chosen), origin=listener.origin)


def _misdirected(listener: Listener, rivals: list[Listener]) -> Iterator[Attached]:
    """Hosts of other listeners that end TLS at the port: who asks for them here has taken the wrong connection."""
    if listener.protocol != "HTTPS":
        return
    for other in rivals:
        domain = other.hostname or ANY
        if other.hostname != listener.hostname and other.protocol == "HTTPS":
            will = Will(answer=DirectResponse(status=_MISDIRECTED))
            step = Step(origin=other.origin, name="misdirected", match=RouteMatch(), source=Source(), will=will)
            yield Attached(domains=(domain,), steps=(step,), origin=listener.origin)


# --- bytes ---


def _by_name(mesh: Mesh, listener: Listener, joined: tuple[Joined, ...], rivals: list[Listener]) -> Iterator[L4Step]:
    """A step for each server name, of the route that has written it most precisely; of equal ones the oldest."""
    found: dict[str, tuple[str, Route]] = {}
    for one in sorted(joined, key=lambda one: one.route.seniority):
        for host, written in one.hosts:
            before = found.get(host)
            if before is None or hosts.specificity(written) > hosts.specificity(before[0]):
                found[host] = (written, one.route)
    for host in sorted(found, key=hosts.specificity, reverse=True):
        if _owns(listener, rivals, host):
            yield steps.l4(mesh, found[host][1], () if host == ANY else (host,))
    own = listener.hostname or ANY
    if own not in found:
        names = () if own == ANY else (own,)
        yield L4Step(origin=listener.origin, source=Source(), targets=(), server_names=names)
