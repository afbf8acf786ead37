"""The chart of a gateway: an Envoy that stands alone. It has no listeners until a Gateway object selects it."""

from typing import Any

from semafor.installation.spec import Component, Installation

Doc = dict[str, Any]

STATUS_PORT = 15021
_EVERY = (("status-port", STATUS_PORT, STATUS_PORT), ("http2", 80, 8080), ("https", 443, 8443))
_INGRESS = (("tcp", 31400, 31400), ("tls", 15443, 15443))
_LISTENS = (("status-port", STATUS_PORT), ("http2", 8080), ("https", 8443))


def chart(container: Doc, pods: Doc, component: Component) -> tuple[Doc, ...]:
    """The account, the Deployment and the Service.

    `container` is the proxy's, without ports and probe; `pods` has further labels and annotations of its pods.
    """
    metadata = {"name": component.name, "namespace": component.namespace, "labels": dict(component.labels)}
    account = f"{component.name}-service-account"
    return (
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": account, "namespace": component.namespace},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": dict(component.labels)},
                "template": _template(container, pods, component, account),
            },
        },
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": _service(component)},
    )


def _template(container: Doc, pods: Doc, component: Component, account: str) -> Doc:
    proxy = {
        **container,
        "name": "istio-proxy",
        "ports": [{"name": name, "containerPort": port} for name, port in _LISTENS],
        "readinessProbe": {"httpGet": {"path": "/healthz/ready", "port": STATUS_PORT}, "periodSeconds": 3},
    }
    metadata: Doc = {"labels": {**component.labels, **(pods.get("labels") or {})}}
    if pods.get("annotations"):
        metadata["annotations"] = pods["annotations"]
    spec = {"serviceAccountName": account, "terminationGracePeriodSeconds": 1, "containers": [proxy]}
    return {"metadata": metadata, "spec": spec}


def _service(component: Component) -> Doc:
    is_ingress = component.kind == "ingressGateways"
    ports = [
        {"name": name, "port": port, "targetPort": target}
        for name, port, target in (*_EVERY, *(_INGRESS if is_ingress else ()))
    ]
    kind = {"type": "LoadBalancer"} if is_ingress else {}
    return {**kind, "selector": dict(component.labels), "ports": ports}


def of_installation(installation: Installation, component: Component) -> tuple[Doc, ...]:
    """On one machine: the machine's own Envoy."""
    container: Doc = {"image": "semafor/proxyv2", "args": ["proxy", "router"]}
    annotations = {"istio.io/rev": installation.revision} if installation.revision else {}
    return chart(container, {"labels": {"sidecar.istio.io/inject": "false"}, "annotations": annotations}, component)
