"""Namespaces: what every one has, and the emptying of one that is deleted."""

from typing import Any

from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.kube.controllers import ownership
from semafor.kube.controllers.reconcile import Key, Watch, own
from semafor.resources.core.config_map import KIND as CONFIG_MAP
from semafor.resources.core.namespace import KIND
from semafor.resources.core.service_account import KIND as SERVICE_ACCOUNT
from semafor.resources.kind import Kind

Doc = dict[str, Any]

_FINALIZER = "kubernetes"
_ROOT_CERTIFICATES = "kube-root-ca.crt"
_LOOK_AGAIN_S = 0.1


class Namespaces:
    """The controller. `root_certificate` is the PEM of the authority behind the API's certificate."""

    def __init__(self, client: Client, root_certificate: str) -> None:
        self.watches: tuple[Watch, ...] = (
            Watch(KIND, own),
            Watch(SERVICE_ACCOUNT, _of("default")),
            Watch(CONFIG_MAP, _of(_ROOT_CERTIFICATES)),
        )
        self._client = client
        self._root_certificate = root_certificate

    async def reconcile(self, key: Key) -> float | None:
        namespace = self._client.get(KIND, "", key.name)
        if namespace is None:
            return None
        if ownership.leaving(namespace):
            return await self._empty(namespace)
        await self._furnish(key.name)
        return None

    async def _furnish(self, name: str) -> None:
        """The default service account, and the certificate that pods need to trust the API."""
        await self._ensure(SERVICE_ACCOUNT, name, "default", {})
        await self._ensure(CONFIG_MAP, name, _ROOT_CERTIFICATES, {"data": {"ca.crt": self._root_certificate}})

    async def _ensure(self, kind: Kind, namespace: str, name: str, content: Doc) -> None:
        existing = self._client.get(kind, namespace, name)
        if existing is None:
            metadata = {"name": name, "namespace": namespace}
            document = {"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": metadata, **content}
            await self._client.create(kind, document)
        elif any(existing.get(field) != value for field, value in content.items()):
            await self._client.patch(kind, namespace, name, content)

    async def _empty(self, namespace: Doc) -> float | None:
        """Delete everything inside; when nothing is left, let the namespace go."""
        name = namespace["metadata"]["name"]
        left = [(kind, obj) for kind in self._client.kinds if kind.namespaced for obj in self._client.list(kind, name)]
        for kind, obj in left:
            if not ownership.leaving(obj):
                await self._delete(kind, name, obj["metadata"]["name"])
        if left:
            return _LOOK_AGAIN_S
        finalizers = [each for each in namespace["spec"].get("finalizers", []) if each != _FINALIZER]
        await self._client.update(KIND, {**namespace, "spec": {"finalizers": finalizers}}, subresource="finalize")
        return None

    async def _delete(self, kind: Kind, namespace: str, name: str) -> None:
        try:
            await self._client.delete(kind, namespace, name)
        except StatusError as error:
            if error.reason != "NotFound":  # gone in the meantime, with its owner
                raise


def _of(name: str) -> Any:
    """The namespace of an object of this name: it has to come back when someone deletes it."""
    return lambda obj: (Key("", obj["metadata"]["namespace"]),) if obj["metadata"]["name"] == name else ()
