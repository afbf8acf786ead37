"""The rules as bytes: what the kernel does with them is tested in test_network."""

import struct

from semafor.kube.node import nft
from semafor.kube.node.spec import Interception, NodeNetwork


def headers(messages: tuple[bytes, ...]) -> list[tuple[int, int]]:
    """(length is right, type) of each message."""
    return [(struct.unpack_from("=I", message)[0] - len(message), message[4]) for message in messages]


def rules(interception: Interception) -> dict[str, int]:
    return {chain.name: len(chain.rules) for chain in nft.pod(interception, NodeNetwork())}


def test_a_batch_is_a_table_its_chains_and_their_rules() -> None:
    begin, end, table, chain, rule = 0x10, 0x11, 0, 3, 6
    expected = [begin, table, chain, *[rule] * 3, end]
    assert headers(nft.batch(nft.node(NodeNetwork()))) == [(0, kind) for kind in expected]


def test_every_exclusion_is_a_rule() -> None:
    plain = rules(Interception())
    more = Interception(
        exclude_outbound_ports=(1, 2), exclude_outbound_cidrs=("10.0.0.0/8",), exclude_inbound_ports=(3,)
    )
    assert rules(more) == {"output": plain["output"] + 3, "prerouting": plain["prerouting"] + 1}


def test_dns_can_be_left_alone() -> None:
    assert rules(Interception(dns_port=0))["output"] == rules(Interception())["output"] - 4


def test_including_ranges_replaces_the_rule_for_all() -> None:
    some = Interception(include_outbound_cidrs=("10.96.0.0/16", "10.97.0.0/16"))
    assert rules(some)["output"] == rules(Interception())["output"] + 1


def test_including_no_inbound_port_leaves_only_the_exclusions() -> None:
    assert rules(Interception(include_inbound_ports=()))["prerouting"] == len(nft.PROXY_PORTS)
