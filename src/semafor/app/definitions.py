"""CustomResourceDefinitions of the kinds that are no part of Kubernetes, so that those who look for them find them.

Installers and test suites ask whether a definition is there before they use its kind (`kubectl get crd ...`). The kinds
are served whether their definitions are there or not, from the table of kinds; see `kube/api/catalog.py`.
"""

import asyncio
from typing import Any

from semafor.kube.api.client import Client
from semafor.resources import gateway_api, registry
from semafor.resources.apiextensions import custom_resource_definition
from semafor.resources.kind import Column, Kind

Doc = dict[str, Any]


async def ensure(client: Client) -> None:
    """Create the definitions that are missing. What a user has changed or applied stays as it is."""
    async with asyncio.TaskGroup() as tasks:
        for kind in registry.KINDS:
            if kind.custom and client.get(custom_resource_definition.KIND, "", kind.resource) is None:
                tasks.create_task(client.create(custom_resource_definition.KIND, definition(kind)))


def definition(kind: Kind) -> Doc:
    """The definition of a kind. Its schema is open: the true one is in OpenAPI (`kubectl explain`)."""
    names = {"kind": kind.kind, "listKind": kind.list_kind, "plural": kind.plural, "singular": kind.singular}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.resource, "annotations": _annotations(kind)},
        "spec": {
            "group": kind.group,
            "names": names | _optional(shortNames=kind.short, categories=kind.categories),
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [_version(kind, version) for version in kind.versions],
        },
    }


def _annotations(kind: Kind) -> Doc:
    return dict(gateway_api.BUNDLE) if kind.group == gateway_api.GROUP else {}


def _version(kind: Kind, version: str) -> Doc:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    made: Doc = {"name": version, "served": True, "storage": version == kind.versions[0]}
    made["schema"] = {"openAPIV3Schema": {"description": kind.document.__doc__ or "", **schema}}
    made |= _optional(additionalPrinterColumns=[_column(column) for column in kind.columns])
    return made | _optional(subresources={name: {} for name in kind.subresources if name == "status"})


def _column(column: Column) -> Doc:
    made = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return made | _optional(priority=column.priority, description=column.description)


def _optional(**values: Any) -> Doc:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value}
