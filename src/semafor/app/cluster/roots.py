"""Whom to trust, told to everybody: a ConfigMap in each namespace for agents, and the webhooks' own field.

One replica does this, the leader.
"""

import asyncio
import base64
import logging
from typing import Any, Final

from semafor.app.cluster.container import ROOT_KEY, ROOT_MAP
from semafor.base.status_error import StatusError
from semafor.cluster.client import Client
from semafor.resources.admissionregistration import webhooks
from semafor.resources.core import config_map, namespace
from semafor.resources.kind import Kind

log = logging.getLogger(__name__)

Doc = dict[str, Any]
CONFIGURATIONS: Final[tuple[Kind, ...]] = (webhooks.MUTATING, webhooks.VALIDATING)
_RETRY_S: Final = 5.0


async def run(client: Client, root: bytes, service: str) -> None:
    """Keep both right, for ever. `service` is the control plane's, whose webhooks these are."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_tell_namespaces(client, root.decode()))
        for kind in CONFIGURATIONS:
            tasks.create_task(_tell_webhooks(client, kind, base64.b64encode(root).decode(), service))


async def _tell_namespaces(client: Client, root: str) -> None:
    async for change, obj in client.watch(namespace.KIND):
        name = obj["metadata"]["name"]
        if change == "DELETED" or obj["metadata"].get("deletionTimestamp"):
            continue
        found = client.get(config_map.KIND, name, ROOT_MAP)
        if not found or found.get("data") != {ROOT_KEY: root}:
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": ROOT_MAP, "namespace": name}}
            await _applied(client, config_map.KIND, {**body, "data": {ROOT_KEY: root}})


async def _applied(client: Client, kind: Kind, body: Doc) -> None:
    try:
        await client.apply(kind, body)
    except StatusError as error:
        log.warning("%s %s: %s", kind.kind, body["metadata"].get("namespace") or body["metadata"]["name"], error)
        await asyncio.sleep(_RETRY_S)


async def _tell_webhooks(client: Client, kind: Kind, bundle: str, service: str) -> None:
    async for change, obj in client.watch(kind):
        if change == "DELETED":
            continue
        told = [_told(each, bundle, service) for each in obj.get("webhooks") or ()]
        if told != (obj.get("webhooks") or []):
            try:
                await client.patch(kind, "", obj["metadata"]["name"], {"webhooks": told})
            except StatusError as error:
                log.warning("%s %s: %s", kind.kind, obj["metadata"]["name"], error)


def _told(webhook: Doc, bundle: str, service: str) -> Doc:
    """The webhook with the bundle, if it leads to the service."""
    known = webhook.get("clientConfig") or {}
    if (known.get("service") or {}).get("name") != service:
        return webhook
    return {**webhook, "clientConfig": {**known, "caBundle": bundle}}
