"""What the proxy of the workload that is called does."""

from msgspec.structs import replace

from semafor.explain import chains, guards, paths, tokens
from semafor.explain.chains import Connection
from semafor.explain.guards import Visit
from semafor.explain.request import Caller, Request
from semafor.explain.story import Arrival, Judged
from semafor.ir import DirectResponse, DownstreamTls, FilterChain, HttpConnection, Listener, Plan, TcpProxy, TokenIssuer

_NAME = "virtualInbound"
_DENIED = 403
_ALIASES = "name the caller's trust domain in the mesh configuration's trustDomainAliases"


class Approach(Caller):
    """How the caller's side comes: in `mutual_tls` with these `protocols`, or in plain text (or TLS of its own)."""

    mutual_tls: bool = False
    protocols: tuple[str, ...] = ()


def arrival(plan: Plan, workload: str, request: Request, caller: Approach, port: int) -> Arrival:
    """What becomes of it at the `port` of the workload whose proxy has this plan."""
    begun = Arrival(workload=workload, port=port, transport="mutual TLS" if caller.mutual_tls else "plain text")
    listener = _listener(plan, port)
    if listener is None:
        return begun
    chain = chains.taken_by(listener, _connection(request, caller, port))
    if chain is None:
        return _closed(begun, listener, port)
    identity = caller.identity if chain.tls and caller.mutual_tls else ""
    if chain.tls and identity and not _is_trusted(chain.tls, identity):
        domains = ", ".join(chain.tls.trust_domains)
        refusal = f"the connection is closed: {identity} is of another trust domain than {domains}"
        return replace(begun, chain=chain.name, rule=chain.origin, refusal=refusal, mend=_ALIASES)
    begun = replace(begun, chain=chain.name, rule=chain.origin, identity=identity)
    if isinstance(chain.filter, HttpConnection) and not request.carries_request:
        return replace(begun, status=400, refusal="these bytes are no HTTP, and HTTP is spoken here")
    issuers: tuple[TokenIssuer, ...] = ()
    if isinstance(chain.filter, HttpConnection):
        issuers = chain.filter.token_issuers
        request = replace(request, path=paths.normalized(request.path, chain.filter.paths))
    known, status, reason = tokens.accepted(issuers, request)
    if status:
        return replace(begun, status=status, refusal=reason, mend="send a token that the RequestAuthentication takes")
    return _filtered(begun, chain, _visit(known, caller, begun))


def _is_trusted(tls: DownstreamTls, identity: str) -> bool:
    """Whether the identity is of one of the trust domains, when there are any."""
    return not tls.trust_domains or any(identity.startswith(f"spiffe://{each}/") for each in tls.trust_domains)


def _listener(plan: Plan, port: int) -> Listener | None:
    """A listener with a socket at the port goes before the one that gets what is redirected."""
    own = (each for each in plan.listeners if each.direction == "inbound" and each.port == port)
    redirected = (each for each in plan.listeners if each.name == _NAME)
    return next(own, None) or next(redirected, None)


def _connection(request: Request, caller: Approach, port: int) -> Connection:
    if caller.mutual_tls:
        return Connection(address=request.address, port=port, transport="tls", protocols=caller.protocols)
    if request.says == "tls" and not request.carries_request:
        return Connection(address=request.address, port=port, transport="tls", server_name=request.server_name)
    return Connection(address=request.address, port=port, protocols=("http/1.1",) if request.carries_request else ())


def _closed(begun: Arrival, listener: Listener, port: int) -> Arrival:
    takes_tls = any(chain.tls for chain in listener.chains if chain.match.port in (0, port))
    if begun.transport == "plain text" and takes_tls:
        refusal = "it takes mutual TLS alone (STRICT), and the caller comes in plain text"
        mend = "give the caller a sidecar, or let a PeerAuthentication be PERMISSIVE there"
    elif takes_tls:
        refusal, mend = f"no filter chain of {listener.name} takes such a connection", ""
    else:
        refusal = "it takes plain text alone (DISABLE), and the caller comes with mutual TLS"
        mend = "let the DestinationRule's tls.mode be DISABLE too, or leave it out"
    return replace(begun, refusal=f"the connection is closed: {refusal}", mend=mend)


def _visit(request: Request, caller: Approach, begun: Arrival) -> Visit:
    return Visit(
        request=request,
        identity=begun.identity,
        address=caller.address,
        remote_address=caller.remote_address or caller.address,
        port=begun.port,
        destination=request.address,
    )


def _filtered(begun: Arrival, chain: FilterChain, visit: Visit) -> Arrival:
    """Guard after guard, until one refuses."""
    begun = replace(begun, judged=guards.through(chain.filter.guards, visit))
    if begun.judged and not begun.judged[-1].passes:
        return _refused(begun, chain.filter, begun.judged[-1])
    return _answered(begun, chain.filter, visit.request) if isinstance(chain.filter, HttpConnection) else begun


def _refused(begun: Arrival, filter_: HttpConnection | TcpProxy, last: Judged) -> Arrival:
    status = _DENIED if isinstance(filter_, HttpConnection) else 0
    mend = _mend(last, begun)
    return replace(begun, status=status, refusal=last.reason, mend=mend)


def _mend(last: Judged, begun: Arrival) -> str:
    if last.action != "allow":
        return "change the rule's conditions, or the request so that they do not hold"
    who = begun.identity.removeprefix("spiffe://")
    if not who:
        return "the caller proves no identity: rules that ask for one never take it, so give it a sidecar"
    return f"let a rule of an ALLOW policy take it, for example with the principal {who}"


def _answered(begun: Arrival, connection: HttpConnection, request: Request) -> Arrival:
    """The app gets the request, unless a route of the proxy answers it."""
    routes = [route for host in (connection.routes.hosts if connection.routes else ()) for route in host.routes]
    taken = next(
        (route for route in routes if route.match.path.kind != "exact" or route.match.path.value == request.path), None
    )
    if taken and isinstance(taken.action, DirectResponse):
        return replace(begun, status=taken.action.status, refusal="the proxy answers this path itself")
    return begun
