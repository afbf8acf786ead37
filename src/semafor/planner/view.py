"""What callers have in common whose outbound plans are the same."""

from semafor.base.struct import Value
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Labels, Workload
from semafor.planner.step import Source
from semafor.planner.virtual_service import MESH


class View(Value, cache_hash=True):
    """A namespace, and those labels of the caller that some VirtualService asks for.

    `gateways` are the Gateway objects (`namespace/name`) through which requests come in; none for callers in the mesh.
    """

    namespace: str
    labels: Labels = ()
    gateways: tuple[str, ...] = ()

    def takes(self, source: Source, port: int) -> bool:
        """Whether a step is for these callers at this port. Source: Istio's sourceMatchHTTP."""
        if source.port not in {0, port}:
            return False
        if source.gateways:
            return not set(source.gateways).isdisjoint(self.gateways or (MESH,))
        if source.namespace not in {"", self.namespace}:
            return False
        return set(source.labels) <= set(self.labels)


def of(mesh: Mesh, workload: Workload) -> View:
    """The view that the workload has."""
    asked = _asked(mesh)
    return View(namespace=workload.namespace, labels=tuple(pair for pair in workload.labels if pair[0] in asked))


def _asked(mesh: Mesh) -> frozenset[str]:
    steps = (step for vs in mesh.all_virtual_services for step in vs.steps)
    labels = (name for step in steps for name, _ in step.source.labels)
    return mesh.memo("labels that matter", (mesh.all_virtual_services,), lambda: frozenset(labels))
