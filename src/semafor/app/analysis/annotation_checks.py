"""Annotations of Istio's that are misspelt, at an object that they do not count at, or not understood.

Source: Istio's reference of resource annotations; its messages IST0107, IST0108, IST0125 and IST0135.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from msgspec import structs

from semafor.app import inject, stats_annotations
from semafor.app.analysis import codes
from semafor.app.analysis.message import Message, of
from semafor.app.analysis.reading import Source
from semafor.app.analysis.world import TEMPLATED, ref, told

Doc = dict[str, Any]

# Those that count here, with the kind that they count at.
_POD = "Pod"
COUNTED: Mapping[str, str] = {
    "inject.istio.io/templates": _POD,
    "istio.io/dry-run": "AuthorizationPolicy",
    "istio.io/rev": _POD,
    "networking.istio.io/exportTo": "Service",
    "networking.istio.io/service-type": "Gateway",
    "proxy.istio.io/config": _POD,
    "sidecar.istio.io/inject": _POD,
    "sidecar.istio.io/interceptionMode": _POD,
    "sidecar.istio.io/logLevel": _POD,
    "sidecar.istio.io/proxyCPU": _POD,
    "sidecar.istio.io/proxyCPULimit": _POD,
    "sidecar.istio.io/proxyImage": _POD,
    "sidecar.istio.io/proxyMemory": _POD,
    "sidecar.istio.io/proxyMemoryLimit": _POD,
    "sidecar.istio.io/statsHistogramBuckets": _POD,
    "sidecar.istio.io/statsInclusionPrefixes": _POD,
    "sidecar.istio.io/statsInclusionRegexps": _POD,
    "sidecar.istio.io/statsInclusionSuffixes": _POD,
    "traffic.sidecar.istio.io/excludeInboundPorts": _POD,
    "traffic.sidecar.istio.io/excludeOutboundIPRanges": _POD,
    "traffic.sidecar.istio.io/excludeOutboundPorts": _POD,
    "traffic.sidecar.istio.io/includeInboundPorts": _POD,
    "traffic.sidecar.istio.io/includeOutboundIPRanges": _POD,
}
# Those that the mesh, or Istio's own tools, write themselves.
_WRITTEN = frozenset(
    {
        "galley.istio.io/analyze-suppress",
        "gateway.istio.io/controller-version",
        "install.operator.istio.io/chart-owner",
        "install.operator.istio.io/owner-generation",
        "install.operator.istio.io/version",
        "proxy.istio.io/health-checks-enabled",
        "proxy.istio.io/overrides",
        "sidecar.istio.io/status",
        "topology.istio.io/controlPlaneClusters",
    }
)
# Those of Istio's that do nothing here.
WITHOUT_EFFECT = frozenset(
    {
        "alpha.istio.io/canonical-serviceaccounts",
        "alpha.istio.io/identity",
        "alpha.istio.io/kubernetes-serviceaccounts",
        "istio.io/autoRegistrationGroup",
        "istio.io/connectedAt",
        "istio.io/disconnectedAt",
        "istio.io/reroute-virtual-interfaces",
        "istio.io/workloadController",
        "gateway.istio.io/name-override",
        "gateway.istio.io/service-account",
        "gateway.istio.io/tls-terminate-mode",
        "networking.istio.io/traffic-distribution",
        "prometheus.istio.io/merge-metrics",
        "readiness.status.sidecar.istio.io/applicationPorts",
        "readiness.status.sidecar.istio.io/failureThreshold",
        "readiness.status.sidecar.istio.io/initialDelaySeconds",
        "readiness.status.sidecar.istio.io/periodSeconds",
        "sidecar.istio.io/agentLogLevel",
        "sidecar.istio.io/bootstrapOverride",
        "sidecar.istio.io/componentLogLevel",
        "sidecar.istio.io/controlPlaneAuthPolicy",
        "sidecar.istio.io/discoveryAddress",
        "sidecar.istio.io/enableCoreDump",
        "sidecar.istio.io/extraStatTags",
        "sidecar.istio.io/nativeSidecar",
        "sidecar.istio.io/proxyImageType",
        "sidecar.istio.io/rewriteAppHTTPProbers",
        "sidecar.istio.io/statsCompression",
        "sidecar.istio.io/statsEvictionInterval",
        "sidecar.istio.io/statsFlushInterval",
        "sidecar.istio.io/userVolume",
        "sidecar.istio.io/userVolumeMount",
        "status.sidecar.istio.io/port",
        "traffic.istio.io/nodeSelector",
        "traffic.sidecar.istio.io/excludeInterfaces",
        "traffic.sidecar.istio.io/includeOutboundPorts",
        "traffic.sidecar.istio.io/kubevirtInterfaces",
    }
)
_OF_AMBIENT = ("ambient.istio.io/", "traffic.istio.io/")  # all of them, and none has an effect
_OTHERS = ("internal.istio.io/", "operator.istio.io/")  # notes that Istio's programs leave for themselves
_DOMAIN = ".istio.io/"


def messages(source: Source) -> Iterator[Message]:
    document, kind = source.document, str(source.document["kind"])
    yield from _checked(source, kind, "metadata", document)
    if kind == _POD:
        yield from _values(source, "metadata", document)
    if kind in TEMPLATED:
        template = (document.get("spec") or {}).get("template") or {}
        yield from _checked(source, _POD, "spec.template.metadata", template)
        yield from _values(source, "spec.template.metadata", template)


def _checked(source: Source, kind: str, at: str, holder: Doc) -> Iterator[Message]:
    for name in _annotations(holder):
        place = f"{at}.annotations[{name}]"
        if name in _WRITTEN or name.startswith(_OTHERS) or _DOMAIN not in f".{name}":
            continue
        if name in WITHOUT_EFFECT or name.startswith(_OF_AMBIENT):
            yield told(source, "NoEffect", "Info", place, "the annotation has no effect in this mesh (remove it)")
        elif name not in COUNTED:
            close = get_close_matches(name, COUNTED, n=1)
            mend = f"write {close[0]}" if close else "remove it"
            yield told(source, codes.UNKNOWN_ANNOTATION, "Warning", place, f"there is no such annotation ({mend})")
        elif COUNTED[name] != kind:
            wanted = (
                "the template of its pods" if kind in TEMPLATED and COUNTED[name] == _POD else f"the {COUNTED[name]}"
            )
            text = f"the annotation counts at a {COUNTED[name]}, and not at a {kind} (move it to {wanted})"
            yield told(source, codes.MISPLACED, "Warning", place, text)


def _values(source: Source, at: str, holder: Doc) -> Iterator[Message]:
    """What of the annotations that count is not understood, in the words of `kubectl apply`."""
    metadata, own = holder.get("metadata") or {}, ref(source)
    found = (*inject.problems({"metadata": metadata}), *stats_annotations.problems(_annotations(holder), own))
    for each in found:
        path = each.path.replace("metadata", at, 1)
        place = source.place(path) if source.file else ""
        yield of(structs.replace(each, ref=own, path=path), codes.INVALID_ANNOTATION, "Warning", place)


def _annotations(holder: Doc) -> Mapping[str, str]:
    return (holder.get("metadata") or {}).get("annotations") or {}
