"""outlierDetection: when a failing instance is left out for a while."""

from collections.abc import Iterator

from semafor.base import duration
from semafor.base.problem import Problem
from semafor.ir import Origin, OutlierDetection
from semafor.planner.checks import problems, refused
from semafor.resources.istio import destination_rule as istio

_IMPLEMENTED = (
    "consecutive_5xx_errors",
    "consecutive_gateway_errors",
    "consecutive_local_origin_failures",
    "split_external_local_origin_errors",
    "interval",
    "base_ejection_time",
    "max_ejection_percent",
    "min_health_percent",
    "outlier_detection_http_error_codes",
)
_ERRORS, _INTERVAL_S, _EJECTION_S, _PERCENT = 5, 10.0, 30.0, 10  # Source: Istio's reference, OutlierDetection


def read(said: istio.OutlierDetection) -> OutlierDetection:
    fives, local = said.consecutive_5xx_errors, said.consecutive_local_origin_failures
    split = said.split_external_local_origin_errors
    return OutlierDetection(
        consecutive_5xx=_ERRORS if fives is None else fives,
        consecutive_gateway=said.consecutive_gateway_errors,
        consecutive_local_origin=(_ERRORS if local is None else local) if split else None,
        split_local_origin=split,
        interval_s=_seconds(said.interval) or _INTERVAL_S,
        base_ejection_s=_seconds(said.base_ejection_time) or _EJECTION_S,
        max_ejection_percent=said.max_ejection_percent or _PERCENT,
        min_health_percent=said.min_health_percent or 0,
        error_codes=said.outlier_detection_http_error_codes,
    )


def mistakes(said: istio.OutlierDetection, origin: Origin) -> Iterator[Problem]:
    """What has no effect."""
    yield from refused.fields(said, origin, *_IMPLEMENTED)
    if said.consecutive_local_origin_failures and not said.split_external_local_origin_errors:
        why = "failures to connect count as 5xx until splitExternalLocalOriginErrors is true"
        yield problems.without_effect(origin, "consecutiveLocalOriginFailures", why)


def _seconds(text: str | None) -> float | None:
    return duration.parse(text) if text else None
