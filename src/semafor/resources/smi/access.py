"""TrafficTarget: who may call whom. Source: SMI's Traffic Access Control, v1alpha1 to v1alpha3."""

from collections.abc import Iterator
from typing import Annotated, Any

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, LIVE, Kind
from semafor.resources.marks import PORT, IntOrString
from semafor.resources.meta.meta import ObjectMeta


class IdentityBindingSubject(Document):
    """An identity."""

    kind: Annotated[str, "Kind of the identity: ServiceAccount."]
    name: Annotated[str, "Name of the identity."]
    namespace: Annotated[str, "Namespace of the identity; the object's own when empty."] = ""
    port: Annotated[IntOrString | None, PORT, "Port that may be called; all when absent. Only in v1alpha1."] = None


class TrafficTargetRule(Document):
    """Which traffic."""

    kind: Annotated[str, "Kind of the object that names the traffic: HTTPRouteGroup or TCPRoute."]
    name: Annotated[str, "Name of that object."]
    matches: Annotated[tuple[str, ...], "Names within that object; all when empty."] = ()


class TrafficTargetSpec(Document):
    """Who may call whom."""

    destination: Annotated[IdentityBindingSubject | None, "Who is called."] = None
    sources: Annotated[tuple[IdentityBindingSubject, ...], "Who may call."] = ()
    rules: Annotated[tuple[TrafficTargetRule, ...], "With which traffic; any when empty."] = ()


class TrafficTarget(Document):
    """Who may call whom."""

    api_version: Annotated[str, "API version of the object."] = "access.smi-spec.io/v1alpha3"
    kind: Annotated[str, "Kind of the object."] = "TrafficTarget"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[TrafficTargetSpec, "What is wanted."] = TrafficTargetSpec()
    destination: Annotated[IdentityBindingSubject | None, "Who is called, where v1alpha1 has it."] = None
    sources: Annotated[tuple[IdentityBindingSubject, ...], "Who may call, where v1alpha1 has it."] = ()
    specs: Annotated[tuple[TrafficTargetRule, ...], "With which traffic, where v1alpha1 has it."] = ()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """Somebody is called."""
    if "destination" not in doc and "destination" not in doc.get("spec", {}):
        yield errors.required("spec.destination")


KIND = Kind(
    group="access.smi-spec.io",
    versions=("v1alpha3", "v1alpha2", "v1alpha1"),
    kind="TrafficTarget",
    plural="traffictargets",
    short=("tt",),
    document=TrafficTarget,
    columns=(LIVE, AGE),
    subresources=("status",),
    custom=True,
    validate=validate,
)
