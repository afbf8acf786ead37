"""Patches of listeners and of all that is in them. Source: Istio's listener_patch.go."""

from typing import Any, Final

from semafor import ir
from semafor.envoy.patch import http_filters, routes
from semafor.envoy.patch.work import MERGES, Chosen, Work

THINGS: Final = frozenset({"LISTENER", "LISTENER_FILTER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER"})
_CONNECTION: Final = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_DIRECTIONS: Final = {1: "inbound", 2: "outbound"}
# Listeners of all ports: a port that a patch names is one of their filter chains'.
_VIRTUAL: Final = frozenset({"virtualInbound", "virtualOutbound"})
# Network filters that end a chain. What is added goes before them: behind one, Envoy refuses everything.
# Differs from Istio: there it goes behind, and Envoy refuses the listener.
_LAST: Final = (
    "tcp_proxy",
    "http_connection_manager",
    "redis_proxy",
    "thrift_proxy",
    "dubbo_proxy",
    "generic_proxy",
    "echo",
)


def concerns(patch: ir.Patch, name: str) -> bool:
    """Whether the patch may be about something of the listener of this name."""
    if patch.apply_to in routes.THINGS:
        return patch.direction != "outbound"  # inbound listeners carry their routes themselves
    if patch.apply_to not in THINGS or (patch.apply_to == "LISTENER" and patch.operation == "ADD"):
        return False
    return patch.listener.name in ("", name)


def change(work: Work, listener: Any) -> Any:
    """The changed listener; None when it is removed."""
    for patch in work.of("LISTENER"):
        if not _takes(patch, listener):
            continue
        if patch.operation == "REMOVE":
            work.used.add(patch)
            return None
        if patch.operation in MERGES:
            work.merge(listener, patch)
    _listener_filters(work, listener)
    _chains(work, listener)
    return listener


def _takes(patch: ir.Patch, listener: Any) -> bool:
    match, direction = patch.listener, _DIRECTIONS.get(listener.traffic_direction, "any")
    if patch.direction not in ("any", direction) or match.name not in ("", listener.name):
        return False
    if patch.apply_to != "LISTENER" and listener.name in _VIRTUAL:
        return True
    return match.port in (0, listener.address.socket_address.port_value)


def _listener_filters(work: Work, listener: Any) -> None:
    for patch in work.of("LISTENER_FILTER"):
        if not _takes(patch, listener):
            continue
        chosen = _named(patch.listener.listener_filter)
        if patch.operation in MERGES:
            for one in filter(chosen, listener.listener_filters):
                work.merge_extension(one, patch)
        else:
            work.edit(listener.listener_filters, patch, chosen)


def _chains(work: Work, listener: Any) -> None:
    kept = [chain for chain in listener.filter_chains if _chain(work, listener, chain)]
    if len(kept) < len(listener.filter_chains):
        copies = [type(chain).FromString(chain.SerializeToString()) for chain in kept]
        del listener.filter_chains[:]
        listener.filter_chains.extend(copies)
    if listener.HasField("default_filter_chain") and not _chain(work, listener, listener.default_filter_chain):
        listener.ClearField("default_filter_chain")
    for patch in work.of("FILTER_CHAIN"):
        if patch.operation == "ADD" and _takes(patch, listener):
            work.edit(listener.filter_chains, patch, None)


def _chain(work: Work, listener: Any, chain: Any) -> bool:
    """Change a filter chain; False when it is removed."""
    for patch in work.of("FILTER_CHAIN"):
        if patch.operation == "ADD" or not _takes_chain(patch, listener, chain):
            continue
        if patch.operation == "REMOVE":
            work.used.add(patch)
            return False
        _merge_chain(work, chain, patch)
    _network_filters(work, listener, chain)
    return True


def _merge_chain(work: Work, chain: Any, patch: ir.Patch) -> None:
    value = work.value(patch)
    socket = value.transport_socket
    if not chain.HasField("transport_socket") or socket.name != chain.transport_socket.name:
        work.merge(chain, patch)
        return
    rest = type(value).FromString(value.SerializeToString())
    rest.ClearField("transport_socket")
    work.merge_extension(chain.transport_socket, patch, socket)
    work.merge(chain, patch, rest)


def _takes_chain(patch: ir.Patch, listener: Any, chain: Any) -> bool:
    if not _takes(patch, listener):
        return False
    match, of = patch.listener, chain.filter_chain_match
    port = match.destination_port or (match.port if listener.name in _VIRTUAL else 0)
    return (
        match.chain in ("", chain.name)
        and (not match.sni or match.sni in of.server_names)
        and match.transport in ("", of.transport_protocol)
        and set(match.alpn) <= set(of.application_protocols)
        and port in (0, of.destination_port.value)
    )


def _network_filters(work: Work, listener: Any, chain: Any) -> None:
    patches = [patch for patch in work.of("NETWORK_FILTER") if _takes_chain(patch, listener, chain)]
    for patch in patches:
        if patch.operation not in MERGES:
            work.edit(chain.filters, patch, _named(patch.listener.filter), _end(chain.filters))
    for one in chain.filters:
        for patch in patches:
            if patch.operation in MERGES and patch.listener.filter in ("", one.name):
                work.merge_extension(one, patch)
        _connection(work, listener, chain, one)


def _end(filters: Any) -> int:
    ends = bool(filters) and filters[-1].name.rpartition(".")[2] in _LAST
    return len(filters) - 1 if ends else len(filters)


def _connection(work: Work, listener: Any, chain: Any, filter_: Any) -> None:
    """What is in the filter that speaks HTTP: its own filters, and the routes where it carries them itself."""
    if filter_.typed_config.type_url.rpartition("/")[2] != _CONNECTION:
        return
    own = [
        patch
        for patch in work.of("HTTP_FILTER")
        if _takes_chain(patch, listener, chain) and patch.listener.filter in ("", filter_.name)
    ]
    inline = _inline(work, listener)
    if not own and not inline:
        return
    connection = work.pool.message(_CONNECTION).FromString(filter_.typed_config.value)
    http_filters.change(work, connection, own)
    if inline and connection.HasField("route_config"):
        _own_routes(work, listener, connection.route_config)
    filter_.typed_config.value = connection.SerializeToString(deterministic=True)


def _inline(work: Work, listener: Any) -> bool:
    return any(patch.direction in ("any", _direction(listener)) for thing in routes.THINGS for patch in work.of(thing))


def _own_routes(work: Work, listener: Any, table: Any) -> None:
    patches = [patch for thing in routes.THINGS for patch in work.of(thing)]
    about = [patch for patch in patches if routes.concerns(patch, table.name, _direction(listener))]
    inner = Work(work.pool, work.value, about)
    routes.change(inner, table)
    work.used |= inner.used


def _direction(listener: Any) -> str:
    return _DIRECTIONS.get(listener.traffic_direction, "any")


def _named(name: str) -> Chosen | None:
    return (lambda one: bool(one.name == name)) if name else None
