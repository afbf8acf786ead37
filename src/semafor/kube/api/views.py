"""The forms in which objects are shown: themselves in any served version, their metadata only, or rows of a table."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from semafor.kube.api import tables
from semafor.kube.api.accept import Form
from semafor.kube.store.store import Entry
from semafor.resources.kind import Kind

Doc = dict[str, Any]


class View:
    """How one client wants to see objects of one kind. `include` is the `includeObject` of tables.

    Ages are as of when a row is made: a watch lasts, and its rows are made one by one.
    """

    def __init__(self, kind: Kind, version: str, form: Form, include: str, now: Callable[[], datetime]) -> None:
        self.kind = kind
        self.version = version
        self.form = form
        self.include = include
        self._now = now
        self._columns_sent = False

    @property
    def plain(self) -> bool:
        """Whether the stored JSON can be sent as it is."""
        return not self.form.shape and self.version == self.kind.versions[0]

    def one(self, obj: Doc) -> Doc:
        """A single object, as GET shows it."""
        if self.form.shape == "Table":
            return self._table([obj], {"resourceVersion": obj["metadata"].get("resourceVersion", "")})
        if self.form.shape:
            return metadata_only(obj, self.form.version)
        return self.versioned(obj)

    def versioned(self, obj: Doc) -> Doc:
        """The object in the version that the client asked for; all versions share one schema."""
        return (
            obj if self.version == self.kind.versions[0] else {**obj, "apiVersion": self.kind.api_version(self.version)}
        )

    def many(self, entries: Sequence[Entry], meta: Doc) -> bytes:
        """A list, in JSON. `meta` is its ListMeta."""
        objects = [entry.object for entry in entries]
        if self.form.shape == "Table":
            return msgspec.json.encode(self._table(objects, meta))
        if self.form.shape:
            return msgspec.json.encode(self._metadata_list(objects, meta))
        head = {"kind": self.kind.list_kind, "apiVersion": self.kind.api_version(self.version), "metadata": meta}
        opening = msgspec.json.encode(head)[:-1] + b',"items":['
        if self.plain:
            return opening + b",".join([entry.body for entry in entries]) + b"]}"
        return opening + b",".join([msgspec.json.encode(self.versioned(obj)) for obj in objects]) + b"]}"

    def event(self, type_: str, obj: Doc) -> bytes:
        """One line of a watch. A table's columns are sent with its first event only."""
        if self.form.shape == "Table":
            shown = self._table([obj], {"resourceVersion": obj["metadata"].get("resourceVersion", "")})
            if self._columns_sent:
                shown["columnDefinitions"] = None
            self._columns_sent = True
        else:
            shown = self.one(obj)
        return msgspec.json.encode({"type": type_, "object": shown}) + b"\n"

    def bookmark(self, version: int, *, initial_end: bool = False) -> bytes:
        """A line that tells how far the watch has come; `initial_end` marks the end of a WatchList's first part."""
        meta: Doc = {"resourceVersion": str(version), "creationTimestamp": None}
        if initial_end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj = {"kind": self.kind.kind, "apiVersion": self.kind.api_version(self.version), "metadata": meta}
        if self.form.shape == "Table":
            obj = self._table([], meta)
        elif self.form.shape:
            obj = metadata_only(obj, self.form.version)
        return msgspec.json.encode({"type": "BOOKMARK", "object": obj}) + b"\n"

    def _table(self, objects: Sequence[Doc], meta: Doc) -> Doc:
        table = tables.render(self.kind, objects, now=self._now(), include=self._included)
        return {"kind": "Table", "apiVersion": f"meta.k8s.io/{self.form.version}", "metadata": meta, **table}

    def _included(self, obj: Doc) -> Doc | None:
        match self.include:
            case "Object":
                return self.versioned(obj)
            case "None":
                return None
        return metadata_only(obj, self.form.version)

    def _metadata_list(self, objects: Sequence[Doc], meta: Doc) -> Doc:
        items = [metadata_only(obj, self.form.version) for obj in objects]
        api_version = f"meta.k8s.io/{self.form.version}"
        return {"kind": "PartialObjectMetadataList", "apiVersion": api_version, "metadata": meta, "items": items}


def metadata_only(obj: Doc, version: str) -> Doc:
    """A PartialObjectMetadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": obj["metadata"]}
