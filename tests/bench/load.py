"""Load from inside a pod, by `wrk`."""

import json
import os
import shutil
from dataclasses import dataclass

from tests.bench.mesh import Mesh

CONNECTIONS = 16
REPORT = """
done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\\nRESULT {"requests": %d, "us": %d, "failed": %d, "p50": %d, "p99": %d}\\n',
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """What a run of wrk found."""

    requests: int
    us: int
    failed: int
    p50: int
    p99: int

    @property
    def per_s(self) -> float:
        return self.requests / self.us * 1e6


@dataclass(frozen=True)
class Target:
    """Where the requests of a path come from and go to. `host` of "" is the address itself."""

    pod: str
    url: str
    host: str = ""


def missing() -> str:
    """Why there can be no load on this machine; empty when there can."""
    if shutil.which("wrk"):
        return ""
    return "traffic is left out: wrk is not installed (Debian, Ubuntu: apt install wrk; Fedora: dnf install wrk)"


def run(mesh: Mesh, namespace: str, target: Target, *, seconds: float, connections: int, cpu: int | None) -> Load:
    """Requests as fast as they are answered, over connections that stay open. wrk itself runs on `cpu`."""
    where = ("taskset", "-c", str(cpu)) if cpu is not None else ()
    host = ("-H", f"Host: {target.host}") if target.host else ()
    size = ("-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s", "--timeout", "5s")
    argv = (*where, "wrk", *size, *host, "-s", "/load/report.lua", target.url)
    printed = mesh.kubectl("exec", "-n", namespace, target.pod, "-c", "app", "--", *argv, timeout_s=seconds + 30)
    line = next((line for line in printed.splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        raise RuntimeError(f"wrk in {target.pod} to {target.url} did not finish:\n{printed}")
    return Load(**json.loads(line.removeprefix("RESULT ")))


def cpus() -> tuple[int | None, int | None]:
    """A CPU for wrk and another for everything it measures; no choice on machines with one, or without taskset."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2 or not shutil.which("taskset"):
        return None, None
    return allowed[0], allowed[1]
