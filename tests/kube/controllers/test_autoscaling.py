"""How many pods a HorizontalPodAutoscaler asks for: the sums, and the controller in a cluster without programs."""

import pytest
from tests.kube.controllers.world import web, world

from semafor.kube.api.node import Usage
from semafor.kube.controllers import autoscaler as controller
from semafor.kube.controllers import autoscaling
from semafor.kube.controllers.autoscaling import History, Sample, Unmeasured
from semafor.resources.apps import deployment
from semafor.resources.autoscaling.horizontal_pod_autoscaler import KIND

HALF = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
MEMORY = {
    "type": "Resource",
    "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "100Mi"}},
}
ONE = {
    "type": "ContainerResource",
    "containerResource": {
        "name": "cpu",
        "container": "app",
        "target": {"type": "Utilization", "averageUtilization": 50},
    },
}


def sample(cores=None, *, ready=True, mib=0, request="100m"):
    """A pod that asks for 100 millicores in each of two containers; the sidecar uses nothing."""
    resources = {"requests": {"cpu": request}} if request else {}
    pod = {
        "metadata": {"name": "a"},
        "spec": {
            "containers": [{"name": "app", "resources": resources}],
            "initContainers": [
                {"name": "once"},
                {"name": "proxy", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}},
            ],
        },
    }
    own = {} if cores is None else {"app": Usage(cores=cores, bytes=mib * 2**20, window_s=5)}
    used = {**own, "proxy": Usage(cores=0, bytes=0, window_s=5)} if own else {}
    return Sample(pod=pod, used=used, ready=ready)


@pytest.mark.parametrize(
    ("metric", "samples", "replicas"),
    [
        (HALF, [sample(0.1)], 1),  # 50 % of what both containers ask for
        (HALF, [sample(0.109)], 1),  # within the tolerance
        (HALF, [sample(0.2)], 2),
        (HALF, [sample(0.2), sample(0.2)], 4),
        (HALF, [sample(0.01), sample(0.01), sample(0.01)], 1),
        (HALF, [sample(0.3), sample(0.3, ready=False)], 3),  # one that begins counts as using nothing
        (HALF, [sample(0.05), sample()], 2),  # one of which nothing is known counts as full, so as not to lose it
        (ONE, [sample(0.1)], 2),
        (MEMORY, [sample(0, mib=250)], 3),
    ],
)
def test_a_metric_asks_for_so_many(metric, samples, replicas):
    assert autoscaling.wish(metric, samples, len(samples)).replicas == replicas


@pytest.mark.parametrize(
    ("metric", "samples", "message"),
    [
        (HALF, [sample(0.1, request="")], "missing request for cpu in container app of Pod a"),
        (HALF, [sample()], "no metrics of the pods' cpu are known yet"),
        ({"type": "Pods", "pods": {}}, [sample(0.1)], "no source of metrics of the type Pods"),
    ],
)
def test_what_cannot_be_measured_is_told(metric, samples, message):
    with pytest.raises(Unmeasured, match=message):
        autoscaling.wish(metric, samples, 1)


SPEC = {"minReplicas": 2, "maxReplicas": 12}
CALM = {**SPEC, "behavior": {"scaleUp": {"stabilizationWindowSeconds": 60}}}
SLOW = {**SPEC, "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}}
NEVER = {**SPEC, "behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}


@pytest.mark.parametrize(
    ("spec", "current", "wished", "history", "replicas"),
    [
        (SPEC, 2, 4, History(), 4),
        (SPEC, 2, 10, History(), 6),  # at most twice as many, or four more, in 15 seconds
        (SPEC, 2, 10, History(changes=((95.0, 1),)), 5),  # of which one came just now
        (SPEC, 8, 40, History(), 12),
        (SPEC, 8, 1, History(), 2),
        (SPEC, 8, 3, History(wishes=((50.0, 7),)), 7),  # seven were wished within five minutes
        (CALM, 2, 8, History(wishes=((70.0, 2),)), 2),
        (SLOW, 2, 8, History(), 3),
        (SLOW, 3, 8, History(changes=((60.0, 1),)), 3),
        (NEVER, 8, 2, History(), 8),
    ],
)
def test_windows_speeds_and_bounds_hold(spec, current, wished, history, replicas):
    assert autoscaling.bounded(spec, current, wished, history, 100.0).replicas == replicas


async def test_a_deployment_follows_its_load(monkeypatch):
    monkeypatch.setattr(controller, "_START_S", 0)
    async with world() as made:
        made.used = 0.4
        template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [_app("100m")]}}
        await made.client.create(deployment.KIND, web(replicas=1, template=template))
        await made.rolled_out()
        await made.client.create(KIND, _autoscaler())
        await made.until(deployment.KIND, "web", lambda found: found["spec"]["replicas"] == 4)
        status = (await made.until(KIND, "web", lambda found: found["status"].get("conditions")))["status"]
        assert status["currentMetrics"][0]["resource"]["current"]["averageUtilization"] == 400
        assert {each["type"]: each["status"] for each in status["conditions"]} == {
            "AbleToScale": "True",
            "ScalingActive": "True",
            "ScalingLimited": "True",
        }


def _app(cpu):
    return {"name": "app", "image": "web:1", "resources": {"requests": {"cpu": cpu}}}


def _autoscaler():
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 4, "metrics": [HALF]},
    }
