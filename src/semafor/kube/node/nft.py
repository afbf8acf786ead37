"""What nf_tables does with a pod's and the node's packets: pure, from an `Interception` to the bytes of one batch.

A rule is a list of expressions that all must hold, and a verdict last. Source: linux/netfilter/nf_tables.h.
"""

import ipaddress
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from semafor.kube.node import netlink
from semafor.kube.node.netlink import attribute, be32, nested, text
from semafor.kube.node.spec import EXEMPT_MARK, OUTBOUND_MARK, Interception, NodeNetwork

TABLE = "semafor"
EXEMPT_ADDRESS = "127.0.0.6"  # of sidecars that may not mark, when they speak to their own app; the planner's
DNS_PORT = 53
# The sidecar's own ports, which Istio never intercepts: admin, outbound, inbound, metrics, health, Envoy's metrics.
PROXY_PORTS = (15000, 15001, 15006, 15020, 15021, 15090)

_SUBSYSTEM = 10 << 8
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_NEW_TABLE, _NEW_CHAIN, _NEW_RULE = _SUBSYSTEM, _SUBSYSTEM | 3, _SUBSYSTEM | 6
_FAMILY_IPV4 = 2
_PREROUTING, _OUTPUT = 0, 3
_PRIORITY_DSTNAT = -100
_RETURN = -5
_REGISTER, _VERDICT_REGISTER = 1, 0
_EQUAL, _NOT_EQUAL = 0, 1
_META_MARK, _META_OIFNAME, _META_SKUID, _META_L4PROTO = 3, 7, 10, 16
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2
_IP_SOURCE, _IP_DESTINATION, _PORT_DESTINATION = (12, 4), (16, 4), (2, 2)  # offset and length in the header
_TCP, _UDP = 6, 17
_NAME_BYTES = 16  # of an interface


class Chain(NamedTuple):
    """A hook and its rules, in order; a packet that no rule decides passes."""

    name: str
    hook: int
    rules: tuple[bytes, ...]


def pod(interception: Interception, network: NodeNetwork) -> tuple[Chain, ...]:
    """The chains of a pod with a sidecar."""
    return (
        Chain("output", _OUTPUT, tuple(_outbound(interception, network))),
        Chain("prerouting", _PREROUTING, tuple(_inbound(interception))),
    )


def node(network: NodeNetwork) -> tuple[Chain, ...]:
    """The node is every pod's gateway: TCP to services and to the outside goes to the node's Envoy."""
    rules = (
        _rule(*_destination(network.pods), _verdict(_RETURN)),
        _rule(*_destination(network.dns), _verdict(_RETURN)),
        _rule(*_protocol(_TCP), *_redirect(network.redirect_port)),
    )
    return (Chain("prerouting", _PREROUTING, rules),)


def batch(chains: Iterable[Chain]) -> tuple[bytes, ...]:
    """The messages that make the table with these chains; all but the first and the last are acknowledged."""
    made = [_create(_NEW_TABLE, text(1, TABLE))]
    for chain in chains:
        made.append(_chain(chain))
        made += (_create(_NEW_RULE, text(1, TABLE), text(2, chain.name), rule) for rule in chain.rules)
    return (_edge(_BATCH_BEGIN), *made, _edge(_BATCH_END))


def install(chains: Iterable[Chain]) -> None:
    """Make the table in the network namespace of the caller. Raises NetlinkError."""
    messages = batch(chains)
    with netlink.Netlink(netlink.NETFILTER) as link:
        link.batch("nftables: make the rules of interception", messages, acknowledged=len(messages) - 2)


def _outbound(i: Interception, network: NodeNetwork) -> Iterator[bytes]:
    # What is exempt stays exempt, whatever follows.
    exempt = _from(EXEMPT_ADDRESS) if i.proxy_uid else _mark(EXEMPT_MARK)
    yield _rule(*exempt, _verdict(_RETURN))
    # A pod that calls its own service: the sidecar's call to it comes back as inbound.
    yield _rule(
        *_output_to("lo"),
        *_own(i),
        *_not_to("127.0.0.0/8"),
        *_protocol(_TCP),
        *_redirect(i.inbound_port),
    )
    # The sidecar's own traffic would go round in circles.
    yield _rule(*_own(i), _verdict(_RETURN))
    yield _rule(*_output_to("lo"), _verdict(_RETURN))
    if i.dns_port:
        # Name servers that are services or pods of the cluster are asked as they are; of others, none can be reached.
        elsewhere = [expression for cidr in (network.services, network.pods) for expression in _not_to(cidr)]
        for protocol in (_UDP, _TCP):
            question = [*_protocol(protocol), *_port(DNS_PORT)]
            yield _rule(*question, *_destination(network.dns), *_redirect(i.dns_port))
            yield _rule(*question, *elsewhere, *_redirect(i.dns_port))
    for port in i.exclude_outbound_ports:
        yield _rule(*_protocol(_TCP), *_port(port), _verdict(_RETURN))
    for cidr in i.exclude_outbound_cidrs:
        yield _rule(*_destination(cidr), _verdict(_RETURN))
    for cidr in i.include_outbound_cidrs or ("0.0.0.0/0",):
        yield _rule(*_destination(cidr), *_protocol(_TCP), *_redirect(i.outbound_port))


