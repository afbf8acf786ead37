"""Addresses that the mesh gives to hosts without one."""

from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from semafor.planner.hosts import Age
from semafor.planner.services import addresses
from semafor.planner.services.service import Service

NETWORK = "240.240.0.0/29"  # six addresses, so that hosts collide


def service(host: str, day: int = 1) -> Service:
    age = Age(created=f"2026-01-{day:02}T00:00:00Z", name=host, namespace="default")
    return Service(host=host, name=host, namespace="default", addresses=(), headless=False, ports=(), age=age)


@given(st.sets(st.text("abc", min_size=1), max_size=6))
def test_every_host_gets_an_address_of_its_own(hosts):
    given_out = addresses.allocate(map(service, hosts), NETWORK)
    assert len(set(given_out.values())) == len(hosts)
    assert all(IPv4Address(each) in list(IPv4Network(NETWORK).hosts()) for each in given_out.values())


@given(st.lists(st.text("abc", min_size=1), max_size=6, unique=True))
def test_a_younger_host_takes_no_address_away(hosts):
    services = [service(host, day) for day, host in enumerate(hosts, 1)]
    before, after = addresses.allocate(services[:-1], NETWORK), addresses.allocate(services, NETWORK)
    assert before.items() <= after.items()


def test_a_full_network_leaves_the_youngest_without():
    services = [service(f"host-{number}", number) for number in range(1, 8)]
    assert ("default", "host-7") not in addresses.allocate(services, NETWORK)


def test_without_a_network_nobody_gets_one():
    assert addresses.allocate([service("a")], "") == {}
