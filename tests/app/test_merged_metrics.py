"""Metrics of a pod are at one port: its proxy's, which tells what its application said was elsewhere."""

import json

import pytest

from semafor.app import bootstraps, inject, merged_metrics, proxy_config
from semafor.app.monitoring import targets
from semafor.envoy.statistics import Application, Shown

OURS = {"prometheus.io/scrape": "true", "prometheus.io/port": "15020", "prometheus.io/path": "/stats/prometheus"}
OWN = {"prometheus.io/scrape": "true", "prometheus.io/port": "9000", "prometheus.io/path": "/m"}


def injected(annotations: dict[str, str], settings: proxy_config.Settings | None = None):
    pod = {
        "metadata": {"name": "a", "namespace": "n", "uid": "u", "annotations": annotations},
        "spec": {"containers": [{"name": "a", "image": "a", "ports": [{"containerPort": 8080}]}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1"},
    }
    return inject.inject(pod, settings or proxy_config.Settings())


def told(pod) -> dict[str, str]:
    return {key: value for key, value in pod["metadata"]["annotations"].items() if key.startswith("prometheus.io/")}


@pytest.mark.parametrize(
    ("annotations", "expected", "application"),
    [
        ({}, OURS, None),
        (OWN, OURS, Application(port=9000, path="/m")),
        ({"prometheus.io/scrape": "true"}, OURS, Application(port=8080, path="/metrics")),
        ({"prometheus.io/port": "9000"}, OURS, None),
        ({"prometheus.io/scrape": "false"}, {"prometheus.io/scrape": "false"}, None),
        (OWN | {"prometheus.istio.io/merge-metrics": "false"}, OWN, None),
        (OWN | {"prometheus.io/port": "none"}, OURS, None),
        (OWN | {"prometheus.io/port": "15090"}, OURS, None),
        (OWN | {"prometheus.io/path": "/a b"}, OURS, None),
        (OWN | {"prometheus.io/scheme": "https"}, OURS, None),
    ],
)
def test_annotations_lead_to_the_proxy_which_asks_the_application(annotations, expected, application):
    pod = injected(annotations)
    assert told(pod) == expected
    assert bootstraps.of(pod).application == application


def test_the_mesh_configuration_switches_it_off_and_a_pod_on():
    off = proxy_config.of({"metadata": {}}, [], {"enablePrometheusMerge": False}, "istio-system")
    assert told(injected(OWN, off)) == OWN
    assert told(injected(OWN | {"prometheus.istio.io/merge-metrics": "true"}, off)) == OURS


def test_one_who_is_injected_again_keeps_what_was_said_first():
    pod = injected(OWN)
    again = merged_metrics.take_over(pod["metadata"]["annotations"], {}, merge=True)
    assert again == pod["metadata"]["annotations"]
    (variable,) = pod["spec"]["initContainers"][0]["env"]
    assert json.loads(variable["value"]) == {"scrape": "true", "port": "9000", "path": "/m"}


def test_here_the_application_and_its_proxy_are_read_apart():
    pod = injected(OWN)
    pod["status"]["initContainerStatuses"] = [{"name": "istio-proxy", "state": {"running": {}}}]
    assert [(each.shown, each.https) for each in targets.of_pods([pod])] == [
        ("http://10.0.0.1:15090/stats/prometheus", False),
        ("http://10.0.0.1:9000/m", False),
    ]


def test_proxy_stats_matcher_shows_more_unless_the_pod_says_what():
    matcher = {"inclusionPrefixes": ["cluster.a"], "inclusionRegexps": ["x.*y"], "inclusionSuffixes": ["_z"]}
    mesh = {"defaultConfig": {"proxyStatsMatcher": matcher}}
    settings = proxy_config.of({"metadata": {}}, [], mesh, "istio-system")
    expected = Shown(prefixes=("cluster.a",), suffixes=("_z",), regexes=("x.*y",))
    assert bootstraps.of(injected({}, settings)).shown == expected
    own = {"sidecar.istio.io/statsInclusionPrefixes": "mine"}
    assert bootstraps.of(injected(own, settings)).shown.prefixes == ("mine",)
