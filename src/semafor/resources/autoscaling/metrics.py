"""What a HorizontalPodAutoscaler looks at. Source: Kubernetes' API reference."""

from typing import Annotated, Literal

from semafor.base.struct import Document
from semafor.resources.marks import ATOMIC, Quantity
from semafor.resources.meta.meta import LabelSelector


class CrossVersionObjectReference(Document):
    """An object by kind and name."""

    kind: Annotated[str, "Kind of the object."]
    name: Annotated[str, "Name of the object."]
    api_version: Annotated[str, "API version of the object."] = ""


class MetricIdentifier(Document):
    """A metric."""

    name: Annotated[str, "Name of the metric."]
    selector: Annotated[LabelSelector | None, ATOMIC, "Which series of it, by labels."] = None


class MetricTarget(Document):
    """What a metric should be."""

    type: Annotated[Literal["Utilization", "Value", "AverageValue"], "How it is given."]
    value: Annotated[Quantity | None, "As a value."] = None
    average_value: Annotated[Quantity | None, "As a value per pod."] = None
    average_utilization: Annotated[int | None, "As a percentage of the requests, per pod."] = None


class ObjectMetricSource(Document):
    """A metric of one object."""

    described_object: Annotated[CrossVersionObjectReference, "The object."]
    target: Annotated[MetricTarget, "What it should be."]
    metric: Annotated[MetricIdentifier, "The metric."]


class PodsMetricSource(Document):
    """A metric of each pod."""

    metric: Annotated[MetricIdentifier, "The metric."]
    target: Annotated[MetricTarget, "What it should be."]


class ResourceMetricSource(Document):
    """CPU or memory of each pod."""

    name: Annotated[str, "cpu or memory."]
    target: Annotated[MetricTarget, "What it should be."]


class ContainerResourceMetricSource(Document):
    """CPU or memory of one container of each pod."""

    name: Annotated[str, "cpu or memory."]
    target: Annotated[MetricTarget, "What it should be."]
    container: Annotated[str, "Name of the container."]


class ExternalMetricSource(Document):
    """A metric from outside the cluster."""

    metric: Annotated[MetricIdentifier, "The metric."]
    target: Annotated[MetricTarget, "What it should be."]


class MetricSpec(Document):
    """One thing that is looked at; the field named by type is set."""

    type: Annotated[Literal["Object", "Pods", "Resource", "ContainerResource", "External"], "What is looked at."]
    object: Annotated[ObjectMetricSource | None, "A metric of one object."] = None
    pods: Annotated[PodsMetricSource | None, "A metric of each pod."] = None
    resource: Annotated[ResourceMetricSource | None, "CPU or memory of each pod."] = None
    container_resource: Annotated[
        ContainerResourceMetricSource | None, "CPU or memory of one container of each pod."
    ] = None
    external: Annotated[ExternalMetricSource | None, "A metric from outside the cluster."] = None


class MetricValueStatus(Document):
    """What a metric is."""

    value: Annotated[Quantity | None, "As a value."] = None
    average_value: Annotated[Quantity | None, "As a value per pod."] = None
    average_utilization: Annotated[int | None, "As a percentage of the requests, per pod."] = None


class ObjectMetricStatus(Document):
    """A metric of one object."""

    metric: Annotated[MetricIdentifier | None, "The metric."] = None
    current: Annotated[MetricValueStatus, "What it is."] = MetricValueStatus()
    described_object: Annotated[CrossVersionObjectReference | None, "The object."] = None


class PodsMetricStatus(Document):
    """A metric of each pod."""

    metric: Annotated[MetricIdentifier | None, "The metric."] = None
    current: Annotated[MetricValueStatus, "What it is."] = MetricValueStatus()


class ResourceMetricStatus(Document):
    """CPU or memory of each pod."""

    name: Annotated[str, "cpu or memory."] = ""
    current: Annotated[MetricValueStatus, "What it is."] = MetricValueStatus()


class ContainerResourceMetricStatus(Document):
    """CPU or memory of one container of each pod."""

    name: Annotated[str, "cpu or memory."] = ""
    current: Annotated[MetricValueStatus, "What it is."] = MetricValueStatus()
    container: Annotated[str, "Name of the container."] = ""


class ExternalMetricStatus(Document):
    """A metric from outside the cluster."""

    metric: Annotated[MetricIdentifier | None, "The metric."] = None
    current: Annotated[MetricValueStatus, "What it is."] = MetricValueStatus()


class MetricStatus(Document):
    """One thing that was looked at."""

    type: Annotated[
        Literal["Object", "Pods", "Resource", "ContainerResource", "External"] | None, "What was looked at."
    ] = None
    object: Annotated[ObjectMetricStatus | None, "A metric of one object."] = None
    pods: Annotated[PodsMetricStatus | None, "A metric of each pod."] = None
    resource: Annotated[ResourceMetricStatus | None, "CPU or memory of each pod."] = None
    container_resource: Annotated[
        ContainerResourceMetricStatus | None, "CPU or memory of one container of each pod."
    ] = None
    external: Annotated[ExternalMetricStatus | None, "A metric from outside the cluster."] = None
