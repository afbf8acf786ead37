"""Which filter chain of a listener takes a connection, by Envoy's own rules.

Source: Envoy's FilterChainManagerImpl. It narrows down by port, network, server name, transport and ALPN, in this
order, takes the narrowest group at each, and never turns back: what the last group does not take, the default does.
"""

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.calls.script import Call

Json = dict[str, Any]
_FOUND = {
    "http": ("raw_buffer", "http/1.1"),
    "tls": ("tls", ""),
    "bytes": ("raw_buffer", ""),
    "nothing": ("raw_buffer", ""),
}


def taken_by(listener: Json, call: "Call", address: str) -> Json | None:
    """The chain for a connection of the call to the address; None where Envoy closes it."""
    transport, protocol = _FOUND[call.says]
    looks = {one["name"].rpartition(".")[2] for one in listener.get("listener_filters", [])}
    name = call.sni if call.says == "tls" and "tls_inspector" in looks else ""
    protocol = protocol if "http_inspector" in looks else ""
    transport = transport if transport != "tls" or "tls_inspector" in looks else "raw_buffer"
    left = [(chain, chain.get("filter_chain_match", {})) for chain in listener.get("filter_chains", [])]
    for fit in (
        lambda match: _port(match, call.port),
        lambda match: _network(match, address),
        lambda match: _name(match, name),
        lambda match: _exact(match.get("transport_protocol", ""), transport),
        lambda match: _exact_of(match.get("application_protocols", []), protocol),
    ):
        left = _narrowest(left, fit)
    return left[0][0] if left else listener.get("default_filter_chain")


def _narrowest(chains: list[tuple[Json, Json]], fit: Callable[[Json], int | None]) -> list[tuple[Json, Json]]:
    found = [(fit(match), chain, match) for chain, match in chains]
    best = max((score for score, _, _ in found if score is not None), default=None)
    return [(chain, match) for score, chain, match in found if score is not None and score == best]


def _port(match: Json, port: int) -> int | None:
    wanted = match.get("destination_port")
    return 0 if wanted is None else 1 if wanted == port else None


def _network(match: Json, address: str) -> int | None:
    ranges = match.get("prefix_ranges", [])
    networks = [ip_network(f"{one['address_prefix']}/{one['prefix_len']}") for one in ranges]
    fitting = [network.prefixlen + 1 for network in networks if ip_address(address) in network]
    return max(fitting, default=None) if ranges else 0


def _name(match: Json, name: str) -> int | None:
    names = match.get("server_names", [])
    fitting = [1000 if one == name else len(one) for one in names if _covers(one, name)]
    return max(fitting, default=None) if names else 0


def _covers(pattern: str, name: str) -> bool:
    return pattern == name or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def _exact(wanted: str, found: str) -> int | None:
    return 0 if not wanted else 1 if wanted == found else None


def _exact_of(wanted: list[str], found: str) -> int | None:
    return 0 if not wanted else 1 if found in wanted else None
