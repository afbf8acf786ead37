"""What the mesh configuration says of every HTTP connection, in sidecars and at gateways alike.

Reasons    proxies say why they answer by themselves, but not in production: `semafor.environment`, or a label of the
           namespace, says what that is
Paths      how much of a path is put into one form before routes and policies look at it
"""

from functools import partial

from msgspec.structs import replace

from semafor.ir import FilterChain, HttpConnection, Listener
from semafor.ir.listener import PathNormalization
from semafor.planner.mesh import Mesh

LABEL = "semafor.io/environment"
_PRODUCTION = "production"


def gives_reasons(mesh: Mesh, namespace: str) -> bool:
    """Whether the proxies of the namespace give reasons."""
    if mesh.options.reasons != "outside-production":
        return mesh.options.reasons == "always"
    labels = dict(mesh.namespaces.get(("", namespace), ()))
    return labels.get(LABEL, mesh.options.environment) != _PRODUCTION


def settled(mesh: Mesh, namespace: str, listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
    """The listeners of a proxy of the namespace, with these settings."""
    reasons, paths = gives_reasons(mesh, namespace), mesh.options.paths
    if not reasons and paths == "base":
        return listeners

    def made(each: Listener) -> Listener:
        return mesh.memo(("settled", id(each)), (each, reasons, paths), partial(_settled, each, reasons, paths))

    return tuple(map(made, listeners))


def _settled(listener: Listener, reasons: bool, paths: PathNormalization) -> Listener:  # noqa: FBT001 - for partial
    def chain(one: FilterChain) -> FilterChain:
        if not isinstance(one.filter, HttpConnection):
            return one
        return replace(one, filter=replace(one.filter, reasons=reasons, paths=paths))

    default = chain(listener.default_chain) if listener.default_chain else None
    return replace(listener, chains=tuple(map(chain, listener.chains)), default_chain=default)
