"""What one proxy is to tell of its traffic, out of all that is said of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from semafor.base.problem import Problem
from semafor.base.struct import Value
from semafor.ir import AccessLog, Cluster, Collector, Metric, Tracing
from semafor.planner.calling import providers
from semafor.planner.calling import view as views
from semafor.planner.calling.providers import Reached
from semafor.planner.checks import problems
from semafor.planner.checks.problems import at
from semafor.planner.mesh import Mesh
from semafor.planner.proxy import Proxy, Workload
from semafor.planner.security import selecting
from semafor.planner.telemetry import logs, metrics, objects, sections, tracing
from semafor.planner.telemetry.logs import Sink
from semafor.planner.telemetry.objects import Telemetry
from semafor.planner.telemetry.sections import Direction
from semafor.resources.istio.extension_provider import ExtensionProvider, Prometheus

_PROMETHEUS: Final = ExtensionProvider(name=metrics.PROMETHEUS, prometheus=Prometheus())


class Told(Value):
    """What is told of one direction."""

    metrics: tuple[Metric, ...] = ()
    logs: tuple[AccessLog, ...] = ()
    tracing: Tracing | None = None


class Wanted(Value):
    """What a proxy tells of calls that it makes (`at_edge`: that come in from outside), and of those that it takes.

    `reached` are the services that are told, whose clusters the plan has to have.
    """

    made: Told = Told()
    taken: Told = Told()
    at_edge: bool = False
    reached: tuple[Reached, ...] = ()


def of(mesh: Mesh, proxy: Proxy) -> Wanted:
    """What the proxy is to tell. Workloads that share one also share namespace and labels."""
    workload, at_edge = proxy.workloads[0], proxy.role == "gateway"
    services = (mesh.all_but_routes,) if any(map(_peer, mesh.options.providers)) else ()
    inputs = (mesh.telemetries, mesh.options, *services)
    return mesh.memo(("telemetry", workload, at_edge), inputs, lambda: _of(mesh, workload, at_edge=at_edge))


def added(wanted: Wanted, clusters: Iterable[Cluster]) -> tuple[Reached, ...]:
    """Those who are told and whose clusters are not among these, each once."""
    known = {cluster.name for cluster in clusters} if wanted.reached else set()
    return tuple({one.cluster.name: one for one in wanted.reached if one.cluster.name not in known}.values())


def _of(mesh: Mesh, workload: Workload, *, at_edge: bool) -> Wanted:
    levels = objects.levels(mesh.telemetries, mesh.options.root_namespace, workload)
    reached = dict(_reached(mesh, workload, _named(mesh, levels)))
    made = _told(mesh, workload, levels, "CLIENT", reached)
    taken = Told() if at_edge else _told(mesh, workload, levels, "SERVER", reached)
    return Wanted(made=made, taken=taken, at_edge=at_edge, reached=tuple(reached.values()))


def _told(
    mesh: Mesh, workload: Workload, levels: tuple[Telemetry, ...], direction: Direction, reached: Mapping[str, Reached]
) -> Told:
    options, known = mesh.options, {one.name: one for one in _providers(mesh)}
    collecting = frozenset(name for name, one in known.items() if one.prometheus is not None)
    default = options.default_providers.metrics or (metrics.PROMETHEUS,)
    return Told(
        metrics=metrics.of(levels, direction, collecting, default),
        logs=logs.of(levels, direction, _sinks(mesh, known, reached), options),
        tracing=tracing.of(levels, direction, _collectors(known, reached), options, workload),
    )


def _providers(mesh: Mesh) -> tuple[ExtensionProvider, ...]:
    """Those that are always there, and the mesh's, which may say otherwise what those are."""
    return (_PROMETHEUS, logs.BUILT_IN, tracing.BUILT_IN, *mesh.options.providers)


def _named(mesh: Mesh, levels: tuple[Telemetry, ...]) -> frozenset[str]:
    """The providers that anybody names for the workload."""
    default = mesh.options.default_providers
    said = (names for level in levels for names in _refs(level))
    return frozenset((*default.access_logging, *default.tracing, *(name for names in said for name in names)))


def _refs(level: Telemetry) -> Iterator[tuple[str, ...]]:
    """The providers that its logs and traces name."""
    yield from map(sections.names, level.spec.access_logging)
    yield from map(sections.names, level.spec.tracing)


