"""Putting the sidecar into a pod when it is created, as Istio's injection webhook does.

The sidecar is a native one: an init container with `restartPolicy: Always`. It is therefore ready before the app
starts, outlives it, and ends with a job. Interception itself is the node's work, so there is no `istio-init`.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any

from semafor.app import proxy_config
from semafor.app.proxy_config import Settings
from semafor.base.problem import ObjectRef, Problem

Pod = dict[str, Any]
_DEFAULTS = Settings()

CONTAINER = "istio-proxy"
IMAGE = "semafor/proxyv2"
REVISION = "default"
HEALTH_PORT = 15021
READY_PATH = "/healthz/ready"

# Namespaces that hold the mesh and the cluster themselves; Istio's webhook leaves them out as well.
_NEVER = frozenset({"kube-system", "kube-public", "kube-node-lease", "istio-system"})
_INJECT = "sidecar.istio.io/inject"
_TEMPLATES = "inject.istio.io/templates"
_AUTO = "auto"  # the image of a gateway's container, until it is injected
_RESOURCES = {  # annotation -> (requests or limits, resource)
    "sidecar.istio.io/proxyCPU": ("requests", "cpu"),
    "sidecar.istio.io/proxyMemory": ("requests", "memory"),
    "sidecar.istio.io/proxyCPULimit": ("limits", "cpu"),
    "sidecar.istio.io/proxyMemoryLimit": ("limits", "memory"),
}


def wanted(pod: Pod, namespace_labels: Mapping[str, str]) -> bool:
    """Whether the pod gets a sidecar."""
    return verdict(pod, namespace_labels)[0]


def verdict(pod: Pod, namespace_labels: Mapping[str, str]) -> tuple[bool, str]:
    """Whether the pod gets a sidecar, and why or why not.

    Source: Istio's page "Installing the Sidecar", the order of its rules.
    """
    metadata, spec = pod.get("metadata", {}), pod.get("spec", {})
    if is_gateway(pod):
        return True, "it asks to be a gateway"
    if spec.get("hostNetwork"):
        return False, "it is in the network of the node"
    if metadata.get("namespace") in _NEVER:
        return False, f"the namespace {metadata['namespace']} is left out always"
    if has_sidecar(pod):
        return False, "it brings a sidecar of its own"
    return _by_labels(metadata, namespace_labels)


def _by_labels(metadata: Mapping[str, Any], namespace_labels: Mapping[str, str]) -> tuple[bool, str]:
    own = (metadata.get("labels") or {}).get(_INJECT) or (metadata.get("annotations") or {}).get(_INJECT)
    injection = namespace_labels.get("istio-injection")
    if injection == "disabled":
        return False, "the namespace has istio-injection=disabled"
    if own == "false":
        return False, f"the pod has {_INJECT}=false"
    if injection == "enabled":
        return True, "the namespace has istio-injection=enabled"
    if own == "true":
        return True, f"the pod has {_INJECT}=true"
    revision = (metadata.get("labels") or {}).get("istio.io/rev") or namespace_labels.get("istio.io/rev")
    if revision == REVISION:
        return True, f"istio.io/rev is {REVISION}"
    if revision:
        return False, f"istio.io/rev is {revision}, and the only revision is {REVISION}"
    return False, "neither the namespace nor the pod asks for it"


def is_gateway(pod: Pod) -> bool:
    """Whether the pod asks to be a gateway: by its template, and a container that waits for its image.

    Source: Istio's page "Installing Gateways".
    """
    metadata = pod.get("metadata", {})
    templates = (metadata.get("annotations") or {}).get(_TEMPLATES, "")
    asked = "gateway" in {name.strip() for name in templates.split(",")}
    off = (metadata.get("labels") or {}).get(_INJECT) == "false"
    return asked and not off and any(_waits(container) for container in pod.get("spec", {}).get("containers") or [])


def _waits(container: Mapping[str, Any]) -> bool:
    return container.get("name") == CONTAINER and container.get("image") == _AUTO


def has_sidecar(pod: Pod) -> bool:
    """Whether the pod carries the proxy already."""
    spec = pod.get("spec", {})
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    return any(container.get("name") == CONTAINER for container in containers)


def with_settings(pod: Pod, settings: Settings) -> Pod:
    """The pod, with the settings in the proxy that it brings itself, as gateways do."""
    found = [container for container in pod["spec"].get("containers") or () if container.get("image") == IMAGE]
    if not found or settings == Settings():
        return pod
    pod = copy.deepcopy(pod)
    pod["spec"]["containers"] = [
        proxy_config.apply(container, settings) if container.get("image") == IMAGE else container
        for container in pod["spec"]["containers"]
    ]
    return pod


def inject(pod: Pod, settings: Settings = _DEFAULTS) -> Pod:
    """A copy of the pod with the sidecar, and with the labels and annotations that Istio's tools look for."""
    if is_gateway(pod):
        return _gateway(pod)
    pod = copy.deepcopy(pod)
    metadata, spec = pod["metadata"], pod["spec"]
    annotations = metadata.setdefault("annotations", {}) or {}
    labels = metadata.setdefault("labels", {}) or {}
    spec["initContainers"] = [proxy_config.apply(_sidecar(annotations), settings), *(spec.get("initContainers") or [])]
    first = spec["containers"][0]["name"] if spec.get("containers") else ""
    labels.setdefault("security.istio.io/tlsMode", "istio")
    labels.setdefault("service.istio.io/canonical-name", _canonical_name(metadata, labels))
    labels.setdefault("service.istio.io/canonical-revision", labels.get("version", "latest"))
    annotations.setdefault("kubectl.kubernetes.io/default-container", first)
    annotations.setdefault("kubectl.kubernetes.io/default-logs-container", first)
    annotations["istio.io/rev"] = REVISION
    annotations["sidecar.istio.io/status"] = json.dumps({"initContainers": [CONTAINER], "revision": REVISION})
    metadata["annotations"], metadata["labels"] = annotations, labels
    return pod


