import copy

import pytest

from semafor.app import inject

POD = {
    "metadata": {"name": "web-7d9f-x2x4q", "namespace": "shop", "labels": {"app": "web", "version": "v2"}},
    "spec": {"containers": [{"name": "web", "image": "web:v2"}]},
}
ENABLED = {"istio-injection": "enabled"}


def pod(**metadata):
    return {**POD, "metadata": {**POD["metadata"], **metadata}}


@pytest.mark.parametrize(
    ("changed", "namespace", "wanted"),
    [
        ({}, {}, False),
        ({}, ENABLED, True),
        ({}, {"istio.io/rev": "default"}, True),
        ({}, {"istio.io/rev": "canary"}, False),
        ({"labels": {"sidecar.istio.io/inject": "true"}}, {}, True),
        ({"labels": {"sidecar.istio.io/inject": "false"}}, ENABLED, False),
        ({"annotations": {"sidecar.istio.io/inject": "false"}}, ENABLED, False),
        ({"labels": {"sidecar.istio.io/inject": "true"}}, {"istio-injection": "disabled"}, False),
        ({"labels": {"istio.io/rev": "default"}}, {}, True),
        ({"namespace": "kube-system"}, ENABLED, False),
    ],
)
def test_labels_decide_who_gets_a_sidecar_as_in_istio(changed, namespace, wanted):
    assert inject.wanted(pod(**changed), namespace) is wanted


def test_a_mistyped_label_is_told():
    namespace = {"metadata": {"name": "shop", "labels": {"istio-injection": "enable"}}}
    (told,) = inject.meaningless(namespace)
    assert told.startswith("metadata.labels.istio-injection: enable means nothing")
    assert "istio-injection=enable," in inject.verdict(POD, {"istio-injection": "enable"}).reason
    assert inject.meaningless({"metadata": {"labels": ENABLED}}) == inject.meaningless({"metadata": {}}) == ()


def test_pods_of_the_hosts_network_get_no_sidecar():
    assert not inject.wanted({**POD, "spec": {**POD["spec"], "hostNetwork": True}}, ENABLED)


def test_a_pod_gets_its_sidecar_once():
    assert not inject.wanted(inject.inject(POD), ENABLED)


def test_injection_leaves_the_given_pod_alone():
    before = copy.deepcopy(POD)
    inject.inject(POD)
    assert before == POD


def test_the_sidecar_comes_first_and_holds_the_app_back_until_it_is_ready():
    first, *others = inject.inject({**POD, "spec": {**POD["spec"], "initContainers": [{"name": "migrate"}]}})["spec"][
        "initContainers"
    ]
    assert (first["name"], first["restartPolicy"]) == ("istio-proxy", "Always")
    assert first["startupProbe"]["httpGet"] == {"path": "/healthz/ready", "port": 15021, "scheme": "HTTP"}
    assert others == [{"name": "migrate"}]


def test_annotations_size_the_sidecar_and_set_its_log_level():
    annotations = {"sidecar.istio.io/proxyCPULimit": "2", "sidecar.istio.io/logLevel": "debug"}
    sidecar = inject.inject(pod(annotations=annotations))["spec"]["initContainers"][0]
    assert sidecar["resources"] == {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "2"}}
    assert sidecar["args"] == ["proxy", "sidecar", "--log-level", "debug"]


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({"labels": {"app": "web"}}, "web"),
        ({"labels": {"app": "web", "app.kubernetes.io/name": "shop"}}, "shop"),
        ({"labels": {}, "ownerReferences": [{"kind": "ReplicaSet", "name": "web-7d9f"}]}, "web"),
        ({"labels": {}, "ownerReferences": [{"kind": "Job", "name": "import-1"}]}, "import-1"),
        ({"labels": {}, "name": "", "generateName": "web-"}, "web"),
    ],
)
def test_the_canonical_name_is_a_label_or_the_workloads_name(metadata, name):
    assert inject.inject(pod(**metadata))["metadata"]["labels"]["service.istio.io/canonical-name"] == name


def test_an_annotation_that_is_neither_true_nor_false_is_told():
    (problem,) = inject.problems(pod(annotations={"sidecar.istio.io/inject": "yes"}))
    assert str(problem).startswith("Pod shop/web-7d9f-x2x4q metadata.annotations[sidecar.istio.io/inject]: 'yes'")


def test_a_pod_of_the_gateway_template_becomes_a_gateway():
    spec = {"containers": [{"name": "istio-proxy", "image": "auto", "resources": {}, "ports": [{"containerPort": 80}]}]}
    own = {**pod(annotations={"inject.istio.io/templates": "gateway"}), "spec": spec}
    assert inject.wanted(own, {})
    made = inject.inject(own)
    (container,) = made["spec"]["containers"]
    assert (container["image"], container["args"][:2]) == ("semafor/proxyv2", ["proxy", "router"])
    assert (container["resources"], container["ports"][-1], "restartPolicy" in container) == (
        {},
        {"containerPort": 80},
        False,
    )
    assert "initContainers" not in made["spec"]
    assert "security.istio.io/tlsMode" not in made["metadata"]["labels"]


def test_a_pod_whose_label_says_no_is_no_gateway():
    metadata = {"annotations": {"inject.istio.io/templates": "gateway"}, "labels": {"sidecar.istio.io/inject": "false"}}
    own = {**pod(**metadata), "spec": {"containers": [{"name": "istio-proxy", "image": "auto"}]}}
    assert not inject.wanted(own, ENABLED)
