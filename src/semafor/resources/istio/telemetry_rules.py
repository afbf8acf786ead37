"""Istio's rules for Telemetry that types alone cannot say. Source: Istio's CRDs and configuration validation."""

from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio import security_rules

Doc = dict[str, Any]


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a Telemetry object."""
    spec = doc.get("spec", {})
    yield from security_rules.targets(spec)
    for index, tracing in enumerate(spec.get("tracing", ())):
        if len(tracing.get("providers", ())) > 1:
            yield errors.too_many(f"spec.tracing[{index}].providers", len(tracing["providers"]), 1)
    for index, metrics in enumerate(spec.get("metrics", ())):
        for place, override in enumerate(metrics.get("overrides", ())):
            yield from _override(override, f"spec.metrics[{index}].overrides[{place}]")


def _override(override: Doc, path: str) -> Iterator[FieldError]:
    for name, tag in override.get("tagOverrides", {}).items():
        where = f"{path}.tagOverrides[{name}].value"
        if tag.get("operation") == "REMOVE" and tag.get("value"):
            yield errors.forbidden(where, "value must not be set when operation is REMOVE")
        if tag.get("operation", "UPSERT") == "UPSERT" and not tag.get("value"):
            yield errors.required(where, "value must be set when operation is UPSERT")