def _gateway(pod: Pod) -> Pod:
    """A copy of the pod whose proxy is a gateway; what its author wrote into the container stays."""
    pod = copy.deepcopy(pod)
    metadata, spec = pod["metadata"], pod["spec"]
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    template = _sidecar(annotations)
    template.pop("restartPolicy")
    template["args"][1] = "router"
    for container in spec["containers"]:
        if _waits(container):
            own = {key: value for key, value in container.items() if key != "image"}
            container.update({**template, **own, "ports": [*template["ports"], *(own.get("ports") or [])]})
    labels.setdefault("service.istio.io/canonical-name", _canonical_name(metadata, labels))
    labels.setdefault("service.istio.io/canonical-revision", labels.get("version", "latest"))
    annotations["istio.io/rev"] = REVISION
    annotations["sidecar.istio.io/status"] = json.dumps({"containers": [CONTAINER], "revision": REVISION})
    metadata["annotations"], metadata["labels"] = annotations, labels
    return pod


def problems(pod: Pod) -> tuple[Problem, ...]:
    """What of the pod's sidecar annotations is not understood."""
    metadata = pod.get("metadata", {})
    value = (metadata.get("annotations") or {}).get(_INJECT)
    if value in (None, "true", "false"):
        return ()
    name = metadata.get("name") or metadata.get("generateName", "")
    ref = ObjectRef(kind="Pod", name=name, namespace=metadata.get("namespace", ""))
    message = f"{value!r} is neither true nor false, so it is ignored"
    path = f"metadata.annotations[{_INJECT}]"
    return (Problem(ref=ref, path=path, reason="InvalidAnnotation", message=message, fix='write "true" or "false"'),)


def _sidecar(annotations: Mapping[str, str]) -> dict[str, Any]:
    """The container `istio-proxy`. Its start-up probe holds the app back until the proxy has its configuration."""
    ready = {"httpGet": {"path": READY_PATH, "port": HEALTH_PORT, "scheme": "HTTP"}}
    return {
        "name": CONTAINER,
        "image": annotations.get("sidecar.istio.io/proxyImage", IMAGE),
        "args": ["proxy", "sidecar", "--log-level", annotations.get("sidecar.istio.io/logLevel", "warning")],
        "restartPolicy": "Always",
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http-envoy-prom", "containerPort": 15090, "protocol": "TCP"}],
        "resources": _resources(annotations),
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "startupProbe": {**ready, "periodSeconds": 1, "failureThreshold": 600, "timeoutSeconds": 3},
        "readinessProbe": {**ready, "periodSeconds": 15, "failureThreshold": 4, "timeoutSeconds": 3},
    }


def _resources(annotations: Mapping[str, str]) -> dict[str, dict[str, str]]:
    resources: dict[str, dict[str, str]] = {"requests": {"cpu": "100m", "memory": "128Mi"}}
    for annotation, (part, resource) in _RESOURCES.items():
        if annotation in annotations:
            resources.setdefault(part, {})[resource] = annotations[annotation]
    return resources


def _canonical_name(metadata: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Istio's rule: a label if there is one, else the workload's name, which for a pod of a set is its prefix."""
    for label in ("app.kubernetes.io/name", "app"):
        if label in labels:
            return labels[label]
    owners = metadata.get("ownerReferences") or []
    if owners and owners[0].get("kind") == "ReplicaSet":
        return str(owners[0]["name"]).rsplit("-", 1)[0]
    return (
        str(owners[0]["name"]) if owners else str(metadata.get("name") or metadata.get("generateName", "")).rstrip("-")
    )
