"""What callers have in common whose outbound plans are the same."""

from collections.abc import Iterator

from msgspec.structs import replace

from semafor.base.struct import Value
from semafor.ir import Locality
from semafor.planner import sidecar_rule
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Labels, Workload
from semafor.planner.routes.step import Source
from semafor.planner.routes.virtual_service import MESH
from semafor.planner.traffic import locality as localities


class View(Value, cache_hash=True):
    """A namespace, those labels of the caller that some rule asks for, and where it is, as far as that matters.

    `sidecar` is the Sidecar (namespace, name) that is for the callers, None without one.
    `gateways` are the Gateway objects (`namespace/name`) through which requests come in; none for callers in the mesh.
    `client` is the Secret (`namespace/name`) with the certificate that they show to backends outside of the mesh.
    """

    namespace: str
    labels: Labels = ()
    gateways: tuple[str, ...] = ()
    sidecar: tuple[str, str] | None = None
    locality: Locality = Locality()
    client: str = ""

    def takes(self, source: Source, port: int) -> bool:
        """Whether a step is for these callers at this port. Source: Istio's sourceMatchHTTP."""
        if source.port not in {0, port}:
            return False
        if source.gateways:
            return not set(source.gateways).isdisjoint(self.gateways or (MESH,))
        if source.namespace not in {"", self.namespace}:
            return False
        return set(source.labels) <= set(self.labels)

    def takes_bytes(self, source: Source, port: int) -> bool:
        """The same of connections, for which all conditions have to hold. Source: Istio's matchTCP and matchTLS."""
        if source.gateways and set(source.gateways).isdisjoint(self.gateways or (MESH,)):
            return False
        return self.takes(replace(source, gateways=()), port)


def of(mesh: Mesh, workload: Workload) -> View:
    """The view that the workload has."""
    asked = _asked(mesh)
    labels = mesh.labels(workload.namespace, workload.name) or workload.labels
    return View(
        namespace=workload.namespace,
        labels=tuple(pair for pair in labels if pair[0] in asked),
        locality=locality(mesh, workload),
        sidecar=_sidecar(mesh, workload),
    )


def _sidecar(mesh: Mesh, workload: Workload) -> tuple[str, str] | None:
    if not mesh.sidecars:
        return None
    every, root = tuple(mesh.sidecars.values()), mesh.options.root_namespace
    found = sidecar_rule.choose(every, workload.namespace, root, workload.labels)
    return (found.origin.ref.namespace, found.origin.ref.name) if found else None


def locality(mesh: Mesh, workload: Workload) -> Locality:
    """Where the workload is, if any rule makes a difference between near and far instances."""
    counts = mesh.memo("localities matter", (mesh.destination_rules,), lambda: any(_rules_that_compare(mesh)))
    return mesh.locality(workload.namespace, workload.name) if counts else Locality()


def _rules_that_compare(mesh: Mesh) -> Iterator[bool]:
    for rule in mesh.destination_rules.values():
        for said in rule.policies:
            yield said.outlier is not None or (said.balancing is not None and said.balancing.locality is not None)


def _asked(mesh: Mesh) -> frozenset[str]:
    routes, rules = (mesh.all_virtual_services,), (mesh.destination_rules,)
    return mesh.memo.once(
        "labels that matter",
        lambda: (
            mesh.memo("labels that routes ask for", routes, lambda: frozenset(_asked_by_routes(mesh)))
            | mesh.memo("labels that rules ask for", rules, lambda: frozenset(_asked_by_rules(mesh)))
        ),
    )


def _asked_by_routes(mesh: Mesh) -> list[str]:
    services = mesh.all_virtual_services
    sources = [step.source for vs in services for step in vs.steps if step.source.labels]
    sources += [step.source for vs in services for step in (*vs.tcp, *vs.tls) if step.source.labels]
    return [name for source in sources for name, _ in source.labels]


def _asked_by_rules(mesh: Mesh) -> Iterator[str]:
    settings = [mesh.options.locality]
    for rule in mesh.destination_rules.values():
        yield from (name for name, _ in rule.selector or ())
        settings += [said.balancing.locality for said in rule.policies if said.balancing and said.balancing.locality]
    for setting in settings:
        yield from localities.label_names(setting)
