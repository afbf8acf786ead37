"""What Kubernetes fills into workloads that leave it out. Source: Kubernetes' apps/v1 defaults."""

from typing import Any

from semafor.resources.core import pod_defaults
from semafor.resources.defaulting import each, fill, inside

Doc = dict[str, Any]


def replica_set(doc: Doc) -> Doc:
    """One pod, and the template's defaults."""
    return inside(doc, "spec", lambda spec: _workload(spec, {"replicas": 1}))


def deployment(doc: Doc) -> Doc:
    """One pod, replaced a quarter at a time."""

    def spec(wanted: Doc) -> Doc:
        filled = {"replicas": 1, "strategy": {}, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}
        return inside(_workload(wanted, filled), "strategy", strategy)

    def strategy(wanted: Doc) -> Doc:
        wanted = wanted if wanted.get("type") else {**wanted, "type": "RollingUpdate"}
        if wanted["type"] != "RollingUpdate":
            return wanted
        steps = fill(wanted.get("rollingUpdate", {}), {"maxUnavailable": "25%", "maxSurge": "25%"})
        return {**wanted, "rollingUpdate": steps}

    return inside(doc, "spec", spec)


def stateful_set(doc: Doc) -> Doc:
    """One pod, started and replaced in order, whose claims outlive it."""
    filled = {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    }
    return inside(doc, "spec", lambda spec: each(_workload(spec, filled), "volumeClaimTemplates", _claim))


def daemon_set(doc: Doc) -> Doc:
    """Pods replaced one node at a time."""
    steps = {"maxUnavailable": 1, "maxSurge": 0}
    filled = {"revisionHistoryLimit": 10, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": steps}}
    return inside(doc, "spec", lambda spec: _workload(spec, filled))


def _workload(spec: Doc, filled: Doc) -> Doc:
    return inside(fill(spec, filled), "template", pod_defaults.template)


def _claim(doc: Doc) -> Doc:
    doc = fill(doc, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}})
    return inside(doc, "spec", lambda spec: fill(spec, {"volumeMode": "Filesystem"}))
