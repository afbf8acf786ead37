"""The ServiceAccount, the Deployment and the Service of a Gateway, as documents. Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from semafor.app import inject
from semafor.planner.gateway_api import naming, serving
from semafor.planner.gateway_api.gateway import Gateway
from semafor.planner.gateway_api.listeners import GatewayState
from semafor.resources.apps import deployment
from semafor.resources.core import service, service_account
from semafor.resources.kind import Kind

Doc = dict[str, Any]

MANAGED_LABEL = "gateway.istio.io/managed"  # Istio's name, which its tools look for
MANAGER = "semafor.io-gateway-controller"
_STATUS_PORT = 15021


class Made(NamedTuple):
    """An object that a Gateway needs."""

    kind: Kind
    document: Doc


def is_wanted(state: GatewayState) -> bool:
    """Whether the Gateway gets a workload of its own: not when it names a Service that is there already."""
    gateway = state.gateway
    return state.accepted.holds and serving.service_host(gateway.addresses, gateway.ref.namespace) is None


def of(state: GatewayState, uid: str) -> tuple[Made, ...]:
    """What the Gateway with this uid needs, in the order in which it is made."""
    gateway = state.gateway
    name = naming.workload(gateway.ref.name, gateway.class_name)
    meta = _metadata(gateway, name, uid)
    pods: Doc = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": _spec(gateway, name)}
    return (
        Made(service_account.KIND, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}),
        Made(deployment.KIND, pods),
        Made(service.KIND, {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": _service(state)}),
    )


def _metadata(gateway: Gateway, name: str, uid: str) -> Doc:
    owner = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "name": gateway.ref.name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "name": name,
        "namespace": gateway.ref.namespace,
        "labels": _labels(gateway),
        "annotations": dict(gateway.annotations),
        "ownerReferences": [owner],
    }


def _selector(gateway: Gateway) -> dict[str, str]:
    return {naming.NAME_LABEL: naming.short(gateway.ref.name)}


def _labels(gateway: Gateway) -> dict[str, str]:
    own = {naming.CLASS_LABEL: naming.short(gateway.class_name), MANAGED_LABEL: MANAGER}
    return {**dict(gateway.labels), **own, **_selector(gateway)}


def _spec(gateway: Gateway, name: str) -> Doc:
    labels = {**_labels(gateway), "sidecar.istio.io/inject": "false"}
    container = {
        "name": inject.CONTAINER,
        "image": inject.IMAGE,
        "args": ["proxy", "router"],
        "ports": [{"name": "status-port", "containerPort": _STATUS_PORT}],
        "readinessProbe": {"httpGet": {"path": inject.READY_PATH, "port": _STATUS_PORT}, "periodSeconds": 3},
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": _selector(gateway)},
        "template": {
            "metadata": {"labels": labels, "annotations": dict(gateway.annotations)},
            "spec": {"serviceAccountName": name, "terminationGracePeriodSeconds": 1, "containers": [container]},
        },
    }


def _service(state: GatewayState) -> Doc:
    gateway = state.gateway
    spec: Doc = {"type": gateway.service_type, "selector": _selector(gateway), "ports": list(_ports(state))}
    wanted = [address.value for address in gateway.addresses if address.type == "IPAddress" and address.value]
    if wanted and gateway.service_type == "LoadBalancer":
        spec["loadBalancerIP"] = wanted[0]
    return spec


def _ports(state: GatewayState) -> Iterator[Doc]:
    """The status port, and one for each port and transport of the listeners."""
    yield {"name": "status-port", "port": _STATUS_PORT, "targetPort": _STATUS_PORT, "protocol": "TCP"}
    found: dict[tuple[int, str], str] = {}
    for one in state.every:
        if one.accepted.holds:
            protocol = one.listener.protocol
            found.setdefault((one.listener.port, "UDP" if protocol == "UDP" else "TCP"), protocol.lower())
    for (port, transport), word in sorted(found.items()):
        yield {"name": f"{word}-{port}", "port": port, "targetPort": port, "protocol": transport}
