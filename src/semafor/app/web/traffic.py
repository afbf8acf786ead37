"""Who calls whom, how often and how well: Istio's standard metrics, asked in PromQL and put together per edge. Pure.

Both ends of a call report it. The caller's report counts, for it also has what never arrived; calls that only their
receiver reports (the caller has no proxy) are taken from there. Only the receiver knows whether a call came by mutual
TLS.
"""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from semafor.app.web.sources import Sample

QUANTILES = (0.5, 0.95, 0.99)
_UNKNOWN = frozenset({"", "unknown"})

_ENDS = (
    "source_workload",
    "source_workload_namespace",
    "source_canonical_service",
    "source_canonical_revision",
    "destination_workload",
    "destination_workload_namespace",
    "destination_canonical_service",
    "destination_canonical_revision",
    "destination_service_name",
    "destination_service_namespace",
)
_BY = ", ".join(_ENDS)


class Place(NamedTuple):
    """One end of a call. `service` is the Kubernetes service that was called, "" for the caller's end."""

    namespace: str
    workload: str
    app: str
    version: str
    service: str = ""


class Pair(NamedTuple):
    """Who calls whom."""

    source: Place
    target: Place


@dataclass
class Flow:
    """What goes from one place to another, per second.

    `buckets` is the histogram of the requests' durations: up to so many milliseconds, so many requests.
    """

    rates: dict[str, float] = field(default_factory=dict)  # by protocol
    failed: float = 0.0  # of them, answered with an error of the server's, or not at all
    refused: float = 0.0  # of them, answered with an error of the caller's (4xx)
    sent: float = 0.0  # bytes of TCP
    received: float = 0.0
    secure: float = 0.0  # share of them that came by mutual TLS
    known: float = 0.0  # of how many the receiver told whether they did
    buckets: dict[float, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return sum(self.rates.values())

    def quantile(self, quantile: float) -> float | None:
        """Of the durations, in milliseconds, as PromQL's `histogram_quantile` reads it off; None without any."""
        bounds = sorted(self.buckets)
        total = self.buckets.get(math.inf, 0.0)
        if total <= 0 or len(bounds) < 2:
            return None
        lower, before = 0.0, 0.0
        for bound in bounds[:-1]:
            count = max(before, self.buckets[bound])  # rates of buckets that were scraped apart may fall
            if count >= quantile * total:
                return lower + (bound - lower) * (quantile * total - before) / (count - before)
            lower, before = bound, count
        return lower

    def add_buckets(self, others: Mapping[float, float]) -> None:
        for bound, count in others.items():
            self.buckets[bound] = self.buckets.get(bound, 0.0) + count


def request_rate(window_s: int) -> str:
    """Requests per second, by both ends, the answer's code and how they came."""
    more = "reporter, request_protocol, response_code, grpc_response_status, connection_security_policy"
    return f"sum by ({_BY}, {more}) (rate(istio_requests_total[{window_s}s]))"


def tcp_rate(metric: str, window_s: int) -> str:
    """Bytes per second of `sent` or `received`."""
    return f"sum by ({_BY}, reporter, connection_security_policy) (rate(istio_tcp_{metric}_bytes_total[{window_s}s]))"


def durations(window_s: int) -> tuple[str, str]:
    """The histogram of the requests' durations, by both ends; of one report of each call, for these are many series.

    Those that callers tell, and those that only receivers can. `or` would look through all of them again.
    """
    callers, receivers = (
        f"sum by (le, reporter, {_BY}) (rate(istio_request_duration_milliseconds_bucket{{{chosen}}}[{window_s}s]))"
        for chosen in ('reporter="source"', 'reporter="destination",source_workload=~"unknown|"')
    )
    return callers, receivers


def pair(labels: Mapping[str, str]) -> Pair:
    """Both ends of a sample."""

    def at(name: str) -> str:
        value = labels.get(name, "")
        return "unknown" if value in _UNKNOWN else value

    source = Place(
        namespace=at("source_workload_namespace"),
        workload=at("source_workload"),
        app=at("source_canonical_service"),
        version=at("source_canonical_revision"),
    )
    namespace = at("destination_workload_namespace")
    target = Place(
        namespace=at("destination_service_namespace") if namespace == "unknown" else namespace,
        workload=at("destination_workload"),
        app=at("destination_canonical_service"),
        version=at("destination_canonical_revision"),
        service=at("destination_service_name"),
    )
    return Pair(source, target)


def flows(
    requests: Iterable[Sample],
    sent: Iterable[Sample] = (),
    received: Iterable[Sample] = (),
    *durations: Iterable[Sample],
) -> dict[Pair, Flow]:
    """Everything that flows, by pair, from one reporter each."""
    found: dict[tuple[str, Pair], Flow] = {}

    def flow(labels: Mapping[str, str]) -> Flow:
        reporter = "destination" if labels.get("reporter") == "destination" else "source"
        return found.setdefault((reporter, pair(labels)), Flow())

    for labels, value in requests:
        if value > 0:
            _count(flow(labels), labels, value)
    for samples, name in ((sent, "sent"), (received, "received")):
        for labels, value in samples:
            if value > 0:
                each = flow(labels)
                setattr(each, name, getattr(each, name) + value)
                _tell_security(each, labels, value)
    for labels, value in itertools.chain(*durations):
        if value > 0:
            flow(labels).add_buckets({float(labels.get("le", "inf")): value})
    return _once(found)


def _count(flow: Flow, labels: Mapping[str, str], value: float) -> None:
    protocol = labels.get("request_protocol") or "http"
    flow.rates[protocol] = flow.rates.get(protocol, 0.0) + value
    code = labels.get("response_code", "")
    status = labels.get("grpc_response_status") or "0"
    if is_failure(code, status, protocol):
        flow.failed += value
    elif code.startswith("4"):
        flow.refused += value
    _tell_security(flow, labels, value)


def is_failure(code: str, grpc_status: str, protocol: str) -> bool:
    """Whether the answer is the server's failure: 5xx, none at all (0 or -), or a gRPC status other than OK."""
    return code.startswith("5") or code in ("0", "-", "") or (protocol == "grpc" and grpc_status != "0")


def _tell_security(flow: Flow, labels: Mapping[str, str], value: float) -> None:
    policy = labels.get("connection_security_policy")
    if policy in ("mutual_tls", "none"):
        flow.known += value
        flow.secure += value if policy == "mutual_tls" else 0.0


def _once(found: Mapping[tuple[str, Pair], Flow]) -> dict[Pair, Flow]:
    """One report of each pair, the caller's first, with what only the receiver knows."""
    chosen: dict[Pair, Flow] = {}
    for reporter, own in sorted(found, key=lambda key: key[0] == "destination"):
        flow = found[reporter, own]
        if own not in chosen:
            chosen[own] = flow
        elif not chosen[own].known:
            chosen[own].known, chosen[own].secure = flow.known, flow.secure
    return {own: flow for own, flow in chosen.items() if flow.rate or flow.sent or flow.received}
