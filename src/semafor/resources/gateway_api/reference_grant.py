"""ReferenceGrant: lets other namespaces refer to objects of this one. Source: the Gateway API's reference."""

from typing import Annotated

import msgspec

from semafor.base.struct import Document
from semafor.resources.gateway_api import filled, rules
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import ATOMIC, BLANK
from semafor.resources.meta.meta import ObjectMeta


class ReferenceGrantFrom(Document):
    """Objects that may refer."""

    group: Annotated[str, BLANK, "API group of the objects."]
    kind: Annotated[str, "Kind of the objects."]
    namespace: Annotated[str, "Namespace of the objects."]


class ReferenceGrantTo(Document):
    """Objects that may be referred to."""

    group: Annotated[str, BLANK, "API group of the objects."]
    kind: Annotated[str, "Kind of the objects."]
    name: Annotated[str | None, "Name of the object; all when absent."] = None


class ReferenceGrantSpec(Document):
    """Who may refer to what."""

    from_: Annotated[tuple[ReferenceGrantFrom, ...], ATOMIC, "Objects that may refer."] = msgspec.field(name="from")
    to: Annotated[tuple[ReferenceGrantTo, ...], ATOMIC, "Objects that may be referred to."]


class ReferenceGrant(Document):
    """Lets objects of other namespaces refer to objects of this one."""

    spec: Annotated[ReferenceGrantSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "gateway.networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "ReferenceGrant"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()


KIND = Kind(
    group="gateway.networking.k8s.io",
    versions=(
        "v1",
        "v1beta1",
        "v1alpha2",
    ),
    kind="ReferenceGrant",
    plural="referencegrants",
    short=("refgrant",),
    categories=("gateway-api",),
    document=ReferenceGrant,
    columns=(AGE,),
    custom=True,
    validate=rules.reference_grant,
    effect=True,
    defaults=filled.of(ReferenceGrant),
)
