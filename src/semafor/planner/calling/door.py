"""Doors: ports where what callers mean is told by what they say, because the address says nothing.

app ─▶ 0.0.0.0_443 ─ to 192.0.2.0/24 ───────────────────▶ cluster outbound|443||database...   by network
                   ├ TLS for api.example.com ───────────▶ cluster outbound|443||api...        by server name
                   ├ HTTP ── route table "443" ─ by host ▶ cluster outbound|443||web...       by host
                   └ anything else ─────────────────────▶ the door's last way, or where the caller was going

Services of one port share its door, which becomes one listener. An address with a listener of its own never gets here.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec.structs import replace

from semafor.base.struct import Value
from semafor.ir import ChainMatch, FilterChain, HttpConnection, Inspector, Listener
from semafor.planner import reserved

HTTP_ALPN = ("http/1.0", "http/1.1", "h2c")


class Door(Value):
    """What one service wants done at a port. `last` is for what no chain takes.

    `patience_s`: how long a caller may be silent before the server is taken to speak first; 0 is for ever.
    """

    port: int
    chains: tuple[FilterChain, ...] = ()
    last: FilterChain | None = None
    patience_s: float = 0.0


def http(port: int, table: str) -> Door:
    """Requests, by the route table; their hosts tell what is meant."""
    return Door(port=port, chains=(requests(f"0.0.0.0_{port}", table),))


def requests(
    listener: str, table: str, *, ranges: tuple[str, ...] = (), resolvers: tuple[str, ...] = ()
) -> FilterChain:
    """HTTP in plain text, routed by the table. `resolvers`: some routes lead where the request's host says."""
    return FilterChain(
        name="http",
        match=ChainMatch(ranges=ranges, transport="raw_buffer", alpn=HTTP_ALPN),
        filter=HttpConnection(stat_prefix=f"outbound_{listener}", direction="outbound", rds=table, resolvers=resolvers),
    )


def beside(requests: FilterChain, chain: FilterChain) -> tuple[FilterChain, ...]:
    """Requests and other bytes to the networks of `chain`.

    Envoy does not turn back: what is plain text goes to the chains of plain text, so bytes have one there as well.
    """
    ranges = chain.match.ranges
    plain = replace(chain, match=replace(chain.match, transport="raw_buffer"))
    return (replace(requests, match=replace(requests.match, ranges=ranges)), plain, chain)


def listeners(doors: Iterable[Door], otherwise: FilterChain) -> tuple[Listener, ...]:
    """One listener for each port that may have one, by port. `otherwise` is for what no chain of a door takes."""
    by_port: dict[int, list[Door]] = {}
    for door in (each for each in doors if each.port not in reserved.PORTS):
        by_port.setdefault(door.port, []).append(door)
    return tuple(_listener(port, tuple(by_port[port]), otherwise) for port in sorted(by_port))


def _listener(port: int, doors: tuple[Door, ...], otherwise: FilterChain) -> Listener:
    chains = distinct(chain for door in doors for chain in door.chains)
    kinds = kinds_of(chains)
    return Listener(
        name=f"0.0.0.0_{port}",
        address="0.0.0.0",  # noqa: S104 -- a pattern of destinations, not a socket
        port=port,
        bind=False,
        inspectors=tuple(Inspector(kind=kind) for kind in kinds),
        inspection_timeout_s=max(door.patience_s for door in doors) if kinds else 0.0,
        continue_on_timeout=bool(kinds),
        chains=chains,
        default_chain=next((door.last for door in doors if door.last), otherwise),
    )


def distinct(chains: Iterable[FilterChain]) -> tuple[FilterChain, ...]:
    """Of two chains that would take the same connections the first does: Envoy refuses a listener with both.

    A chain loses the server names that an earlier one has for any of its networks.
    """
    taken: set[tuple[str, str, str, tuple[str, ...]]] = set()
    kept = []
    for chain in chains:
        match = chain.match

        def keys(name: str, match: ChainMatch = match) -> set[tuple[str, str, str, tuple[str, ...]]]:
            return {(network, name, match.transport, match.alpn) for network in match.ranges or ("",)}

        fresh = tuple(name for name in match.server_names or ("",) if taken.isdisjoint(keys(name)))
        if fresh:
            taken |= {key for name in fresh for key in keys(name)}
            kept.append(replace(chain, match=replace(match, server_names=fresh)) if match.server_names else chain)
    return tuple(kept)


def kinds_of(chains: Iterable[FilterChain]) -> tuple[Literal["tls", "http"], ...]:
    """What has to be looked at to tell the chains apart."""
    found = tuple(chain.match for chain in chains)
    kinds: list[Literal["tls", "http"]] = []
    if any(match.transport == "tls" or match.server_names for match in found):
        kinds.append("tls")
    if any(match.alpn == HTTP_ALPN for match in found):
        kinds.append("http")
    return tuple(kinds)
