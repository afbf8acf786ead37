"""A VirtualService's `fault` as the plan's. Source: Istio's reference, HTTPFaultInjection, and its TranslateFault."""

from collections.abc import Iterator

from semafor.base import duration
from semafor.base.problem import Problem
from semafor.ir import Abort, Delay, Fault, Origin
from semafor.planner.checks import problems, refused
from semafor.planner.checks.problems import at
from semafor.resources.istio import virtual_service as istio

# Source: gRPC's "Status codes and their use in gRPC".
GRPC_STATUS = {
    "OK": 0,
    "CANCELLED": 1,
    "UNKNOWN": 2,
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "DATA_LOSS": 15,
    "UNAUTHENTICATED": 16,
}


def read(spec: istio.HTTPFaultInjection | None) -> Fault | None:
    """The fault; None when no request can meet one."""
    if spec is None:
        return None
    delay = _delay(spec.delay) if spec.delay else None
    abort = _abort(spec.abort) if spec.abort else None
    return Fault(delay=delay, abort=abort) if delay or abort else None


def check(spec: istio.HTTPFaultInjection, origin: Origin) -> Iterator[Problem]:
    """What of the fault is not implemented or has no effect."""
    if spec.delay:
        place = at(origin, "delay")
        yield from refused.fields(spec.delay, place, "fixed_delay", "percentage", "percent")
        if not _seconds(spec.delay.fixed_delay):
            yield problems.no_effect(at(place, "fixedDelay"), "the delay is 0", "write a delay such as 5s")
        elif not _share(spec.delay.percentage, spec.delay.percent):
            yield _nobody(place)
    if spec.abort:
        place = at(origin, "abort")
        yield from refused.fields(spec.abort, place, "http_status", "grpc_status", "percentage")
        if spec.abort.http_status is None and _grpc(spec.abort.grpc_status) is None:
            said = spec.abort.grpc_status
            message = f"{said!r} is no status of gRPC" if said else "neither httpStatus nor grpcStatus is given"
            yield problems.no_effect(at(place, "grpcStatus"), message, "write httpStatus: 503 or a name of gRPC's")
        elif not _share(spec.abort.percentage, 0):
            yield _nobody(place)


def _nobody(place: Origin) -> Problem:
    """As in Istio, unlike the percentages of mirrors, none means nobody."""
    return problems.no_effect(place, "without a percentage no request meets it", "add percentage: {value: 100}")


def _delay(spec: istio.Delay) -> Delay | None:
    percent, seconds = _share(spec.percentage, spec.percent), _seconds(spec.fixed_delay)
    return Delay(seconds=seconds, percent=percent) if percent and seconds else None


def _abort(spec: istio.Abort) -> Abort | None:
    percent = _share(spec.percentage, 0)
    grpc = _grpc(spec.grpc_status) if spec.http_status is None else None
    if not percent or (spec.http_status is None and grpc is None):
        return None
    return Abort(status=spec.http_status or 0, grpc_status=grpc, percent=percent)


def _share(percentage: istio.Percent | None, percent: int) -> float:
    return percentage.value if percentage else float(percent)


def _seconds(text: str | None) -> float:
    return duration.parse(text) if text else 0.0


def _grpc(text: str | None) -> int | None:
    """A status by its name or its number."""
    if text and text.isdigit() and int(text) in GRPC_STATUS.values():
        return int(text)
    return GRPC_STATUS.get(text or "")
