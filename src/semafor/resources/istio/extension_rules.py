"""Istio's rules for programs in the proxy. Source: Istio's CRDs."""

import re
from collections.abc import Iterator
from typing import Any

from semafor.resources import errors
from semafor.resources.errors import FieldError
from semafor.resources.istio import security_rules

Doc = dict[str, Any]
_SHA256 = re.compile("[a-f0-9]{64}")
_SCHEMES = ("oci", "http", "https", "file")


def wasm_plugin(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a WasmPlugin."""
    spec = doc.get("spec", {})
    yield from security_rules.targets(spec)
    yield from _module(spec, "spec")


def traffic_extension(doc: Doc) -> Iterator[FieldError]:
    """What is wrong with a TrafficExtension."""
    spec = doc.get("spec", {})
    yield from security_rules.targets(spec)
    if "wasm" in spec:
        yield from _module(spec["wasm"], "spec.wasm")


def _module(module: Doc, path: str) -> Iterator[FieldError]:
    scheme, found, _ = module.get("url", "").partition("://")
    if found and scheme not in _SCHEMES:
        why = "url must have schema one of [http, https, file, oci]"
        yield errors.invalid(f"{path}.url", module["url"], why)
    if module.get("sha256") and not _SHA256.fullmatch(module["sha256"]):
        yield errors.invalid(f"{path}.sha256", module["sha256"], "must be 64 hexadecimal digits in lower case")
    names: set[str] = set()
    for index, variable in enumerate(module.get("vmConfig", {}).get("env", ())):
        where, name = f"{path}.vmConfig.env[{index}]", variable.get("name", "")
        if variable.get("valueFrom") == "HOST" and variable.get("value"):
            yield errors.forbidden(f"{where}.value", "value may only be set when valueFrom is INLINE")
        if name in names:
            yield errors.duplicate(f"{where}.name", name)
        names.add(name)
