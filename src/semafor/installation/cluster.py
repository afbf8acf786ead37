"""The charts of a real Kubernetes: the control plane with all that it needs there, and gateways that are injected.

Images are those of `make images`, in the installation's `hub` and of its `tag`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from semafor.installation import gateway, machine, merge
from semafor.installation.parts import Chart
from semafor.installation.spec import NAMESPACE, Component, Installation
from semafor.resources import definitions, registry
from semafor.resources.kind import Kind

Doc = dict[str, Any]

HUB: Final = "localhost/semafor"
PROXY_UID: Final = 1337
OWN_STORE: Final = "semafor"  # the provider that keeps traces on one machine
_READS: Final = ("get", "list", "watch")
_GROUPS: Final = ("istio.io", "gateway.networking.k8s.io", "smi-spec.io")  # of rules; each with all its kinds
_OTHERS: Final = {
    "": ("configmaps", "namespaces", "nodes", "pods", "secrets", "services"),
    "discovery.k8s.io": ("endpointslices",),
    "admissionregistration.k8s.io": ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
}
_PORTS: Final = (("grpc-xds", 15012, 15012), ("https-webhook", 443, 15017), ("http-monitoring", 15014, 15014))
_INJECT, _INJECTION, _REVISION = "sidecar.istio.io/inject", "istio-injection", "istio.io/rev"


def image(installation: Installation, name: str) -> str:
    """An image of the installation."""
    return f"{installation.hub or HUB}/{name}:{installation.tag or 'latest'}"


def _base(_: Installation, __: Component) -> tuple[Doc, ...]:
    """The namespace, and the definitions of Istio's kinds."""
    kinds = (kind for kind in registry.KINDS if kind.custom and kind.group.endswith("istio.io"))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    return namespace, *(definitions.definition(kind) for kind in kinds)


def _pilot(installation: Installation, component: Component) -> tuple[Doc, ...]:
    name, revision = installation.named("istiod"), installation.revision or "default"
    labels = {"app": "istiod", "istio": "istiod" if installation.revision else "pilot", "istio.io/rev": revision}
    return (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(name)},
        _map(installation.named(machine.MESH), "mesh", _mesh(installation)),
        _map(
            installation.named(machine.INJECTOR), "values", {**installation.values, "revision": installation.revision}
        ),
        *_roles(installation, name),
        _deployment(installation, name, labels),
        _service(name, labels),
        *_scale(name, labels, component),
        _network(name, labels),
        *webhooks(installation, name),
        *machine.tags(installation),
    )


def _mesh(installation: Installation) -> Doc:
    """The configuration of the mesh, without the store of traces that only one machine has."""
    made = machine.mesh(installation)
    providers = made.get("defaultProviders") or {}
    elsewhere = [each for each in providers.get("tracing") or () if each != OWN_STORE]
    return {**made, "defaultProviders": {**providers, "tracing": elsewhere}} if "tracing" in providers else made


def _metadata(name: str, labels: Mapping[str, str] | None = None, *, namespaced: bool = True) -> Doc:
    made: Doc = {"name": name}
    if namespaced:
        made["namespace"] = NAMESPACE
    return made | ({"labels": dict(labels)} if labels else {})


def _map(name: str, key: str, document: Doc) -> Doc:
    text = merge.written(key, dict(document))
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(name), "data": {key: text}}


# --- what it may do ---


def _roles(installation: Installation, name: str) -> Iterator[Doc]:
    """What it reads anywhere and writes anywhere; and what it writes in its own namespace."""
    wide = f"{name}-clusterrole-{NAMESPACE}"
    rules = [*_reading(), *_writing(installation)]
    yield _role("ClusterRole", _metadata(wide, namespaced=False), rules)
    yield _bound("ClusterRoleBinding", "ClusterRole", _metadata(wide, namespaced=False), wide, name)
    own = [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},  # the root that it makes itself
    ]
    yield _role("Role", _metadata(name), own)
    yield _bound("RoleBinding", "Role", _metadata(name), name, name)


def _reading() -> Iterator[Doc]:
    groups: dict[str, list[str]] = {group: list(names) for group, names in _OTHERS.items()}
    for kind in registry.KINDS:
        if kind.custom and kind.group.endswith(_GROUPS):
            groups.setdefault(kind.group, []).append(kind.plural)
    for group, names in sorted(groups.items()):
        yield {"apiGroups": [group], "resources": sorted(names), "verbs": list(_READS)}


def _writing(installation: Installation) -> Iterator[Doc]:
    yield {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]}
    yield {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}
    # The mesh's root, for agents, in every namespace.
    yield {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["istio-ca-root-cert"], "verbs": ["patch"]}
    for plural, named in (
        ("mutatingwebhookconfigurations", _injector(installation)),
        ("validatingwebhookconfigurations", _validator(installation)),
    ):
        group = "admissionregistration.k8s.io"
        yield {"apiGroups": [group], "resources": [plural], "resourceNames": [named], "verbs": ["patch"]}


def _role(kind: str, metadata: Doc, rules: Iterable[Doc]) -> Doc:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "rules": list(rules)}


def _bound(kind: str, role: str, metadata: Doc, name: str, account: str) -> Doc:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
    }


# --- where it runs ---


def _deployment(installation: Installation, name: str, labels: Mapping[str, str]) -> Doc:
    template = {
        "metadata": {"labels": {**labels, _INJECT: "false"}},
        "spec": {
            "serviceAccountName": name,
            "terminationGracePeriodSeconds": 30,
            "containers": [_container(installation, name)],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": dict(labels)},
                }
            ],
        },
    }
    spec = {
        "selector": {"matchLabels": dict(labels)},
        "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": template,
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(name, labels), "spec": spec}


