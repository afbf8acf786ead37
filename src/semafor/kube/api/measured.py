"""The documents of metrics.k8s.io, out of what the node measures. Source: Kubernetes' metrics.k8s.io API."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from semafor.base import clock
from semafor.kube.api import errors
from semafor.kube.api.node import Node, Usage
from semafor.resources.metrics import usage

Doc = dict[str, Any]
_SHOWN = ("name", "namespace", "labels")


async def of_pods(node: Node | None, pods: Iterable[Doc], now: datetime) -> list[Doc]:
    """PodMetrics of the pods that run, in their order. Raises StatusError 503 without a node."""
    running = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Running"]
    found = await _measure(node, running)
    return [_pod(pod, found[pod["metadata"]["uid"]], now) for pod in running if found.get(pod["metadata"]["uid"])]


async def of_nodes(node: Node | None, nodes: Iterable[Doc], pods: Iterable[Doc], now: datetime) -> list[Doc]:
    """NodeMetrics: what all pods of a node use together."""
    every = [pod for pod in pods if (pod.get("status") or {}).get("phase") == "Running"]
    found = await _measure(node, every)
    answers = []
    for each in nodes:
        own = [pod for pod in every if (pod.get("spec") or {}).get("nodeName") == each["metadata"]["name"]]
        used = [one for pod in own for one in found.get(pod["metadata"]["uid"], {}).values()]
        head = _head(usage.NODES.kind, each, used, now)
        answers.append({**head, "usage": _usage(sum(o.cores for o in used), sum(o.bytes for o in used))})
    return answers


def listed(kind: str, items: list[Doc]) -> Doc:
    return {"kind": f"{kind}List", "apiVersion": f"{usage.GROUP}/v1beta1", "metadata": {}, "items": items}


async def _measure(node: Node | None, pods: list[Doc]) -> Mapping[str, Mapping[str, Usage]]:
    if node is None:
        raise errors.unavailable("there is no node that could be measured")
    return await node.usage(pods)


def _pod(pod: Doc, found: Mapping[str, Usage], now: datetime) -> Doc:
    containers = [{"name": name, "usage": _usage(one.cores, one.bytes)} for name, one in sorted(found.items())]
    return {**_head(usage.PODS.kind, pod, found.values(), now), "containers": containers}


def _head(kind: str, of: Doc, used: Iterable[Usage], now: datetime) -> Doc:
    stamp = clock.stamp(now)
    window = max((one.window_s for one in used), default=0.0)
    meta = {key: of["metadata"][key] for key in _SHOWN if key in of["metadata"]}
    meta["creationTimestamp"] = stamp
    api_version = f"{usage.GROUP}/v1beta1"
    return {"kind": kind, "apiVersion": api_version, "metadata": meta, "timestamp": stamp, "window": f"{window:.3f}s"}


def _usage(cores: float, used_bytes: int) -> Doc:
    return {"cpu": f"{round(cores * 1e9)}n", "memory": f"{used_bytes // 1024}Ki"}
