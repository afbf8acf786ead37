"""The charts of the one-machine home.

The work of the control plane is done by the daemon. Its pod is the daemon's door inside the cluster: an Envoy that
hands /ready, /version and /debug over a unix socket to it, and is ready only while it answers; Prometheus's API, too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from semafor.installation import gateway, merge
from semafor.installation.parts import Chart
from semafor.installation.spec import NAMESPACE, Component, Installation

Doc = dict[str, Any]

MESH = "istio"  # the ConfigMap with the mesh configuration, and with -REVISION that of a revision
INJECTOR = "istio-sidecar-injector"  # the one with what sidecars are made by
_DEFAULTS: Doc = {"outboundTrafficPolicy": {"mode": "ALLOW_ANY"}, "trustDomain": "cluster.local"}
TAG, WEBHOOK_REVISION = "istio.io/tag", "istio.io/rev"


def _pilot(installation: Installation, _: Component) -> tuple[Doc, ...]:
    return tuple(_control_plane(installation)) + tuple(tags(installation))


def _control_plane(installation: Installation) -> Iterator[Doc]:
    revision, name = installation.revision or "default", installation.named("istiod")
    # As in Istio, the service of the revision without a name does not lead to the pods of others.
    word = "istiod" if installation.revision else "pilot"
    labels = {"app": "istiod", "istio": word, "istio.io/rev": revision}
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels}
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}}
    yield _map(installation.named(MESH), "mesh", mesh(installation))
    yield _map(installation.named(INJECTOR), "values", {**installation.values, "revision": installation.revision})
    selector = {"app": "istiod", "istio.io/rev": revision} if installation.revision else {"app": "istiod"}
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": 1, "selector": {"matchLabels": selector}, "template": _door(name, labels)},
    }
    ports = [{"name": "http-monitoring", "port": 15014, "targetPort": 15014}]
    own = {"app": "istiod", "istio": word} | ({"istio.io/rev": revision} if installation.revision else {})
    yield {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": own, "ports": ports}}
    if not installation.revision:
        yield _prometheus()


def mesh(installation: Installation) -> Doc:
    """The mesh configuration. What a revision does not say it has from its own defaults, not from the other's."""
    made: Doc = merge.overlay(_DEFAULTS, dict(installation.mesh_config))
    return made


def _map(name: str, key: str, document: Mapping[str, Any]) -> Doc:
    metadata = {"name": name, "namespace": NAMESPACE}
    text = merge.written(key, dict(document))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {key: text}}


def _door(account: str, labels: Mapping[str, str]) -> Doc:
    container = {
        "name": "discovery",
        "image": "semafor/proxyv2",
        "args": ["proxy", "discovery"],
        "ports": [
            {"name": "http-monitoring", "containerPort": 15014},
            {"name": "http-prometheus", "containerPort": 9090},
        ],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 15014}, "periodSeconds": 3},
    }
    spec = {"serviceAccountName": account, "terminationGracePeriodSeconds": 1, "containers": [container]}
    return {"metadata": {"labels": {**labels, "sidecar.istio.io/inject": "false"}}, "spec": spec}


def _prometheus() -> Doc:
    """Where Istio's add-ons (Kiali, Grafana) look for Prometheus."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "prometheus", "namespace": NAMESPACE, "labels": {"app": "prometheus"}},
        "spec": {
            "selector": {"app": "istiod", "istio": "pilot"},
            "ports": [{"name": "http", "port": 9090, "targetPort": 9090}],
        },
    }


def tags(installation: Installation) -> Iterator[Doc]:
    """The tags that lead to the revision."""
    for name in installation.values.get("revisionTags") or ():
        yield tag(str(name), installation.revision or "default")


def tag(name: str, revision: str) -> Doc:
    """A tag: the object by which Istio's tools know it. On one machine it calls nobody; the API itself looks at it."""
    labels = {"app": "sidecar-injector", TAG: name, WEBHOOK_REVISION: revision}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": f"istio-revision-tag-{name}", "labels": labels},
    }


def _base(_: Installation, __: Component) -> tuple[Doc, ...]:
    """Nothing: the API has the definitions of all kinds from its start."""
    return ()


CHARTS: Mapping[str, Chart] = {
    "base": _base,
    "pilot": _pilot,
    "ingressGateways": gateway.of_installation,
    "egressGateways": gateway.of_installation,
}
