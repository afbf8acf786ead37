"""Listeners that a Sidecar asks for: an address and port of their own, with what can be called there.

captureMode NONE   a socket, on the loopback interface unless `bind` says another
bind alone         connections to that address, which interception brings
"""

from collections.abc import Iterable, Iterator

from semafor.ir import ChainMatch, Destination, FilterChain, HttpConnection, Inspector, Listener, TcpProxy
from semafor.planner.calling import clusters, passthrough
from semafor.planner.options import Options
from semafor.planner.services.protocol import Protocol
from semafor.planner.services.service import Port, Service
from semafor.planner.sidecar_rule import Egress, Sidecar

_LOOPBACK = "127.0.0.1"
_Offer = tuple[Service, Port]


def listeners(
    rule: Sidecar | None, services: Iterable[Service], tables: frozenset[str], options: Options
) -> Iterator[Listener]:
    """The listeners of the Sidecar. `tables` are the route tables that there are, by port."""
    every = tuple(services)
    for wish in rule.egress if rule else ():
        if wish.port and (wish.bind or not wish.captured) and not wish.bind.startswith("unix://"):
            yield _listener(wish, tuple(_offered(wish, every)), tables, options)


def _offered(wish: Egress, services: tuple[Service, ...]) -> Iterator[_Offer]:
    for service in services:
        port = service.port(wish.port)
        if port and wish.takes(service.namespace, service.host):
            yield service, port


def _listener(wish: Egress, offered: tuple[_Offer, ...], tables: frozenset[str], options: Options) -> Listener:
    address = wish.bind or _LOOPBACK
    name = f"{address}_{wish.port}"
    by_name = tuple(_by_name(*offer) for offer in offered if offer[1].protocol is Protocol.TLS)
    return Listener(
        name=name,
        address=address,
        port=wish.port,
        bind=not wish.captured,
        inspectors=(Inspector(kind="tls"),) if by_name else (),
        continue_on_timeout=bool(by_name),
        chains=by_name,
        default_chain=_default(wish, name, offered, tables) or passthrough.chain(options),
        origin=wish.origin,
    )


def _by_name(service: Service, port: Port) -> FilterChain:
    return _bytes(service, port, ChainMatch(transport="tls", server_names=(service.host,)))


def _bytes(service: Service, port: Port, match: ChainMatch) -> FilterChain:
    cluster = clusters.bytes_name(service, port)
    proxy = TcpProxy(stat_prefix=cluster, destinations=(Destination(cluster=cluster),))
    return FilterChain(name=cluster, match=match, filter=proxy, origin=service.origin)


def _default(wish: Egress, name: str, offered: tuple[_Offer, ...], tables: frozenset[str]) -> FilterChain | None:
    """Requests are told apart by host; of services that take bytes the first has the port."""
    table = str(wish.port)
    if wish.protocol.is_http:
        connection = HttpConnection(stat_prefix=f"outbound_{name}", direction="outbound", rds=table)
        return FilterChain(name="http", filter=connection) if table in tables else None
    plain = (offer for offer in offered if offer[1].protocol is not Protocol.TLS and not offer[1].protocol.is_http)
    return next((_bytes(*offer, ChainMatch()) for offer in plain), None)
