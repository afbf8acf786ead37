"""Puts the objects that every cluster has into a new store. What the mesh consists of is the installer's."""

import asyncio
from importlib.resources import files
from typing import Any

import ryaml

from semafor.kube.api.client import Client
from semafor.resources import registry
from semafor.resources.kind import Kind

Doc = dict[str, Any]

_FIRST = ("Namespace", "ServiceAccount")  # what others are in, or run as
CLUSTER = ("cluster.yaml", "roles.yaml", "gatewayclasses.yaml")


async def ensure_cluster(client: Client) -> None:
    """What every cluster has."""
    await ensure(client, CLUSTER)


async def ensure(client: Client, names: tuple[str, ...]) -> None:
    """What is in these files."""
    await _ensure(client, [document for name in names for document in _documents(name)])


async def _ensure(client: Client, documents: list[Doc]) -> None:
    """Create what is missing, side by side where nothing refers to each other. What a user has changed stays."""
    for wanted in _FIRST:
        await _create(client, [document for document in documents if document["kind"] == wanted])
    await _create(client, [document for document in documents if document["kind"] not in _FIRST])


async def _create(client: Client, documents: list[Doc]) -> None:
    missing = []
    for document in documents:
        metadata = document["metadata"]
        if client.get(_kind(document), metadata.get("namespace", ""), metadata["name"]) is None:
            missing.append(document)
    await asyncio.gather(*(client.create(_kind(document), document) for document in missing))


def _documents(name: str) -> list[Doc]:
    text = (files("semafor.system") / name).read_text(encoding="utf-8")
    return [document for document in ryaml.loads_all(text) if document]


def _kind(document: Doc) -> Kind:
    kind = registry.by_kind(document["apiVersion"].rpartition("/")[0], document["kind"])
    assert kind is not None, document["kind"]
    return kind
