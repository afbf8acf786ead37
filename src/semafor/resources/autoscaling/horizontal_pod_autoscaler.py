"""HorizontalPodAutoscaler: as many pods as the load needs. Source: Kubernetes' API reference."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from semafor.base.struct import Document
from semafor.resources import errors
from semafor.resources.autoscaling.metrics import CrossVersionObjectReference, MetricSpec, MetricStatus
from semafor.resources.defaulting import inside
from semafor.resources.errors import FieldError
from semafor.resources.kind import Kind
from semafor.resources.marks import ATOMIC, NON_NEGATIVE, POSITIVE, Time, listing
from semafor.resources.meta.meta import ObjectMeta


class HPAScalingPolicy(Document):
    """How far the number may change in a time."""

    type: Annotated[Literal["Pods", "Percent"], "Whether by pods or by per cent."]
    value: Annotated[int, "How many."]
    period_seconds: Annotated[int, "In how many seconds."]


class HPAScalingRules(Document):
    """How fast the number changes in one direction."""

    stabilization_window_seconds: Annotated[int | None, "Seconds over which the most careful wish counts."] = None
    select_policy: Annotated[
        Literal["Max", "Min", "Disabled"] | None, "Which policy counts when there are several."
    ] = None
    policies: Annotated[tuple[HPAScalingPolicy, ...], ATOMIC, "The policies."] = ()


class HorizontalPodAutoscalerBehavior(Document):
    """How fast the number changes."""

    scale_up: Annotated[HPAScalingRules | None, "When it grows."] = None
    scale_down: Annotated[HPAScalingRules | None, "When it shrinks."] = None


class HorizontalPodAutoscalerSpec(Document):
    """What is scaled, between which bounds, by what."""

    scale_target_ref: Annotated[CrossVersionObjectReference, "The workload."]
    max_replicas: Annotated[int, POSITIVE, "Most pods."]
    min_replicas: Annotated[int | None, NON_NEGATIVE, "Least number of pods; 1 when absent."] = None
    metrics: Annotated[tuple[MetricSpec, ...], ATOMIC, "What is looked at; 80 % of the CPU when empty."] = ()
    behavior: Annotated[HorizontalPodAutoscalerBehavior | None, "How fast the number changes."] = None
    target_cpu_utilization_percentage: Annotated[
        int | None, "Version v1's way to say one CPU target; becomes a metric."
    ] = msgspec.field(name="targetCPUUtilizationPercentage", default=None)


class HorizontalPodAutoscalerCondition(Document):
    """One aspect of the state."""

    type: Annotated[str, "Which aspect."] = ""
    status: Annotated[Literal["True", "False", "Unknown"] | None, "Whether it holds."] = None
    last_transition_time: Annotated[Time | None, "When the status last changed."] = None
    reason: Annotated[str, "A CamelCase word for why it is so."] = ""
    message: Annotated[str, "The same for people."] = ""


class HorizontalPodAutoscalerStatus(Document):
    """The state."""

    observed_generation: Annotated[int | None, "The generation of the spec that this status was made for."] = None
    last_scale_time: Annotated[Time | None, "When the number last changed."] = None
    current_replicas: Annotated[int, "Pods that there are."] = 0
    desired_replicas: Annotated[int, "Pods that there should be."] = 0
    current_metrics: Annotated[tuple[MetricStatus, ...], ATOMIC, "What was looked at."] = ()
    conditions: Annotated[
        tuple[HorizontalPodAutoscalerCondition, ...],
        listing("type", patch_key="type"),
        "Aspects of the present state, told apart by type.",
    ] = ()
    current_cpu_utilization_percentage: Annotated[int | None, "The CPU's use in version v1's way."] = msgspec.field(
        name="currentCPUUtilizationPercentage", default=None
    )


class HorizontalPodAutoscaler(Document):
    """As many pods as the load needs."""

    api_version: Annotated[str, "API version of the object."] = "autoscaling/v2"
    kind: Annotated[str, "Kind of the object."] = "HorizontalPodAutoscaler"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[HorizontalPodAutoscalerSpec | None, "What is wanted."] = None
    status: Annotated[HorizontalPodAutoscalerStatus, "What is."] = HorizontalPodAutoscalerStatus()


_CPU_TARGET = 80  # per cent of the requests, when nothing else is asked for
_SOURCES = {
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "External": "external",
}


def defaults(doc: dict[str, Any]) -> dict[str, Any]:
    """At least one pod, by the CPU. A target written in v1's way becomes a metric."""
    return inside(doc, "spec", _spec)


def _spec(spec: dict[str, Any]) -> dict[str, Any]:
    spec = {"minReplicas": 1, **spec}
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    if spec.get("metrics") and percent is None:
        return spec
    target = {"type": "Utilization", "averageUtilization": percent or _CPU_TARGET}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    others = [one for one in spec.get("metrics", ()) if one.get("resource", {}).get("name") != "cpu"]
    return {**spec, "metrics": [*others, metric]}


def validate(doc: dict[str, Any]) -> Iterator[FieldError]:
    """The bounds are in order, and each metric has the source that its type names."""
    spec = doc.get("spec", {})
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 1)
    if most < least:
        yield errors.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    for index, metric in enumerate(spec.get("metrics", ())):
        source = _SOURCES.get(metric.get("type", ""))
        if source is not None and source not in metric:
            yield errors.required(f"spec.metrics[{index}].{source}", "must populate information for the given metric")


KIND = Kind(
    group="autoscaling",
    versions=("v2", "v1"),
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    short=("hpa",),
    categories=("all",),
    document=HorizontalPodAutoscaler,
    subresources=("status",),
    defaults=defaults,
    validate=validate,
)
