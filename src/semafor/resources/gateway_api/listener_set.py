"""ListenerSet: listeners added to a Gateway. Source: the Gateway API's reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.gateway_api import filled, rules
from semafor.resources.gateway_api.listener import Listener, ListenerStatus
from semafor.resources.gateway_api.references import ParentGatewayReference
from semafor.resources.kind import AGE, Column, Kind
from semafor.resources.marks import listing
from semafor.resources.meta.meta import Condition, ObjectMeta


class ListenerEntry(Listener):
    """A port where traffic comes in."""


class ListenerSetSpec(Document):
    """Listeners added to a Gateway."""

    parent_ref: Annotated[ParentGatewayReference, "The Gateway."]
    listeners: Annotated[tuple[ListenerEntry, ...], listing("name"), "The listeners."]


class ListenerEntryStatus(ListenerStatus):
    """The state of a listener."""


class ListenerSetStatus(Document):
    """The state of a set."""

    conditions: Annotated[
        tuple[Condition, ...], listing("type"), "Aspects of the present state, told apart by type."
    ] = ()
    listeners: Annotated[tuple[ListenerEntryStatus, ...], listing("name"), "The state of each listener."] = ()


class ListenerSet(Document):
    """Listeners added to a Gateway."""

    spec: Annotated[ListenerSetSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "gateway.networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "ListenerSet"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[ListenerSetStatus, "What is."] = ListenerSetStatus()


KIND = Kind(
    group="gateway.networking.k8s.io",
    versions=("v1",),
    kind="ListenerSet",
    plural="listenersets",
    short=("lset",),
    categories=("gateway-api",),
    document=ListenerSet,
    columns=(
        Column(
            name="Accepted",
            type="string",
            path=".status.conditions[?(@.type=='Accepted')].status",
            description="Whether the Gateway takes it.",
        ),
        Column(
            name="Programmed",
            type="string",
            path=".status.conditions[?(@.type=='Programmed')].status",
            description="Whether traffic can come in.",
        ),
        AGE,
    ),
    subresources=("status",),
    custom=True,
    effect=True,
    defaults=filled.of(ListenerSet, filled.gateway),
    validate=rules.listener_set,
)
