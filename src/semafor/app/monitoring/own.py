"""The daemon's own metrics, and the target that they are."""

import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

from semafor.app.monitoring.targets import OWN, Target

if TYPE_CHECKING:
    from semafor.telemetry.series import Store


def target() -> Target:
    """The daemon, as one more target."""
    labels = (("app", "istiod"), ("instance", "semafor"), ("job", OWN), ("namespace", "istio-system"))
    return Target(key="own", uid="", host="", port=0, path="/metrics", labels=labels, shown="http://semafor/metrics")


class Statement:
    """What the daemon tells of itself. `proxies` gives how many Envoys are connected."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._began = time.time()
        self.store: dict[str, float] = {}

    def look_at(self, store: "Store") -> None:
        """Remember how the store is; called where it lives."""
        self.store = {
            "semafor_series": len(store.index),
            "semafor_series_limit": store.limits.max_series,
            "semafor_series_bytes": store.bytes,
            "semafor_series_refused_total": store.refused.over_limit,
            "semafor_samples_too_old_total": store.refused.old,
        }

    @property
    def figures(self) -> dict[str, float]:
        """The same in short, for people."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "started": self._began,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "resident_bytes": _resident(),
            **self.store,
        }

    def text(self, proxies: int) -> str:
        """In the text format."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        lines = [
            "# TYPE process_cpu_seconds_total counter",
            f"process_cpu_seconds_total {usage.ru_utime + usage.ru_stime:.3f}",
            "# TYPE process_resident_memory_bytes gauge",
            f"process_resident_memory_bytes {_resident()}",
            "# TYPE process_start_time_seconds gauge",
            f"process_start_time_seconds {self._began:.3f}",
            "# TYPE process_open_fds gauge",
            f"process_open_fds {sum(1 for _ in Path('/proc/self/fd').iterdir())}",
            "# HELP istio_build Istio component build info",
            "# TYPE istio_build gauge",
            f'istio_build{{component="pilot",tag="{self._version}"}} 1',
            "# HELP pilot_xds Number of endpoints connected to this pilot using XDS.",
            "# TYPE pilot_xds gauge",
            f'pilot_xds{{version="{self._version}"}} {proxies}',
        ]
        for name, value in self.store.items():
            lines += [f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
