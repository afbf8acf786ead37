"""The downward API: what a pod may know of itself, by fieldRef and resourceFieldRef. Pure."""

import math
import re
from collections.abc import Mapping
from typing import Any

from semafor.kube.node import podspec
from semafor.resources import quantity

Json = dict[str, Any]

_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class ConfigError(Exception):
    """The pod refers to something that does not exist (yet); the message is Kubernetes'."""


def field(pod: Json, path: str, host_ip: str, pod_ip: str) -> str:
    """The text of a fieldRef. Raises ConfigError for a path that the downward API does not have."""
    meta, spec = pod["metadata"], pod["spec"]
    if match := _SUBSCRIPT.fullmatch(path):
        return str((meta.get(match[1]) or {}).get(match[2], ""))
    plain: dict[str, str] = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": host_ip,
        "status.hostIPs": host_ip,
        "status.podIP": pod_ip,
        "status.podIPs": pod_ip,
    }
    if path in plain:
        return plain[path]
    if path in ("metadata.labels", "metadata.annotations"):
        return _listed(meta.get(path.partition(".")[2]) or {})
    raise ConfigError(f"unsupported fieldPath: {path}")


def _listed(entries: Mapping[str, str]) -> str:
    """Labels or annotations in a file: sorted lines of key="value", quoted as Go quotes."""
    return "\n".join(f"{key}={_quoted(entries[key])}" for key in sorted(entries))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def resource(pod: Json, container: str, ref: Json, capacity: Mapping[str, str]) -> str:
    """The text of a resourceFieldRef; a limit that is not set is the node's whole capacity."""
    spec = podspec.container(pod, ref.get("containerName") or container) or {}
    part, _, name = ref["resource"].partition(".")
    resources = spec.get("resources") or {}
    amount = (resources.get(part) or {}).get(name)
    if amount is None and part == "requests":
        amount = (resources.get("limits") or {}).get(name, "0")
    unit = quantity.parse(ref.get("divisor") or "1") or 1
    return str(math.ceil(quantity.parse(amount or capacity.get(name, "0")) / unit))
