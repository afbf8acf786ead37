"""What the proxy of the caller does, or a gateway with what comes from outside."""

from collections.abc import Iterator

from msgspec.structs import replace

from semafor.explain import actions, chains, guards, paths, routing, targets, tokens
from semafor.explain.chains import Connection
from semafor.explain.guards import Visit
from semafor.explain.request import Caller, Request
from semafor.explain.story import Outcome, Tried, Way
from semafor.explain.targets import Known
from semafor.ir import DownstreamTls, FilterChain, HttpConnection, Listener, Plan, TcpProxy, VirtualHost

BLACK_HOLE = "BlackHoleCluster"  # Istio's name; nothing is behind it
_HTTP = ("http/1.1",)
_OWN_ROOTS = "ROOTCA"  # what vouches for identities of the mesh


def way(plan: Plan, request: Request) -> Way:
    """The way of a request that a workload sends."""
    return _from(plan, chains.handed_to(plan.listeners, request.address, request.port), request)


def entrance(plan: Plan, request: Request, client: Caller) -> Way:
    """The way of a request that comes to a gateway from outside."""
    listener = chains.at_port(plan.listeners, request.at_port or request.port)
    chain = chains.taken_by(listener, connection(request)) if listener else None
    if chain and chain.tls and (refusal := _client_refusal(chain.tls, client)):
        listening = listener.name if listener else ""
        return Way(proxy=plan.proxy, entrance=True, listener=listening, chain=chain.name, closed=refusal)
    return replace(_from(plan, listener, request), entrance=True)


def _client_refusal(tls: DownstreamTls, client: Caller) -> str:
    """Why the client's certificate is not taken; certificates that are not the mesh's own count as none."""
    if not tls.validation or not tls.require_client_certificate:
        return ""
    if client.identity and tls.validation == _OWN_ROOTS:
        return ""
    return "the gateway asks clients for a certificate"


def _from(plan: Plan, listener: Listener | None, request: Request) -> Way:
    patches = tuple(dict.fromkeys(each.origin for each in plan.patches))
    begun = Way(proxy=plan.proxy, listener=listener.name if listener else "", patches=patches)
    if listener is None:
        return replace(begun, closed=f"nothing listens at port {request.port}")
    chain = chains.taken_by(listener, connection(request))
    if chain is None:
        return replace(begun, closed=f"no filter chain of {listener.name} takes such a connection")
    begun = replace(begun, chain=chain.name, rule=chain.origin or listener.origin)
    if isinstance(chain.filter, TcpProxy):
        return _bytes(begun, targets.known(plan), chain.filter)
    return _requests(begun, plan, chain, request)


def connection(request: Request) -> Connection:
    """The connection as the proxy sees it."""
    says_tls = request.scheme == "https" or request.says == "tls"
    looks_like_http = request.carries_request or request.says == "http"
    return Connection(
        address=request.address,
        port=request.at_port or request.port,
        transport="tls" if says_tls else "raw_buffer",
        server_name=request.server_name if says_tls else "",
        protocols=request.protocols if says_tls else _HTTP if looks_like_http else (),
    )


def _bytes(begun: Way, found: Known, proxy: TcpProxy) -> Way:
    chosen = targets.of(found, proxy.destinations)
    if all(each.cluster == BLACK_HOLE for each in chosen):
        return replace(begun, carries="bytes", closed=f"{begun.chain or begun.listener} refuses it")
    tunnel = proxy.tunnel
    outcome = Outcome(
        share=100.0,
        rule=next((each.origin for each in proxy.destinations if each.origin), begun.rule),
        targets=chosen,
        hash_key="address" if proxy.hash_source_ip else "",
        tunnel=f"{'POST' if tunnel.use_post else 'CONNECT'} {tunnel.target}" if tunnel else "",
    )
    return replace(begun, carries="bytes", outcomes=(outcome,))


def _requests(begun: Way, plan: Plan, chain: FilterChain, request: Request) -> Way:
    assert isinstance(chain.filter, HttpConnection)
    begun = replace(begun, carries="requests")
    if not request.carries_request:
        return replace(begun, closed="these bytes are no HTTP, and HTTP is spoken here")
    seen = replace(request, path=paths.normalized(request.path, chain.filter.paths))
    seen, status, reason = tokens.accepted(chain.filter.token_issuers, seen)
    visit = Visit(request=seen, port=request.at_port or request.port, destination=request.address)
    begun = replace(begun, judged=guards.through(chain.filter.guards, visit))
    if not status and begun.judged and not begun.judged[-1].passes:
        status, reason = 403, begun.judged[-1].reason
    if status:
        return replace(begun, outcomes=(Outcome(share=100.0, status=status, reason=reason),))
    return _found(begun, plan, chain.filter, request, seen)


def _found(begun: Way, plan: Plan, filter_: HttpConnection, request: Request, seen: Request) -> Way:
    """The way through the route table. `seen` is the request as it is understood here."""
    name = filter_.rds
    table = filter_.routes or next((each for each in plan.routes if each.name == name), None)
    found = routing.virtual_host(table, request.authority) if table else None
    if table is None or found is None:
        nowhere = Outcome(share=100.0, status=404, reason=f"no virtual host of {name} has the host {request.authority}")
        return replace(begun, table=name, outcomes=(nowhere,))
    host, domain = found
    begun = replace(begun, table=table.name, virtual_host=host.name, domain=domain, rule=host.origin or begun.rule)
    routed = _routed(begun, targets.known(plan), host, seen)
    return routed if seen.path == request.path else _normalized(routed, seen)


def _normalized(way: Way, seen: Request) -> Way:
    """The way, where what is forwarded unchanged goes on with the path as it was understood."""
    forwarded = (replace(each, path=each.path or seen.plain_path) if each.targets else each for each in way.outcomes)
    return replace(way, outcomes=tuple(forwarded))


def _routed(begun: Way, found: Known, host: VirtualHost, request: Request) -> Way:
    if host.https_only and request.scheme == "http":
        location = f"https://{request.host}{request.path}"
        reason = "the host is served over https alone"
        return replace(begun, outcomes=(Outcome(share=100.0, status=301, reason=reason, location=location),))
    chosen = routing.choose(host, request)
    made = (each for route, share in chosen.taken for each in actions.outcomes(found, route, share, request))
    return replace(
        begun, before=chosen.before, later=chosen.later, outcomes=(*made, *_untaken(chosen.left, chosen.before))
    )


def _untaken(left: float, before: tuple[Tried, ...]) -> Iterator[Outcome]:
    if left > 0:
        yield Outcome(share=left, status=404, reason=f"none of the host's {len(before)} routes takes it")
