"""IngressClass: who serves an Ingress. Source: Kubernetes' API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.kind import Kind
from semafor.resources.meta.meta import ObjectMeta


class IngressClassParametersReference(Document):
    """An object with settings."""

    kind: Annotated[str, "Kind of the object."]
    name: Annotated[str, "Name of the object."]
    api_group: Annotated[str | None, "API group of the object."] = None
    scope: Annotated[str | None, "Whether it is in the cluster or in a namespace."] = None
    namespace: Annotated[str | None, "Its namespace."] = None


class IngressClassSpec(Document):
    """Who serves."""

    controller: Annotated[str, "Name of the controller."] = ""
    parameters: Annotated[IngressClassParametersReference | None, "An object with settings."] = None


class IngressClass(Document):
    """Who serves an Ingress."""

    api_version: Annotated[str, "API version of the object."] = "networking.k8s.io/v1"
    kind: Annotated[str, "Kind of the object."] = "IngressClass"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[IngressClassSpec, "What is wanted."] = IngressClassSpec()


KIND = Kind(
    group="networking.k8s.io",
    versions=("v1",),
    kind="IngressClass",
    plural="ingressclasses",
    document=IngressClass,
    namespaced=False,
    effect=False,
)
