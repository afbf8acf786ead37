"""Istio's rules for WorkloadGroups that types alone cannot say. Source: Istio's configuration validation."""

import re
from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio import hosts

Doc = dict[str, Any]
_WAYS = ("httpGet", "tcpSocket", "exec", "grpc")
_COUNTS = ("periodSeconds", "initialDelaySeconds", "timeoutSeconds", "successThreshold", "failureThreshold")
_HEADER_NAME = re.compile(r"[-_A-Za-z0-9]+")


def validate(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a WorkloadGroup."""
    spec = doc.get("spec", {})
    yield from hosts.labels(spec.get("metadata", {}).get("labels", {}), "spec.metadata.labels")
    probe = spec.get("probe")
    if probe is None:
        return
    for name in _COUNTS:
        if probe.get(name, 0) < 0:
            yield errors.invalid(f"spec.probe.{name}", probe[name], "must be non-negative")
    if not any(way in probe for way in _WAYS):
        yield errors.required("spec.probe", f"one of {', '.join(_WAYS)} must be set")
    request = probe.get("httpGet", {})
    if request.get("scheme", "") not in {"", "HTTP", "HTTPS"}:
        yield errors.not_supported("spec.probe.httpGet.scheme", request["scheme"], ("HTTP", "HTTPS"))
    for index, header in enumerate(request.get("httpHeaders", ())):
        if not _HEADER_NAME.fullmatch(header.get("name", "")):
            path = f"spec.probe.httpGet.httpHeaders[{index}].name"
            yield errors.invalid(path, header.get("name", ""), "must be the name of a header")
    if "exec" in probe and not probe["exec"].get("command"):
        yield errors.required("spec.probe.exec.command")
