"""Which of Istio's metrics are made, and what is changed of their labels."""

from collections.abc import Iterable, Iterator
from typing import Final

from semafor.base.problem import Problem
from semafor.ir import Metric, MetricName, Origin, Tag
from semafor.planner.checks import problems, refused
from semafor.planner.checks.problems import at
from semafor.planner.telemetry import cel, sections
from semafor.planner.telemetry.objects import Telemetry
from semafor.planner.telemetry.sections import Direction
from semafor.resources.istio import telemetry as istio

PROMETHEUS: Final = "prometheus"  # the provider that is always there
_NAMES: Final[dict[str, MetricName]] = {
    "REQUEST_COUNT": "requests_total",
    "REQUEST_DURATION": "request_duration_milliseconds",
    "REQUEST_SIZE": "request_bytes",
    "RESPONSE_SIZE": "response_bytes",
    "GRPC_REQUEST_MESSAGES": "request_messages_total",
    "GRPC_RESPONSE_MESSAGES": "response_messages_total",
    "TCP_OPENED_CONNECTIONS": "tcp_connections_opened_total",
    "TCP_CLOSED_CONNECTIONS": "tcp_connections_closed_total",
    "TCP_SENT_BYTES": "tcp_sent_bytes_total",
    "TCP_RECEIVED_BYTES": "tcp_received_bytes_total",
}


def of(
    levels: Iterable[Telemetry], direction: Direction, collecting: frozenset[str], default: tuple[str, ...]
) -> tuple[Metric, ...]:
    """The metrics of one direction. `collecting` are the providers that are Prometheus."""
    said = tuple(sections.metrics(levels))
    if collecting.isdisjoint(sections.told(said, default)):
        return ()
    disabled: dict[str, bool] = {}
    tags: dict[str, dict[str, Tag]] = {name: {} for name in _NAMES.values()}
    for section, providers, origin in sections.each(said, default):
        if not collecting.isdisjoint(providers):
            for override, place in _overrides(section, origin):
                if sections.matches(override.match, direction):
                    for name in _meant(override):
                        tags[name] |= _tags(override, place)
                        disabled |= {} if override.disabled is None else {name: override.disabled}
    made = (name for name in _NAMES.values() if not disabled.get(name))
    return tuple(Metric(name=name, tags=tuple(tags[name][tag] for tag in sorted(tags[name]))) for name in made)


def _overrides(section: istio.Metrics, origin: Origin) -> Iterator[tuple[istio.MetricsOverrides, Origin]]:
    return ((one, at(origin, f"overrides[{index}]")) for index, one in enumerate(section.overrides))


def _meant(override: istio.MetricsOverrides) -> tuple[MetricName, ...]:
    match = override.match
    if match is None or match.metric in (None, "ALL_METRICS"):
        return () if match and match.custom_metric else tuple(_NAMES.values())
    return (_NAMES[match.metric],) if match.metric in _NAMES else ()


def _tags(override: istio.MetricsOverrides, origin: Origin) -> dict[str, Tag]:
    """The changes that Envoy takes; the others have a problem."""
    found = {}
    for name, change in override.tag_overrides.items():
        value = "" if change.operation == "REMOVE" else change.value
        if not _wrong(value):
            found[name] = Tag(name=name, expression=value, origin=origin)
    return found


def _wrong(value: str) -> str:
    """Why the expression cannot be used; empty when it can."""
    try:
        if value:
            cel.check(value, in_format=True)
    except cel.Wrong as error:
        return str(error)
    return ""


def check(one: Telemetry) -> Iterator[Problem]:
    """What of the object's metrics is not understood or not implemented."""
    for section, origin in sections.metrics((one,)):
        yield from refused.fields(section, origin, "providers", "overrides")
        for override, place in _overrides(section, origin):
            match = override.match
            if match and match.custom_metric:
                yield problems.not_supported(at(place, "match"), "customMetric")
            for name, change in override.tag_overrides.items():
                if change.operation == "UPSERT" and (why := _wrong(change.value)):
                    place_of_tag = at(place, f"tagOverrides[{name}].value")
                    yield problems.invalid(place_of_tag, f"the label is left as it was: {why}", "mend the expression")
