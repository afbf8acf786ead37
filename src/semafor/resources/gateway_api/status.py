"""The state of routes and policies. Source: the Gateway API's reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.gateway_api.references import ParentReference
from semafor.resources.marks import ATOMIC, listing
from semafor.resources.meta.meta import Condition


class RouteParentStatus(Document):
    """The state of a route at one parent."""

    parent_ref: Annotated[ParentReference, "The parent."]
    controller_name: Annotated[str, "Who serves the parent."]
    conditions: Annotated[tuple[Condition, ...], listing("type"), "Aspects of the present state, told apart by type."]


class RouteStatus(Document):
    """The state of a route."""

    parents: Annotated[tuple[RouteParentStatus, ...], ATOMIC, "Its state at each parent."] = ()


class PolicyAncestorStatus(Document):
    """The state of a policy at one object."""

    ancestor_ref: Annotated[ParentReference, "The object."]
    controller_name: Annotated[str, "Who serves it."]
    conditions: Annotated[tuple[Condition, ...], listing("type"), "Aspects of the present state, told apart by type."]


class PolicyStatus(Document):
    """The state of a policy."""

    ancestors: Annotated[tuple[PolicyAncestorStatus, ...], ATOMIC, "Its state at each object."] = ()
