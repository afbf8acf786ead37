"""Istio's rules for EnvoyFilters that types alone cannot say. Source: Istio's configuration validation."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts

Doc = dict[str, Any]


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with an EnvoyFilter; the Envoy configuration in it is not looked at."""
    spec = doc.get("spec", {})
    if "workloadSelector" in spec and spec.get("targetRefs"):
        yield errors.invalid(
            "spec", ["targetRefs", "workloadSelector"], "only one of targetRefs or workloadSelector can be set"
        )
    for index, change in enumerate(spec.get("configPatches", ())):
        yield from _change(change, f"spec.configPatches[{index}]")


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
    version = change.get("match", {}).get("proxy", {}).get("proxyVersion")
    if version:
        yield from hosts.regex(version, f"{path}.match.proxy.proxyVersion")
