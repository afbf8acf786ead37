"""Secret: configuration that must not be shown. Source: Kubernetes' API reference."""

from collections.abc import Iterator
from typing import Annotated, Any

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.core import keyed
from semafor.resources.defaulting import fill
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import Labels
from semafor.resources.meta.meta import ObjectMeta


class Secret(Document):
    """Configuration that must not be shown."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "Secret"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    immutable: Annotated[bool | None, "Whether the data can never change."] = None
    data: Annotated[Labels, "Values in base64."] = {}
    string_data: Annotated[Labels, "Values as text; moved into `data` when written."] = {}
    type: Annotated[str, "What is in it; Opaque when absent."] = ""


# What each well-known type must hold. Source: Kubernetes' documentation of Secret types.
_NEEDED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """The type."""
    return fill(doc, {"type": "Opaque"})


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """Keys are file names, values are base64, all together fit into 1 MiB, and the type's own keys are there."""
    data = doc.get("data", {})
    text = doc.get("stringData", {})
    yield from keyed.keys(data, "data")
    yield from keyed.keys(text, "stringData")
    yield from keyed.base64_values(data, "data")
    yield from keyed.size({**data, **text}, "data")
    for key in _NEEDED_KEYS.get(doc.get("type", ""), ()):
        if key not in data and key not in text:
            yield errors.required(f"data[{key}]")


KIND = Kind(
    group="",
    versions=("v1",),
    kind="Secret",
    plural="secrets",
    document=Secret,
    defaults=defaults,
    validate=validate,
)
