"""Which patches of EnvoyFilters a proxy gets, in which order, with everything resolved that takes a look at the mesh.

Source: Istio's reference of EnvoyFilter, and its functions EnvoyFilters, proxyMatch, clusterMatch and
routeConfigurationMatch.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Literal

from semafor.base import names, regex
from semafor.ir import Patch, PatchRoutes
from semafor.planner.calling import passthrough
from semafor.planner.envoy_filter import Change, EnvoyFilter
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy, Workload
from semafor.planner.services import service
from semafor.resources.istio import envoy_filter as istio

_GATEWAY_LABELS = {
    "Gateway": "gateway.networking.k8s.io/gateway-name",
    "GatewayClass": "gateway.networking.k8s.io/gateway-class-name",
}
Direction = Literal["any", "inbound", "outbound"]
_IN_SIDECARS: dict[str, Direction] = {"ANY": "any", "SIDECAR_INBOUND": "inbound", "SIDECAR_OUTBOUND": "outbound"}
_AT_GATEWAYS: dict[str, Direction] = {"ANY": "any", "GATEWAY": "any"}
_INBOUND = (names.cluster_pattern("inbound"), re.escape(passthrough.INBOUND))
_NONE = "(?!)"  # what no name matches
_OUTBOUND = (f"(?!{'|'.join(_INBOUND)}).*",)


def of(mesh: Mesh, proxy: Proxy) -> tuple[Patch, ...]:
    """The patches of the proxy, the first to be applied first."""
    if not mesh.envoy_filters or not proxy.workloads:
        return ()
    workload = proxy.workloads[0]
    key = ("patches", proxy.role, workload.namespace, workload.labels, workload.ports, proxy.metadata)
    return mesh.memo(key, (mesh.envoy_filters, mesh.by_host), partial(_of, mesh, proxy, workload))


def written(one: EnvoyFilter) -> tuple[Patch, ...]:
    """The patches of an object as they are, whoever gets them: to be judged."""
    return tuple(
        Patch(apply_to=change.apply_to, operation=change.operation, origin=change.origin, value=change.value)
        for change in one.changes
    )


def _of(mesh: Mesh, proxy: Proxy, workload: Workload) -> tuple[Patch, ...]:
    directions = _IN_SIDECARS if proxy.role == "sidecar" else _AT_GATEWAYS
    found = []
    for one in _ordered(mesh, workload):
        for change in one.changes:
            direction = directions.get(change.context)
            if direction and _is_for(change, proxy):
                found.append(_patch(mesh, proxy, change, direction))
    return tuple(found)


def _ordered(mesh: Mesh, workload: Workload) -> list[EnvoyFilter]:
    """By priority; then those of the root namespace first, then the oldest."""
    root = mesh.options.root_namespace
    found = [one for one in mesh.envoy_filters.values() if _selects(one, workload, root)]
    return sorted(found, key=lambda one: (one.priority, one.namespace != root, one.age))


def _selects(one: EnvoyFilter, workload: Workload, root: str) -> bool:
    if one.namespace not in {workload.namespace, root}:
        return False
    labels = dict(workload.labels)
    if one.targeted:
        own = [
            target for target in one.gateways if target.kind == "GatewayClass" or one.namespace == workload.namespace
        ]
        return any(labels.get(_GATEWAY_LABELS[target.kind]) == target.name for target in own)
    return set(one.selector) <= labels.items()


def _is_for(change: Change, proxy: Proxy) -> bool:
    known = dict(proxy.metadata)
    if change.version and not _is_found(change.version, known.get("ISTIO_VERSION", "")):
        return False
    return all(known.get(key) == value for key, value in change.metadata)


def _is_found(version: str, text: str) -> bool:
    try:
        return regex.is_found(version, text)
    except re.error:  # it takes too long
        return False


def _patch(mesh: Mesh, proxy: Proxy, change: Change, direction: Direction) -> Patch:
    workload = proxy.workloads[0]
    tables = _tables(mesh, proxy, change.routes) if change.routes else ()
    return Patch(
        apply_to=change.apply_to,
        operation=change.operation,
        origin=change.origin,
        value=change.value,
        direction=direction,
        filter_class=change.filter_class,
        listener=change.listener,
        routes=_routes(change.routes, tables) if change.routes else PatchRoutes(),
        clusters=_named(mesh, workload, direction, change.cluster),
    )


def _named(mesh: Mesh, workload: Workload, direction: Direction, match: istio.ClusterMatch | None) -> tuple[str, ...]:
    """Patterns for the names of clusters; empty where all are meant, `_NONE` where the match takes none."""
    found = tuple(_clusters(mesh, workload, direction, match))
    return found if found or match is None else (_NONE,)


def _clusters(mesh: Mesh, workload: Workload, direction: Direction, match: istio.ClusterMatch | None) -> Iterator[str]:
    """Patterns for the names of the clusters that are meant."""
    if match is None:
        yield from {"any": (), "inbound": _INBOUND, "outbound": _OUTBOUND}[direction]
    elif match.name:
        yield re.escape(match.name)
    else:
        if direction != "inbound":
            yield names.cluster_pattern("outbound", match.port_number, match.subset, match.service)
        if direction != "outbound" and not match.subset:
            yield from _inbound_clusters(mesh, workload, match)


def _inbound_clusters(mesh: Mesh, workload: Workload, match: istio.ClusterMatch) -> Iterator[str]:
    """Inbound clusters are named by the workload's ports alone; which service leads there has to be found out."""
    if not match.service:
        yield names.cluster_pattern("inbound", match.port_number)
        return
    known = mesh.by_host.get(match.service)
    for port in known.ports if known and service.selects(known, workload) else ():
        number = service.target_port(port, workload)
        if number and match.port_number in {0, number}:
            yield names.cluster_pattern("inbound", number)


def _routes(match: istio.RouteConfigurationMatch, tables: tuple[str, ...]) -> PatchRoutes:
    host = match.vhost or istio.VirtualHostMatch()
    route = host.route or istio.RouteMatch()
    return PatchRoutes(
        tables=tables,
        host=host.name,
        domain=host.domain_name,
        route=route.name,
        action=route.action,
        any_route=host.route is None,
    )


def _tables(mesh: Mesh, proxy: Proxy, match: istio.RouteConfigurationMatch) -> tuple[str, ...]:
    """Patterns for the names of the route tables that are meant, all of which have to match."""
    found = [re.escape(match.name)] if match.name else []
    if proxy.role == "sidecar":
        if match.port_number:
            inbound = names.cluster_pattern("inbound", match.port_number)
            found.append(rf"(.*:)?{match.port_number}|{inbound}")
        return tuple(found)
    if match.port_number:
        numbers = "|".join(str(number) for number in _listening(mesh, proxy.workloads[0], match.port_number))
        found.append(rf"https?\.({numbers})(\..*)?")
    if match.port_name:
        found.append(rf"https\.\d+\.{re.escape(match.port_name)}\..*")
    if match.gateway:
        namespace, _, name = match.gateway.rpartition("/")
        found.append(rf"https\.\d+\..*\.{re.escape(name)}\.{re.escape(namespace)}")
    return tuple(found)


def _listening(mesh: Mesh, workload: Workload, number: int) -> tuple[int, ...]:
    """The port itself, and those that services of the gateway map it to."""
    selecting = (known for known in mesh.by_host.values() if service.selects(known, workload))
    ports = (port for known in selecting for port in known.ports if port.number == number)
    targets = (service.target_port(port, workload) for port in ports)
    return tuple(dict.fromkeys((number, *(target for target in targets if target))))
