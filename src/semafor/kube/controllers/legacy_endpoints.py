"""Endpoints objects, for the clients that still read them: the same addresses as in a service's EndpointSlices."""

from typing import Any

from semafor.kube.api.client import Client
from semafor.kube.controllers.endpoints import MANAGED_BY, SERVICE_NAME
from semafor.kube.controllers.reconcile import Key, Watch, own
from semafor.resources.core.endpoints import KIND
from semafor.resources.core.service import KIND as SERVICE
from semafor.resources.discovery.endpoint_slice import KIND as SLICE

Doc = dict[str, Any]


class LegacyEndpoints:
    """The controller. Endpoints of services without a selector are their makers', and stay as they are."""

    def __init__(self, client: Client) -> None:
        self.watches: tuple[Watch, ...] = (Watch(SERVICE, own), Watch(SLICE, _service), Watch(KIND, own))
        self._client = client

    async def reconcile(self, key: Key) -> None:
        service, existing = self._client.get(SERVICE, *key), self._client.get(KIND, *key)
        if service is None:
            if existing is not None:
                await self._client.delete(KIND, *key, uid=existing["metadata"]["uid"])
            return
        if not service["spec"].get("selector"):
            return
        slices = self._client.list(SLICE, key.namespace, labels={SERVICE_NAME: key.name})
        ours = [each for each in slices if each["metadata"]["labels"].get(_MANAGED) == MANAGED_BY]
        found = subsets(ours)
        if existing is None:
            metadata = {"name": key.name, "namespace": key.namespace, "labels": service["metadata"].get("labels") or {}}
            document = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": found}
            await self._client.create(KIND, document)
        elif (existing.get("subsets") or []) != found:
            await self._client.patch(KIND, *key, {"subsets": found})


_MANAGED = "endpointslice.kubernetes.io/managed-by"


def subsets(slices: list[Doc]) -> list[Doc]:
    """The subsets of an Endpoints object. Pods on their way out are in none, as in Kubernetes."""
    return [subset for each in slices if (subset := _subset(each))]


def _subset(slice_: Doc) -> Doc:
    staying = [each for each in slice_.get("endpoints") or [] if not each["conditions"].get("terminating")]
    ready = [_address(each) for each in staying if each["conditions"].get("ready")]
    other = [_address(each) for each in staying if not each["conditions"].get("ready")]
    if not ready and not other:
        return {}
    addresses = {"addresses": ready, "notReadyAddresses": other}
    return {**{name: value for name, value in addresses.items() if value}, "ports": slice_.get("ports") or []}


def _address(endpoint: Doc) -> Doc:
    kept = ("hostname", "nodeName", "targetRef")
    return {"ip": endpoint["addresses"][0], **{field: endpoint[field] for field in kept if field in endpoint}}


def _service(slice_: Doc) -> tuple[Key, ...]:
    metadata = slice_["metadata"]
    name = (metadata.get("labels") or {}).get(SERVICE_NAME)
    return (Key(metadata["namespace"], name),) if name else ()
