"""Environment variables and command lines, as Kubernetes puts them together."""

import base64
from typing import Any

import pytest

from semafor.kube.node.environment import Surroundings, command, environment, expand
from semafor.kube.node.fields import ConfigError, field

Json = dict[str, Any]

POD: Json = {
    "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "labels": {"app": "web"}},
    "spec": {
        "nodeName": "semafor",
        "containers": [{"name": "app", "resources": {"limits": {"memory": "64Mi"}, "requests": {"cpu": "250m"}}}],
    },
}
SERVICES = (
    {
        "metadata": {"name": "my-db", "namespace": "shop"},
        "spec": {"clusterIP": "10.96.0.7", "ports": [{"name": "sql", "port": 5432, "protocol": "TCP"}]},
    },
    {"metadata": {"name": "headless", "namespace": "shop"}, "spec": {"clusterIP": "None", "ports": [{"port": 1}]}},
    {
        "metadata": {"name": "kubernetes", "namespace": "default"},
        "spec": {"clusterIP": "10.96.0.1", "ports": [{"port": 443}]},
    },
)
OBJECTS: dict[str, Json] = {
    "settings": {"data": {"COLOUR": "red", "size": "5"}},
    "keys": {"data": {"TOKEN": base64.b64encode(b"abc").decode()}},
}
AROUND = Surroundings(
    config_map=OBJECTS.get,
    secret=OBJECTS.get,
    host_ip="10.244.0.1",
    pod_ip="10.244.0.7",
    hostname="web",
    capacity={"cpu": "2", "memory": "1Gi"},
)

SOURCES: list[tuple[Json, str | None]] = [
    ({"value": "plain"}, "plain"),
    ({}, ""),
    ({"value": "$(HOSTNAME)-$(UNKNOWN)-$$(HOSTNAME)"}, "web-$(UNKNOWN)-$(HOSTNAME)"),
    ({"valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}, "web"),
    ({"valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['none']"}}}, ""),
    ({"valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}, "10.244.0.7"),
    ({"valueFrom": {"fieldRef": {"fieldPath": "spec.serviceAccountName"}}}, "default"),
    ({"valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}}, "64"),
    ({"valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}, "2"),
    ({"valueFrom": {"resourceFieldRef": {"resource": "requests.cpu"}}}, "1"),
    ({"valueFrom": {"resourceFieldRef": {"resource": "requests.cpu", "divisor": "1m"}}}, "250"),
    ({"valueFrom": {"configMapKeyRef": {"name": "settings", "key": "size"}}}, "5"),
    ({"valueFrom": {"secretKeyRef": {"name": "keys", "key": "TOKEN"}}}, "abc"),
    ({"valueFrom": {"configMapKeyRef": {"name": "none", "key": "x", "optional": True}}}, None),
    ({"valueFrom": {"configMapKeyRef": {"name": "settings", "key": "x", "optional": True}}}, None),
]


@pytest.mark.parametrize(("entry", "value"), SOURCES, ids=[str(entry) for entry, _ in SOURCES])
def test_value(entry: Json, value: str | None) -> None:
    container = {"name": "app", "env": [{"name": "X", **entry}]}
    assert environment(POD, container, (), AROUND).get("X") == value


MISSING: list[tuple[Json, str]] = [
    ({"configMapKeyRef": {"name": "none", "key": "x"}}, 'configmap "none" not found'),
    ({"configMapKeyRef": {"name": "settings", "key": "x"}}, "couldn't find key x in ConfigMap shop/settings"),
    ({"secretKeyRef": {"name": "keys", "key": "x"}}, "couldn't find key x in Secret shop/keys"),
    ({"fieldRef": {"fieldPath": "spec.secret"}}, "unsupported fieldPath: spec.secret"),
]


@pytest.mark.parametrize(("source", "message"), MISSING)
def test_what_is_missing_is_named_in_kubernetes_words(source: Json, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        environment(POD, {"name": "app", "env": [{"name": "X", "valueFrom": source}]}, (), AROUND)


def test_later_sources_win() -> None:
    container = {
        "name": "app",
        "envFrom": [{"configMapRef": {"name": "settings"}}, {"prefix": "S_", "secretRef": {"name": "keys"}}],
        "env": [{"name": "size", "value": "9"}],
    }
    found = environment(POD, container, [("PATH", "/bin"), ("COLOUR", "blue")], AROUND)
    assert found == {"PATH": "/bin", "COLOUR": "red", "HOSTNAME": "web", "size": "9", "S_TOKEN": "abc"}


def test_services_of_the_namespace_are_variables_and_the_api_always_is() -> None:
    around = Surroundings(config_map=OBJECTS.get, secret=OBJECTS.get, services=SERVICES, hostname="web")
    found = environment(POD, {"name": "app"}, (), around)
    assert {name: value for name, value in found.items() if name.startswith("MY_DB")} == {
        "MY_DB_SERVICE_HOST": "10.96.0.7",
        "MY_DB_SERVICE_PORT": "5432",
        "MY_DB_SERVICE_PORT_SQL": "5432",
        "MY_DB_PORT": "tcp://10.96.0.7:5432",
        "MY_DB_PORT_5432_TCP": "tcp://10.96.0.7:5432",
        "MY_DB_PORT_5432_TCP_PROTO": "tcp",
        "MY_DB_PORT_5432_TCP_PORT": "5432",
        "MY_DB_PORT_5432_TCP_ADDR": "10.96.0.7",
    }
    unlinked = {**POD, "spec": {**POD["spec"], "enableServiceLinks": False}}
    names = environment(unlinked, {"name": "app"}, (), around)
    assert ("MY_DB_SERVICE_HOST" in names, names["KUBERNETES_SERVICE_HOST"]) == (False, "10.96.0.1")


COMMANDS: list[tuple[Json, tuple[str, ...]]] = [
    ({}, ("entry", "cmd")),
    ({"args": ["a"]}, ("entry", "a")),
    ({"args": []}, ("entry",)),
    ({"command": ["c"]}, ("c",)),
    ({"command": ["c"], "args": ["$(X)"]}, ("c", "1")),
]


@pytest.mark.parametrize(("container", "argv"), COMMANDS)
def test_command(container: Json, argv: tuple[str, ...]) -> None:
    assert command(container, ("entry",), ("cmd",), {"X": "1"}) == argv


def test_expansion_is_done_once() -> None:
    assert expand("$(A) $$ $$$(A)", {"A": "$(A)"}) == "$(A) $ $$(A)"


def test_labels_as_a_file_are_sorted_and_quoted() -> None:
    pod = {"metadata": {**POD["metadata"], "labels": {"b": 'say "hi"', "a": "x\ny"}}, "spec": {}}
    assert field(pod, "metadata.labels", "", "") == 'a="x\\ny"\nb="say \\"hi\\""'
