"""What of objects is worth remembering: of the 8 KB of a pod in a real cluster, a tenth. Pure."""

from collections.abc import Callable
from typing import Any, Final

from semafor.resources.core import node, pod, secret
from semafor.resources.kind import Kind

Doc = dict[str, Any]

_NOISE: Final = ("kubectl.kubernetes.io/last-applied-configuration",)
_OF_METADATA: Final = frozenset({
    "name", "namespace", "uid", "resourceVersion", "generation", "labels", "annotations", "ownerReferences",
    "creationTimestamp", "deletionTimestamp", "finalizers",
})  # fmt: skip
_OF_POD: Final = frozenset({"serviceAccountName", "nodeName", "hostNetwork", "containers", "initContainers"})
_OF_CONTAINER: Final = frozenset({"name", "image", "args", "env", "ports"})
_OF_POD_STATUS: Final = frozenset({"phase", "podIP", "podIPs", "conditions"})
# What the mesh reads of secrets; passwords of registries and tokens of service accounts are none of its business.
_SECRETS: Final = frozenset({"Opaque", "kubernetes.io/tls", "generic", ""})


def of(kind: Kind) -> Callable[[Doc], Doc]:
    """How to trim objects of the kind."""
    return {pod.KIND: _pod, node.KIND: _node, secret.KIND: _secret}.get(kind, _any)


def _any(obj: Doc) -> Doc:
    return {**obj, "metadata": _metadata(obj["metadata"])}


def _metadata(metadata: Doc) -> Doc:
    kept = _picked(metadata, _OF_METADATA)
    if annotations := kept.get("annotations"):
        kept["annotations"] = {name: text for name, text in annotations.items() if name not in _NOISE}
    return kept


def _pod(obj: Doc) -> Doc:
    spec = _picked(obj.get("spec") or {}, _OF_POD)
    for part in ("containers", "initContainers"):
        if part in spec:
            spec[part] = [_picked(each, _OF_CONTAINER) for each in spec[part] or ()]
    status = _picked(obj.get("status") or {}, _OF_POD_STATUS)
    return _any({**_head(obj), "spec": spec, "status": status})


def _node(obj: Doc) -> Doc:
    """Nodes say every few seconds that they are alive; of all that only the labels count, for localities."""
    return _any({**_head(obj), "spec": {}})


def _secret(obj: Doc) -> Doc:
    readable = obj.get("type", "") in _SECRETS
    return _any(obj if readable else {**_head(obj), "type": obj.get("type", ""), "data": {}})


def _head(obj: Doc) -> Doc:
    return _picked(obj, frozenset({"apiVersion", "kind", "metadata"}))


def _picked(part: Doc, names: frozenset[str]) -> Doc:
    return {name: value for name, value in part.items() if name in names}
