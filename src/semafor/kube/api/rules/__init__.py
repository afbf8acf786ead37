"""What kinds demand beyond shape and defaults: values only the server can choose, and fields that may not change.

In: the new document, the old one, and the `Ground` (what else is stored). Out: the completed document, or what is
wrong with it. Defaults and checks that need nothing but the document live with the kind, in `resources`.
"""

from semafor.kube.api.rules import configuration, pods, services, storage, workloads
from semafor.kube.api.rules.rules import Ground, Refused, Rules
from semafor.resources.kind import Kind

_RULES: dict[str, Rules] = {
    "certificatesigningrequests.certificates.k8s.io": configuration.CERTIFICATE_REQUEST,
    "configmaps": configuration.CONFIG_MAP,
    "customresourcedefinitions.apiextensions.k8s.io": configuration.DEFINITION,
    "persistentvolumeclaims": storage.CLAIM,
    "pods": pods.RULES,
    "rolebindings.rbac.authorization.k8s.io": configuration.ROLE_BINDING,
    "clusterrolebindings.rbac.authorization.k8s.io": configuration.ROLE_BINDING,
    "secrets": configuration.SECRET,
    "services": services.RULES,
    "daemonsets.apps": workloads.RULES,
    "deployments.apps": workloads.RULES,
    "jobs.batch": workloads.JOB,
    "replicasets.apps": workloads.RULES,
    "statefulsets.apps": workloads.RULES,
}
_NONE = Rules()


def of(kind: Kind) -> Rules:
    """The rules of a kind; most have none of their own."""
    return _RULES.get(kind.resource, _NONE)


__all__ = ["Ground", "Refused", "Rules", "of"]
