"""Which listener and which of its filter chains take a connection.

Source: Envoy's FilterChainManagerImpl. It narrows down by port, network, server name, transport and protocol, in this
order, takes the closest group at each, and never turns back: what the last group does not take, the default does.
"""

from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network

from semafor.base.struct import Value
from semafor.ir import ChainMatch, FilterChain, Listener

_EXACT = 1_000  # closer than the longest wildcard

Fit = Callable[[ChainMatch], int | None]


class Connection(Value):
    """Where it goes, and what its first bytes are. `protocols` are what TLS offers, or what looking at them finds."""

    address: str
    port: int
    transport: str = "raw_buffer"
    server_name: str = ""
    protocols: tuple[str, ...] = ()


def handed_to(listeners: Iterable[Listener], address: str, port: int) -> Listener | None:
    """The listener that a redirected connection is handed to: of the address, of the port, of the rest."""
    known = tuple(listeners)
    for wanted in ((address, port, False), ("0.0.0.0", port, False), (address, port, True)):  # noqa: S104 - a pattern
        for one in known:
            if (one.address, one.port, one.bind) == wanted and one.direction == "outbound":
                return one
    return next((one for one in known if one.hand_over), None)


def at_port(listeners: Iterable[Listener], port: int) -> Listener | None:
    """The listener with a socket at the port."""
    return next((one for one in listeners if one.port == port and one.bind), None)


def taken_by(listener: Listener, connection: Connection) -> FilterChain | None:
    """The chain for the connection; None where Envoy closes it."""
    seen = _seen(listener, connection)
    left = list(listener.chains)
    for fit in (
        lambda match: _one_of(match.port, seen.port),
        lambda match: _network(match, seen.address),
        lambda match: _name(match, seen.server_name),
        lambda match: _one_of(match.transport, seen.transport),
        lambda match: _protocol(match, seen.protocols),
    ):
        left = _closest(left, fit)
    return left[0] if left else listener.default_chain


def _seen(listener: Listener, connection: Connection) -> Connection:
    """What the listener's inspectors see of it."""
    looks = {each.kind for each in listener.inspectors if connection.port not in each.skip_ports}
    if connection.transport == "tls":
        return connection if "tls" in looks else Connection(address=connection.address, port=connection.port)
    protocols = connection.protocols if "http" in looks else ()
    return Connection(address=connection.address, port=connection.port, protocols=protocols)


def _closest(chains: list[FilterChain], fit: Fit) -> list[FilterChain]:
    found = [(score, chain) for chain in chains if (score := fit(chain.match)) is not None]
    best = max((score for score, _ in found), default=None)
    return [chain for score, chain in found if score == best]


def _one_of(wanted: int | str, found: int | str) -> int | None:
    return 0 if not wanted else 1 if wanted == found else None


def _network(match: ChainMatch, address: str) -> int | None:
    if not match.ranges:
        return 0
    if not address:
        return None
    networks = (ip_network(each, strict=False) for each in match.ranges)
    return max((each.prefixlen + 1 for each in networks if ip_address(address) in each), default=None)


def _name(match: ChainMatch, name: str) -> int | None:
    if not match.server_names:
        return 0
    fitting = (_EXACT if each == name else len(each) for each in match.server_names if covers(each, name))
    return max(fitting, default=None)


def covers(pattern: str, name: str) -> bool:
    """Whether the name is the pattern, or below it where that begins with `*.`."""
    return pattern == name or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def _protocol(match: ChainMatch, offered: tuple[str, ...]) -> int | None:
    """What the client offers first counts most."""
    if not match.alpn:
        return 0
    places = [offered.index(each) for each in match.alpn if each in offered]
    return len(offered) - min(places) if places else None