def _container(installation: Installation, name: str) -> Doc:
    probe = {"httpGet": {"path": "/ready", "port": 15014}}
    return {
        "name": "discovery",
        "image": image(installation, "pilot"),
        "args": [
            "controlplane",
            "--bind=0.0.0.0",
            f"--namespace={NAMESPACE}",
            f"--service={name}",
            f"--revision={installation.revision or 'default'}",
            f"--proxy-image={image(installation, 'proxyv2')}",
        ],
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "ports": [{"name": port, "containerPort": target} for port, _, target in _PORTS],
        "readinessProbe": {**probe, "periodSeconds": 3, "timeoutSeconds": 5},
        "startupProbe": {**probe, "periodSeconds": 2, "failureThreshold": 150},
        "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}},
        "securityContext": {
            "runAsUser": PROXY_UID,
            "runAsGroup": PROXY_UID,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 of the container
    }


def _service(name: str, labels: Mapping[str, str]) -> Doc:
    ports = [{"name": word, "port": port, "targetPort": target} for word, port, target in _PORTS]
    metadata = _metadata(name, labels)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": dict(labels), "ports": ports},
    }


def _scale(name: str, labels: Mapping[str, str], component: Component) -> Iterator[Doc]:
    """Two replicas at least, so that one may always go; five at most. What the settings say themselves is theirs."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    if "hpaSpec" not in component.k8s:
        yield {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": _metadata(name, labels),
            "spec": {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 5, "metrics": [metric]},
        }
    if "podDisruptionBudget" not in component.k8s:
        yield {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": _metadata(name, labels),
            "spec": {"minAvailable": 1, "selector": {"matchLabels": dict(labels)}},
        }


def _network(name: str, labels: Mapping[str, str]) -> Doc:
    """Its ports and no others."""
    ports = [{"port": target, "protocol": "TCP"} for _, _, target in _PORTS]
    spec = {"podSelector": {"matchLabels": dict(labels)}, "policyTypes": ["Ingress"], "ingress": [{"ports": ports}]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(name, labels),
        "spec": spec,
    }


# --- what the API server asks it ---


def webhooks(installation: Installation, service: str) -> Iterator[Doc]:
    """Injection, which has to be asked; and validation, which the schemas do most of, so that it may be away."""
    revision = installation.revision or "default"
    yield {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": _metadata(
            _injector(installation), {_REVISION: revision, "app": "sidecar-injector"}, namespaced=False
        ),
        "webhooks": [_injection(name, service, *selectors) for name, *selectors in _selectors(installation)],
    }
    groups = sorted({kind.group for kind in _rules()})
    yield {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": _metadata(_validator(installation), {_REVISION: revision, "app": "istiod"}, namespaced=False),
        "webhooks": [
            {
                "name": "rev.validation.istio.io",
                "clientConfig": {"service": {"name": service, "namespace": NAMESPACE, "path": "/validate"}},
                "rules": [
                    {
                        "apiGroups": groups,
                        "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["*"],
                    }
                ],
                "failurePolicy": "Ignore",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 10,
            }
        ],
    }


def _rules() -> Iterator[Kind]:
    return (kind for kind in registry.KINDS if kind.custom and kind.group.endswith(".istio.io") and kind.effect)


def _selectors(installation: Installation) -> Iterator[tuple[str, list[Doc], list[Doc]]]:
    """Istio's four questions: what the namespace says, and what the pod says, of injection and of a revision."""
    revision = installation.revision or "default"
    not_off = _says(_INJECT, "NotIn", "false")
    yield "rev.namespace", [_says(_REVISION, "In", revision), _says(_INJECTION, "DoesNotExist")], [not_off]
    silent = [_says(_REVISION, "DoesNotExist"), _says(_INJECTION, "DoesNotExist")]
    yield "rev.object", silent, [not_off, _says(_REVISION, "In", revision)]
    if not installation.revision:
        yield "namespace", [_says(_INJECTION, "In", "enabled")], [not_off]
        yield "object", silent, [_says(_INJECT, "In", "true"), _says(_REVISION, "DoesNotExist")]


def _says(key: str, operator: str, *values: str) -> Doc:
    return {"key": key, "operator": operator} | ({"values": list(values)} if values else {})


def _injection(name: str, service: str, of_namespace: list[Doc], of_pod: list[Doc]) -> Doc:
    return {
        "name": f"{name}.sidecar-injector.istio.io",
        "clientConfig": {"service": {"name": service, "namespace": NAMESPACE, "path": "/inject"}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "namespaceSelector": {"matchExpressions": of_namespace},
        "objectSelector": {"matchExpressions": of_pod},
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 10,
    }


def _injector(installation: Installation) -> str:
    return installation.named("istio-sidecar-injector")


def _validator(installation: Installation) -> str:
    return f"{installation.named('istio-validator')}-{NAMESPACE}"


def _gateway(installation: Installation, component: Component) -> tuple[Doc, ...]:
    """An Envoy whose image and settings the injection fills in."""
    container: Doc = {"image": "auto"}
    labels = {_INJECT: "true"} | ({_REVISION: installation.revision} if installation.revision else {})
    return gateway.chart(
        container, {"labels": labels, "annotations": {"inject.istio.io/templates": "gateway"}}, component
    )


CHARTS: Mapping[str, Chart] = {
    "base": _base,
    "pilot": _pilot,
    "ingressGateways": _gateway,
    "egressGateways": _gateway,
}
