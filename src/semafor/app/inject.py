"""Putting the sidecar into a pod when it is created, as Istio's injection webhook does.

The sidecar is a native one: an init container with `restartPolicy: Always`. It is therefore ready before the app
starts, outlives it, and ends with a job. Interception itself is the node's work, so there is no `istio-init`.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from semafor.app import merged_metrics, proxy_config, revisions, stats_annotations
from semafor.app.proxy_config import Settings
from semafor.app.revisions import Offer
from semafor.base.problem import ObjectRef, Problem
from semafor.installation.merge import overlay
from semafor.installation.sidecar import Defaults

Pod = dict[str, Any]
_DEFAULTS = Settings()
_NO_DEFAULTS = Defaults()

CONTAINER = "istio-proxy"
IMAGE = "semafor/proxyv2"
REVISION = revisions.DEFAULT
HEALTH_PORT = 15021
READY_PATH = "/healthz/ready"

# Namespaces that hold the mesh and the cluster themselves; Istio's webhook leaves them out as well.
_NEVER = frozenset({"kube-system", "kube-public", "kube-node-lease", "istio-system"})
_INJECT = "sidecar.istio.io/inject"
_REVISION = "istio.io/rev"
_TRAFFIC = "traffic.sidecar.istio.io/"
_TEMPLATES = "inject.istio.io/templates"
_AUTO = "auto"  # the image of a gateway's container, until it is injected
_RESOURCES = {  # annotation -> (requests or limits, resource)
    "sidecar.istio.io/proxyCPU": ("requests", "cpu"),
    "sidecar.istio.io/proxyMemory": ("requests", "memory"),
    "sidecar.istio.io/proxyCPULimit": ("limits", "cpu"),
    "sidecar.istio.io/proxyMemoryLimit": ("limits", "memory"),
}


class Verdict(NamedTuple):
    """Whether a pod gets a sidecar, and why or why not; and of which revision it would be."""

    wanted: bool
    reason: str
    revision: str = REVISION


def _no(reason: str, revision: str = REVISION) -> Verdict:
    return Verdict(wanted=False, reason=reason, revision=revision)


def _yes(reason: str, revision: str = REVISION) -> Verdict:
    return Verdict(wanted=True, reason=reason, revision=revision)


def wanted(pod: Pod, namespace_labels: Mapping[str, str]) -> bool:
    """Whether the pod gets a sidecar where there is one revision, with no values of its own."""
    return verdict(pod, namespace_labels).wanted


def verdict(pod: Pod, namespace_labels: Mapping[str, str], offer: Offer = revisions.ONE) -> Verdict:
    """Whether the pod gets a sidecar of what is installed.

    Source: Istio's page "Installing the Sidecar", and the order of the rules of its injector.
    """
    metadata, spec = pod.get("metadata", {}), pod.get("spec", {})
    if not is_gateway(pod):
        if spec.get("hostNetwork"):
            return _no("it is in the network of the node")
        if metadata.get("namespace") in _NEVER:
            return _no(f"the namespace {metadata['namespace']} is left out always")
        if has_sidecar(pod):
            return _no("it brings a sidecar of its own")
    asked = _by_labels(metadata, namespace_labels, offer)
    if is_gateway(pod):
        asked = _yes("it asks to be a gateway", asked.revision)
    found = offer.find(asked.revision)
    if not asked.wanted or found is not None:
        return asked._replace(revision=found or asked.revision)
    return _no(f"{asked.reason}, and no revision is called {asked.revision}", asked.revision)


def _by_labels(metadata: Mapping[str, Any], namespace_labels: Mapping[str, str], offer: Offer) -> Verdict:
    """What labels and the rules of the revision ask for, by the name that they give the revision."""
    labels = metadata.get("labels") or {}
    own = labels.get(_INJECT) or (metadata.get("annotations") or {}).get(_INJECT)
    injection = namespace_labels.get("istio-injection")
    revision = REVISION if injection else namespace_labels.get(_REVISION) or labels.get(_REVISION) or REVISION
    if injection == "disabled":
        return _no("the namespace has istio-injection=disabled")
    if own == "false":
        return _no(f"the pod has {_INJECT}=false", revision)
    if own == "true":
        return _yes(f"the pod has {_INJECT}=true", revision)
    asks = _asking(labels, namespace_labels, offer)
    if not asks and injection and injection != "enabled":
        return _no(f"the namespace has istio-injection={injection}, which is neither enabled nor disabled", revision)
    if not asks:
        return _no("neither the namespace nor the pod asks for it", revision)
    by_rule = revisions.by_selectors(offer.policy(revision), labels)
    return Verdict(*by_rule, revision) if by_rule else _yes(asks, revision)


def _asking(labels: Mapping[str, str], namespace_labels: Mapping[str, str], offer: Offer) -> str:
    """Which label asks for a sidecar; empty when none does."""
    if namespace_labels.get("istio-injection") == "enabled":
        return "the namespace has istio-injection=enabled"
    if revision := namespace_labels.get(_REVISION) or labels.get(_REVISION):
        return f"istio.io/rev is {revision}"
    return "every namespace is enabled by default" if offer.policy(REVISION).every_namespace else ""


def meaningless(namespace: Mapping[str, Any]) -> tuple[str, ...]:
    """What to say of a namespace that asks for sidecars in words that nobody understands."""
    value = (namespace["metadata"].get("labels") or {}).get("istio-injection")
    if value in (None, "enabled", "disabled"):
        return ()
    return (f"metadata.labels.istio-injection: {value} means nothing, so pods get no sidecar: enabled, or disabled",)


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


def inject(
    pod: Pod, settings: Settings = _DEFAULTS, *, revision: str = REVISION, defaults: Defaults = _NO_DEFAULTS
) -> Pod:
    """A copy of the pod with the sidecar, and with the labels and annotations that Istio's tools look for.

    `defaults` are the revision's.
    """
    if is_gateway(pod):
        return _gateway(pod, settings, revision, defaults)
    pod = copy.deepcopy(pod)
    metadata, spec = pod["metadata"], pod["spec"]
    annotations = metadata.setdefault("annotations", {}) or {}
    labels = metadata.setdefault("labels", {}) or {}
    sidecar = proxy_config.apply(_sidecar(annotations, defaults), settings)
    annotations = merged_metrics.take_over(annotations, sidecar, merge=settings.merge_metrics)
    annotations = {**stats_annotations.written(settings.shown), **annotations}
    spec["initContainers"] = [sidecar, *(spec.get("initContainers") or [])]
    first = spec["containers"][0]["name"] if spec.get("containers") else ""
    labels.setdefault("security.istio.io/tlsMode", "istio")
    labels.setdefault("service.istio.io/canonical-name", _canonical_name(metadata, labels))
    labels.setdefault("service.istio.io/canonical-revision", labels.get("version", "latest"))
    annotations.setdefault("kubectl.kubernetes.io/default-container", first)
    annotations.setdefault("kubectl.kubernetes.io/default-logs-container", first)
    annotations[_REVISION] = revision
    annotations["sidecar.istio.io/status"] = json.dumps({"initContainers": [CONTAINER], "revision": revision})
    traffic = {key: value for key, value in defaults.annotations.items() if key.startswith(_TRAFFIC)}
    metadata["annotations"], metadata["labels"] = {**traffic, **annotations, **defaults.pod_annotations}, labels
    return pod


def _gateway(pod: Pod, settings: Settings, revision: str, defaults: Defaults) -> Pod:
    """A copy of the pod whose proxy is a gateway; what its author wrote into the container stays."""
    pod = copy.deepcopy(pod)
    metadata, spec = pod["metadata"], pod["spec"]
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    template = _sidecar(annotations, defaults)
    template.pop("restartPolicy")
    annotations = merged_metrics.take_over(annotations, template, merge=settings.merge_metrics)
    annotations = {**stats_annotations.written(settings.shown), **annotations}
    template["args"][1] = "router"
    for container in spec["containers"]:
        if _waits(container):
            own = {key: value for key, value in container.items() if key != "image"}
            container.update({**template, **own, "ports": [*template["ports"], *(own.get("ports") or [])]})
    labels.setdefault("service.istio.io/canonical-name", _canonical_name(metadata, labels))
    labels.setdefault("service.istio.io/canonical-revision", labels.get("version", "latest"))
    annotations[_REVISION] = revision
    annotations["sidecar.istio.io/status"] = json.dumps({"containers": [CONTAINER], "revision": revision})
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


def _sidecar(own: Mapping[str, str], defaults: Defaults) -> dict[str, Any]:
    """The container `istio-proxy`. Its start-up probe holds the app back until the proxy has its configuration."""
    annotations = {**defaults.annotations, **own}
    ready = {"httpGet": {"path": READY_PATH, "port": HEALTH_PORT, "scheme": "HTTP"}}
    made: dict[str, Any] = {
        "name": CONTAINER,
        "image": annotations.get("sidecar.istio.io/proxyImage", IMAGE),
        "args": ["proxy", "sidecar", "--log-level", annotations.get("sidecar.istio.io/logLevel", "warning")],
        "restartPolicy": "Always",
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http-envoy-prom", "containerPort": 15090, "protocol": "TCP"}],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "startupProbe": {**ready, "periodSeconds": 1, "failureThreshold": 600, "timeoutSeconds": 3},
        "readinessProbe": {**ready, "periodSeconds": 15, "failureThreshold": 4, "timeoutSeconds": 3},
    }
    given = defaults.container.get("resources") or {"requests": {"cpu": "100m", "memory": "128Mi"}}
    made = overlay(made, {key: value for key, value in defaults.container.items() if key != "resources"})
    return {**made, "resources": _resources(annotations, given)}


def _resources(annotations: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    resources: dict[str, dict[str, str]] = {part: dict(amounts) for part, amounts in given.items()}
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
