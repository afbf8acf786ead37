"""Problems of Sidecars, and between several of them."""

from collections.abc import Iterator

from semafor.base.problem import Problem
from semafor.planner import hosts
from semafor.planner.checks import sidecar_problems
from semafor.planner.checks.problems import at
from semafor.planner.mesh import Mesh
from semafor.planner.sidecar_rule import Sidecar


def check(mesh: Mesh) -> Iterator[Problem]:
    """Every problem of these objects."""
    for one in mesh.sidecars.values():
        yield from one.problems
    inputs = (mesh.sidecars, mesh.services, mesh.entries, mesh.pods)
    yield from mesh.memo("check sidecars", inputs, lambda: (*_unknown(mesh), *_conflicts(mesh)))


def _unknown(mesh: Mesh) -> Iterator[Problem]:
    """Hosts in full that are nobody's."""
    for one in mesh.sidecars.values():
        seen = [service for service in mesh.every_service() if _sees(one, service.export_to, service.namespace)]
        for listener in one.egress:
            for index, (owner, host) in enumerate(listener.hosts):
                found = any(owner in ("*", each.namespace) and hosts.covers(host, each.host) for each in seen)
                if not host.startswith("*") and owner != "~" and not found:
                    yield sidecar_problems.nothing_there(at(listener.origin, f"hosts[{index}]"), f"{owner}/{host}")


def _sees(one: Sidecar, export_to: tuple[str, ...], owner: str) -> bool:
    return hosts.visible(export_to, owner, one.origin.ref.namespace)


def _conflicts(mesh: Mesh) -> Iterator[Problem]:
    """Those for all pods of one namespace, and those that select the same pod: the oldest wins."""
    by_namespace: dict[str, list[Sidecar]] = {}
    for one in sorted(mesh.sidecars.values(), key=lambda each: each.age):
        by_namespace.setdefault(one.origin.ref.namespace, []).append(one)
    for namespace, found in by_namespace.items():
        common = [each for each in found if each.selector is None]
        yield from (sidecar_problems.ignored(each.origin, common[0].origin) for each in common[1:])
        selecting = [each for each in found if each.selector is not None]
        if len(selecting) > 1:
            yield from _selecting_the_same(mesh, namespace, selecting)


def _selecting_the_same(mesh: Mesh, namespace: str, selecting: list[Sidecar]) -> Iterator[Problem]:
    for (owner, _), pod in mesh.pods.items():
        if owner == namespace:
            fitting = [each for each in selecting if set(each.selector or ()) <= set(pod.labels)]
            yield from (sidecar_problems.ignored(each.origin, fitting[0].origin) for each in fitting[1:])
