"""How a workload does: the requests that came to it, how many failed, and how long they took."""

import re
import time
from collections.abc import Sequence
from typing import Protocol

from semafor.base.struct import Value
from semafor.kube.api.errors import StatusError

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_QUANTILES = (0.5, 0.9, 0.99)


class Sample(Protocol):
    @property
    def value(self) -> float: ...


class Metrics(Protocol):
    """PromQL over the mesh's metrics."""

    async def query(self, expr: str, at: float) -> Sequence[Sample]:
        """The rows of an instant query. Raises ValueError, with a sentence."""


class Load(Value):
    """What came to a workload within the time looked at. Latencies are milliseconds, None where nothing came."""

    workload: str
    total_rps: float
    error_rps: float
    p50_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None


async def load(metrics: Metrics, namespace: str, name: str, over_s: int) -> Load:
    """The load of the workload over the last seconds, as its own proxies count. Raises StatusError."""
    if not (_NAME.fullmatch(namespace) and _NAME.fullmatch(name)):
        raise StatusError(400, "BadRequest", f"{namespace}/{name} is no name of a workload")
    chosen = f'destination_workload="{name}",destination_workload_namespace="{namespace}",reporter="destination"'
    now = time.time()

    async def one(expr: str) -> float | None:
        try:
            rows = await metrics.query(expr, now)
        except ValueError as error:
            raise StatusError(503, "ServiceUnavailable", f"the metrics cannot be asked: {error}") from error
        value = rows[0].value if rows else None
        return None if value is None or value != value else value  # noqa: PLR0124 - NaN is not itself

    def rate(more: str = "") -> str:
        return f"sum(rate(istio_requests_total{{{chosen}{more}}}[{over_s}s]))"

    buckets = f"sum by (le) (rate(istio_request_duration_milliseconds_bucket{{{chosen}}}[{over_s}s]))"
    p50, p90, p99 = [await one(f"histogram_quantile({quantile}, {buckets})") for quantile in _QUANTILES]
    return Load(
        workload=f"{name}.{namespace}",
        total_rps=await one(rate()) or 0.0,
        error_rps=await one(rate(',response_code=~"[45].*"')) or 0.0,
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
    )