def _inbound(i: Interception) -> Iterator[bytes]:
    for port in (*PROXY_PORTS, *i.exclude_inbound_ports):
        yield _rule(*_protocol(_TCP), *_port(port), _verdict(_RETURN))
    if i.include_inbound_ports is None:
        yield _rule(*_protocol(_TCP), *_redirect(i.inbound_port))
        return
    for port in i.include_inbound_ports:
        yield _rule(*_protocol(_TCP), *_port(port), *_redirect(i.inbound_port))


# ---- conditions: each is a list of expressions


def _own(i: Interception) -> list[bytes]:
    """What the sidecar sends itself."""
    if not i.proxy_uid:
        return _mark(OUTBOUND_MARK)
    return [_meta(_META_SKUID), _compare(struct.pack("=I", i.proxy_uid))]


def _mark(mark: int) -> list[bytes]:
    return [_meta(_META_MARK), _compare(struct.pack("=I", mark))]


def _from(address: str) -> list[bytes]:
    return [_payload(_NETWORK_HEADER, _IP_SOURCE), _compare(ipaddress.IPv4Address(address).packed)]


def _output_to(interface: str) -> list[bytes]:
    return [_meta(_META_OIFNAME), _compare(interface.encode().ljust(_NAME_BYTES, b"\0"))]


def _protocol(number: int) -> list[bytes]:
    return [_meta(_META_L4PROTO), _compare(bytes([number]))]


def _port(port: int) -> list[bytes]:
    return [_payload(_TRANSPORT_HEADER, _PORT_DESTINATION), _compare(struct.pack(">H", port))]


def _not_to(cidr: str) -> list[bytes]:
    return _destination(cidr, operator=_NOT_EQUAL)


def _destination(cidr: str, *, operator: int = _EQUAL) -> list[bytes]:
    network = ipaddress.IPv4Network(cidr, strict=False)
    if network.prefixlen == 0:
        return []
    zero = _value(5, b"\0" * 4)
    mask = _expression(
        "bitwise", be32(1, _REGISTER), be32(2, _REGISTER), be32(3, 4), _value(4, network.netmask.packed), zero
    )
    load = _payload(_NETWORK_HEADER, _IP_DESTINATION)
    return [load, mask, _compare(network.network_address.packed, operator)]


# ---- verdicts


def _verdict(code: int) -> bytes:
    return _expression("immediate", be32(1, _VERDICT_REGISTER), nested(2, nested(2, be32(1, code))))


def _redirect(port: int) -> list[bytes]:
    load = _expression("immediate", be32(1, _REGISTER), _value(2, struct.pack(">H", port)))
    return [load, _expression("redir", be32(1, _REGISTER))]


# ---- expressions and messages


def _meta(key: int) -> bytes:
    return _expression("meta", be32(2, key), be32(1, _REGISTER))


def _payload(header: int, field: tuple[int, int]) -> bytes:
    offset, length = field
    return _expression("payload", be32(1, _REGISTER), be32(2, header), be32(3, offset), be32(4, length))


def _compare(value: bytes, operator: int = _EQUAL) -> bytes:
    return _expression("cmp", be32(1, _REGISTER), be32(2, operator), _value(3, value))


def _value(kind: int, value: bytes) -> bytes:
    return nested(kind, attribute(1, value))


def _expression(name: str, *attributes: bytes) -> bytes:
    return nested(1, text(1, name), nested(2, *attributes))


def _rule(*expressions: bytes) -> bytes:
    return nested(4, *expressions)


def _chain(chain: Chain) -> bytes:
    hook = nested(4, be32(1, chain.hook), be32(2, _PRIORITY_DSTNAT))
    return _create(_NEW_CHAIN, text(1, TABLE), text(3, chain.name), hook, text(7, "nat"))


def _create(kind: int, *attributes: bytes) -> bytes:
    flags = netlink.ACK | netlink.CREATE | netlink.APPEND
    return netlink.message(kind, flags, struct.pack(">BBH", _FAMILY_IPV4, 0, 0), *attributes)


def _edge(kind: int) -> bytes:
    return netlink.message(kind, 0, struct.pack(">BBH", 0, 0, 10))
