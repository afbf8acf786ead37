"""Values of Istio's charts in the words of KubernetesResourcesSpec, and of the mesh configuration."""

from collections.abc import Mapping
from typing import Any

from semafor.installation.merge import overlay

Doc = dict[str, Any]

_SAME = ("affinity", "nodeSelector", "podAnnotations", "replicaCount", "resources", "serviceAnnotations", "tolerations",
         "volumes", "volumeMounts")  # fmt: skip
_SERVICE = ("externalTrafficPolicy", "ipFamilies", "ipFamilyPolicy", "loadBalancerIP", "loadBalancerSourceRanges",
            "ports", "type")  # fmt: skip
_POD = ("topologySpreadConstraints", "terminationGracePeriodSeconds")
_SECRET = ("name", "secretName", "mountPath")  # a secret to mount says all of these
_SAMPLING = "PILOT_TRACE_SAMPLING"
_OF_ALL = {
    "defaultNodeSelector": "nodeSelector",
    "defaultTolerations": "tolerations",
    "defaultResources": "resources",
    "priorityClassName": "priorityClassName",
    "imagePullPolicy": "imagePullPolicy",
}
_CPU_PERCENT = 80  # of what is requested: where Istio's charts let autoscaling begin


def k8s(charts: Mapping[str, Any], global_: Mapping[str, Any]) -> Doc:
    """What the values of a component and the global ones say of its Deployment and its Service."""
    made: Doc = _defaults(global_)
    made |= {key: charts[key] for key in _SAME if charts.get(key) is not None}
    if service := {key: charts[key] for key in _SERVICE if charts.get(key)}:
        made["service"] = service
    if variables := charts.get("env"):
        made["env"] = [{"name": name, "value": str(value)} for name, value in variables.items() if name != _SAMPLING]
    if charts.get("autoscaleEnabled"):
        made["hpaSpec"] = _scaling(charts)
    if rolling := _rolling(charts):
        made["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    if secrets := [one for one in charts.get("secretVolumes") or () if all(one.get(name) for name in _SECRET)]:
        made["volumes"] = [
            {"name": one["name"], "secret": {"secretName": one["secretName"], "optional": True}} for one in secrets
        ]
        made["volumeMounts"] = [
            {"name": one["name"], "mountPath": one["mountPath"], "readOnly": True} for one in secrets
        ]
    return made


def _defaults(global_: Mapping[str, Any]) -> Doc:
    made: Doc = {word: global_[name] for name, word in _OF_ALL.items() if global_.get(name)}
    if (global_.get("defaultPodDisruptionBudget") or {}).get("enabled"):
        made["podDisruptionBudget"] = {"minAvailable": 1}
    return made


def _scaling(charts: Mapping[str, Any]) -> Doc:
    targets = {name: (charts.get(name) or {}).get("targetAverageUtilization") for name in ("cpu", "memory")}
    if not any(targets.values()):
        targets["cpu"] = _CPU_PERCENT
    metrics = [
        {"type": "Resource", "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": share}}}
        for name, share in targets.items()
        if share
    ]
    made: Doc = {
        "minReplicas": charts.get("autoscaleMin") or 1,
        "maxReplicas": charts.get("autoscaleMax") or 5,
        "metrics": metrics,
    }
    return made | ({"behavior": charts["autoscaleBehavior"]} if charts.get("autoscaleBehavior") else {})


def _rolling(charts: Mapping[str, Any]) -> Doc:
    names = {"rollingMaxSurge": "maxSurge", "rollingMaxUnavailable": "maxUnavailable"}
    return {word: charts[name] for name, word in names.items() if charts.get(name) is not None}


def more(charts: Mapping[str, Any]) -> Doc:
    """What the values say that KubernetesResourcesSpec has no words for."""
    found = {
        "podLabels": charts.get("podLabels"),
        "labels": charts.get("deploymentLabels"),
        "accountAnnotations": charts.get("serviceAccountAnnotations")
        or (charts.get("serviceAccount") or {}).get("annotations"),
        "pod": {key: charts[key] for key in _POD if charts.get(key) is not None},
    }
    return {key: value for key, value in found.items() if value}


def mesh_config(spec: Mapping[str, Any], written: Doc) -> Doc:
    """The mesh configuration, with the share of traces that is asked for in one of the older places."""
    of_pilot = (spec.get("values") or {}).get("pilot") or {}
    variables = (((spec.get("components") or {}).get("pilot") or {}).get("k8s") or {}).get("env") or ()
    shares = [of_pilot.get("traceSampling"), (of_pilot.get("env") or {}).get(_SAMPLING)]
    shares += [one.get("value") for one in variables if one.get("name") == _SAMPLING]
    for share in shares:
        try:
            wanted = {"defaultConfig": {"tracing": {"sampling": float(share)}}} if share is not None else {}
        except ValueError:
            wanted = {}
        written = overlay(wanted, written)
    return written
