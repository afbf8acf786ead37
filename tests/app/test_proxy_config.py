"""Settings of proxies: who wins, and what becomes of them in the pod."""

import json

import pytest

from semafor.app import inject, pilot_agent, proxies, proxy_config
from semafor.app.proxy_config import Settings

POD = {
    "metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "web"}]},
}
ROOT = "istio-system"


def config(name, concurrency, namespace="shop", created="2026-01-01T00:00:00Z", **spec):
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": created}
    return {"metadata": metadata, "spec": {"concurrency": concurrency, **spec}}


def annotated(text):
    return {**POD, "metadata": {**POD["metadata"], "annotations": {proxy_config.ANNOTATION: text}}}


SELECTING = config("selecting", 5, selector={"matchLabels": {"app": "web"}})
LAYERS = [config("root", 2, ROOT), config("namespace", 3), SELECTING]
MESH = {"defaultConfig": {"concurrency": 1, "proxyMetadata": {"A": "mesh", "B": "mesh"}}}


@pytest.mark.parametrize(
    ("pod", "objects", "expected"),
    [
        (POD, [], 1),
        (POD, LAYERS[:1], 2),
        (POD, LAYERS[:2], 3),
        (annotated("concurrency: 4"), LAYERS[:2], 4),
        (annotated("concurrency: 4"), LAYERS, 5),
        (POD, [config("other", 6, selector={"matchLabels": {"app": "db"}})], 1),
        (POD, [config("elsewhere", 7, "other")], 1),
        (POD, [config("newer", 8, created="2026-02-01T00:00:00Z"), config("older", 9)], 9),
        (annotated("concurrency: many"), [], 1),
        (annotated("- no\n- mapping"), [], 1),
    ],
)
def test_the_closest_setting_wins(pod, objects, expected):
    assert proxy_config.of(pod, objects, MESH, ROOT).concurrency == expected


def test_variables_of_all_layers_come_together():
    objects = [config("one", None, environmentVariables={"A": "object", "C": "object"})]
    found = proxy_config.of(POD, objects, MESH, ROOT)
    assert found.environment == (("A", "object"), ("B", "mesh"), ("C", "object"))


def test_the_sidecar_gets_the_settings():
    settings = Settings(2, (("ISTIO_META_TEAM", "blue"), ("LOG", "1")), "distroless")
    pod = inject.inject(POD, settings)
    sidecar = pod["spec"]["initContainers"][0]
    env = {variable["name"]: variable["value"] for variable in sidecar["env"]}
    assert (json.loads(env["PROXY_CONFIG"]), env["LOG"]) == ({"concurrency": 2}, "1")
    assert (sidecar["image"], proxies.role(pod)) == ("semafor/proxyv2:distroless", "sidecar")
    assert ("TEAM", "blue") in proxies.node_metadata(pod)


def test_a_gateway_keeps_what_it_says_itself():
    own = {"name": "istio-proxy", "image": inject.IMAGE, "env": [{"name": "LOG", "value": "mine"}]}
    pod = {**POD, "spec": {"containers": [own]}}
    made = inject.with_settings(pod, Settings(environment=(("LOG", "theirs"), ("MORE", "1"))))
    assert made["spec"]["containers"][0]["env"] == [*own["env"], {"name": "MORE", "value": "1"}]
    assert inject.with_settings(POD, Settings(concurrency=2)) is POD


@pytest.mark.parametrize(
    ("text", "workers"),
    [('{"concurrency": 3}', ["--concurrency", "3"]), ('{"concurrency": 0}', []), ("{", ["--concurrency", "1"])],
)
def test_the_agent_starts_as_many_workers(monkeypatch, text, workers):
    monkeypatch.setenv("PROXY_CONFIG", text)
    assert pilot_agent.workers() == workers


def test_what_of_the_annotation_has_no_effect_is_named():
    found = [problem.message for problem in proxy_config.problems(annotated("{drainDuration: 5s, concurrency: 1}"))]
    assert found == ["drainDuration has no effect: this version does not implement it"]
    assert [problem.reason for problem in proxy_config.problems(annotated("{"))] == ["InvalidAnnotation"]
