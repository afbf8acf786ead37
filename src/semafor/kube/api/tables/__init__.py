"""What `kubectl get` prints: objects as rows of a meta.k8s.io Table, exactly as kube-apiserver's printers make them.

In: a kind, its objects, the time. Out: `columnDefinitions` and `rows`. Kinds with a printer of their own are listed
here; all others are printed by their `Kind.columns`, as Kubernetes prints custom resources.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from semafor.kube.api.tables import access, cluster, columns, configuration, networking, pods, storage, workloads
from semafor.kube.api.tables.printer import Printer
from semafor.resources.kind import Column, Kind

Doc = dict[str, Any]

PRINTERS: Mapping[str, Printer] = {
    "configmaps": configuration.CONFIG_MAP,
    "endpoints": networking.ENDPOINTS,
    "events": cluster.EVENT,
    "limitranges": configuration.LIMIT_RANGE,
    "namespaces": cluster.NAMESPACE,
    "nodes": cluster.NODE,
    "persistentvolumeclaims": storage.CLAIM,
    "persistentvolumes": storage.VOLUME,
    "pods": pods.POD,
    "replicationcontrollers": workloads.REPLICA_SET,
    "secrets": configuration.SECRET,
    "serviceaccounts": configuration.SERVICE_ACCOUNT,
    "services": networking.SERVICE,
    "daemonsets.apps": workloads.DAEMON_SET,
    "deployments.apps": workloads.DEPLOYMENT,
    "replicasets.apps": workloads.REPLICA_SET,
    "statefulsets.apps": workloads.STATEFUL_SET,
    "horizontalpodautoscalers.autoscaling": workloads.AUTOSCALER,
    "cronjobs.batch": workloads.CRON_JOB,
    "jobs.batch": workloads.JOB,
    "endpointslices.discovery.k8s.io": networking.ENDPOINT_SLICE,
    "events.events.k8s.io": cluster.EVENT,
    "ingressclasses.networking.k8s.io": networking.INGRESS_CLASS,
    "ingresses.networking.k8s.io": networking.INGRESS,
    "networkpolicies.networking.k8s.io": networking.NETWORK_POLICY,
    "poddisruptionbudgets.policy": workloads.DISRUPTION_BUDGET,
    "clusterrolebindings.rbac.authorization.k8s.io": access.BINDING,
    "clusterroles.rbac.authorization.k8s.io": access.ROLE,
    "rolebindings.rbac.authorization.k8s.io": access.BINDING,
    "roles.rbac.authorization.k8s.io": access.ROLE,
    "certificatesigningrequests.certificates.k8s.io": access.CERTIFICATE_REQUEST,
    "storageclasses.storage.k8s.io": storage.CLASS,
    "leases.coordination.k8s.io": cluster.LEASE,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": cluster.WEBHOOKS,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": cluster.WEBHOOKS,
    "customresourcedefinitions.apiextensions.k8s.io": access.ROLE,
}


def render(
    kind: Kind, objects: Sequence[Doc], *, now: datetime, include: Callable[[Doc], Doc | None]
) -> dict[str, list[Doc]]:
    """The body of a Table. `include` makes the `object` of each row."""
    printer = PRINTERS.get(kind.resource) or columns.printer(kind)
    rows = [{"cells": list(printer.row(obj, now)), "object": include(obj)} for obj in objects]
    return {"columnDefinitions": [_definition(column) for column in printer.columns], "rows": rows}


def _definition(column: Column) -> Doc:
    return {
        "name": column.name,
        "type": "string" if column.type == "date" else column.type,
        "format": "name" if column.name == "Name" else "",
        "description": column.description,
        "priority": column.priority,
    }
