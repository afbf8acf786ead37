"""What an EndpointSlice says: the addresses behind a service, and which of them may be used. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from semafor.kube.controllers import pods

Doc = dict[str, Any]

MANAGED_BY = "endpointslice-controller.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"


def slices(service: Doc, selected: Sequence[Doc], node: str) -> dict[str, Doc]:
    """EndpointSlices by name: one for each set of port numbers that named target ports lead to. Never more addresses
    than one slice holds in Kubernetes' API (1000): one machine does not run more pods."""
    groups: dict[tuple[tuple[str, int, str, str], ...], list[Doc]] = {}
    for pod in selected:
        if pod.get("status", {}).get("podIP") and not pods.is_finished(pod):
            groups.setdefault(_ports(service, pod), []).append(pod)
    if not groups:
        groups[_ports(service, {"spec": {"containers": []}})] = []
    name = service["metadata"]["name"]
    keys = sorted(groups)
    names = [name, *(f"{name}-{index}" for index in range(1, len(keys)))]
    return {each: _slice(service, each, key, groups[key], node) for each, key in zip(names, keys, strict=True)}


def _slice(
    service: Doc, name: str, ports: Iterable[tuple[str, int, str, str]], members: Sequence[Doc], node: str
) -> Doc:
    metadata = service["metadata"]
    labels = {**metadata.get("labels", {}), SERVICE_NAME: metadata["name"]}
    if service["spec"].get("clusterIP") == "None":
        labels["service.kubernetes.io/headless"] = ""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": {**labels, "endpointslice.kubernetes.io/managed-by": MANAGED_BY},
            "ownerReferences": [_reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": [
            _endpoint(service, pod, node) for pod in sorted(members, key=lambda p: str(p["metadata"]["name"]))
        ],
        "ports": [_port(*port) for port in ports],
    }


def _endpoint(service: Doc, pod: Doc, node: str) -> Doc:
    metadata, spec = pod["metadata"], pod["spec"]
    leaving = "deletionTimestamp" in metadata
    serving = pods.is_ready(pod)
    ready = (serving and not leaving) or bool(service["spec"].get("publishNotReadyAddresses"))
    endpoint = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": leaving},
        "nodeName": spec.get("nodeName", node),
        "targetRef": {
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        endpoint["hostname"] = spec["hostname"]
    return endpoint


def _ports(service: Doc, pod: Doc) -> tuple[tuple[str, int, str, str], ...]:
    """(name, number in this pod, protocol, appProtocol) of each of the service's ports that the pod has."""
    found = []
    for port in service["spec"].get("ports", []):
        number = _number(port, pod)
        if number:
            found.append((port.get("name", ""), number, port.get("protocol", "TCP"), port.get("appProtocol", "")))
    return tuple(found)


def _number(port: Doc, pod: Doc) -> int:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target or int(port["port"])
    for container in (*pod["spec"].get("containers", ()), *pod["spec"].get("initContainers", ())):
        for candidate in container.get("ports", ()):
            same = candidate.get("protocol", "TCP") == port.get("protocol", "TCP")
            if candidate.get("name") == target and same:
                return int(candidate["containerPort"])
    return 0


def _port(name: str, number: int, protocol: str, app_protocol: str) -> Doc:
    port = {"name": name, "port": number, "protocol": protocol}
    return port | ({"appProtocol": app_protocol} if app_protocol else {})


def _reference(service: Doc) -> Doc:
    metadata = service["metadata"]
    common = {"apiVersion": "v1", "kind": "Service", "name": metadata["name"], "uid": metadata["uid"]}
    return common | {"controller": True, "blockOwnerDeletion": True}
