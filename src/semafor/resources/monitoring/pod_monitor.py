"""PodMonitor: which pods are scraped. Source: the Prometheus operator's API reference."""

from typing import Annotated

from semafor.base.struct import Document
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import ATOMIC, IntOrString, within
from semafor.resources.meta.meta import LabelSelector, ObjectMeta
from semafor.resources.monitoring.monitor import MonitorSpec, ScrapedPort
from semafor.resources.monitoring.scraping import (
    NamespaceSelector,
    SafeTLSConfig,
)
from semafor.resources.monitoring.status import ConfigResourceStatus


class PodMetricsEndpoint(ScrapedPort):
    """A port of a pod that is scraped."""

    port: Annotated[str | None, "Name of the port."] = None
    port_number: Annotated[int | None, within(1, 65535), "Number of the port."] = None
    target_port: Annotated[IntOrString | None, "Obsolete: use port or portNumber."] = None
    tls_config: Annotated[SafeTLSConfig | None, "How the connection is secured."] = None


class PodMonitorSpec(MonitorSpec, kw_only=True):
    """Which pods are scraped, and how."""

    selector: Annotated[LabelSelector, ATOMIC, "Which pods, by their labels."]
    job_label: Annotated[str, "Label of the pod that gives the job's name."] = ""
    pod_metrics_endpoints: Annotated[tuple[PodMetricsEndpoint, ...], ATOMIC, "Ports that are scraped."] = ()
    namespace_selector: Annotated[NamespaceSelector, "Namespaces of the pods."] = NamespaceSelector()


class PodMonitor(Document):
    """Which pods Prometheus scrapes, and how."""

    spec: Annotated[PodMonitorSpec, "What is wanted."]
    api_version: Annotated[str, "API version of the object."] = "monitoring.coreos.com/v1"
    kind: Annotated[str, "Kind of the object."] = "PodMonitor"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    status: Annotated[ConfigResourceStatus, "What is."] = ConfigResourceStatus()


KIND = Kind(
    group="monitoring.coreos.com",
    versions=("v1",),
    kind="PodMonitor",
    plural="podmonitors",
    short=("pmon",),
    categories=("prometheus-operator",),
    document=PodMonitor,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    effect=False,
)
