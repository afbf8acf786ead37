"""Addresses for hosts that have none, so that callers can connect by name: out of a network that nobody else uses.

A host's address follows from its name, so it is the same after every restart, and does not depend on what else there
is, but for the rare case of two hosts with one address: then the older one keeps it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network

from semafor.planner.services.service import Service


def allocate(services: Iterable[Service], network: str) -> Mapping[tuple[str, str], str]:
    """An address for each service, by namespace and host. With no network, or a full one, there is none."""
    if not network:
        return {}
    space = IPv4Network(network)
    size = space.num_addresses - 2  # without the network's own address and the last one
    taken: dict[int, tuple[str, str]] = {}
    for service in sorted(services, key=lambda each: (each.age, each.namespace, each.host)):
        key = (service.namespace, service.host)
        place = next((place for place in _places(key, size) if taken.get(place, key) == key), None)
        if place is not None:
            taken[place] = key
    return {key: str(space[place + 1]) for place, key in taken.items()}


def _places(key: tuple[str, str], size: int) -> Iterable[int]:
    """Where to look for a free place: one after another, from where the name leads."""
    digest = hashlib.sha256("/".join(key).encode()).digest()
    start = int.from_bytes(digest[:8], "big") % size
    return ((start + step) % size for step in range(size))
