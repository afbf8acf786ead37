import pytest

from semafor import installation
from semafor.app.cli import up
from semafor.installation import Layer, machine, spec


def resolved(*specs):
    return installation.resolve([Layer(spec.ref(f"o{number}"), each) for number, each in enumerate(specs)])


def names(made):
    return [component.name for component in made.components if component.kind != "base"]


def wrong(*specs):
    return [(problem.severity, problem.path, problem.reason) for problem in resolved(*specs)[1]]


@pytest.mark.parametrize(
    ("profile", "parts"),
    [
        ("demo", ["istiod", "istio-ingressgateway", "istio-egressgateway"]),
        ("default", ["istiod", "istio-ingressgateway"]),
        ("minimal", ["istiod"]),
        ("empty", []),
        ("", ["istiod", "istio-ingressgateway"]),
    ],
)
def test_a_profile_says_what_there_is(profile, parts):
    assert names(resolved({"profile": profile})[0]) == parts


def test_the_last_layer_wins():
    made, problems = resolved(
        {"profile": "demo"}, {"components": {"egressGateways": [{"enabled": False}]}}, {"hub": ""}
    )
    assert (names(made), problems) == (["istiod", "istio-ingressgateway"], ())


def test_the_guides_words_are_taken_as_meant():
    written = {"components": {"egressGateway": {"enabled": False}}}
    resources = {"limits": {"cpu": "200m"}}
    made, problems = resolved(
        {"profile": "demo"}, {**written, "meshConfig": {"defaultConfig": {"resources": resources}}}
    )
    assert names(made) == ["istiod", "istio-ingressgateway"]
    assert made.values["global"]["proxy"]["resources"] == resources
    assert made.mesh_config == resolved({"profile": "demo"}, {})[0].mesh_config
    assert {problem.reason for problem in problems} == {"OldName"}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ({"profile": "dmeo"}, ("error", "spec.profile", "InvalidValue")),
        ({"profile": "ambient"}, ("error", "spec.profile", "InvalidValue")),
        ({"revision": "1.2"}, ("error", "spec.revision", "InvalidValue")),
        ({"namespace": "mesh"}, ("warning", "spec.namespace", "NotSupported")),
        ({"hub": "docker.io/istio"}, ("warning", "spec.hub", "NotSupported")),
        ({"components": {"pilot": {"enabled": "yes"}}}, ("error", "spec.components.pilot.enabled", "InvalidValue")),
        ({"components": {"pilto": {}}}, ("warning", "spec.components.pilto", "UnknownField")),
        ({"components": {"cni": {"enabled": True}}}, ("warning", "spec.components.cni", "NotSupported")),
        ({"components": []}, ("error", "spec.components", "InvalidValue")),
        (
            {"components": {"pilot": {"k8s": {"resources": {"requests": {"memory": "12Q"}}}}}},
            ("error", "spec.components.pilot.k8s.resources.requests[memory]", "InvalidValue"),
        ),
        (
            {"values": {"global": {"proxy": {"logLevel": "loud"}}}},
            ("error", "spec.values.global.proxy.logLevel", "InvalidValue"),
        ),
        ({"values": {"pilot": {"env": {"X": "1"}}}}, ("warning", "spec.values.pilot.env.X", "NotSupported")),
    ],
)
def test_what_is_wrong_is_named(written, found):
    assert wrong(written) == [found]


def test_nothing_is_made_of_a_wrong_spec():
    assert resolved({"profile": "demo", "components": {"pilot": {"enabled": 1}}})[0] == installation.Installation()


def test_a_setting_speaks_of_a_gateway_by_its_number_in_the_profile():
    made = installation.with_settings({"profile": "demo"}, ["components.egressGateways[0].enabled=false"])
    assert names(resolved(made)[0]) == ["istiod", "istio-ingressgateway"]


def test_a_revision_has_gateways_of_its_own_alone():
    made, _ = resolved({"revision": "canary", "profile": "demo", "components": {"ingressGateways": [{"name": "new"}]}})
    assert (made.revision, names(made)) == ("canary", ["istiod", "new"])


