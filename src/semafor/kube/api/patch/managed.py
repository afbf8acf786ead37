"""metadata.managedFields: who owns which field, as entries of one manager, operation, version and subresource each."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from semafor.base.struct import Value
from semafor.kube.api.patch import fields as paths
from semafor.kube.api.patch.errors import Owned
from semafor.kube.api.patch.fields import Path, Tree

Operation = Literal["Apply", "Update"]
Key = tuple[str, str, str, str]

# kube-apiserver keeps ten entries of ordinary writers, and folds the oldest of more into one of this name.
MAX_UPDATERS = 10
ANCIENT = "ancient-changes"


class Entry(Value):
    """What one manager owns through one operation."""

    manager: str
    operation: Operation
    api_version: str
    subresource: str = ""
    time: str = ""
    fields: Tree = msgspec.field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What makes two entries the same one; an applier's version may change from one apply to the next."""
        version = self.api_version if self.operation == "Update" else ""
        return self.operation, self.manager, version, self.subresource

    def owning(self, owned: Tree, time: str | None = None) -> "Entry":
        return Entry(
            manager=self.manager,
            operation=self.operation,
            api_version=self.api_version,
            subresource=self.subresource,
            time=self.time if time is None else time,
            fields=owned,
        )

    def conflict(self, path: Path) -> Owned:
        """The conflict over one field, in kube-apiserver's words."""
        name = paths.value(self.manager)[2:]
        if self.subresource:
            name += f" with subresource {paths.value(self.subresource)[2:]}"
        if self.operation == "Update":
            name += f" using {self.api_version}"
        return Owned(manager=name, field=paths.text(path))


Managed = dict[Key, Entry]


def index(entries: Iterable[Entry]) -> Managed:
    """Entries by key; those that own nothing are left out."""
    return {entry.key: entry for entry in entries if entry.fields}


def decode(doc: dict[str, Any]) -> Managed | None:
    """The entries of a document: None when it has none that can be read; empty when they were reset by `[{}]`."""
    metadata = doc.get("metadata")
    written = metadata.get("managedFields") if isinstance(metadata, dict) else None
    if not isinstance(written, list) or not written:
        return None
    if written == [{}]:
        return {}
    try:
        return index(_entry(item) for item in written) or None
    except ValueError:
        return None


def _entry(item: Any) -> Entry:
    if not isinstance(item, dict) or item.get("fieldsType") != "FieldsV1":
        raise ValueError("not an entry of managedFields")
    operation = item.get("operation")
    if operation not in ("Apply", "Update"):
        raise ValueError("an entry of managedFields has an unknown operation")
    return Entry(
        manager=_word(item, "manager"),
        operation="Apply" if operation == "Apply" else "Update",
        api_version=_word(item, "apiVersion"),
        subresource=_word(item, "subresource"),
        time=_word(item, "time"),
        fields=paths.require_tree(item.get("fieldsV1")),
    )


def _word(item: dict[str, Any], key: str) -> str:
    word = item.get(key) or ""
    if not isinstance(word, str):
        raise ValueError(f"{key} of an entry of managedFields must be a string")
    return word


def encode(managed: Managed) -> list[dict[str, Any]]:
    """The entries as a document has them, appliers first, then by time and name."""
    entries = sorted(managed.values(), key=lambda e: (e.operation, e.time, e.manager, e.api_version, e.subresource))
    return [_written(entry) for entry in entries if entry.fields]


def _written(entry: Entry) -> dict[str, Any]:
    written = {
        "manager": entry.manager,
        "operation": entry.operation,
        "apiVersion": entry.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": entry.fields,
        "subresource": entry.subresource,
    }
    return {key: value for key, value in written.items() if value != ""}


def capped(managed: Managed) -> Managed:
    """The entries with the oldest updates folded together, when there are too many."""
    updaters = sorted((e for e in managed.values() if e.operation == "Update"), key=lambda e: (e.time, e.key))
    surplus = len(updaters) - MAX_UPDATERS
    if surplus <= 0:
        return managed
    kept = dict(managed)
    for entry in updaters[: surplus + 1]:
        del kept[entry.key]
        bucket = Entry(manager=ANCIENT, operation="Update", api_version=entry.api_version)
        before = kept.get(bucket.key, bucket)
        kept[bucket.key] = bucket.owning(paths.plus(before.fields, paths.decode(entry.fields)), time=entry.time)
    return kept
