"""EndpointSlices of services with a selector; `endpoints.py` says what is in them."""

from typing import Any

from semafor.kube.api.client import Client
from semafor.kube.controllers import endpoints, ownership
from semafor.kube.controllers.reconcile import Key, Watch, own, owner
from semafor.resources.core.pod import KIND as POD
from semafor.resources.core.service import KIND as SERVICE
from semafor.resources.discovery.endpoint_slice import KIND
from semafor.resources.selector import chooses

Doc = dict[str, Any]

_COMPARED = ("addressType", "endpoints", "ports")


class EndpointSlices:
    """The controller; `node` is the name of the one node, for pods that do not say."""

    def __init__(self, client: Client, node: str) -> None:
        self.watches: tuple[Watch, ...] = (
            Watch(SERVICE, own),
            Watch(POD, self._selecting),
            Watch(KIND, owner("Service")),
        )
        self._client = client
        self._node = node
        self._selected: dict[str, set[Key]] = {}  # pod's uid -> the services that last selected it

    async def reconcile(self, key: Key) -> None:
        service = self._client.get(SERVICE, *key)
        if service is None or ownership.leaving(service) or not service["spec"].get("selector"):
            return
        selector = service["spec"]["selector"]
        pods = [p for p in self._client.list(POD, key.namespace) if chooses(selector, _labels(p))]
        wanted = endpoints.slices(service, pods, self._node)
        existing = {each["metadata"]["name"]: each for each in self._managed(service)}
        for name, each in wanted.items():
            await self._write(each, existing.get(name))
        for name in existing.keys() - wanted.keys():
            await self._client.delete(KIND, key.namespace, name)

    def _selecting(self, pod: Doc) -> set[Key]:
        """The services that select the pod now, and those that did before its labels changed."""
        namespace = pod["metadata"]["namespace"]
        now = {
            Key(namespace, service["metadata"]["name"])
            for service in self._client.list(SERVICE, namespace)
            if chooses(service["spec"].get("selector"), _labels(pod))
        }
        uid = pod["metadata"]["uid"]
        affected = now | self._selected.pop(uid, set())
        if self._client.get(POD, namespace, pod["metadata"]["name"]) is not None:
            self._selected[uid] = now
        return affected

    def _managed(self, service: Doc) -> list[Doc]:
        wanted = {endpoints.SERVICE_NAME: service["metadata"]["name"]}
        found = self._client.list(KIND, service["metadata"]["namespace"], labels=wanted)
        return [each for each in found if ownership.owned(each, service)]

    async def _write(self, wanted: Doc, existing: Doc | None) -> None:
        if existing is None:
            await self._client.create(KIND, wanted)
            return
        same_labels = existing["metadata"].get("labels") == wanted["metadata"]["labels"]
        if same_labels and all(existing.get(field) == wanted[field] for field in _COMPARED):
            return
        metadata = {**existing["metadata"], "labels": wanted["metadata"]["labels"]}
        await self._client.update(
            KIND, {**existing, **{field: wanted[field] for field in _COMPARED}, "metadata": metadata}
        )


def _labels(pod: Doc) -> dict[str, str]:
    return pod["metadata"].get("labels") or {}
