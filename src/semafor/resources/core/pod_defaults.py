"""What Kubernetes fills into a pod that leaves it out. Source: Kubernetes' core/v1 defaults."""

from typing import Any

from semafor.resources import quantity
from semafor.resources.defaulting import each, fill, inside

_SPEC = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "securityContext": {},
}
_CONTAINER = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "resources": {}}
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_HTTP_GET = {"path": "/", "scheme": "HTTP"}
_FILES_MODE = {"defaultMode": 0o644}
_VOLUMES: dict[str, dict[str, Any]] = {
    "configMap": _FILES_MODE,
    "secret": _FILES_MODE,
    "downwardAPI": _FILES_MODE,
    "projected": _FILES_MODE,
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}
_CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


def pod(doc: dict[str, Any]) -> dict[str, Any]:
    """A pod's defaults: the template's, and those that only a real pod gets."""
    return inside(doc, "spec", _pod_spec)


def pod_template(doc: dict[str, Any]) -> dict[str, Any]:
    """The defaults of a stored PodTemplate."""
    return inside(doc, "template", template)


def template(doc: dict[str, Any]) -> dict[str, Any]:
    """The defaults of the template in a workload."""
    return inside(doc, "spec", spec)


def _pod_spec(doc: dict[str, Any]) -> dict[str, Any]:
    doc = fill(spec(doc), {"enableServiceLinks": True})
    for name in _CONTAINER_LISTS:
        doc = each(doc, name, lambda container: inside(container, "resources", _requests_from_limits))
    return doc


def spec(doc: dict[str, Any]) -> dict[str, Any]:
    """The defaults of a pod's spec."""
    doc = fill(doc, _SPEC)
    if doc.get("serviceAccount") and not doc.get("serviceAccountName"):
        doc = {**doc, "serviceAccountName": doc["serviceAccount"]}
    for name in _CONTAINER_LISTS:
        doc = each(doc, name, _container)
    if doc.get("hostNetwork"):
        for name in _CONTAINER_LISTS:
            doc = each(doc, name, lambda container: each(container, "ports", _host_port))
    return each(doc, "volumes", _volume)


def _container(doc: dict[str, Any]) -> dict[str, Any]:
    doc = fill(doc, {**_CONTAINER, "imagePullPolicy": pull_policy(doc.get("image", ""))})
    doc = each(doc, "ports", lambda port: fill(port, {"protocol": "TCP"}))
    doc = each(doc, "env", lambda variable: inside(variable, "valueFrom", _field_ref))
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        doc = inside(doc, name, _probe)
    doc = inside(doc, "lifecycle", _lifecycle)
    return inside(doc, "resources", _canonical_resources)


def pull_policy(image: str) -> str:
    """Always for the tag `latest` or no tag, else IfNotPresent."""
    if "@" in image:
        return "IfNotPresent"
    _, _, tag = image.rpartition("/")[2].partition(":")
    return "Always" if tag in {"", "latest"} else "IfNotPresent"


def _host_port(doc: dict[str, Any]) -> dict[str, Any]:
    return doc if doc.get("hostPort") else {**doc, "hostPort": doc.get("containerPort", 0)}


def _field_ref(doc: dict[str, Any]) -> dict[str, Any]:
    doc = inside(doc, "fieldRef", lambda ref: fill(ref, {"apiVersion": "v1"}))
    return inside(doc, "resourceFieldRef", lambda ref: fill(ref, {"divisor": "0"}))


def _probe(doc: dict[str, Any]) -> dict[str, Any]:
    # Zero means "not given" in these fields, as in Kubernetes.
    doc = {key: value for key, value in doc.items() if not (key in _PROBE and value == 0)}
    doc = inside(fill(doc, _PROBE), "httpGet", lambda action: fill(action, _HTTP_GET))
    return inside(doc, "grpc", lambda action: fill(action, {"service": ""}))


def _lifecycle(doc: dict[str, Any]) -> dict[str, Any]:
    for name in ("postStart", "preStop"):
        doc = inside(doc, name, lambda hook: inside(hook, "httpGet", lambda action: fill(action, _HTTP_GET)))
    return doc


def _canonical_resources(doc: dict[str, Any]) -> dict[str, Any]:
    for name in ("limits", "requests"):
        doc = inside(doc, name, lambda amounts: {key: quantity.text(value) for key, value in amounts.items()})
    return doc


def _requests_from_limits(doc: dict[str, Any]) -> dict[str, Any]:
    limits = doc.get("limits")
    return {**doc, "requests": {**limits, **doc.get("requests", {})}} if limits else doc


def _volume(doc: dict[str, Any]) -> dict[str, Any]:
    if not set(doc) - {"name"}:
        return {**doc, "emptyDir": {}}
    for name, filled in _VOLUMES.items():
        if name in doc:
            doc = inside(doc, name, lambda source, filled=filled: fill(source, filled))  # type: ignore[misc]
    doc = inside(doc, "downwardAPI", lambda source: each(source, "items", _field_ref))
    doc = inside(doc, "ephemeral", _ephemeral)
    return inside(doc, "projected", lambda source: each(source, "sources", _projection))


def _projection(doc: dict[str, Any]) -> dict[str, Any]:
    doc = inside(doc, "downwardAPI", lambda source: each(source, "items", _field_ref))
    return inside(doc, "serviceAccountToken", lambda token: fill(token, {"expirationSeconds": 3600}))


def _ephemeral(doc: dict[str, Any]) -> dict[str, Any]:
    return inside(
        doc,
        "volumeClaimTemplate",
        lambda claim: inside(claim, "spec", lambda wanted: fill(wanted, {"volumeMode": "Filesystem"})),
    )
