"""What a change of routes or instances is about, so that nobody has to look at the rest of a large mesh.

VirtualServices that are others ─────────────────────▶ their hosts ─┐
services with other instances ─▶ VirtualServices to them ─▶ their ──┴▶ hosts
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from semafor.base import names
from semafor.planner.mesh import Mesh
from semafor.planner.options import Options
from semafor.planner.routes.virtual_service import VirtualService
from semafor.planner.services.instances import Instance, Key, Pod


class Touched(NamedTuple):
    """Against the generation before: `fed` are the hosts of services with other instances, `routes` the
    VirtualServices that are others or lead to these, `hosts` those that either says something of.

    `everything`: more has changed than these, or what they reach cannot be told, so nothing may be passed over.
    """

    everything: bool
    hosts: frozenset[str] = frozenset()
    fed: frozenset[str] = frozenset()
    routes: frozenset[int] = frozenset()  # by their identity: of one generation, all are alive

    def leaves(self, host: str) -> bool:
        """Whether neither the host's routes nor the instances that they lead to are others."""
        return not self.everything and host not in self.hosts

    def leaves_instances(self, host: str) -> bool:
        """Whether the host's own instances are not others."""
        return not self.everything and host not in self.fed

    def leaves_routes(self, vs: VirtualService) -> bool:
        """Whether neither the VirtualService nor the instances that it leads to are others."""
        return not self.everything and id(vs) not in self.routes


class _Roots(NamedTuple):
    """What it is found by."""

    others: object
    options: Options
    behind: Mapping[Key, tuple[Instance, ...]]
    pods: Mapping[Key, Pod]
    routes: tuple[VirtualService, ...]


def of(mesh: Mesh) -> Touched:
    """What the mesh's last change was about, for what was found out of the mesh before it."""
    return mesh.memo.once("touched", lambda: _of(mesh))


def _of(mesh: Mesh) -> Touched:
    new = _Roots(
        others=mesh.all_but_routes_and_instances,
        options=mesh.options,
        behind=mesh.behind,
        pods=mesh.pods,
        routes=mesh.all_virtual_services,
    )
    old = mesh.memo.before("roots")
    mesh.memo("roots", new, lambda: new)
    if not isinstance(old, _Roots) or old.others is not new.others or old.options != new.options:
        return Touched(everything=True)
    if old.pods is not new.pods and any(entry.service.selector for entry in mesh.entries.values()):
        return Touched(everything=True)
    return _between(mesh, old, new)


def _between(mesh: Mesh, old: _Roots, new: _Roots) -> Touched:
    fed = frozenset(names.service_host(name, namespace) for namespace, name in _changed(old.behind, new.behind))
    known = frozenset(map(id, old.routes))
    changed = [vs for vs in new.routes if id(vs) not in known]
    leading = [vs for vs in new.routes if fed and any(mesh.meant(host) in fed for host in vs.destinations)]
    still = frozenset(map(id, new.routes))
    gone = [vs for vs in old.routes if id(vs) not in still]
    hosts = frozenset(_hosts(mesh, (*changed, *leading, *gone)))
    return Touched(
        everything=any(host.startswith("*") for host in hosts),
        hosts=hosts | fed,
        fed=fed,
        routes=frozenset(id(vs) for vs in (*changed, *leading)),
    )


def _hosts(mesh: Mesh, services: Iterable[VirtualService]) -> Iterator[str]:
    """What they have routes for in the mesh; what they send bytes to, which takes a cluster of its own; and every
    host with aliases, because these may get routes of their own now, or lose them.
    """
    for vs in services:
        if vs.in_mesh:
            yield from vs.hosts
        if vs.tcp or vs.tls:
            yield from map(mesh.meant, vs.destinations)
        yield from (mesh.meant(alias.host) for alias in mesh.aliases.values())


def _changed(old: Mapping[Key, object], new: Mapping[Key, object]) -> Iterable[Key]:
    if old is new:
        return ()
    return [key for key in old.keys() | new.keys() if old.get(key) is not new.get(key)]
