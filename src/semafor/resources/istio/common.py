"""What several of Istio's kinds share. Source: Istio's API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.marks import PORT, Labels


class WorkloadSelector(Document):
    """Which pods are meant, by their labels."""

    match_labels: Annotated[Labels, "Labels that the pods must have, all of them."] = {}


class NumberedPort(Document):
    """A port by its number."""

    number: Annotated[int, PORT, "Number of the port."]


class PolicyTargetReference(Document):
    """An object that a policy is attached to."""

    kind: Annotated[str, "Kind of the object: Gateway, Service, GatewayClass or ServiceEntry."]
    name: Annotated[str, "Name of the object."]
    group: Annotated[str, "API group of the object; empty for the core group."] = ""
    namespace: Annotated[str, "Namespace of the object; only the policy's own."] = ""
