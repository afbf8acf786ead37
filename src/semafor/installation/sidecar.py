"""What an installation's values say of the sidecars that are put into pods. Pure.

Most of it has an annotation by which a pod can say the same; those are used as its defaults.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

Doc = Mapping[str, Any]

_ANNOTATIONS = {
    "logLevel": "sidecar.istio.io/logLevel",
    "includeIPRanges": "traffic.sidecar.istio.io/includeOutboundIPRanges",
    "excludeIPRanges": "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "includeInboundPorts": "traffic.sidecar.istio.io/includeInboundPorts",
    "excludeInboundPorts": "traffic.sidecar.istio.io/excludeInboundPorts",
    "excludeOutboundPorts": "traffic.sidecar.istio.io/excludeOutboundPorts",
}
_READINESS = {
    "readinessInitialDelaySeconds": "initialDelaySeconds",
    "readinessPeriodSeconds": "periodSeconds",
    "readinessFailureThreshold": "failureThreshold",
}


class Defaults(NamedTuple):
    """How sidecars are where their pods say nothing. `container` goes over the proxy's own."""

    annotations: Mapping[str, str] = {}
    pod_annotations: Mapping[str, str] = {}
    container: Mapping[str, Any] = {}


class Policy(NamedTuple):
    """Which pods get a sidecar where their namespace and they themselves do not say."""

    every_namespace: bool = False
    unless_told: bool = True  # False: labels of namespaces do not count, pods have to ask
    never: tuple[Doc, ...] = ()
    always: tuple[Doc, ...] = ()


def defaults(values: Doc) -> Defaults:
    """Of the values of a revision."""
    global_ = values.get("global") or {}
    proxy = global_.get("proxy") or {}
    annotations = {word: str(proxy[key]) for key, word in _ANNOTATIONS.items() if proxy.get(key) not in (None, "")}
    container: dict[str, Any] = {key: proxy[key] for key in ("resources", "lifecycle") if proxy.get(key)}
    if global_.get("imagePullPolicy"):
        container["imagePullPolicy"] = global_["imagePullPolicy"]
    if probe := {word: proxy[key] for key, word in _READINESS.items() if proxy.get(key) is not None}:
        container["readinessProbe"] = probe
    if threshold := (proxy.get("startupProbe") or {}).get("failureThreshold"):
        container["startupProbe"] = {"failureThreshold": threshold}
    injected = (values.get("sidecarInjectorWebhook") or {}).get("injectedAnnotations") or {}
    return Defaults(annotations, dict(injected), container)


def policy(values: Doc) -> Policy:
    """Of the values of a revision."""
    injector = values.get("sidecarInjectorWebhook") or {}
    return Policy(
        every_namespace=injector.get("enableNamespacesByDefault") is True,
        unless_told=((values.get("global") or {}).get("proxy") or {}).get("autoInject") != "disabled",
        never=tuple(injector.get("neverInjectSelector") or ()),
        always=tuple(injector.get("alwaysInjectSelector") or ()),
    )
