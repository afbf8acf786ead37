"""References from one object to another. Source: the Gateway API's reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.marks import BLANK, Port, within


class ParentReference(Document):
    """The object that a route belongs to: a Gateway, or a Service for traffic within the mesh."""

    name: Annotated[str, "Name of the parent."]
    group: Annotated[str, BLANK, "API group of the parent."] = "gateway.networking.k8s.io"
    kind: Annotated[str, "Kind of the parent."] = "Gateway"
    namespace: Annotated[str | None, "Namespace of the parent; the route's own when absent."] = None
    section_name: Annotated[str | None, "Listener of the Gateway, or port name of the Service; all when absent."] = None
    port: Annotated[Port | None, "Port of the parent; all when absent."] = None


class BackendRef(Document):
    """Where requests go, and its share."""

    name: Annotated[str, "Name of the backend."]
    group: Annotated[str, BLANK, "API group of the backend."] = ""
    kind: Annotated[str, "Kind of the backend."] = "Service"
    namespace: Annotated[str | None, "Namespace of the backend; another one needs a ReferenceGrant."] = None
    port: Annotated[Port | None, "Port of the backend."] = None
    weight: Annotated[int, within(0, 1000000), "Share relative to the sum of all weights."] = 1


class SecretObjectReference(Document):
    """A Secret."""

    name: Annotated[str, "Name of the object."]
    group: Annotated[str, BLANK, "API group of the object."] = ""
    kind: Annotated[str, "Kind of the object."] = "Secret"
    namespace: Annotated[str | None, "Namespace; another one needs a ReferenceGrant."] = None


class LocalObjectReference(Document):
    """An object of the same namespace."""

    group: Annotated[str, BLANK, "API group of the object."]
    kind: Annotated[str, "Kind of the object."]
    name: Annotated[str, "Name of the object."]


class BackendObjectReference(Document):
    """A Service, or something like it."""

    name: Annotated[str, "Name of the object."]
    group: Annotated[str, BLANK, "API group of the object."] = ""
    kind: Annotated[str, "Kind of the object."] = "Service"
    namespace: Annotated[str | None, "Namespace; another one needs a ReferenceGrant."] = None
    port: Annotated[Port | None, "Port of the Service."] = None


class ObjectReference(Document):
    """An object."""

    group: Annotated[str, BLANK, "API group of the object."]
    kind: Annotated[str, "Kind of the object."]
    name: Annotated[str, "Name of the object."]
    namespace: Annotated[str | None, "Namespace; another one needs a ReferenceGrant."] = None


class LocalPolicyTargetReferenceWithSectionName(Document):
    """What a policy is attached to."""

    group: Annotated[str, BLANK, "API group of the object."]
    kind: Annotated[str, "Kind of the object."]
    name: Annotated[str, "Name of the object."]
    section_name: Annotated[str | None, "Part of the object, such as a port of a Service."] = None


class ParentGatewayReference(Document):
    """The Gateway that listeners are added to."""

    name: Annotated[str, "Name of the Gateway."]
    group: Annotated[str, BLANK, "API group of the Gateway."] = "gateway.networking.k8s.io"
    kind: Annotated[str, "Kind of the Gateway."] = "Gateway"
    namespace: Annotated[str | None, "Namespace of the Gateway."] = None


class ParametersReference(Document):
    """An object with settings."""

    group: Annotated[str, BLANK, "API group of the object."]
    kind: Annotated[str, "Kind of the object."]
    name: Annotated[str, "Name of the object."]
    namespace: Annotated[str | None, "Namespace of the object."] = None


class LocalParametersReference(Document):
    """An object with settings."""

    group: Annotated[str, BLANK, "API group of the object."]
    kind: Annotated[str, "Kind of the object."]
    name: Annotated[str, "Name of the object."]
