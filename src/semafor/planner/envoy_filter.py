"""EnvoyFilters as values: what the document says, without a look at the mesh or at who gets it."""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from semafor.base import names, regex
from semafor.base.problem import ObjectRef, Problem
from semafor.base.struct import Value
from semafor.ir import Origin, PatchListener
from semafor.ir.patch import ApplyTo, Operation
from semafor.planner import hosts
from semafor.planner.checks import problems, refused
from semafor.planner.checks.problems import at
from semafor.planner.hosts import Age
from semafor.planner.proxy import Labels
from semafor.resources.istio import envoy_filter as istio
from semafor.resources.istio.common import PolicyTargetReference
from semafor.resources.meta.meta import ObjectMeta

_GATEWAY_API = "gateway.networking.k8s.io"
_MERGES: tuple[Operation, ...] = ("MERGE", "MERGE_AND_REPLACE_LIST")
_INSERTS: tuple[Operation, ...] = ("INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST")
_FILTER: tuple[Operation, ...] = (*_MERGES, "ADD", "REMOVE", *_INSERTS, "REPLACE")
# What can be done with each thing. Source: Istio's reference of EnvoyFilter, EnvoyFilter.Patch.Operation.
OPERATIONS: dict[ApplyTo, tuple[Operation, ...]] = {
    "LISTENER": (*_MERGES, "ADD", "REMOVE", *_INSERTS),
    "LISTENER_FILTER": _FILTER,
    "FILTER_CHAIN": (*_MERGES, "ADD", "REMOVE", *_INSERTS),
    "NETWORK_FILTER": _FILTER,
    "HTTP_FILTER": _FILTER,
    "ROUTE_CONFIGURATION": _MERGES,
    "VIRTUAL_HOST": (*_MERGES, "ADD", "REMOVE", *_INSERTS, "REPLACE"),
    "HTTP_ROUTE": (*_MERGES, "ADD", "REMOVE", *_INSERTS),
    "CLUSTER": (*_MERGES, "ADD", "REMOVE", *_INSERTS),
    "EXTENSION_CONFIG": ("ADD", *_INSERTS),
    "BOOTSTRAP": ("MERGE",),
}
# Things that have no order: to insert one is to add it. Source: Istio's convertToEnvoyFilterWrapper.
_UNORDERED = frozenset({"LISTENER", "FILTER_CHAIN", "VIRTUAL_HOST", "CLUSTER", "EXTENSION_CONFIG"})
_LISTENER_THINGS = frozenset({"LISTENER", "LISTENER_FILTER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER"})
_ROUTE_THINGS = frozenset({"ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"})

# What of each part of the document is implemented.
SPEC = ("workload_selector", "target_refs", "config_patches", "priority")
CHANGE = ("apply_to", "match", "patch")
MATCH = ("context", "proxy", "listener", "route_configuration", "cluster")
LISTENER = ("port_number", "filter_chain", "listener_filter", "name")
CHAIN = ("name", "sni", "transport_protocol", "application_protocols", "filter", "destination_port")


class Change(Value, cache_hash=True):
    """One patch as written, and which proxies it asks for: `version` is a regular expression for theirs."""

    apply_to: ApplyTo
    operation: Operation
    origin: Origin
    value: str
    filter_class: Literal["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"]
    context: Literal["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY"]
    version: str
    metadata: Labels
    listener: PatchListener
    routes: istio.RouteConfigurationMatch | None
    cluster: istio.ClusterMatch | None


class EnvoyFilter(Value, cache_hash=True):
    """One object. Without `selector` and `gateways` it is for all proxies of its namespace."""

    namespace: str
    priority: int
    age: Age
    selector: Labels
    gateways: tuple[PolicyTargetReference, ...]
    targeted: bool
    changes: tuple[Change, ...]
    origin: Origin
    problems: tuple[Problem, ...] = ()


def read(meta: ObjectMeta, spec: istio.EnvoyFilterSpec) -> EnvoyFilter:
    """The object as a value."""
    ref = ObjectRef(kind="EnvoyFilter", namespace=meta.namespace, name=meta.name, group="networking.istio.io")
    origin = Origin(ref=ref, path="spec")
    found = list(refused.fields(spec, origin, *SPEC))
    changes = []
    for index, document in enumerate(spec.config_patches):
        change, wrong = _change(document, at(origin, f"configPatches[{index}]"))
        found += wrong
        changes += [change] if change else []
    gateways, untargeted = _gateways(spec, origin)
    return EnvoyFilter(
        namespace=meta.namespace,
        priority=spec.priority,
        age=hosts.age(meta),
        selector=tuple(sorted(spec.workload_selector.labels.items())) if spec.workload_selector else (),
        gateways=gateways,
        targeted=bool(spec.target_refs),
        changes=tuple(changes),
        origin=origin,
        problems=(*found, *untargeted),
    )