def test_values_say_the_same_in_the_charts_words():
    gateways = {"istio-ingressgateway": {"autoscaleEnabled": True, "type": "NodePort", "env": {"A": 1}}}
    made, problems = resolved({"values": {"gateways": gateways, "pilot": {"traceSampling": 7, "replicaCount": 2}}})
    _, pilot, ingress = made.components
    assert problems == ()
    assert made.mesh_config == {"defaultConfig": {"tracing": {"sampling": 7.0}}}
    assert pilot.k8s == {"replicaCount": 2}
    assert (ingress.k8s["service"], ingress.k8s["env"]) == ({"type": "NodePort"}, [{"name": "A", "value": "1"}])
    assert ingress.k8s["hpaSpec"]["maxReplicas"] == 5


def documents(*specs):
    parts = installation.render(resolved(*specs)[0], machine.CHARTS)
    return {(each["kind"], each["metadata"]["name"]): each for part in parts for each in part.documents}


def test_an_overlay_has_the_last_word():
    patches = [{"path": "spec.template.spec.containers.[name:istio-proxy].args.[:router]", "value": "sidecar"},
               {"path": "spec.replicas"}]  # fmt: skip
    overlays = [{"kind": "Deployment", "name": "istio-ingressgateway", "patches": patches}]
    made = documents({"components": {"ingressGateways": [{"k8s": {"overlays": overlays}}]}})
    spec_ = made["Deployment", "istio-ingressgateway"]["spec"]
    assert spec_["template"]["spec"]["containers"][0]["args"] == ["proxy", "sidecar"]
    assert "replicas" not in spec_


def test_every_setting_of_kubernetes_is_in_the_objects():
    k8s = {
        "replicaCount": 2,
        "resources": {"limits": {"cpu": "1"}},
        "env": [{"name": "A", "value": "1"}],
        "nodeSelector": {"a": "b"},
        "podAnnotations": {"c": "d"},
        "priorityClassName": "high",
        "serviceAnnotations": {"e": "f"},
        "service": {"ports": [{"name": "http", "port": 8080}], "type": "NodePort"},
        "strategy": {"type": "Recreate"},
        "tolerations": [{"operator": "Exists"}],
        "podDisruptionBudget": {"minAvailable": 1},
        "volumes": [{"name": "v", "emptyDir": {}}],
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        "imagePullPolicy": "Never",
    }
    made = documents({"components": {"ingressGateways": [{"k8s": k8s, "label": {"istio": "mine"}}]}})
    deployment = made["Deployment", "istio-ingressgateway"]["spec"]
    pod = deployment["template"]["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (2, {"type": "Recreate"})
    assert deployment["selector"]["matchLabels"] == {"app": "istio-ingressgateway", "istio": "mine"}
    assert deployment["template"]["metadata"]["annotations"] == {"c": "d"}
    assert (pod["nodeSelector"], pod["priorityClassName"], pod["tolerations"]) == (
        {"a": "b"},
        "high",
        k8s["tolerations"],
    )
    container = pod["containers"][0]
    assert {key: container[key] for key in ("resources", "env", "imagePullPolicy", "volumeMounts")} == {
        key: k8s[key] for key in ("resources", "env", "imagePullPolicy", "volumeMounts")
    }
    service = made["Service", "istio-ingressgateway"]
    assert (service["spec"]["type"], service["spec"]["ports"]) == ("NodePort", k8s["service"]["ports"])
    assert service["metadata"]["annotations"] == {"e": "f"}
    assert made["PodDisruptionBudget", "istio-ingressgateway"]["spec"]["minAvailable"] == 1


def test_the_command_that_starts_the_mesh_knows_the_profiles():
    assert up.PROFILES == spec.PROFILES


@pytest.mark.parametrize(
    "written",
    [
        {"components": {"pilot": {"k8s": None}, "ingressGateways": None}},
        {"values": {"gateways": {"istio-ingressgateway": {"secretVolumes": [{"name": "s"}], "labels": None}}}},
        {"values": {"pilot": {"autoscaleEnabled": True, "autoscaleMin": None, "cpu": None}}, "meshConfig": None},
    ],
)
def test_what_is_left_empty_says_nothing(written):
    made, problems = resolved({"profile": "demo"}, written)
    assert problems == ()
    assert len(installation.render(made, machine.CHARTS)) == 4
