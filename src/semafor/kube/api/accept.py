"""Content negotiation: which of the forms that a client accepts it gets. Source: "Kubernetes API Concepts"."""

from typing import Literal

from semafor.base.struct import Value
from semafor.kube.api import errors

JSON = "application/json"
YAML = "application/yaml"
PRODUCED = (JSON, YAML)

Shape = Literal["", "Table", "PartialObjectMetadata", "PartialObjectMetadataList", "APIGroupDiscoveryList"]
_META_SHAPES: tuple[Shape, ...] = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")


class Form(Value):
    """A form of answer. `shape` is what `as=` asks for (empty: the object itself), `version` the shape's version."""

    media_type: str = JSON
    shape: Shape = ""
    version: str = ""


def choose(header: str, *, shapes: tuple[tuple[Shape, str], ...] = ()) -> Form:
    """The first form in the Accept header that we have. `shapes` lists the (shape, version) pairs on offer.

    Raises StatusError 406.
    """
    if not header.strip():
        return Form()
    for clause in header.split(","):
        media_type, *parameters = [part.strip() for part in clause.split(";")]
        given = dict(part.split("=", 1) for part in parameters if "=" in part)
        produced = _produced(media_type)
        if not produced:
            continue
        if "as" not in given:
            return Form(media_type=produced)
        for shape, version in shapes:
            if (given["as"], given.get("v", "v1")) == (shape, version):
                return Form(media_type=produced, shape=shape, version=version)
    raise errors.not_acceptable(PRODUCED)


def _produced(media_type: str) -> str:
    if media_type in ("*/*", "application/*", ""):
        return JSON
    return media_type if media_type in PRODUCED else ""


OBJECTS: tuple[tuple[Shape, str], ...] = tuple((shape, v) for shape in _META_SHAPES for v in ("v1", "v1beta1"))
DISCOVERY: tuple[tuple[Shape, str], ...] = (("APIGroupDiscoveryList", "v2"), ("APIGroupDiscoveryList", "v2beta1"))
