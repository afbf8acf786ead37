"""Made-up traces of the made-up mesh: some right, some slow, some that fail."""

from collections.abc import Iterator
from typing import Any

from semafor.telemetry.traces.span import REQUEST_ID, Event, Kind, Span

SLOW = f"{0xBAD:032x}"  # the trace in which reviews v2 fails after a while
REQUEST = "0b7f2c1e-5a56-4e7d-9d0f-2f4c8f1f0a77"  # of that trace, as its caller knows it


def traces(now_s: float, count: int = 24) -> list[Span]:
    """Requests of the last hour, the failing one among them."""
    now_us = round(now_s * 1e6)
    ordinary = [
        span
        for number in range(1, count)
        for span in _request(f"{number:032x}", now_us - number * 140_000_000, slow=number % 7 == 3)
    ]
    return [*ordinary, *_request(SLOW, now_us - 20_000_000, slow=True, fails=True)]


def _request(trace: str, start_us: int, *, slow: bool, fails: bool = False) -> Iterator[Span]:
    longer = 380_000 if slow else 0
    request = REQUEST if fails else f"{trace[:8]}-{trace[8:12]}-4{trace[13:16]}-8{trace[17:20]}-{trace[20:]}"
    version = "v2" if slow else "v1"
    rows: list[tuple[int, int, str, str, Kind, int, int]] = [
        (1, 0, "istio-ingressgateway.istio-system", "GET /productpage", "server", 0, 41_000 + longer),
        (2, 1, "productpage.default", "GET /productpage", "server", 700, 39_000 + longer),
        (3, 2, "productpage.default", "details.default.svc.cluster.local:9080/*", "client", 4_000, 6_300),
        (4, 3, "details.default", "GET /details/0", "server", 5_100, 4_100),
        (5, 2, "productpage.default", "reviews.default.svc.cluster.local:9080/*", "client", 12_000, 22_000 + longer),
        (6, 5, "reviews.default", f"GET /reviews/0 {version}", "server", 13_000, 20_500 + longer),
        *([(7, 6, "ratings.default", "GET /ratings/0", "server", 17_000, 6_000)] if slow else []),
    ]
    for id_, parent, service, name, kind, after, length in rows:
        wrong = fails and id_ in (1, 2, 5, 6)
        tags: dict[str, Any] = {"http.status_code": 503 if wrong else 200, "http.method": "GET", REQUEST_ID: request}
        yield Span(
            trace=trace,
            id=f"{id_:016x}",
            parent=f"{parent:016x}" if parent else "",
            service=service,
            name=name,
            kind=kind,
            start_us=start_us + after,
            duration_us=length,
            failed=wrong,
            attributes=tags | ({"response_flags": "UH"} if wrong else {}),
            resource={"node_id": f"sidecar~{service}", "version": version if id_ == 6 else "v1"},
            events=(Event("retry", start_us + after + 9_000, {"attempt": 2}),) if wrong and id_ == 6 else (),
        )
