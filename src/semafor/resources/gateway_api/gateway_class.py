"""GatewayClass: who serves Gateways. Source: the Gateway API's reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.gateway_api import filled
from semafor.resources.gateway_api.references import ParametersReference
from semafor.resources.kind import AGE, Column, Kind
from semafor.resources.marks import listing
from semafor.resources.meta.meta import Condition, ObjectMeta


class GatewayClassSpec(Document):
    """Who serves Gateways of the class."""

    controller_name: Annotated[str, "Name of the controller."]
    parameters_ref: Annotated[ParametersReference | None, "An object with settings."] = None
    description: Annotated[str | None, "What the class is for."] = None


class SupportedFeature(Document):
    """Something that a controller can do."""

    name: Annotated[str, "Name of the feature."]


class GatewayClassStatus(Document):
    """The state of a class."""

    conditions: Annotated[
        tuple[Condition, ...], listing("type"), "Aspects of the present state, told apart by type."
    ] = ()
    supported_features: Annotated[tuple[SupportedFeature, ...], listing("name"), "What the controller can do."] = ()


class GatewayClass(Document):
    """Who serves Gateways."""

    spec: Annotated[GatewayClassSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "gateway.networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "GatewayClass"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[GatewayClassStatus, "What is."] = GatewayClassStatus()


KIND = Kind(
    group="gateway.networking.k8s.io",
    versions=(
        "v1",
        "v1beta1",
    ),
    kind="GatewayClass",
    plural="gatewayclasses",
    short=("gc",),
    categories=("gateway-api",),
    document=GatewayClass,
    namespaced=False,
    columns=(
        Column(name="Controller", type="string", path=".spec.controllerName", description="Name of the controller."),
        Column(
            name="Accepted",
            type="string",
            path=".status.conditions[?(@.type=='Accepted')].status",
            description="Whether the controller takes it.",
        ),
        AGE,
        Column(
            name="Description",
            type="string",
            path=".spec.description",
            priority=1,
            description="What the class is for.",
        ),
    ),
    subresources=("status",),
    custom=True,
    effect=True,
    defaults=filled.of(GatewayClass),
)
