"""Pod: the identity it runs under, its class of service, and how little of it may change.

Source: apiserver's pod strategy, and the ServiceAccount, DefaultTolerationSeconds and Priority admission plugins.
"""

from collections.abc import Iterator
from typing import Any

from semafor.kube.api.rules.rules import Ground, Refused, Rules, at
from semafor.resources import errors
from semafor.resources.errors import FieldError

Doc = dict[str, Any]

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path, fixed by Kubernetes
_TOKEN_LIFETIME_S = 3607  # Kubernetes' own, told apart from a user's 3600
_TAINTS_WAITED_FOR = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def _complete(new: Doc, old: Doc | None, ground: Ground) -> Doc:
    if old is not None:
        return new
    spec = dict(new.get("spec", {}))
    account = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    spec |= {"serviceAccountName": account, "serviceAccount": account}
    spec["tolerations"] = _tolerations(spec.get("tolerations", []))
    spec = {"priority": 0, "preemptionPolicy": "PreemptLowerPriority", **spec}
    if _wants_token(spec, new["metadata"]["namespace"], ground):
        spec = _with_token(spec, f"kube-api-access-{ground.tail}")
    return {**new, "spec": spec, "status": {"phase": "Pending", "qosClass": qos_class(spec)}}


def _allocate(new: Doc, old: Doc | None, ground: Ground) -> Doc:
    """Refuse an identity that does not exist. A namespace's `default` may still be on its way."""
    name, namespace = at(new, "spec.serviceAccountName"), new["metadata"]["namespace"]
    if old is None and name and name != "default" and not _account(namespace, name, ground):
        why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
        raise Refused(errors.forbidden("spec.serviceAccountName", why))
    return new


def _account(namespace: str, name: str, ground: Ground) -> Doc | None:
    accounts = (account for account in ground.heads("serviceaccounts") if account["metadata"]["name"] == name)
    return next((account for account in accounts if account["metadata"]["namespace"] == namespace), None)


def _tolerations(given: list[Doc]) -> list[Doc]:
    missing = [key for key in _TAINTS_WAITED_FOR if not any(item.get("key") in (key, None) for item in given)]
    added = [{"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300} for key in missing]
    return [*given, *added]


def _wants_token(spec: Doc, namespace: str, ground: Ground) -> bool:
    if "automountServiceAccountToken" in spec:
        return bool(spec["automountServiceAccountToken"])
    account = _account(namespace, spec["serviceAccountName"], ground) or {}
    return bool(account.get("automountServiceAccountToken", True))


def _with_token(spec: Doc, volume: str) -> Doc:
    """Mount the account's token where client libraries look for it, in every container that has nothing there."""
    mount = {"name": volume, "mountPath": TOKEN_PATH, "readOnly": True}

    def mounted(container: Doc) -> Doc:
        mounts = container.get("volumeMounts", [])
        if any(item.get("mountPath") == TOKEN_PATH for item in mounts):
            return container
        return {**container, "volumeMounts": [*mounts, mount]}

    lists: Doc = {key: [mounted(item) for item in spec[key]] for key in ("initContainers", "containers") if key in spec}
    if lists == {key: spec[key] for key in lists}:
        return spec
    return {**spec, **lists, "volumes": [*spec.get("volumes", []), _token_volume(volume)]}


def _token_volume(name: str) -> Doc:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    root = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": _TOKEN_LIFETIME_S, "path": "token"}},
        {"configMap": root},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": name, "projected": {"defaultMode": 0o644, "sources": sources}}


def qos_class(spec: Doc) -> str:
    """Guaranteed, Burstable or BestEffort. Source: Kubernetes' "Pod Quality of Service Classes"."""
    containers = [*spec.get("containers", []), *spec.get("initContainers", [])]
    resources = [container.get("resources", {}) for container in containers]
    if not any(item.get("requests") or item.get("limits") for item in resources):
        return "BestEffort"
    return "Guaranteed" if all(_is_guaranteed(item) for item in resources) else "Burstable"


def _is_guaranteed(resources: Doc) -> bool:
    limits = resources.get("limits", {})
    requests = {**limits, **resources.get("requests", {})}
    return all(limits.get(name) and requests[name] == limits[name] for name in ("cpu", "memory"))


_MUTABLE = ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "ephemeralContainers")
_CHANGED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def _check(new: Doc, old: Doc | None) -> Iterator[FieldError]:
    if old is None:
        return
    before, after = _unchangeable(old), _unchangeable(new)
    if not at(old, "spec.nodeName"):  # the scheduler's part
        before["nodeName"] = after.get("nodeName")
        after.setdefault("nodeName", None)
    if before != after:
        yield errors.forbidden("spec", _CHANGED)


def _unchangeable(pod: Doc) -> Doc:
    spec = {key: value for key, value in pod.get("spec", {}).items() if key not in _MUTABLE}
    for key in ("containers", "initContainers"):
        if key in spec:
            spec[key] = [{**container, "image": ""} for container in spec[key]]
    return spec


RULES = Rules(complete=_complete, allocate=_allocate, check=_check)
