"""TrafficSplit: shares of a service's traffic. Source: SMI's Traffic Split, v1alpha1 to v1alpha4."""

from collections.abc import Iterator
from typing import Annotated, Any

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, LIVE, Column, Kind
from semafor.resources.marks import Quantity
from semafor.resources.meta.meta import ObjectMeta


class TrafficSplitBackend(Document):
    """A service and its share."""

    service: Annotated[str, "Name of the service."]
    weight: Annotated[Quantity, "Share relative to the sum of all weights; v1alpha1 allows 900m."] = 0


class TrafficSplitMatch(Document):
    """Which traffic is split."""

    kind: Annotated[str, "Kind of the object that names the traffic: HTTPRouteGroup."]
    name: Annotated[str, "Name of that object."]
    api_group: Annotated[str, "API group of that object."] = ""


class TrafficSplitSpec(Document):
    """Shares of a service's traffic."""

    service: Annotated[str, "Service that clients call."]
    backends: Annotated[tuple[TrafficSplitBackend, ...], "Services that get the traffic."] = ()
    matches: Annotated[tuple[TrafficSplitMatch, ...], "Which traffic is split; all when empty."] = ()


class TrafficSplit(Document):
    """Shares of a service's traffic."""

    spec: Annotated[TrafficSplitSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "split.smi-spec.io/v1alpha4"
    kind: Annotated[str, "Kind of the object."] = "TrafficSplit"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """There are backends, each once."""
    names: set[str] = set()
    backends = doc.get("spec", {}).get("backends", [])
    if not backends:
        yield errors.required("spec.backends", "must have at least one backend")
    for index, backend in enumerate(backends):
        name = backend.get("service", "")
        if name in names:
            yield errors.duplicate(f"spec.backends[{index}].service", name)
        names.add(name)


KIND = Kind(
    group="split.smi-spec.io",
    versions=("v1alpha4", "v1alpha3", "v1alpha2", "v1alpha1"),
    kind="TrafficSplit",
    plural="trafficsplits",
    short=("ts",),
    document=TrafficSplit,
    columns=(
        Column(name="Service", type="string", path=".spec.service", description="Service that is split."),
        LIVE,
        AGE,
    ),
    subresources=("status",),
    custom=True,
    validate=validate,
)
