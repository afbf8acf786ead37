"""Istio's rules for EnvoyFilters that types alone cannot say. Source: Istio's configuration validation."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts

Doc = dict[str, Any]
_LISTENER_THINGS = frozenset({"LISTENER", "LISTENER_FILTER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER"})
_ROUTE_THINGS = frozenset({"ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"})
_CONDITIONS = ("listener", "routeConfiguration", "cluster", "waypoint")
_CONNECTION = ("envoy.filters.network.http_connection_manager", "envoy.http_connection_manager")


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with an EnvoyFilter; the Envoy configuration in it is looked at where Envoy's schema is known."""
    spec = doc.get("spec", {})
    if "workloadSelector" in spec and spec.get("targetRefs"):
        yield errors.invalid(
            "spec", ["targetRefs", "workloadSelector"], "only one of targetRefs or workloadSelector can be set"
        )
    yield from hosts.labels(spec.get("workloadSelector", {}).get("labels", {}), "spec.workloadSelector.labels")
    for index, change in enumerate(spec.get("configPatches", ())):
        yield from _change(change, f"spec.configPatches[{index}]")


def remarks(doc: Doc) -> Iterator[FieldError]:
    """What is allowed, and likely not meant."""
    spec = doc.get("spec", {})
    yield from hosts.empty_selector(spec, "workloadSelector", "spec")
    for index, change in enumerate(spec.get("configPatches", ())):
        if change.get("applyTo") in {"LISTENER", "FILTER_CHAIN"} and _filter(change) is not None:
            path = f"spec.configPatches[{index}].match.listener.filterChain.filter"
            yield errors.remark(path, f"a match of a filter has no effect on a {change['applyTo']}")


def _filter(change: Doc) -> Doc | None:
    found: Doc | None = change.get("match", {}).get("listener", {}).get("filterChain", {}).get("filter")
    return found


def _change(change: Doc, path: str) -> Iterator[FieldError]:
    if change.get("applyTo", "INVALID") == "INVALID":
        yield errors.required(f"{path}.applyTo")
    patch = change.get("patch")
    if patch is None:
        yield errors.required(f"{path}.patch")
    elif patch.get("operation", "INVALID") == "INVALID":
        yield errors.required(f"{path}.patch.operation")
    elif patch["operation"] != "REMOVE" and not patch.get("value"):
        yield errors.required(f"{path}.patch.value", f"must be set for operation {patch['operation']}")
    match = change.get("match", {})
    version = match.get("proxy", {}).get("proxyVersion")
    if version:
        yield from hosts.regex(version, f"{path}.match.proxy.proxyVersion")
    present = [name for name in _CONDITIONS if name in match]
    if len(present) > 1:
        yield errors.invalid(f"{path}.match", present, f"only one of {', '.join(present)} may be set")
    yield from _fitting(change.get("applyTo", ""), present, f"{path}.match")
    if _filter(change) is not None:
        yield from _named(change, f"{path}.match.listener.filterChain.filter")


def _fitting(apply_to: str, present: list[str], path: str) -> Iterator[FieldError]:
    """A thing is matched by conditions of its own class."""
    wanted = "cluster" if apply_to == "CLUSTER" else "listener" if apply_to in _LISTENER_THINGS else ""
    wanted = wanted or ("routeConfiguration" if apply_to in _ROUTE_THINGS else "")
    for name in present:
        if wanted and name not in {wanted, "waypoint"}:
            yield errors.forbidden(f"{path}.{name}", f"a {apply_to} is matched by its {wanted}")


def _named(change: Doc, path: str) -> Iterator[FieldError]:
    inner = _filter(change) or {}
    if not inner.get("name"):
        yield errors.required(f"{path}.name", "filter match has no name to match on")
    if "subFilter" not in inner:
        return
    if change.get("applyTo") != "HTTP_FILTER":
        yield errors.forbidden(f"{path}.subFilter", "subfilter match can be used with applyTo HTTP_FILTER only")
    elif inner.get("name") not in _CONNECTION:
        yield errors.invalid(f"{path}.name", inner.get("name", ""), f"must be {_CONNECTION[0]} to match a subFilter")
    elif not inner["subFilter"].get("name"):
        yield errors.required(f"{path}.subFilter.name", "subfilter match has no name to match on")
