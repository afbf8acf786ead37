"""Which proxy calls: the one that a token was made for, and only from the network of its own pod."""

from collections.abc import Set
from typing import Protocol

from semafor.app import callers, proxies
from semafor.app.callers import Caller, Doorkeeper


class Networks(Protocol):
    """What is needed of kube.node.Runtime: network namespaces by pod, and all of them."""

    def network(self, uid: str) -> int: ...
    def networks(self) -> Set[int]: ...


class ProxyDoor:
    """A token alone proves nothing: who takes it out of its pod cannot use it elsewhere."""

    def __init__(self, tokens: proxies.ProxyTokens, networks: Networks, *, uid: int) -> None:
        self._tokens = tokens
        self._networks = networks
        self._uid = uid
        self._own = callers.network()
        self.keeper = Doorkeeper(self.admits)

    def admits(self, who: Caller) -> bool:
        """Whether the process is our user's, and one of a pod, of the node or beside the daemon."""
        return who.uid == self._uid and who.network in {self._own, *self._networks.networks()}

    def authenticate(self, token: str, peer: str) -> str | None:
        """The proxy that calls, if the token and the network agree. `peer` is what gRPC calls it."""
        proxy, who = self._tokens.proxy(token), self.keeper.behind(peer)
        if proxy is None or who is None:
            return None
        expected = self._own if proxy == proxies.HOST else self._networks.network(proxy)
        return proxy if who.network == expected != 0 else None
