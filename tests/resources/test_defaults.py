"""The API fills in what Kubernetes fills in, and nothing twice."""

from typing import Any

import pytest

from semafor.resources import default, registry

CONTAINER = {
    "name": "a",
    "imagePullPolicy": "Always",
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "resources": {},
}
POD_SPEC = {
    "restartPolicy": "Always",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "terminationGracePeriodSeconds": 30,
    "securityContext": {},
}
SERVICE = {
    "type": "ClusterIP",
    "sessionAffinity": "None",
    "internalTrafficPolicy": "Cluster",
    "ipFamilyPolicy": "SingleStack",
    "ipFamilies": ["IPv4"],
}


def filled(group: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    known = registry.by_kind(group, kind)
    assert known is not None
    found: dict[str, Any] = default(known, {"spec": spec})["spec"]
    return found


def test_a_pod_gets_its_policies() -> None:
    expected = {**POD_SPEC, "enableServiceLinks": True, "containers": [CONTAINER]}
    assert filled("", "Pod", {"containers": [{"name": "a"}]}) == expected


def test_a_deployment_gets_its_strategy_and_its_template_the_policies_of_pods() -> None:
    template = {"spec": {"containers": [{"name": "a"}]}}
    assert filled("apps", "Deployment", {"template": template, "strategy": {}, "paused": None}) == {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
        "template": {"spec": {**POD_SPEC, "containers": [CONTAINER]}},
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("web:1", "IfNotPresent"),
        ("registry:5000/web", "Always"),
        ("registry:5000/web:1", "IfNotPresent"),
        ("web@sha256:0", "IfNotPresent"),
    ],
)
def test_only_moving_tags_are_always_pulled(image: str, policy: str) -> None:
    pod = filled("", "Pod", {"containers": [{"name": "a", "image": image}]})
    assert pod["containers"][0]["imagePullPolicy"] == policy


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"httpGet": {"port": 1}}, {"httpGet": {"port": 1, "path": "/", "scheme": "HTTP"}}),
        ({"grpc": {"port": 1}}, {"grpc": {"port": 1, "service": ""}}),
        ({"exec": {}, "periodSeconds": 0, "failureThreshold": 9}, {"exec": {}, "failureThreshold": 9}),
    ],
)
def test_a_probe_gets_its_times(given: dict[str, Any], expected: dict[str, Any]) -> None:
    pod = filled("", "Pod", {"containers": [{"name": "a", "livenessProbe": given}]})
    times = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    assert pod["containers"][0]["livenessProbe"] == {**times, **expected}


def test_limits_are_requests_too_but_only_of_a_real_pod() -> None:
    resources = {"limits": {"cpu": 0.5, "memory": "1Gi"}, "requests": {"cpu": 0.1}}
    containers = [{"name": "a", "resources": resources}]
    pod = filled("", "Pod", {"containers": containers})["containers"][0]["resources"]
    workload = filled("apps", "ReplicaSet", {"template": {"spec": {"containers": containers}}})
    template = workload["template"]["spec"]["containers"][0]["resources"]
    limits = {"cpu": "500m", "memory": "1Gi"}
    assert pod == {"limits": limits, "requests": {"cpu": "100m", "memory": "1Gi"}}
    assert template == {"limits": limits, "requests": {"cpu": "100m"}}


def test_volumes_get_their_modes_and_none_is_an_empty_folder() -> None:
    volumes = [{"name": "a"}, {"name": "b", "secret": {"secretName": "s"}}, {"name": "c", "hostPath": {"path": "/"}}]
    assert filled("", "Pod", {"volumes": volumes})["volumes"] == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "secret": {"secretName": "s", "defaultMode": 0o644}},
        {"name": "c", "hostPath": {"path": "/", "type": ""}},
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ports": [{"port": 80}]}, {**SERVICE, "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]}),
        ({"type": "ExternalName"}, {"type": "ExternalName", "sessionAffinity": "None"}),
        ({"type": "NodePort"}, {**SERVICE, "type": "NodePort", "externalTrafficPolicy": "Cluster"}),
        (
            {"type": "LoadBalancer"},
            {
                **SERVICE,
                "type": "LoadBalancer",
                "externalTrafficPolicy": "Cluster",
                "allocateLoadBalancerNodePorts": True,
            },
        ),
        (
            {"sessionAffinity": "ClientIP"},
            {
                **SERVICE,
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}},
            },
        ),
    ],
)
def test_a_service_gets_what_its_type_needs(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert filled("", "Service", given) == expected


def test_a_target_in_the_old_way_becomes_a_metric() -> None:
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    for metrics in ([], [metric]):
        spec = {"targetCPUUtilizationPercentage": 50, "metrics": metrics}
        assert filled("autoscaling", "HorizontalPodAutoscaler", spec) == {"minReplicas": 1, "metrics": [metric]}


def test_a_route_without_conditions_takes_every_path() -> None:
    rules = [{"backendRefs": [{"name": "a", "port": 80}]}]
    assert filled("gateway.networking.k8s.io", "HTTPRoute", {"rules": rules})["rules"] == [
        {
            "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
            "backendRefs": [{"group": "", "kind": "Service", "name": "a", "port": 80, "weight": 1}],
        }
    ]


def test_an_installation_without_a_name_gets_one() -> None:
    kind = registry.by_kind("install.istio.io", "IstioOperator")
    assert kind is not None
    assert default(kind, {"spec": {"profile": "demo"}})["metadata"] == {"name": "installed-state"}
