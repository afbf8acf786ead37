"""The reference of what an installation can say, made by asking the code: a part of `python -m tests.reference`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from semafor.app import mesh_config
from semafor.installation import components, documented, keys, spec, values
from semafor.installation.keys import Idle

_TEXT = """\
# Installation: what each key does

Written by `python -m tests.reference --write` from the code; do not edit. How to install:
[installation](../installation.md).

A key without an effect is named in a warning when it is used; a key that Istio does not have, too. A value that
cannot be is refused, and what is installed stays as it is.
"""
_WORDS = {"bool": "true, false", "count": "whole number", "any": "see below", "texts": "names to texts", "tag": "text"}
# What the type of a value does not tell.
_SAID = {
    "base.enabled": "`false` has **no effect**: the definitions of kinds are part of the mesh",
    "namespace": "`istio-system`, and nothing else",
    "global.istioNamespace": "`istio-system`, and nothing else",
}


def page() -> str:
    """The page."""
    top = {key: tree for key, tree in spec.TREE.items() if key not in {"components", "values"}}
    parts = {key: tree for key, tree in components.TREE.items() if key != "k8s"}
    lines = [_TEXT]
    lines += _section("spec", "of an IstioOperator", _leaves(top))
    lines += _section("spec.components", "parts of the installation; a gateway has its name", _shallow(parts))
    lines += _section("k8s", "of a component: settings of its Deployment and its Service", _leaves(components.K8S))
    lines += _section("spec.values", "in the words of Istio's charts", _leaves(values.TREE))
    lines += _section("spec.meshConfig", "the mesh configuration, and ConfigMap `istio`", _mesh_config())
    return "\n".join(lines).rstrip() + "\n"


def _section(name: str, what: str, rows: Iterator[tuple[str, str, str]]) -> list[str]:
    table = [f"| `{path}` | {kind} | {state} |" for path, kind, state in rows]
    return [
        f"## {name}",
        "",
        f"{what[0].upper()}{what[1:]}.",
        "",
        "| key | type | |",
        "| --- | --- | --- |",
        *table,
        "",
    ]


def _shallow(tree: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for path, end in keys.leaves(tree):
        if ".k8s." not in path and ".k8s[" not in path:
            yield path, _kind(end), _SAID.get(path, _state(end))
        elif path.endswith(".k8s.affinity"):
            yield path.removesuffix(".affinity"), "[k8s](#k8s)", "implemented"


def _leaves(tree: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for path, end in keys.leaves(tree):
        yield path, _kind(end), _SAID.get(path, _state(end))


def _kind(end: Any) -> str:
    if isinstance(end, Idle):
        return ""
    if isinstance(end, list):
        return f"list of {_kind(end[0])}"
    return end.__name__ if isinstance(end, type) else _WORDS.get(end, end)


def _state(end: Any) -> str:
    return f"**no effect**: {end.why}" if isinstance(end, Idle) else "implemented"


def _mesh_config() -> Iterator[tuple[str, str, str]]:
    for path in documented.MESH_CONFIG:
        yield path, "", "implemented" if implemented(path) else "**no effect**"


def implemented(path: str) -> bool:
    """Whether the mesh configuration takes the key."""
    document: Any = "x"
    for name in reversed(path.split(".")):
        document = {name: document}
    _, problems = mesh_config.read(document)
    refused = {re.sub(r"^data\.mesh ", "", problem.path) for problem in problems if problem.reason == "UnsupportedKey"}
    return path not in refused
