"""The ConfigMap `istio-ca-root-cert` of every namespace: the roots that the mesh trusts, for pods that verify others.

Source: istiod's namespace controller (pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go).
"""

from collections.abc import Callable
from typing import Any, Final

from semafor.app import authorities
from semafor.kube.api.client import Client
from semafor.kube.controllers.reconcile import Key, Watch, own
from semafor.resources.core import config_map, namespace

Doc = dict[str, Any]

NAME: Final = "istio-ca-root-cert"
FILE: Final = "root-cert.pem"
_LABELS: Final = {"istio.io/config": "true"}
_LEFT_OUT: Final = frozenset({"kube-system", "kube-public", "kube-node-lease", "local-path-storage"})


class RootCertificates:
    """A controller. `roots` gives what is trusted now, as PEM; that it changes is heard from the state that is told."""

    def __init__(self, client: Client, roots: Callable[[], bytes]) -> None:
        self.watches = (Watch(namespace.KIND, own), Watch(config_map.KIND, self._concerned))
        self._client = client
        self._roots = roots

    def _concerned(self, obj: Doc) -> tuple[Key, ...]:
        """The namespace of one that was changed by somebody; all of them when the authorities have news."""
        where, name = obj["metadata"]["namespace"], obj["metadata"]["name"]
        if name == NAME:
            return (Key("", where),)
        if (where, name) == (authorities.NAMESPACE, authorities.STATUS):
            return tuple(Key("", each["metadata"]["name"]) for each in self._client.list(namespace.KIND))
        return ()

    async def reconcile(self, key: Key) -> float | None:
        """Make the ConfigMap of the namespace what it has to be."""
        found = self._client.get(namespace.KIND, "", key.name)
        if found is None or key.name in _LEFT_OUT or "deletionTimestamp" in found["metadata"]:
            return None
        data = {FILE: self._roots().decode()}
        existing = self._client.get(config_map.KIND, key.name, NAME)
        if existing is None:
            metadata = {"name": NAME, "namespace": key.name, "labels": dict(_LABELS)}
            await self._client.create(config_map.KIND, {"metadata": metadata, "data": data})
        elif (existing.get("data") or {}).get(FILE) != data[FILE]:
            await self._client.patch(config_map.KIND, key.name, NAME, {"data": data})
        return None
