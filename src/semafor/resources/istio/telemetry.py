"""Telemetry: what is measured, traced and logged. Source: Istio's API reference."""

from typing import Annotated, ClassVar, Literal

from semafor.base.struct import Document
from semafor.resources.istio import telemetry_rules
from semafor.resources.istio.common import PolicyTargetReference, WorkloadSelector
from semafor.resources.istio.status import IstioStatus
from semafor.resources.kind import AGE, Kind
from semafor.resources.marks import PERCENT, Alias, Choices, Duration
from semafor.resources.meta.meta import ObjectMeta


class TracingSelector(Document):
    """Which traffic is traced."""

    mode: Annotated[
        Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"],
        Alias(wrong="SERVER_AND_CLIENT", right="CLIENT_AND_SERVER"),
        "Calls made, calls taken, or both.",
    ] = "CLIENT_AND_SERVER"


class ProviderRef(Document):
    """A provider."""

    name: Annotated[str, "Name of the provider in the mesh's settings."]


class LiteralTag(Document):
    """A fixed text."""

    value: Annotated[str, "The text."]


class EnvironmentTag(Document):
    """A variable of the proxy's environment."""

    name: Annotated[str, "Name of the variable."]
    default_value: Annotated[str, "Value when it does not exist."] = ""


class HeaderTag(Document):
    """A header of the request."""

    name: Annotated[str, "Name of the header."]
    default_value: Annotated[str, "Value when it does not exist."] = ""


class FormatterTag(Document):
    """A text in Envoy's format for logs."""

    value: Annotated[str, "The format."]


class CustomTag(Document):
    """Where a tag's value comes from; exactly one is set."""

    literal: Annotated[LiteralTag | None, "A fixed text."] = None
    environment: Annotated[EnvironmentTag | None, "A variable of the proxy's environment."] = None
    header: Annotated[HeaderTag | None, "A header of the request."] = None
    formatter: Annotated[FormatterTag | None, "Envoy's format for logs."] = None


class Tracing(Document):
    """What is traced."""

    match: Annotated[TracingSelector | None, "Which traffic."] = None
    providers: Annotated[tuple[ProviderRef, ...], "Who gets the traces."] = ()
    random_sampling_percentage: Annotated[float | None, PERCENT, "Share of the requests, 0 to 100."] = None
    disable_span_reporting: Annotated[bool | None, "Whether no spans are reported."] = None
    custom_tags: Annotated[dict[str, CustomTag], "Further tags of the spans."] = {}
    use_request_id_for_trace_sampling: Annotated[bool | None, "Whether the request's id decides on sampling."] = None
    enable_istio_tags: Annotated[bool | None, "Whether spans get Istio's own tags."] = None
    disable_context_propagation: Annotated[bool | None, "Whether the trace's headers are not passed on."] = None


class MetricSelector(Document):
    """Which metrics are changed."""

    ONE_OF: ClassVar[Choices] = (("metric", "customMetric"),)

    metric: Annotated[
        Literal[
            "ALL_METRICS",
            "REQUEST_COUNT",
            "REQUEST_DURATION",
            "REQUEST_SIZE",
            "RESPONSE_SIZE",
            "TCP_OPENED_CONNECTIONS",
            "TCP_CLOSED_CONNECTIONS",
            "TCP_SENT_BYTES",
            "TCP_RECEIVED_BYTES",
            "GRPC_REQUEST_MESSAGES",
            "GRPC_RESPONSE_MESSAGES",
        ]
        | None,
        "One of Istio's metrics.",
    ] = None
    custom_metric: Annotated[str | None, "Another metric, by name."] = None
    mode: Annotated[
        Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"],
        Alias(wrong="SERVER_AND_CLIENT", right="CLIENT_AND_SERVER"),
        "Calls made, calls taken, or both.",
    ] = "CLIENT_AND_SERVER"


class TagOverride(Document):
    """A change of a tag."""

    operation: Annotated[Literal["UPSERT", "REMOVE"], "Whether the tag is set or taken away."] = "UPSERT"
    value: Annotated[str, "Expression for the tag's value, for UPSERT."] = ""


class MetricsOverrides(Document):
    """A change of metrics."""

    match: Annotated[MetricSelector | None, "Which metrics; all when absent."] = None
    disabled: Annotated[bool | None, "Whether they are not made."] = None
    tag_overrides: Annotated[dict[str, TagOverride], "Changes of their tags, by name."] = {}


class Metrics(Document):
    """What is measured."""

    providers: Annotated[tuple[ProviderRef, ...], "Who gets the metrics."] = ()
    overrides: Annotated[tuple[MetricsOverrides, ...], "Changes of metrics, in order."] = ()
    reporting_interval: Annotated[Duration | None, "How often metrics of open TCP connections are reported."] = None


class LogSelector(Document):
    """Which traffic is logged."""

    mode: Annotated[
        Literal["CLIENT_AND_SERVER", "CLIENT", "SERVER"],
        Alias(wrong="SERVER_AND_CLIENT", right="CLIENT_AND_SERVER"),
        "Calls made, calls taken, or both.",
    ] = "CLIENT_AND_SERVER"


class Filter(Document):
    """Which requests are logged."""

    expression: Annotated[str, "Condition in CEL."] = ""


class AccessLogging(Document):
    """What is logged."""

    match: Annotated[LogSelector | None, "Which traffic."] = None
    providers: Annotated[tuple[ProviderRef, ...], "Who gets the log."] = ()
    disabled: Annotated[bool | None, "Whether nothing is logged."] = None
    filter: Annotated[Filter | None, "Which requests are logged."] = None


class TelemetrySpec(Document):
    """What is measured, traced and logged."""

    selector: Annotated[WorkloadSelector | None, "Pods that it is for; all of the namespace when absent."] = None
    target_ref: Annotated[PolicyTargetReference | None, "Obsolete: use targetRefs."] = None
    target_refs: Annotated[tuple[PolicyTargetReference, ...], "Gateways and services that it is for."] = ()
    tracing: Annotated[tuple[Tracing, ...], "What is traced."] = ()
    metrics: Annotated[tuple[Metrics, ...], "What is measured."] = ()
    access_logging: Annotated[tuple[AccessLogging, ...], "What is logged."] = ()


class Telemetry(Document):
    """What is measured, traced and logged."""

    api_version: Annotated[str, "API version of the object."] = "telemetry.istio.io/v1"
    kind: Annotated[str, "Kind of the object."] = "Telemetry"
    metadata: Annotated[ObjectMeta, "Name, labels and the like."] = ObjectMeta()
    spec: Annotated[TelemetrySpec, "What is wanted."] = TelemetrySpec()
    status: Annotated[IstioStatus, "What is."] = IstioStatus()


KIND = Kind(
    group="telemetry.istio.io",
    versions=(
        "v1",
        "v1alpha1",
    ),
    kind="Telemetry",
    plural="telemetries",
    short=("telemetry",),
    categories=("istio-io", "telemetry-istio-io"),
    document=Telemetry,
    columns=(AGE,),
    subresources=("status",),
    custom=True,
    validate=telemetry_rules.validate,
)
