"""A pod's /etc/hosts and /etc/resolv.conf."""

from typing import Any

import pytest

from semafor.kube.node import netfiles
from semafor.kube.node.netfiles import Resolver

HOST = Resolver(nameservers=("192.0.2.53",), searches=("corp.example",))
CLUSTER = ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web-0", "namespace": "shop"}, "spec": spec}


RESOLVERS: list[tuple[dict[str, Any], Resolver]] = [
    ({}, Resolver(nameservers=("10.96.0.10",), searches=(*CLUSTER, "corp.example"), options=("ndots:5",))),
    ({"dnsPolicy": "Default"}, Resolver(nameservers=("10.96.0.10",), searches=("corp.example",))),
    (
        {
            "dnsPolicy": "None",
            "dnsConfig": {"nameservers": ["192.0.2.1"], "searches": ["x"], "options": [{"name": "debug"}]},
        },
        Resolver(nameservers=("192.0.2.1",), searches=("x",), options=("debug",)),
    ),
    (
        {"dnsConfig": {"options": [{"name": "ndots", "value": "2"}], "searches": ["cluster.local", "y"]}},
        Resolver(nameservers=("10.96.0.10",), searches=(*CLUSTER, "corp.example", "y"), options=("ndots:2",)),
    ),
]


@pytest.mark.parametrize(("spec", "resolver"), RESOLVERS)
def test_resolver(spec: dict[str, Any], resolver: Resolver) -> None:
    assert netfiles.resolver(pod(**spec), "10.96.0.10", HOST) == resolver


def test_a_resolv_conf_survives_reading_and_writing() -> None:
    text = "search a b\nnameserver 10.96.0.10\noptions ndots:5 debug\n"
    assert netfiles.text(netfiles.parse("# comment\ndomain x\n" + text)) == text


def test_hosts_have_the_pods_own_names_and_its_aliases() -> None:
    aliases = [{"ip": "192.0.2.9", "hostnames": ["one", "two"]}]
    text = netfiles.hosts(pod(hostname="db", subdomain="data", hostAliases=aliases), "10.244.0.7")
    assert text.splitlines()[7:] == [
        "10.244.0.7\tdb.data.shop.svc.cluster.local\tdb",
        "",
        "# Entries added by HostAliases.",
        "192.0.2.9\tone\ttwo",
    ]


def test_a_long_name_makes_a_host_name_that_a_kernel_takes() -> None:
    made = netfiles.hostname({"metadata": {"name": "a" * 62 + "-b"}, "spec": {}})
    assert made == "a" * 62
