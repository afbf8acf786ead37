"""WorkloadEntry: an instance that is not a pod. Source: Istio's API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.istio import service_entry_rules
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, Column, Kind
from semafor.resources.marks import Labels
from semafor.resources.meta.meta import ObjectMeta


class WorkloadEntrySpec(Document):
    """An instance that is not a pod, such as a virtual machine."""

    address: Annotated[str, "Its address, a DNS name, or unix:// and a path."] = ""
    ports: Annotated[dict[str, int], "Its ports, by the names of the service's ports."] = {}
    labels: Annotated[Labels, "Its labels."] = {}
    network: Annotated[str, "Network that it is in."] = ""
    locality: Annotated[str, "Where it is: region/zone/subzone."] = ""
    weight: Annotated[int, "Its share of the traffic."] = 0
    service_account: Annotated[str, "Service account that it runs as."] = ""


class WorkloadEntry(Document):
    """An instance that is not a pod, such as a virtual machine."""

    spec: Annotated[WorkloadEntrySpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "networking.istio.io/v1"
    kind: Annotated[str, "Kind of the object."] = "WorkloadEntry"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="networking.istio.io",
    versions=(
        "v1",
        "v1beta1",
        "v1alpha3",
    ),
    kind="WorkloadEntry",
    plural="workloadentries",
    short=("we",),
    categories=("istio-io", "networking-istio-io"),
    document=WorkloadEntry,
    columns=(
        AGE,
        Column(name="Address", type="string", path=".spec.address", description="Address of the instance."),
    ),
    subresources=("status",),
    custom=True,
    effect=True,
    validate=service_entry_rules.workload_entry,
    remarks=service_entry_rules.workload_entry_remarks,
)
