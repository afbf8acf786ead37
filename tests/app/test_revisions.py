import json

import pytest

from semafor.app import inject, revisions
from semafor.app.revisions import Offer
from semafor.installation import machine, sidecar

POD = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [{"name": "web", "image": "web:v2"}]}}
TWO = Offer({"default": {}, "canary": {}}, {"prod": "canary"})
ENABLED = {"istio-injection": "enabled"}


def pod(**metadata):
    return {**POD, "metadata": {**POD["metadata"], **metadata}}


def revisioned(name):
    return {"istio.io/rev": name}


@pytest.mark.parametrize(
    ("labels", "namespace", "wanted", "revision"),
    [
        ({}, ENABLED, True, "default"),
        ({}, revisioned("canary"), True, "canary"),
        ({}, revisioned("prod"), True, "canary"),
        ({}, revisioned("none"), False, "none"),
        (revisioned("canary"), {}, True, "canary"),
        (revisioned("canary"), revisioned("default"), True, "default"),
        ({}, {**ENABLED, **revisioned("canary")}, True, "default"),
        ({**revisioned("canary"), "sidecar.istio.io/inject": "true"}, {}, True, "canary"),
        ({"sidecar.istio.io/inject": "false"}, revisioned("canary"), False, "canary"),
    ],
)
def test_labels_choose_the_revision_as_in_istio(labels, namespace, wanted, revision):
    found = inject.verdict(pod(labels=labels), namespace, TWO)
    assert (found.wanted, found.revision) == (wanted, revision)


def test_the_tag_default_is_for_namespaces_without_a_revision():
    assert inject.verdict(POD, ENABLED, Offer({"canary": {}}, {"default": "canary"})).revision == "canary"


def test_nobody_gets_a_sidecar_while_nothing_is_installed():
    found = inject.verdict(POD, ENABLED, Offer({}, {}))
    assert (found.wanted, found.reason) == (
        False,
        "the namespace has istio-injection=enabled, and no revision is called default",
    )


@pytest.mark.parametrize(
    ("values", "labels", "namespace", "wanted"),
    [
        ({"sidecarInjectorWebhook": {"enableNamespacesByDefault": True}}, {}, {}, True),
        ({"global": {"proxy": {"autoInject": "disabled"}}}, {}, ENABLED, False),
        ({"global": {"proxy": {"autoInject": "disabled"}}}, {"sidecar.istio.io/inject": "true"}, ENABLED, True),
        (
            {"sidecarInjectorWebhook": {"neverInjectSelector": [{"matchLabels": {"a": "b"}}]}},
            {"a": "b"},
            ENABLED,
            False,
        ),
        ({"sidecarInjectorWebhook": {"neverInjectSelector": [{"matchLabels": {"a": "b"}}]}}, {}, ENABLED, True),
    ],
)
def test_values_decide_where_labels_do_not(values, labels, namespace, wanted):
    assert inject.verdict(pod(labels=labels), namespace, Offer({"default": values}, {})).wanted is wanted


def test_revisions_and_tags_are_read_off_their_objects():
    def named(name, values="{}"):
        return {"metadata": {"name": name}, "data": {"values": values}}

    maps = [
        named("istio-sidecar-injector"),
        named("istio-sidecar-injector-canary", json.dumps({"a": 1})),
        named("istio"),
    ]
    found = revisions.offer(maps, [machine.tag("prod", "canary"), {"metadata": {"name": "others"}}])
    assert found == Offer({"default": {}, "canary": {"a": 1}}, {"prod": "canary"})


def test_values_size_the_sidecar_and_a_pod_can_say_otherwise():
    proxy = {"resources": {"limits": {"cpu": "200m"}}, "logLevel": "info", "excludeOutboundPorts": 9999}
    values = {"global": {"proxy": proxy}, "sidecarInjectorWebhook": {"injectedAnnotations": {"x": "y"}}}
    own = pod(annotations={"sidecar.istio.io/proxyMemory": "64Mi"})
    made = inject.inject(own, revision="canary", defaults=sidecar.defaults(values))
    container, annotations = made["spec"]["initContainers"][0], made["metadata"]["annotations"]
    assert container["resources"] == {"limits": {"cpu": "200m"}, "requests": {"memory": "64Mi"}}
    assert container["args"][-1] == "info"
    assert annotations["traffic.sidecar.istio.io/excludeOutboundPorts"] == "9999"
    assert (annotations["x"], annotations["istio.io/rev"]) == ("y", "canary")
