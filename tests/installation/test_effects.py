"""Every key that is said to be implemented changes something: an object, or how sidecars are made."""

from typing import Any

import pytest

from semafor import installation
from semafor.installation import Layer, components, keys, machine, paths, sidecar, spec, values
from semafor.installation.keys import Idle

Doc = dict[str, Any]

_PLAIN = {"bool": True, "count": 7, "number": 7, "text": "x", "tag": "7", "texts": {"a": "b"}, "any": {"a": "b"}}
_STRUCTS: dict[str, Any] = {
    "ResourceRequirements": {"limits": {"cpu": "7"}},
    "Affinity": {"nodeAffinity": {}},
    "Toleration": {"operator": "Exists"},
    "TopologySpreadConstraint": {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"},
    "Volume": {"name": "v", "emptyDir": {}},
    "VolumeMount": {"name": "v", "mountPath": "/v"},
    "LabelSelector": {"matchLabels": {"a": "b"}},
    "Lifecycle": {"preStop": {"exec": {"command": ["true"]}}},
    "EnvVar": {"name": "A", "value": "1"},
    "HorizontalPodAutoscalerSpec": {"maxReplicas": 3},
    "PodDisruptionBudgetSpec": {"minAvailable": 1},
    "Probe": {"periodSeconds": 7},
    "ServiceSpec": {"type": "NodePort"},
    "DeploymentStrategy": {"type": "Recreate"},
    "PodSecurityContext": {"runAsUser": 7},
}
_VALUES = {"autoInject": "disabled", "logLevel": "debug", "traceSampling": 7}
_SECRET = {"name": "s", "secretName": "s", "mountPath": "/s"}
_PORT = {"name": "p", "port": 7}
_LISTS: dict[str, Any] = {"secretVolumes[]": _SECRET, "ports[]": _PORT}
# It can only be what it is.
_FIXED = {"spec.values.global.istioNamespace"}


def sample(path: str, tree: Any) -> Any:
    if isinstance(tree, list):
        return [sample(path, tree[0])]
    if isinstance(tree, type):
        return _STRUCTS[tree.__name__]
    return _VALUES.get(path.rpartition(".")[2], _PLAIN[tree])


def cases(tree: Any, prefix: str) -> list[tuple[str, Any]]:
    found = []
    for path, end in keys.leaves(tree):
        whole = f"{prefix}.{path}"
        if isinstance(end, Idle) or whole in _FIXED or "overlays" in path or path.endswith("apiVersion"):
            continue
        whole = whole.replace(".*", ".X")
        if "[]." in whole:
            base, _, field = whole.partition("[].")
            found.append((base, [{**_LISTS[base.rpartition(".")[2] + "[]"], field: sample(path, end)}]))
        else:
            found.append((whole, sample(whole, end)))
    return found


def effects(document: Doc) -> Any:
    """All that comes of a spec but the account that is kept of its values."""
    made, problems = installation.resolve([Layer(spec.ref("a"), document)])
    assert [problem for problem in problems if problem.severity == "error"] == []
    documents = [each for part in installation.render(made, machine.CHARTS) for each in part.documents]
    kept = [each for each in documents if not each["metadata"]["name"].startswith(machine.INJECTOR)]
    return kept, sidecar.defaults(made.values), sidecar.policy(made.values)


def base(path: str) -> Doc:
    made: Doc = {"profile": "demo"}
    if "autoscaleM" in path or "autoscaleB" in path or "targetAverage" in path:
        return paths.put(made, (*path.split(".")[: 3 if ".gateways." in path else 2], "autoscaleEnabled"), True)
    return made


@pytest.mark.parametrize(("path", "value"), cases({"values": values.TREE}, "spec"), ids=lambda each: str(each)[:60])
def test_a_value_has_an_effect(path, value):
    path = path.removeprefix("spec.")
    before = base(path)
    assert effects(paths.put(before, tuple(path.split(".")), value)) != effects(before)


@pytest.mark.parametrize(("path", "value"), cases(components.K8S, "k8s"), ids=lambda each: str(each)[:60])
@pytest.mark.parametrize("component", ["pilot", "ingressGateways", "egressGateways"])
def test_a_setting_of_kubernetes_has_an_effect(component, path, value):
    one = paths.put({}, tuple(path.split(".")), value)
    written = one if component == "pilot" else [one]
    assert effects({"profile": "demo", "components": {component: written}}) != effects({"profile": "demo"})
