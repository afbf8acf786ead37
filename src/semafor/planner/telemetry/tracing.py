"""Which requests are traced, who gets the spans, and what is in them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

from msgspec.structs import replace

from semafor.base import duration
from semafor.base.problem import Problem
from semafor.ir import Collector, Origin, SpanTag, Tracing, UpstreamHttp
from semafor.planner.calling import passthrough
from semafor.planner.calling.providers import Reached
from semafor.planner.checks import problems, refused
from semafor.planner.checks.problems import at
from semafor.planner.options import Options
from semafor.planner.proxy import Workload
from semafor.planner.telemetry import formats, sections
from semafor.planner.telemetry.objects import Telemetry
from semafor.planner.telemetry.sections import Direction
from semafor.resources.istio import telemetry as istio
from semafor.resources.istio.extension_provider import ExtensionProvider, OpenTelemetry, Zipkin

KINDS: Final = frozenset(("opentelemetry", "zipkin"))
# The provider that is always there: the mesh's own store of traces, behind a unix socket beside every proxy.
OWN: Final = "semafor"
SOCKET: Final = "/var/run/semafor/otlp.sock"
BUILT_IN: Final = ExtensionProvider(name=OWN, opentelemetry=OpenTelemetry(service=OWN, port=4317))
_ZIPKIN_PATH: Final = "/api/v2/spans"
_TIMEOUT: Final = "1s"
_T = TypeVar("_T")
# What Istio says of the proxy in every span: the tag, and the proxy's variable.
_OF_PROXY: Final = (
    ("istio.canonical_revision", "SEMAFOR_REVISION"),
    ("istio.canonical_service", "SEMAFOR_SERVICE"),
    ("istio.namespace", "SEMAFOR_NAMESPACE"),
)


def of(
    levels: Iterable[Telemetry],
    direction: Direction,
    collectors: Mapping[str, Collector],
    options: Options,
    workload: Workload,
) -> Tracing | None:
    """What is traced of one direction; None when nobody is told. Source: Istio's functions for Telemetry's tracing."""
    said = tuple((one, origin) for one, origin in sections.tracing(levels) if sections.matches(one.match, direction))
    told = sections.told(said, options.default_providers.tracing)
    collector = next((collectors[name] for name in told if name in collectors), None)
    if collector is None or _last(said, "disable_span_reporting", default=False):
        return None
    sampling = _last(said, "random_sampling_percentage", default=options.trace_sampling)
    nothing: Mapping[str, istio.CustomTag] = {}
    tags = _last(said, "custom_tags", default=nothing)
    of_proxy = _OF_PROXY if _last(said, "enable_istio_tags", default=True) else ()
    words = workload.peer
    return Tracing(
        sampling=sampling,
        collector=collector,
        tags=(*(SpanTag(name, "environment", variable) for name, variable in of_proxy), *_tags(tags)),
        by_request_id=_last(said, "use_request_id_for_trace_sampling", default=True),
        service=f"{words.service}.{words.namespace}",
        origin=said[-1][1] if said else None,
    )


def _last(said: tuple[tuple[istio.Tracing, Origin], ...], field: str, *, default: _T) -> _T:
    """What the narrowest section says that says anything of it."""
    found: _T = default
    for section, _ in said:
        value = getattr(section, field)
        found = found if value is None or value == {} else value
    return found


def _tags(tags: Mapping[str, istio.CustomTag]) -> Iterator[SpanTag]:
    for name, tag in sorted(tags.items()):
        if tag.literal:
            yield SpanTag(name, "literal", tag.literal.value)
        elif tag.environment:
            yield SpanTag(name, "environment", tag.environment.name, tag.environment.default_value)
        elif tag.header:
            yield SpanTag(name, "header", tag.header.name, tag.header.default_value)
        elif tag.formatter and not _wrong(tag):
            yield SpanTag(name, "format", tag.formatter.value)


def _wrong(tag: istio.CustomTag) -> str:
    """Why the tag's format cannot be used; empty when it can."""
    try:
        if tag.formatter:
            formats.check(tag.formatter.value)
    except ValueError as error:
        return str(error)
    return ""


def own() -> Reached:
    """How the mesh's own store is reached."""
    cluster = replace(passthrough.by_pipe("semafor-traces", SOCKET), http=UpstreamHttp(version="h2"))
    return Reached(host=OWN, cluster=cluster)


def collector(provider: ExtensionProvider, reached: Reached) -> Collector | None:
    """How the provider gets spans; None for one that gets none."""
    if (otlp := provider.opentelemetry) is not None:
        return _otlp(otlp, reached)
    return _zipkin(provider.zipkin, reached) if provider.zipkin is not None else None


def _otlp(otlp: OpenTelemetry, reached: Reached) -> Collector:
    cluster, host = reached.cluster.name, reached.host
    if otlp.http is None:
        timeout_s = duration.parse((otlp.grpc.timeout if otlp.grpc else None) or _TIMEOUT)
        headers = tuple((one.name, one.value) for one in otlp.grpc.initial_metadata) if otlp.grpc else ()
        return Collector(kind="otlp_grpc", cluster=cluster, host=host, timeout_s=timeout_s, headers=headers)
    return Collector(
        kind="otlp_http",
        cluster=cluster,
        host=host,
        path=otlp.http.path,
        timeout_s=duration.parse(otlp.http.timeout or _TIMEOUT),
        headers=tuple((one.name, one.value) for one in otlp.http.headers),
    )


def _zipkin(zipkin: Zipkin, reached: Reached) -> Collector:
    return Collector(
        kind="zipkin",
        cluster=reached.cluster.name,
        host=reached.host,
        path=zipkin.path or _ZIPKIN_PATH,
        wide_ids=not zipkin.enable_64bit_trace_id,
        w3c=zipkin.trace_context_option == "USE_B3_WITH_W3C_PROPAGATION",
    )


def check(one: Telemetry) -> Iterator[Problem]:
    """What of the object's tracing is not understood or not implemented."""
    known = ("match", "providers", "random_sampling_percentage", "disable_span_reporting", "custom_tags")
    switches = ("use_request_id_for_trace_sampling", "enable_istio_tags")
    for section, origin in sections.tracing((one,)):
        yield from refused.fields(section, origin, *known, *switches)
        for name, tag in section.custom_tags.items():
            if why := _wrong(tag):
                place = at(origin, f"customTags[{name}].formatter.value")
                yield problems.invalid(place, f"spans do not get the tag: {why}", "mend the format")
