"""What metrics, logs and traces call a workload, by Istio's rules. Proxies learn it of each other from certificates."""

import re
from collections.abc import Mapping
from operator import attrgetter
from typing import Final

from semafor.base.struct import Value

_LABEL: Final = "service.istio.io/canonical-"
_OF_CRON_JOB: Final = re.compile(r"(.+)-\d{8,}")
_BETWEEN: Final = ";"  # in no name and no label of Kubernetes


class Peer(Value, cache_hash=True):
    """`workload` is the Deployment or its like, `service` and `revision` are the canonical ones; empty: not known."""

    workload: str
    namespace: str
    app: str = ""
    version: str = ""
    service: str = ""
    revision: str = ""


FIELDS: Final = ("workload", "app", "version", "service", "revision")  # of the text in a certificate, in this order
_of: Final = attrgetter(*FIELDS)


def of(workload: str, namespace: str, labels: Mapping[str, str]) -> Peer:
    """The words for a workload with these labels. Source: Istio's labels for canonical services."""
    name = labels.get(_LABEL + "name") or labels.get("app.kubernetes.io/name") or labels.get("app") or workload
    revision = labels.get(_LABEL + "revision") or labels.get("app.kubernetes.io/version") or labels.get("version")
    return Peer(
        workload=workload,
        namespace=namespace,
        app=labels.get("app", ""),
        version=labels.get("version", ""),
        service=name,
        revision=revision or "latest",
    )


def workload(pod: str, owner: tuple[str, str], labels: Mapping[str, str]) -> str:
    """The name of what a pod is one of: of its Deployment, CronJob, other controller, or its own.

    `owner` is kind and name of the controller; empty texts without one. Source: Istio's GetDeployMetaFromPod.
    """
    kind, name = owner
    if kind == "ReplicaSet" and (suffix := "-" + labels.get("pod-template-hash", "")) != "-":
        return name.removesuffix(suffix)
    if kind == "Job" and (found := _OF_CRON_JOB.fullmatch(name)):
        return found[1]
    return name or pod


def text(peer: Peer) -> str:
    """The words as one text, for a certificate; the namespace is in the identity that stands there too."""
    words = _of(peer)
    whole = _BETWEEN.join(words)
    if whole.count(_BETWEEN) < len(words):
        return whole
    return _BETWEEN.join(word.replace(_BETWEEN, "") for word in words)
