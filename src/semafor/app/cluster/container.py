"""From a pod that is injected as on one machine to one that a real kubelet can run. Pure.

The image gets its registry and tag, the proxy what its agent asks for, and the pod an init container that has the
kernel send its traffic to the proxy.
"""

import copy
from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from semafor.app import inject, interception, proxies
from semafor.app.cluster import redirect, secrets
from semafor.base.struct import Value

Pod = dict[str, Any]
Doc = dict[str, Any]

PROXY_UID: Final = 1337
INIT: Final = "istio-init"  # Istio's name
ROOT_MAP: Final = "istio-ca-root-cert"  # the ConfigMap with the mesh's root, in every namespace
ROOT_KEY: Final = "root-cert.pem"
_TOKEN_SECONDS: Final = 43200
_VOLUMES: Final[tuple[Doc, ...]] = (
    {"name": "istiod-ca-cert", "configMap": {"name": ROOT_MAP}},
    {"name": "workload-tls", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
    {
        "name": "istio-token",
        "projected": {
            "sources": [
                {
                    "serviceAccountToken": {
                        "path": "istio-token",
                        "audience": "istio-ca",
                        "expirationSeconds": _TOKEN_SECONDS,
                    }
                }
            ]
        },
    },
)
_MOUNTS: Final[tuple[Doc, ...]] = (
    {"name": "istiod-ca-cert", "mountPath": "/var/run/secrets/istio", "readOnly": True},
    {"name": "workload-tls", "mountPath": secrets.FOLDER},
    {"name": "istio-token", "mountPath": "/var/run/secrets/tokens", "readOnly": True},
)


class Image(Value):
    """Where images come from, and where agents find the control plane: `HOST:PORT`."""

    name: str
    control_plane: str
    pull_policy: str = "IfNotPresent"


def housed(pod: Pod, image: Image) -> Pod:
    """A copy of the pod as a cluster runs it; one without a proxy comes back as it is."""
    name = proxies.container(pod)
    if not name:
        return pod
    pod = copy.deepcopy(pod)
    spec = pod["spec"]
    for part in ("initContainers", "containers"):
        if part in spec:
            spec[part] = [_proxy(each, image) if proxies.is_proxy(each) else each for each in spec[part] or ()]
    wanted = interception.of(pod)
    if wanted is not None:
        arguments = redirect.arguments(replace(wanted, proxy_uid=PROXY_UID, dns_port=0))
        spec["initContainers"] = [_init(arguments, image), *(spec.get("initContainers") or ())]
    known = {each["name"] for each in spec.get("volumes") or ()}
    spec["volumes"] = [*(spec.get("volumes") or ()), *(each for each in _VOLUMES if each["name"] not in known)]
    return pod


def _proxy(container: Doc, image: Image) -> Doc:
    own = container.get("securityContext") or {}
    plain = container["image"] in (inject.IMAGE, "auto")
    return {
        **container,
        "image": image.name if plain else container["image"],
        "imagePullPolicy": container.get("imagePullPolicy") or image.pull_policy,
        "env": [*_environment(image), *(container.get("env") or ())],
        "volumeMounts": [*(container.get("volumeMounts") or ()), *_MOUNTS],
        "securityContext": {
            **_UNPRIVILEGED,
            "runAsUser": PROXY_UID,
            "runAsGroup": PROXY_UID,
            "runAsNonRoot": True,
            **own,
        },
    }


_UNPRIVILEGED: Final[Mapping[str, Any]] = {
    "allowPrivilegeEscalation": False,
    "privileged": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def _environment(image: Image) -> list[Doc]:
    fields = {"POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "INSTANCE_IP": "status.podIP"}
    return [
        {"name": "CA_ADDR", "value": image.control_plane},
        *({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()),
    ]


def _init(arguments: str, image: Image) -> Doc:
    return {
        "name": INIT,
        "image": image.name,
        "imagePullPolicy": image.pull_policy,
        "command": ["python", "-m", "semafor.app.cluster.redirect", arguments],
        "resources": {"requests": {"cpu": "10m", "memory": "40Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
        "securityContext": {
            "runAsUser": 0,
            "runAsGroup": 0,
            "runAsNonRoot": False,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]},
        },
    }
