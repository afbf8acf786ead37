"""Whether proxies say why they answer by themselves: outside production they do.

What is production, the mesh configuration says (`semafor.environment`) or a label of the namespace.
"""

from functools import partial

from msgspec.structs import replace

from semafor.ir import FilterChain, HttpConnection, Listener
from semafor.planner.mesh import Mesh

LABEL = "semafor.io/environment"
_PRODUCTION = "production"


def wanted(mesh: Mesh, namespace: str) -> bool:
    """Whether the proxies of the namespace give reasons."""
    if mesh.options.reasons != "outside-production":
        return mesh.options.reasons == "always"
    labels = dict(mesh.namespaces.get(("", namespace), ()))
    return labels.get(LABEL, mesh.options.environment) != _PRODUCTION


def given(mesh: Mesh, namespace: str, listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
    """The listeners, with reasons where they are wanted."""
    if not wanted(mesh, namespace):
        return listeners
    return tuple(mesh.memo(("reasons", id(each)), (each,), partial(_with_reasons, each)) for each in listeners)


def _with_reasons(listener: Listener) -> Listener:
    default = listener.default_chain
    return replace(
        listener,
        chains=tuple(_chain(chain) for chain in listener.chains),
        default_chain=_chain(default) if default else None,
    )


def _chain(chain: FilterChain) -> FilterChain:
    if not isinstance(chain.filter, HttpConnection):
        return chain
    return replace(chain, filter=replace(chain.filter, reasons=True))
