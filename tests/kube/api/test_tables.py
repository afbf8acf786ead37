"""Rows are what `kubectl get` shows for the same object on a real cluster."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from semafor.kube.api import tables
from semafor.kube.api.tables import ages, jsonpath
from semafor.resources.kind import AGE, Column
from semafor.resources.registry import KINDS, by_plural

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def row(plural: str, doc: dict[str, Any], group: str = "") -> list[Any]:
    kind = by_plural(group, plural)
    doc = {"kind": kind.kind, **doc}
    doc["metadata"] = {"name": "x", "creationTimestamp": "2026-01-01T11:55:00Z", **doc.get("metadata", {})}
    return tables.render(kind, [doc], now=NOW, include=lambda _: None)["rows"][0]["cells"]


AGES = {
    -5: "<invalid>", -1: "0s", 0: "0s", 119: "119s", 120: "2m", 121: "2m1s", 599: "9m59s", 600: "10m", 10_799: "179m",
    10_800: "3h", 10_860: "3h1m", 28_800: "8h", 172_799: "47h", 172_800: "2d", 176_400: "2d1h", 691_200: "8d",
    63_072_000: "2y", 63_158_400: "2y1d", 252_288_000: "8y",
}  # fmt: skip


@pytest.mark.parametrize(("seconds", "text"), AGES.items())
def test_ages_are_as_precise_as_matters(seconds, text):
    assert ages.human(seconds) == text
    assert ages.since((NOW - timedelta(seconds=seconds)).isoformat(), NOW) == text


def container(name: str, ready: bool = False, restarts: int = 0, **state: Any) -> dict[str, Any]:
    return {"name": name, "ready": ready, "restartCount": restarts, "state": state}


ENDED = "2026-01-01T11:59:00Z"
RUNNING = {"running": {"startedAt": ENDED}}
ONE = {"containers": [{"name": "a"}]}
TWO = {"containers": [{"name": "a"}, {"name": "b"}]}
INIT = {"containers": [{"name": "a"}], "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}]}
PODS = {
    "new": ({"spec": ONE, "status": {"phase": "Pending"}}, ["0/1", "Pending", "0"]),
    "ready": (
        {"spec": ONE, "status": {"phase": "Running", "containerStatuses": [container("a", ready=True, **RUNNING)]}},
        ["1/1", "Running", "0"],
    ),
    "crashing": (
        {
            "spec": ONE,
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    container("a", restarts=3, waiting={"reason": "CrashLoopBackOff"})
                    | {"lastState": {"terminated": {"finishedAt": ENDED}}}
                ],
            },
        },
        ["0/1", "CrashLoopBackOff", "3 (60s ago)"],
    ),
    "failed by code": (
        {"spec": ONE, "status": {"phase": "Failed", "containerStatuses": [container("a", terminated={"exitCode": 3})]}},
        ["0/1", "ExitCode:3", "0"],
    ),
    "killed": (
        {"spec": ONE, "status": {"phase": "Failed", "containerStatuses": [container("a", terminated={"signal": 9})]}},
        ["0/1", "Signal:9", "0"],
    ),
    "half completed": (
        {
            "spec": TWO,
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    container("a", terminated={"reason": "Completed"}),
                    container("b", ready=True, **RUNNING),
                ],
            },
        },
        ["1/2", "NotReady", "0"],
    ),
    "initializing": (
        {"spec": INIT, "status": {"phase": "Pending", "initContainerStatuses": [container("i", **RUNNING)]}},
        ["0/2", "Init:0/2", "0"],
    ),
    "sidecar up, app waits": (
        {
            "spec": INIT,
            "status": {
                "phase": "Pending",
                "initContainerStatuses": [
                    container("i", terminated={"exitCode": 0}),
                    container("s", ready=True, **RUNNING) | {"started": True},
                ],
                "containerStatuses": [container("a", waiting={"reason": "PodInitializing"})],
            },
        },
        ["1/2", "PodInitializing", "0"],
    ),
    "init failed": (
        {
            "spec": INIT,
            "status": {"phase": "Pending", "initContainerStatuses": [container("i", terminated={"exitCode": 1})]},
        },
        ["0/2", "Init:ExitCode:1", "0"],
    ),
    "no image": (
        {
            "spec": ONE,
            "status": {
                "phase": "Pending",
                "containerStatuses": [container("a", waiting={"reason": "ErrImageNeverPull"})],
            },
        },
        ["0/1", "ErrImageNeverPull", "0"],
    ),
    "leaving": (
        {"metadata": {"deletionTimestamp": ENDED}, "spec": ONE, "status": {"phase": "Running"}},
        ["0/1", "Terminating", "0"],
    ),
    "evicted": ({"spec": ONE, "status": {"phase": "Failed", "reason": "Evicted"}}, ["0/1", "Evicted", "0"]),
}


@pytest.mark.parametrize("case", PODS)
def test_pods_show_their_state(case):
    doc, cells = PODS[case]
    assert row("pods", doc)[1:5] == [*cells, "5m"]


SERVICES = {
    "cluster": ({"clusterIP": "10.96.0.9", "ports": [{"port": 80}]}, ["ClusterIP", "10.96.0.9", "<none>", "80/TCP"]),
    "headless": ({"clusterIP": "None", "ports": [{"port": 80}]}, ["ClusterIP", "None", "<none>", "80/TCP"]),
    "node port": (
        {"type": "NodePort", "clusterIP": "10.96.0.9", "ports": [{"port": 80, "nodePort": 30080, "protocol": "UDP"}]},
        ["NodePort", "10.96.0.9", "<none>", "80:30080/UDP"],
    ),
    "balanced": ({"type": "LoadBalancer", "ports": []}, ["LoadBalancer", "<none>", "<pending>", "<none>"]),
    "external": ({"type": "ExternalName", "externalName": "a.b"}, ["ExternalName", "<none>", "a.b", "<none>"]),
}


@pytest.mark.parametrize("case", SERVICES)
def test_services_show_their_addresses(case):
    spec, cells = SERVICES[case]
    assert row("services", {"spec": {**spec, "selector": {"app": "web"}}})[1:] == [*cells, "5m", "app=web"]


def test_a_deployment_shows_its_counts_and_images():
    template = {"spec": {"containers": [{"name": "a", "image": "i:1"}, {"name": "b", "image": "i:2"}]}}
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "w"}}, "template": template}
    status = {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}
    cells = row("deployments", {"spec": spec, "status": status}, "apps")
    assert cells == ["x", "1/3", 2, 1, "5m", "a,b", "i:1,i:2", "app=w"]


def test_endpoint_slices_show_the_first_three():
    endpoints = [{"addresses": [f"10.0.0.{n}"]} for n in range(5)]
    doc = {"addressType": "IPv4", "ports": [{"port": 80}], "endpoints": endpoints}
    cells = row("endpointslices", doc, "discovery.k8s.io")
    assert cells == ["x", "IPv4", "80", "10.0.0.0,10.0.0.1,10.0.0.2 + 2 more...", "5m"]


def test_custom_kinds_are_printed_by_their_columns():
    assert row("virtualservices", {"spec": {"hosts": ["a"], "gateways": ["g"]}}, "networking.istio.io") == [
        "x", '["g"]', '["a"]', None, "5m",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.resource)
def test_an_object_with_nothing_in_it_is_printed(kind):
    doc = {"kind": kind.kind, "metadata": {"name": "x"}}
    table = tables.render(kind, [doc], now=NOW, include=lambda _: None)
    assert len(table["rows"][0]["cells"]) == len(table["columnDefinitions"])


PATHS = {
    ".spec.hosts": ["a"],
    ".spec.hosts[0]": "a",
    ".spec.hosts[*]": "a",
    ".status.conditions[?(@.type=='Ready')].status": "True",
    ".metadata.labels.istio\\.io/rev": "one",
    ".metadata.labels['istio.io/rev']": "one",
    ".spec.none.deeper": None,
}


@pytest.mark.parametrize(("path", "value"), PATHS.items())
def test_paths_lead_to_values(path, value):
    doc = {
        "metadata": {"labels": {"istio.io/rev": "one"}},
        "spec": {"hosts": ["a"]},
        "status": {"conditions": [{"type": "Live", "status": "False"}, {"type": "Ready", "status": "True"}]},
    }
    assert jsonpath.first(jsonpath.parse(path), doc) == value


def test_a_path_outside_the_subset_is_refused():
    with pytest.raises(ValueError, match="unsupported JSONPath"):
        jsonpath.parse("..everything")


def test_columns_of_all_kinds_can_be_parsed():
    columns: list[Column] = [AGE, *(column for kind in KINDS for column in kind.columns)]
    assert all(jsonpath.parse(column.path) for column in columns)
