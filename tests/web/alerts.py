"""Prometheus's API as far as the page asks it for rules: one alert fires, one waits, one rule is broken."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_LABELS = {
    "alertname": "HighErrorRate",
    "severity": "critical",
    "destination_service": "reviews.default.svc.cluster.local",
    "destination_workload": "reviews-v2",
    "destination_workload_namespace": "default",
}


def _alert(state: str, value: str, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "labels": labels,
        "annotations": {"summary": "More than 10 % of the requests to reviews fail.", "description": "Look at v2."},
        "state": state,
        "activeAt": "2026-11-23T01:20:00.000Z",
        "value": value,
    }


def _rule(name: str, query: str, state: str, *alerts: dict[str, Any], error: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "query": query,
        "type": "alerting",
        "duration": 60,
        "labels": {"severity": "critical"},
        "annotations": {"summary": "{{ $labels.destination_service }} fails"},
        "state": state,
        "alerts": list(alerts),
        "health": "err" if error else "ok",
        **({"lastError": error} if error else {}),
    }


GROUPS = [
    {
        "name": "mesh",
        "file": "default/mesh-alerts",
        "interval": 15,
        "rules": [
            _rule(
                "HighErrorRate",
                'sum by (destination_service) (rate(istio_requests_total{response_code=~"5.."}[1m])) > 0.1',
                "firing",
                _alert("firing", "1.234e-01", _LABELS),
            ),
            _rule(
                "HighLatency",
                "histogram_quantile(0.95, sum by (le, destination_service) "
                "(rate(istio_request_duration_milliseconds_bucket[5m]))) > 300",
                "pending",
                _alert("pending", "412", {**_LABELS, "alertname": "HighLatency", "severity": "warning"}),
            ),
            _rule("Quiet", "up == 0", "inactive"),
            _rule("Broken", "many * on (pod) many", "inactive", error="many-to-many matching not allowed"),
            {"name": "mesh:requests:rate1m", "query": "sum(rate(istio_requests_total[1m]))", "type": "recording"}
            | {"health": "ok"},
        ],
    }
]


async def _rules(_: Request) -> Response:
    return JSONResponse({"status": "success", "data": {"groups": GROUPS}})


async def _query(request: Request) -> Response:
    return JSONResponse({"status": "success", "data": {"resultType": request.method}})


APPLICATION = Starlette(
    routes=[Route("/api/v1/rules", _rules), Route("/api/v1/query", _query, methods=["GET", "POST"])]
)
