"""ServiceEntry: a service that the mesh would not know otherwise. Source: Istio's API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.istio import service_entry_rules
from semafor.resources.istio.analysis import AnalysisMessageBase
from semafor.resources.istio.selector import ProxySelector
from semafor.resources.istio.status import IstioCondition
from semafor.resources.istio.workload_entry import WorkloadEntrySpec
from semafor.resources.kind import AGE, Column, Kind
from semafor.resources.marks import DNS_LABEL, PORT, listing
from semafor.resources.meta.meta import ObjectMeta


class ServicePort(Document):
    """A port of a service."""

    number: Annotated[int, PORT, "Number of the port."]
    name: Annotated[str, DNS_LABEL, "Name of the port."]
    protocol: Annotated[str, "Protocol: HTTP, HTTPS, GRPC, HTTP2, MONGO, TCP or TLS; found out when absent."] = ""
    target_port: Annotated[int, PORT, "Port of the instances; the same when absent."] = 0


class ServiceEntrySpec(Document):
    """A service that the mesh would not know otherwise."""

    hosts: Annotated[tuple[str, ...], "Names of the service."]
    addresses: Annotated[tuple[str, ...], "Virtual addresses of the service, or networks."] = ()
    ports: Annotated[tuple[ServicePort, ...], listing("name"), "Ports of the service."] = ()
    location: Annotated[Literal["MESH_EXTERNAL", "MESH_INTERNAL"], "Whether the service is part of the mesh."] = (
        "MESH_EXTERNAL"
    )
    resolution: Annotated[
        Literal["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"],
        "How the addresses of its instances are found.",
    ] = "NONE"
    endpoints: Annotated[tuple[WorkloadEntrySpec, ...], "Its instances."] = ()
    workload_selector: Annotated[ProxySelector | None, "Pods and WorkloadEntries that are its instances."] = None
    export_to: Annotated[
        tuple[str, ...], "Namespaces that see it: `.` this one, `*` all (meant when empty), or names."
    ] = ()
    subject_alt_names: Annotated[tuple[str, ...], "Names that the instances' certificates may have."] = ()


class ServiceEntryAddress(Document):
    """An address given by the mesh."""

    value: Annotated[str, "The address."] = ""
    host: Annotated[str, "The host that it is for."] = ""


class ServiceEntryStatus(Document):
    """The state of the service."""

    conditions: Annotated[tuple[IstioCondition, ...], "Aspects of the present state, told apart by type."] = ()
    validation_messages: Annotated[tuple[AnalysisMessageBase, ...], "Remarks of the analysis."] = ()
    observed_generation: Annotated[int, "The generation of the spec that this status was made for."] = 0
    addresses: Annotated[tuple[ServiceEntryAddress, ...], "Addresses given by the mesh."] = ()


class ServiceEntry(Document):
    """A service that the mesh would not know otherwise."""

    spec: Annotated[ServiceEntrySpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "networking.istio.io/v1"
    kind: Annotated[str, "Kind of the object."] = "ServiceEntry"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[ServiceEntryStatus, "What is."] = ServiceEntryStatus()


KIND = Kind(
    group="networking.istio.io",
    versions=(
        "v1",
        "v1beta1",
        "v1alpha3",
    ),
    kind="ServiceEntry",
    plural="serviceentries",
    short=("se",),
    categories=("istio-io", "networking-istio-io"),
    document=ServiceEntry,
    columns=(
        Column(name="Hosts", type="string", path=".spec.hosts", description="Names of the service."),
        Column(
            name="Location",
            type="string",
            path=".spec.location",
            description="Whether the service is part of the mesh.",
        ),
        Column(name="Resolution", type="string", path=".spec.resolution", description="How its addresses are found."),
        AGE,
    ),
    subresources=("status",),
    custom=True,
    effect=True,
    validate=service_entry_rules.validate,
    remarks=service_entry_rules.remarks,
)
