"""Kubernetes' settings of a component, put into its Deployment and its Service. Pure.

Source: Istio's reference of IstioOperator, KubernetesResourcesSpec.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from semafor.installation import paths
from semafor.installation.merge import overlay
from semafor.installation.spec import Component

Doc = dict[str, Any]

_POD = {"affinity": "affinity", "nodeSelector": "nodeSelector", "priorityClassName": "priorityClassName",
        "securityContext": "securityContext", "tolerations": "tolerations"}  # fmt: skip
_CONTAINER = ("imagePullPolicy", "readinessProbe", "resources")


def configured(documents: tuple[Doc, ...], component: Component) -> tuple[Doc, ...]:
    """The component's objects as its settings want them, with those that only settings ask for.

    Raises paths.WrongPath when an overlay leads nowhere.
    """
    made = [_configured(document, component) for document in documents]
    for document in documents:
        if document["kind"] == "Deployment":
            made += _beside(document, component)
    return tuple(_overlaid(document, component) for document in made)


def _configured(document: Doc, component: Component) -> Doc:
    match document["kind"]:
        case "Deployment":
            return _deployment(document, component)
        case "Service" if document["metadata"].get("labels", {}).get("app") == _app(component):
            return _service(document, component.k8s)
        case "ServiceAccount":
            return _annotated(document, component.more.get("accountAnnotations") or {})
    return document


def _app(component: Component) -> str:
    return str(component.labels.get("app", component.name))


def _annotated(document: Doc, annotations: Mapping[str, str]) -> Doc:
    if not annotations:
        return document
    metadata = document["metadata"]
    return {**document, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), **annotations}}}


def _service(document: Doc, k8s: Mapping[str, Any]) -> Doc:
    """Ports that are named replace all that there were, as in Istio."""
    spec = overlay(document["spec"], dict(k8s.get("service") or {}))
    return _annotated({**document, "spec": spec}, k8s.get("serviceAnnotations") or {})


def _deployment(document: Doc, component: Component) -> Doc:
    k8s, more = component.k8s, component.more
    spec = dict(document["spec"])
    if k8s.get("replicaCount") is not None:
        spec["replicas"] = k8s["replicaCount"]
    if k8s.get("hpaSpec"):
        spec.pop("replicas", None)  # their number is the autoscaler's
    if k8s.get("strategy"):
        spec["strategy"] = k8s["strategy"]
    template = spec["template"]
    metadata = template["metadata"]
    metadata = {**metadata, "labels": {**metadata["labels"], **(more.get("podLabels") or {})}}
    if k8s.get("podAnnotations"):
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **k8s["podAnnotations"]}
    spec["template"] = {**template, "metadata": metadata, "spec": _pod(template["spec"], component)}
    labels = {**document["metadata"]["labels"], **(more.get("labels") or {})}
    return {**document, "metadata": {**document["metadata"], "labels": labels}, "spec": spec}


def _pod(pod: Doc, component: Component) -> Doc:
    k8s = component.k8s
    made = {**pod, **(component.more.get("pod") or {})}
    made |= {word: k8s[key] for key, word in _POD.items() if k8s.get(key)}
    if k8s.get("volumes"):
        made["volumes"] = [*(pod.get("volumes") or ()), *k8s["volumes"]]
    first, *others = pod["containers"]
    container = {**first, **{key: k8s[key] for key in _CONTAINER if k8s.get(key)}}
    if k8s.get("env"):
        named = {one["name"] for one in k8s["env"]}
        container["env"] = [*(one for one in first.get("env") or () if one["name"] not in named), *k8s["env"]]
    if k8s.get("volumeMounts"):
        container["volumeMounts"] = [*(first.get("volumeMounts") or ()), *k8s["volumeMounts"]]
    return {**made, "containers": [container, *others]}


def _beside(document: Doc, component: Component) -> Iterator[Doc]:
    """The autoscaler and the disruption budget of a Deployment."""
    name, k8s = document["metadata"]["name"], component.k8s
    metadata = {"name": name, "namespace": document["metadata"]["namespace"], "labels": document["metadata"]["labels"]}
    if k8s.get("hpaSpec"):
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        spec = {**k8s["hpaSpec"], "scaleTargetRef": target}
        yield {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}
    if k8s.get("podDisruptionBudget"):
        spec = {"selector": document["spec"]["selector"], **k8s["podDisruptionBudget"]}
        yield {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}


def _overlaid(document: Doc, component: Component) -> Doc:
    for one in component.k8s.get("overlays") or ():
        same = one.get("kind") == document["kind"] and one.get("name") == document["metadata"]["name"]
        if same and one.get("apiVersion", document["apiVersion"]) == document["apiVersion"]:
            for patch in one.get("patches") or ():
                document = _patched(document, patch)
    return document


def _patched(document: Doc, patch: Mapping[str, Any]) -> Doc:
    """A patch without a value takes away, as in Istio."""
    steps = paths.parse(str(patch.get("path") or ""))
    made: Doc = (
        paths.without(document, steps) if patch.get("value") is None else paths.put(document, steps, patch["value"])
    )
    return made