def _gateways(
    spec: istio.EnvoyFilterSpec, origin: Origin
) -> tuple[tuple[PolicyTargetReference, ...], tuple[Problem, ...]]:
    """The gateways that it is attached to. Services have no proxy of their own: that is the work of a waypoint."""
    found, wrong = [], []
    for index, target in enumerate(spec.target_refs):
        place = at(origin, f"targetRefs[{index}]")
        if target.group == _GATEWAY_API and target.kind in {"Gateway", "GatewayClass"}:
            found.append(target)
        else:
            wrong.append(problems.value_not_supported(at(place, "kind"), target.kind, "Gateway and GatewayClass"))
    return tuple(found), tuple(wrong)


def _change(document: istio.EnvoyConfigObjectPatch, origin: Origin) -> tuple[Change | None, list[Problem]]:
    """The change, and what is wrong with it; one with a mistake changes nothing rather than too much."""
    match, patch = document.match or istio.EnvoyConfigObjectMatch(), document.patch or istio.Patch()
    wrong = list(_mistakes(document, match, patch, origin))
    apply_to, operation = document.apply_to, patch.operation
    if wrong or apply_to == "INVALID" or operation == "INVALID" or match.context == "WAYPOINT":
        return None, wrong
    proxy = match.proxy or istio.ProxyMatch()
    change = Change(
        apply_to=apply_to,
        operation="ADD" if apply_to in _UNORDERED and operation in _INSERTS else operation,
        origin=origin,
        value=_canonical(patch.value),
        filter_class=patch.filter_class,
        context=match.context,
        version=proxy.proxy_version,
        metadata=tuple(sorted(proxy.metadata.items())),
        listener=_listener(match.listener or istio.ListenerMatch()),
        routes=match.route_configuration,
        cluster=match.cluster,
    )
    return change, []


def _mistakes(
    document: istio.EnvoyConfigObjectPatch, match: istio.EnvoyConfigObjectMatch, patch: istio.Patch, origin: Origin
) -> Iterator[Problem]:
    apply_to, place = document.apply_to, at(origin, "match")
    yield from refused.fields(document, origin, *CHANGE)
    yield from refused.fields(match, place, *MATCH)
    if match.context == "WAYPOINT":
        yield problems.value_not_supported(
            at(place, "context"), "WAYPOINT", "SIDECAR_INBOUND, SIDECAR_OUTBOUND, GATEWAY"
        )
    if match.listener:
        yield from refused.fields(match.listener, at(place, "listener"), *LISTENER)
        chain = match.listener.filter_chain or istio.FilterChainMatch()
        yield from refused.fields(chain, at(place, "listener.filterChain"), *CHAIN)
    if apply_to != "INVALID" and patch.operation not in ("INVALID", *OPERATIONS[apply_to]):
        words = ", ".join(OPERATIONS[apply_to])
        yield problems.value_not_supported(at(origin, "patch.operation"), f"{patch.operation} of a {apply_to}", words)
    if match.proxy and not _compiles(match.proxy.proxy_version):
        yield problems.invalid(at(place, "proxy.proxyVersion"), "it is not a regular expression, or takes too long")
    yield from _misplaced(apply_to, match, place)


def _misplaced(apply_to: str, match: istio.EnvoyConfigObjectMatch, place: Origin) -> Iterator[Problem]:
    """Conditions on something else than what is changed."""
    for field, condition, things in (
        ("listener", match.listener, _LISTENER_THINGS),
        ("routeConfiguration", match.route_configuration, _ROUTE_THINGS),
        ("cluster", match.cluster, frozenset({"CLUSTER"})),
    ):
        if condition is not None and apply_to not in things:
            yield problems.invalid(at(place, field), f"a {apply_to} is not matched by its {field}", "remove it")


def _listener(match: istio.ListenerMatch) -> PatchListener:
    chain = match.filter_chain or istio.FilterChainMatch()
    inner = chain.filter or istio.FilterMatch()
    return PatchListener(
        name=match.name,
        port=match.port_number,
        listener_filter=match.listener_filter,
        chain=chain.name,
        sni=chain.sni,
        transport=chain.transport_protocol,
        alpn=tuple(text for text in chain.application_protocols.split(",") if text),
        destination_port=chain.destination_port,
        filter=inner.name,
        sub_filter=inner.sub_filter.name if inner.sub_filter else "",
    )


def _canonical(value: object) -> str:
    """JSON that is the same for equal documents."""
    return msgspec.json.encode(value, order="deterministic").decode() if value else ""


def _compiles(pattern: str) -> bool:
    try:
        regex.is_found(pattern, names.ISTIO_VERSION)
    except re.error:
        return False
    return True
