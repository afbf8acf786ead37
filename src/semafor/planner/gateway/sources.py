"""Who has gateways, and who has routes for them: one row for each API."""

from collections.abc import Callable
from itertools import chain
from typing import Final, NamedTuple

from semafor.planner.calling.view import View
from semafor.planner.gateway import istio_routes
from semafor.planner.gateway.attached import Attached
from semafor.planner.gateway.server import Gateway, Server
from semafor.planner.gateway_api import serving
from semafor.planner.mesh import Mesh


class Source(NamedTuple):
    """`gateways` are all that there are; `attached` is what routes say of a server to the pods of a view."""

    gateways: Callable[[Mesh], tuple[Gateway, ...]]
    attached: Callable[[Mesh, Server, View], tuple[Attached, ...]]


_SOURCES: Final[dict[str, Source]] = {
    "networking.istio.io": Source(istio_routes.gateways, istio_routes.attached),
    "gateway.networking.k8s.io": Source(serving.gateways, lambda mesh, server, _: serving.attached(mesh, server)),
}


def gateways(mesh: Mesh) -> tuple[Gateway, ...]:
    """All gateways, the oldest first: it wins what two of them want."""
    found = chain.from_iterable(source.gateways(mesh) for source in _SOURCES.values())
    return tuple(sorted(found, key=lambda gateway: gateway.age))


def attached(mesh: Mesh, server: Server, view: View) -> tuple[Attached, ...]:
    """What routes say of the server to pods of the view, each virtual host once."""
    return _SOURCES[server.gateway.group].attached(mesh, server, view)
