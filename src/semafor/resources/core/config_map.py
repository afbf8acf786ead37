"""ConfigMap: configuration that pods read. Source: Kubernetes' API reference."""

from collections.abc import Iterator
from typing import Annotated, Any

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.core import keyed
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import Labels
from semafor.resources.meta.meta import ObjectMeta


class ConfigMap(Document):
    """Configuration that pods read."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "ConfigMap"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    immutable: Annotated[bool | None, "Whether the data can never change."] = None
    data: Annotated[Labels, "Values that are text."] = {}
    binary_data: Annotated[Labels, "Values that are bytes, in base64; no key may be in `data` too."] = {}


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """Keys are file names, none is both text and bytes, and all together fit into 1 MiB."""
    text, binary = doc.get("data", {}), doc.get("binaryData", {})
    yield from keyed.keys(text, "data")
    yield from keyed.keys(binary, "binaryData")
    yield from keyed.base64_values(binary, "binaryData")
    yield from (
        errors.invalid(f"data[{key}]", key, "duplicate of key present in binaryData") for key in text if key in binary
    )
    yield from keyed.size({**text, **binary}, "data")


KIND = Kind(
    group="",
    versions=("v1",),
    kind="ConfigMap",
    plural="configmaps",
    short=("cm",),
    document=ConfigMap,
    validate=validate,
)
