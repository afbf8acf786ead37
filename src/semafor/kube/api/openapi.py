"""OpenAPI documents: v3 for each group and version, v2 for all together. Pure over the table of kinds.

kubectl reads from v3: the schemas (explain, patches), and from each kind's PATCH operation which parameters it takes
(fieldValidation, dryRun) and whether it takes a strategic merge patch.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from semafor.kube.api import bodies, discovery, patches
from semafor.resources import schema
from semafor.resources.kind import Kind

Doc = dict[str, Any]

_REF = "#/components/schemas/"
_WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")
_LIST_PARAMETERS = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
_TYPES = {"allowWatchBookmarks": "boolean", "limit": "integer", "sendInitialEvents": "boolean", "watch": "boolean"}
_TYPES |= {"timeoutSeconds": "integer", "force": "boolean"}


class OpenApi:
    """The documents of some kinds, each made when it is first asked for.

    Making them all takes some tenths of a second, so ask from a thread. `own` has the schemas that users have written,
    by resource and version.
    """

    def __init__(self, kinds: Sequence[Kind], version: str, own: Mapping[tuple[str, str], Doc]) -> None:
        self._kinds = kinds
        self._own = own
        self._version = version
        self._documents: dict[str, bytes] = {}
        self._v2: bytes = b""

    def index(self) -> Doc:
        """GET /openapi/v3: where each group and version is described; the hash changes with the content."""
        paths = {}
        for path in self._paths():
            digest = hashlib.sha512(self.document(path) or b"").hexdigest()[:64].upper()
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
        return {"paths": paths}

    def document(self, path: str) -> bytes | None:
        """GET /openapi/v3/PATH, such as `apis/apps/v1`; None when that is not served."""
        if path not in self._documents:
            found = self._paths().get(path)
            if found is None:
                return None
            self._documents[path] = msgspec.json.encode(self._describe(*found))
        return self._documents[path]

    def v2(self) -> bytes:
        """GET /openapi/v2."""
        if not self._v2:
            paths: Doc = {}
            for group, version in self._paths().values():
                for kind in discovery.served(self._kinds, group, version):
                    paths |= _operations(kind, version, self._root(kind, version))
            info = {"title": "Kubernetes", "version": self._version}
            doc = {
                "swagger": "2.0",
                "info": info,
                "paths": _as_v2(paths),
                "definitions": self._schemas(self._kinds, None),
            }
            self._v2 = msgspec.json.encode(doc).replace(_REF.encode(), b"#/definitions/")
        return self._v2

    def _paths(self) -> dict[str, tuple[str, str]]:
        found = {"api/v1": ("", "v1")}
        for group in discovery.groups(self._kinds):
            for version in discovery.versions(self._kinds, group):
                found[f"apis/{group}/{version}"] = (group, version)
        return found

    def _describe(self, group: str, version: str) -> Doc:
        kinds = discovery.served(self._kinds, group, version)
        paths: Doc = {}
        for kind in kinds:
            paths |= _operations(kind, version, self._root(kind, version))
        return {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": self._version},
            "paths": paths,
            "components": {"schemas": self._schemas(kinds, version)},
        }

    def _root(self, kind: Kind, version: str) -> str:
        """The name of the kind's own component."""
        if (kind.resource, version) not in self._own:
            return schema.root_name(kind, version)
        return ".".join([*reversed(kind.group.split(".")), version, kind.kind])

    def _schemas(self, kinds: Sequence[Kind], version: str | None) -> Doc:
        known = [kind for kind in kinds if not any((kind.resource, name) in self._own for name in kind.versions)]
        found = dict(schema.components(known, version))
        for kind in kinds:
            for name in kind.versions if kind not in known else ():
                if version in (None, name):
                    found[self._root(kind, name)] = _own_schema(kind, name, self._own[kind.resource, name])
        return found


def _own_schema(kind: Kind, version: str, written: Doc) -> Doc:
    """A user's schema, with what every object has."""
    gvk = {"group": kind.group, "version": version, "kind": kind.kind}
    every = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
    properties = {**(written.get("properties") or {}), **every}
    return {"type": "object", **written, "properties": properties, "x-kubernetes-group-version-kind": [gvk]}


def _operations(kind: Kind, version: str, root: str) -> Doc:
    """The path items of one kind: its collection and its objects."""
    base = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
    base += "/namespaces/{namespace}" if kind.namespaced else ""
    one = {"$ref": _REF + root}
    many = {"$ref": f"{one['$ref']}List"}
    collection = {"post": _operation(kind, version, "post", one, _WRITE_PARAMETERS, body=("*/*",))}
    if kind.virtual:
        return {f"{base}/{kind.plural}": collection} if "create" in kind.answers else {}
    collection["get"] = _operation(kind, version, "list", many, _LIST_PARAMETERS)
    objects = {
        "get": _operation(kind, version, "get", one, ()),
        "put": _operation(kind, version, "put", one, _WRITE_PARAMETERS, body=("*/*",)),
        "patch": _operation(kind, version, "patch", one, (*_WRITE_PARAMETERS, "force"), body=patches.accepted(kind)),
        "delete": _operation(kind, version, "delete", one, ("dryRun", "gracePeriodSeconds", "propagationPolicy")),
    }
    named = _parameter("name", "path")
    scope = [_parameter("namespace", "path")] if kind.namespaced else []
    return {
        f"{base}/{kind.plural}": {**collection, "parameters": scope},
        f"{base}/{kind.plural}/{{name}}": {**objects, "parameters": [named, *scope]},
    }


def _operation(
    kind: Kind, version: str, action: str, answer: Doc, parameters: Sequence[str], *, body: Sequence[str] = ()
) -> Doc:
    operation: Doc = {
        "operationId": f"{action}{kind.kind}{version.capitalize()}{kind.group.partition('.')[0].capitalize()}",
        "parameters": [_parameter(name, "query") for name in parameters],
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": answer}}}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": kind.group, "version": version, "kind": kind.kind},
    }
    if body:
        content = {name: {"schema": {"type": "object"} if name in bodies.PATCHES else answer} for name in body}
        operation["requestBody"] = {"content": content, "required": True}
    return operation


def _parameter(name: str, where: str) -> Doc:
    parameter: Doc = {"name": name, "in": where, "schema": {"type": _TYPES.get(name, "string"), "uniqueItems": True}}
    return {**parameter, "required": True} if where == "path" else parameter


def _as_v2(paths: Doc) -> Doc:
    """The same operations as OpenAPI v2 writes them: types beside names, no media types in answers."""

    def parameter(item: Doc) -> Doc:
        kept = {key: value for key, value in item.items() if key != "schema"}
        return {**kept, "type": item["schema"]["type"]}

    def operation(item: Doc) -> Doc:
        answer = item["responses"]["200"]["content"]["application/json"]["schema"]
        kept = {key: value for key, value in item.items() if key != "requestBody"}
        responses = {"200": {"description": "OK", "schema": answer}}
        consumes = list(item.get("requestBody", {}).get("content", ())) or ["*/*"]
        parameters = [parameter(one) for one in item["parameters"]]
        return {**kept, "parameters": parameters, "responses": responses, "consumes": consumes}

    return {
        path: {
            method: [parameter(one) for one in value] if method == "parameters" else operation(value)
            for method, value in item.items()
        }
        for path, item in paths.items()
    }
