"""Puts the objects that every mesh has into a new store, and keeps to the profile in an old one."""

import asyncio
from importlib.resources import files
from typing import Any

import ryaml

from semafor.kube.api.client import Client
from semafor.kube.api.errors import StatusError
from semafor.resources import registry
from semafor.resources.core import namespace
from semafor.resources.kind import Kind

Doc = dict[str, Any]

_FIRST = ("Namespace", "ServiceAccount")  # what others are in, or run as
CLUSTER = ("cluster.yaml", "roles.yaml", "gatewayclasses.yaml")
_ALL = ("istiod.yaml", "ingressgateway.yaml", "egressgateway.yaml")
PROFILES: dict[str, tuple[str, ...]] = {
    "demo": _ALL,
    "default": ("istiod.yaml", "ingressgateway.yaml"),
    "minimal": ("istiod.yaml",),
}
_MESH: dict[str, str] = {"demo": "accessLogFile: /dev/stdout\n"}  # Istio's profile says so too


async def ensure_cluster(client: Client, profile: str) -> None:
    """What every cluster has, with the mesh configuration of the profile."""
    documents = [document for name in CLUSTER for document in _documents(name)]
    await _ensure(client, [_of_profile(document, profile) for document in documents])


def _of_profile(document: Doc, profile: str) -> Doc:
    """The mesh configuration with what the profile adds to it; other documents as they are."""
    if document["kind"] != "ConfigMap" or "mesh" not in document["data"]:
        return document
    return {**document, "data": {"mesh": document["data"]["mesh"] + _MESH.get(profile, "")}}


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


async def ensure_profile(client: Client, profile: str) -> None:
    """The workloads of the profile, and none of the others."""
    await ensure(client, PROFILES[profile])
    for name in set(_ALL) - set(PROFILES[profile]):
        for document in _documents(name):
            await _remove(client, _kind(document), document)


async def _remove(client: Client, kind: Kind, document: Doc) -> None:
    metadata = document["metadata"]
    if kind is namespace.KIND or client.get(kind, metadata["namespace"], metadata["name"]) is None:
        return
    try:
        await client.delete(kind, metadata["namespace"], metadata["name"])
    except StatusError as error:
        if error.reason != "NotFound":
            raise


def _documents(name: str) -> list[Doc]:
    text = (files("semafor.system") / name).read_text(encoding="utf-8")
    return [document for document in ryaml.loads_all(text) if document]


def _kind(document: Doc) -> Kind:
    kind = registry.by_kind(document["apiVersion"].rpartition("/")[0], document["kind"])
    assert kind is not None, document["kind"]
    return kind
