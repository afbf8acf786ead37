"""The authority: how fast it signs, and how long one pod's key and certificate take. In process, on one processor."""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from tests.bench.effort import Effort
from tests.bench.result import Measure, Report
from tests.ca import made

from semafor.ca import issue, keys, plugged, pod_keys
from semafor.ca.authority import Authority

ID = "spiffe://cluster.local/ns/default/sa/bench"
_ROUNDS = 5


def measure(report: Report, effort: Effort) -> None:
    """Latency and rate of certificates by kind of authority, and the part that pods do themselves."""
    now = datetime.now(UTC)
    count = 200 if effort.quick else 1_000
    large = made.cacerts(now, key=rsa.generate_private_key(65537, 2048))
    authorities = {
        "own root, ECDSA P-256": Authority.new(now=now),
        "plugged in, ECDSA P-256": plugged.read(made.cacerts(now), now=now),
        "plugged in, RSA 2048": plugged.read(large, now=now),
    }
    for name, authority in authorities.items():
        each_s = _each_s(lambda authority=authority: _sign(authority, now), count)
        report.add(Measure("ca", f"one certificate, {name}", "ms", [one * 1e3 for one in each_s]))
        batches = [each_s[at : at + count // _ROUNDS] for at in range(0, count, count // _ROUNDS)]
        rates = [len(batch) / sum(batch) for batch in batches]
        report.add(Measure("ca", f"certificates in a second, {name}", "req/s", rates))
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        pod_s = _each_s(lambda: pod_keys.make(Path(folder), ()), count)
    report.add(Measure("ca", "a key and its request, in the pod", "ms", [one * 1e3 for one in pod_s]))


_REQUEST = keys.request(keys.generate())


def _sign(authority: Authority, now: datetime) -> None:
    issue.issue(authority, _REQUEST, ID, now=now)


def _each_s(work: Callable[[], object], count: int) -> list[float]:
    work()
    found = []
    for _ in range(count):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return found
