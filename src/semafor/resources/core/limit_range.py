"""LimitRange: limits and defaults for each object of a namespace. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, Resources
from semafor.resources.meta.meta import ObjectMeta


class LimitRangeItem(Document):
    """Limits for one kind of object."""

    type: Annotated[Literal["Pod", "Container", "PersistentVolumeClaim"], "Which objects."]
    max: Annotated[Resources, "Most that one may ask for."] = {}
    min: Annotated[Resources, "Least that one may ask for."] = {}
    default: Annotated[Resources, "Limits of those that name none."] = {}
    default_request: Annotated[Resources, "Requests of those that name none."] = {}
    max_limit_request_ratio: Annotated[Resources, "By how much a limit may exceed the request."] = {}


class LimitRangeSpec(Document):
    """Limits for the objects of a namespace."""

    limits: Annotated[tuple[LimitRangeItem, ...], ATOMIC, "The limits."] = ()


class LimitRange(Document):
    """Limits and defaults for each object of a namespace."""

    api_version: Annotated[str, "API version of the object."] = "v1"
    kind: Annotated[str, "Kind of the object."] = "LimitRange"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[LimitRangeSpec, "What is wanted."] = LimitRangeSpec()


KIND = Kind(
    group="",
    versions=("v1",),
    kind="LimitRange",
    plural="limitranges",
    document=LimitRange,
    short=("limits",),
    effect=False,
)
