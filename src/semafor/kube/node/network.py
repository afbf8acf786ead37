"""Addresses and links: the node's bridge, and a pod's end of it.

    pod netns                      node netns (no way out: TCP is redirected to the node's Envoy, UDP has no route)
    eth0 10.244.0.7/16  ══veth══  p0af40007 ─ semafor0 10.244.0.1/16, 10.96.0.10/32
                                              lo: every service address, for the node's Envoy to take datagrams at

Everything is IPv4. Pods' eth0 has no IPv6 address, so that nothing passes beside the interception; `lo` keeps ::1.
"""

import ipaddress
import os
import socket
import struct
from pathlib import Path

from semafor.kube.node import netlink, nft
from semafor.kube.node.netlink import ACK, CREATE, EXCLUSIVE, Netlink, attribute, nested, text, u32
from semafor.kube.node.spec import NodeNetwork, Sandbox

BRIDGE = "semafor0"

_NEW_LINK, _DELETE_LINK, _NEW_ADDRESS, _NEW_ROUTE = 16, 17, 20, 24
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 4, 10, 18, 28
_UP = 1
_CREATED = ACK | CREATE | EXCLUSIVE
# The most that the kernel takes: Envoy never sends a datagram in fragments, so a longer one would be lost.
_MTU_BYTES = 65535
_MAC_PREFIX = b"\x0a\x58"  # a locally administered address made of the IP, as container networks do: no stale ARP

# (file below /proc/sys, value) of every pod
_POD_SETTINGS = (
    ("net/ipv4/ip_unprivileged_port_start", "0"),  # a pod's process may listen on port 80
    ("net/ipv4/ping_group_range", "0 0"),  # and ping, without CAP_NET_RAW
    ("net/ipv6/conf/default/disable_ipv6", "1"),  # interfaces made from now on, so not lo
)
_NODE_SETTINGS = (
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv4/ip_unprivileged_port_start", "0"),  # the node's Envoy takes datagrams to any port of a service
    ("net/ipv6/conf/default/disable_ipv6", "1"),
    ("net/bridge/bridge-nf-call-iptables", "0"),  # pod to pod is not the node's business
)


def set_up_node(network: NodeNetwork) -> None:
    """Make the node's bridge, addresses and redirection in the network namespace of the caller."""
    _set(_NODE_SETTINGS)
    with Netlink(netlink.ROUTE) as link:
        _up(link, "lo")
        # A fixed address: else a bridge takes its ports' lowest one, and ARP entries go stale as pods come and go.
        mac = attribute(_IFLA_ADDRESS, _MAC_PREFIX + socket.inet_aton(network.address))
        kind = nested(_IFLA_LINKINFO, text(1, "bridge"))
        size = u32(_IFLA_MTU, _MTU_BYTES)
        bridge = netlink.message(_NEW_LINK, _CREATED, _info(up=True), text(_IFLA_IFNAME, BRIDGE), size, mac, kind)
        link.request("make the bridge", bridge)
        prefix = ipaddress.IPv4Network(network.pods).prefixlen
        _add_address(link, BRIDGE, network.address, prefix)
        _add_address(link, BRIDGE, network.dns, 32)
        _add_local_route(link, network.services)
    nft.install(nft.node(network))


class PodLink:
    """A pod's way out, made by the process that enters the pod's namespaces: open it before, plug it in after."""

    def __init__(self) -> None:
        self._node = Netlink(netlink.ROUTE)
        self._bridge = socket.if_nametoindex(BRIDGE)

    def plug(self, sandbox: Sandbox, network: NodeNetwork) -> None:
        """Give the caller's (new) network namespace its address, route and interception."""
        _set(_POD_SETTINGS)
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        with self._node:
            self._node.request(f"make the link of {sandbox.name}", _veth(sandbox.ip, self._bridge, own))
        os.close(own)
        with Netlink(netlink.ROUTE) as link:
            _up(link, "lo")
            _up(link, "eth0")
            _add_address(link, "eth0", sandbox.ip, ipaddress.IPv4Network(network.pods).prefixlen)
            _add_default_route(link, network.address)
        if sandbox.interception:
            nft.install(nft.pod(sandbox.interception, network))