def _reached(mesh: Mesh, workload: Workload, named: frozenset[str]) -> Iterator[tuple[str, Reached]]:
    """How the providers' services are reached, as far as there are any."""
    if tracing.OWN in named and not any(one.name == tracing.OWN for one in mesh.options.providers):
        yield tracing.OWN, tracing.own()
    for one in mesh.options.providers:
        peer = _peer(one)
        if peer and one.name in named:
            http = one.zipkin is not None or (one.opentelemetry is not None and one.opentelemetry.http is not None)
            found = providers.reach(mesh, views.of(mesh, workload), *peer, grpc=not http)
            if found:
                yield one.name, found


def _peer(one: ExtensionProvider) -> tuple[str, int] | None:
    parts = (one.envoy_http_als, one.envoy_tcp_als, one.envoy_otel_als, one.opentelemetry, one.zipkin)
    found = next((part for part in parts if part is not None), None)
    return (found.service, found.port) if found else None


def _sinks(
    mesh: Mesh, known: Mapping[str, ExtensionProvider], reached: Mapping[str, Reached]
) -> Mapping[str, tuple[Sink, ...]]:
    found = {}
    for name, one in known.items():
        try:
            found[name] = logs.sinks(one, reached.get(name), mesh.options)
        except ValueError:
            found[name] = ()  # its format is wrong, which is told of where it is read
    return found


def _collectors(known: Mapping[str, ExtensionProvider], reached: Mapping[str, Reached]) -> Mapping[str, Collector]:
    pairs = ((name, tracing.collector(known[name], found)) for name, found in reached.items())
    return {name: one for name, one in pairs if one}


# --- what is wrong ---

_FITS: Final = {
    "metrics": frozenset(("prometheus",)),
    "accessLogging": logs.KINDS,
    "tracing": tracing.KINDS,
}


def check(mesh: Mesh, one: Telemetry) -> Iterator[Problem]:
    """What of one object is not understood, not implemented, or leads to nobody."""
    yield from selecting.mistakes(one.spec.target_refs, one.origin, one.spec.target_ref)
    yield from metrics.check(one)
    yield from logs.check(one)
    yield from tracing.check(one)
    for part, found in (
        ("metrics", map(sections.names, one.spec.metrics)),
        ("accessLogging", map(sections.names, one.spec.access_logging)),
        ("tracing", map(sections.names, one.spec.tracing)),
    ):
        for index, names in enumerate(found):
            for place, name in enumerate(names):
                if why := _unusable(mesh, part, name):
                    origin = at(one.origin, f"{part}[{index}].providers[{place}].name")
                    yield problems.provider_told_nothing(origin, why)

    yield from _to_nobody(mesh, one)


def _to_nobody(mesh: Mesh, one: Telemetry) -> Iterator[Problem]:
    """Logs that are asked for without saying where to, when neither the mesh nor a wider object says so."""
    parts = one.spec.access_logging
    first = parts[0] if parts else None
    if first is None or first.disabled or first.providers or mesh.options.default_providers.access_logging:
        return
    wider = (each for each in mesh.telemetries.values() if each is not one and each.is_wide)
    if not any(section.providers for each in wider for section in each.spec.access_logging):
        why = "no provider is named here, none in a wider Telemetry, and the mesh has no default for access logs"
        yield problems.provider_told_nothing(
            at(one.origin, "accessLogging[0]"), why, "write providers: [{name: envoy}]"
        )


def _unusable(mesh: Mesh, part: str, name: str) -> str:
    """Why the provider is told nothing; empty when it is told."""
    found = next((one for one in reversed(_providers(mesh)) if one.name == name), None)
    if found is None:
        return f"the mesh configuration has no provider {name}"
    if found.of_kind not in _FITS[part]:
        return f"the provider {name} is of the kind {found.of_kind}, which is not used for {part}"
    peer = None if found is tracing.BUILT_IN else _peer(found)
    if peer and providers.find(mesh, *peer) is None:
        return f"there is no service {peer[0]} with a port {peer[1]}"
    return ""


def between(mesh: Mesh) -> Iterator[Problem]:
    return objects.between(mesh.telemetries)
