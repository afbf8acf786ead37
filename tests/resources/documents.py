"""Documents for the tests of kinds: `samples/` are right, `refused/` say what is wrong with them."""

from pathlib import Path
from typing import Any

import ryaml

from semafor.resources import registry
from semafor.resources.kind import Kind

HERE = Path(__file__).parent


def kind_of(doc: dict[str, Any]) -> Kind:
    """The kind of a document; a test that uses an unknown one is wrong."""
    group = doc["apiVersion"].rpartition("/")[0]
    kind = registry.by_kind(group, doc["kind"])
    assert kind is not None, f"unknown kind {doc['apiVersion']} {doc['kind']}"
    return kind


def documents(folder: str) -> list[tuple[str, dict[str, Any]]]:
    """All documents of a folder with a name for each."""
    found = []
    for path in sorted((HERE / folder).glob("*.yaml")):
        for index, doc in enumerate(ryaml.loads_all(path.read_text())):
            found.append((f"{path.stem}-{index}", doc))
    return found