def unplug(ip: str) -> None:
    """Delete a pod's link now: the kernel deletes it with the namespace, but some milliseconds later."""
    with Netlink(netlink.ROUTE) as link:
        try:
            link.request("delete the link", netlink.message(_DELETE_LINK, ACK, _info(), text(_IFLA_IFNAME, _name(ip))))
        except netlink.NetlinkError:
            return  # it is gone already


def bound_socket(address: str, port: int, kind: int) -> socket.socket:
    """A socket that waits at an address of the caller's network namespace; TCP listens."""
    made = socket.socket(socket.AF_INET, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    if kind == socket.SOCK_STREAM:
        made.listen(128)
    return made


def _veth(ip: str, bridge: int, pod_ns: int) -> bytes:
    """Both ends in one message: one up and in the bridge, one in the pod and still down (the kernel wants it so)."""
    mac = attribute(_IFLA_ADDRESS, _MAC_PREFIX + socket.inet_aton(ip))
    size = u32(_IFLA_MTU, _MTU_BYTES)
    peer = nested(1, _info(), text(_IFLA_IFNAME, "eth0"), size, mac, u32(_IFLA_NET_NS_FD, pod_ns))
    kind = nested(_IFLA_LINKINFO, text(1, "veth"), nested(2, peer))
    own = (text(_IFLA_IFNAME, _name(ip)), size, u32(_IFLA_MASTER, bridge))
    return netlink.message(_NEW_LINK, _CREATED, _info(up=True), *own, kind)


def _name(ip: str) -> str:
    return "p" + socket.inet_aton(ip).hex()


def _info(*, index: int = 0, up: bool = False) -> bytes:
    flags = _UP if up else 0
    return struct.pack("=BxHiII", 0, 0, index, flags, flags)


def _up(link: Netlink, name: str) -> None:
    index = socket.if_nametoindex(name)
    link.request(f"set {name} up", netlink.message(_NEW_LINK, ACK, _info(index=index, up=True)))


def _add_address(link: Netlink, interface: str, address: str, prefix: int) -> None:
    packed = socket.inet_aton(address)
    head = struct.pack("=BBBBi", socket.AF_INET, prefix, 0, 0, socket.if_nametoindex(interface))
    body = (attribute(1, packed), attribute(2, packed))
    link.request(f"add {address} to {interface}", netlink.message(_NEW_ADDRESS, _CREATED, head, *body))


def _add_default_route(link: Netlink, gateway: str) -> None:
    main_table, by_boot, universe, unicast = 254, 3, 0, 1
    head = struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, main_table, by_boot, universe, unicast, 0)
    link.request(
        "add the default route", netlink.message(_NEW_ROUTE, _CREATED, head, attribute(5, socket.inet_aton(gateway)))
    )


def _add_local_route(link: Netlink, addresses: str) -> None:
    """The node has all of these addresses: a process of it may listen at any of them."""
    local_table, by_boot, this_host, local = 255, 3, 254, 2
    where = ipaddress.IPv4Network(addresses)
    fixed = (where.prefixlen, 0, 0, local_table, by_boot, this_host, local, 0)
    head = struct.pack("=BBBBBBBBI", socket.AF_INET, *fixed)
    body = (attribute(1, where.network_address.packed), u32(4, socket.if_nametoindex("lo")))
    link.request("take the service addresses in", netlink.message(_NEW_ROUTE, _CREATED, head, *body))


def _set(settings: tuple[tuple[str, str], ...]) -> None:
    for name, value in settings:
        file = Path("/proc/sys", name)
        if file.exists():  # a kernel without IPv6 or without br_netfilter has nothing to switch off
            file.write_text(value)
