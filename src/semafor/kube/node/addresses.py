"""Pod addresses: handed out in turn, so that an address rests as long as possible before it means another pod."""

from ipaddress import IPv4Address, IPv4Network


class NoAddressError(Exception):
    """Every pod address is taken."""


class Addresses:
    """The free addresses of `network`; `taken` ones (the bridge's) are never handed out."""

    def __init__(self, network: str, taken: tuple[str, ...] = ()) -> None:
        self._network = IPv4Network(network)
        never = (self._network.network_address, self._network.broadcast_address)
        self._taken = {int(address) for address in never} | {int(IPv4Address(address)) for address in taken}
        self._last = int(self._network.network_address)

    def allocate(self) -> str:
        """The next free address. Raises NoAddressError."""
        first, size = int(self._network.network_address), self._network.num_addresses
        for step in range(1, size + 1):
            candidate = first + (self._last - first + step) % size
            if candidate not in self._taken:
                self._taken.add(candidate)
                self._last = candidate
                return str(IPv4Address(candidate))
        raise NoAddressError(f"no free pod address in {self._network}: delete pods that are not needed")

    def free(self, address: str) -> None:
        """Give an address back."""
        self._taken.discard(int(IPv4Address(address)))
