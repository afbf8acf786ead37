"""ServiceMonitor: which Services are scraped. Source: the Prometheus operator's API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import ATOMIC, IntOrString
from semafor.resources.meta.meta import LabelSelector, ObjectMeta
from semafor.resources.monitoring.monitor import MonitorSpec, ScrapedPort
from semafor.resources.monitoring.scraping import (
    NamespaceSelector,
    TLSConfig,
)
from semafor.resources.monitoring.status import ConfigResourceStatus


class Endpoint(ScrapedPort):
    """A port of a Service that is scraped."""

    port: Annotated[str, "Name of the Service's port."] = ""
    target_port: Annotated[IntOrString | None, "Port of the pod, by number or name."] = None
    tls_config: Annotated[TLSConfig | None, "How the connection is secured."] = None
    bearer_token_file: Annotated[str, "Obsolete: use authorization."] = ""


class ServiceMonitorSpec(MonitorSpec, kw_only=True):
    """Which Services are scraped, and how."""

    endpoints: Annotated[tuple[Endpoint, ...], ATOMIC, "Ports that are scraped."]
    selector: Annotated[LabelSelector, ATOMIC, "Which Services, by their labels."]
    job_label: Annotated[str, "Label of the Service that gives the job's name."] = ""
    target_labels: Annotated[tuple[str, ...], ATOMIC, "Labels of the Service that the series get."] = ()
    namespace_selector: Annotated[NamespaceSelector, "Namespaces of the Services."] = NamespaceSelector()
    service_discovery_role: Annotated[
        Literal["Endpoints", "EndpointSlice"] | None, "Whether EndpointSlices or Endpoints are read."
    ] = None


class ServiceMonitor(Document):
    """Which Services Prometheus scrapes, and how."""

    spec: Annotated[ServiceMonitorSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "monitoring.coreos.com/v1"
    kind: Annotated[str, "Kind of the object."] = "ServiceMonitor"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[ConfigResourceStatus, "What is."] = ConfigResourceStatus()


KIND = Kind(
    group="monitoring.coreos.com",
    versions=("v1",),
    kind="ServiceMonitor",
    plural="servicemonitors",
    short=("smon",),
    categories=("prometheus-operator",),
    document=ServiceMonitor,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    effect=False,
)
