"""Where a sidecar takes the questions for names: to the cluster's own resolvers, which know every service.

Envoy could answer the mesh's names from a table, but it says NXDOMAIN to AAAA and NOTIMP to every other type, which
resolvers of some systems take for "no such name". Relayed, every answer is the one that the cluster gives.
"""

from collections.abc import Mapping

from semafor.base.names import parents
from semafor.base.problem import ObjectRef
from semafor.ir import DnsRelay
from semafor.planner.calling import scope, view
from semafor.planner.calling.view import View
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Workload
from semafor.planner.services.instances import Key


def relay(mesh: Mesh) -> DnsRelay:
    """To the resolvers of the mesh."""
    return DnsRelay(resolvers=mesh.options.resolvers)


def addresses(mesh: Mesh, caller: str, name: str) -> tuple[str, ...]:
    """What a host that only the mesh knows resolves to for the pod with the address `caller`; empty for all others.

    These are the virtual addresses, which mean something to the pod's sidecar alone.
    """
    key = _pods(mesh).get(caller)
    if key is None:
        return ()
    workload = Workload(namespace=key[0], name=key[1], labels=mesh.pods[key].labels)
    known = hosts(mesh, view.of(mesh, workload))
    return next((known[each] for each in (name, *(f"*.{parent}" for parent in parents(name))) if each in known), ())


def allocated(mesh: Mesh, ref: ObjectRef) -> tuple[tuple[str, str], ...]:
    """The hosts of a ServiceEntry that have an address of the mesh's, each with it."""
    one = mesh.service_entries.get((ref.namespace, ref.name)) if ref.kind == "ServiceEntry" else None
    known = (mesh.entries.get((each.namespace, each.host)) for each in one.services) if one else ()
    return tuple((each.service.host, each.service.address) for each in known if each and each.service.allocated)


def hosts(mesh: Mesh, of: View) -> Mapping[str, tuple[str, ...]]:
    """The hosts of ServiceEntries that callers of the view see, wildcards too, with their virtual addresses."""
    seen = scope.services(mesh, of)
    return mesh.memo(
        ("hosts", of),
        (seen,),
        lambda: {host: each.own_addresses for host, each in seen.items() if each.is_entry and each.own_addresses},
    )


def _pods(mesh: Mesh) -> Mapping[str, Key]:
    """The pods by their address."""
    return mesh.memo("pods by address", (mesh.pods,), lambda: {pod.ip: key for key, pod in mesh.pods.items() if pod.ip})
