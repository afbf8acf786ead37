"""Where a sidecar takes the questions for names: to the cluster's own resolvers, which know every service.

Envoy could answer the mesh's names from a table, but it says NXDOMAIN to AAAA and NOTIMP to every other type, which
resolvers of some systems take for "no such name". Relayed, every answer is the one that the cluster gives.
"""

from semafor.ir import DnsRelay
from semafor.planner.mesh import Mesh


def relay(mesh: Mesh) -> DnsRelay:
    """To the resolvers of the mesh."""
    return DnsRelay(resolvers=mesh.options.resolvers)
