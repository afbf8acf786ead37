"""The objects of installations in a cluster. Whether a Kubernetes takes them is for tests/cluster."""

from collections import Counter

import pytest
import yaml

from semafor import installation
from semafor.installation import Installation, Layer, cluster, machine, spec


def made(profile: str, **further) -> Installation:
    found, problems = installation.resolve([Layer(spec.ref("a"), {"profile": profile, **further})])
    assert not [each for each in problems if each.severity == "error"]
    return found


def documents(profile: str, **further):
    parts = installation.render(made(profile, **further), cluster.CHARTS)
    return [document for part in parts for document in part.documents]


def kinds(profile: str, **further) -> Counter[str]:
    return Counter(document["kind"] for document in documents(profile, **further))


def test_every_component_has_a_chart_in_both_homes():
    assert cluster.CHARTS.keys() == machine.CHARTS.keys()


@pytest.mark.parametrize(("profile", "deployments"), [("default", 2), ("demo", 3), ("minimal", 1), ("empty", 0)])
def test_a_profile_has_its_deployments(profile, deployments):
    assert kinds(profile)["Deployment"] == deployments


def test_definitions_come_with_the_base():
    assert kinds("minimal")["CustomResourceDefinition"] == 16
    assert kinds("minimal", components={"base": {"enabled": False}})["CustomResourceDefinition"] == 0


def test_nobody_reports_to_a_store_that_only_one_machine_has():
    (mesh,) = (each["data"]["mesh"] for each in documents("demo") if each["metadata"]["name"] == "istio")
    assert yaml.safe_load(mesh)["defaultProviders"]["tracing"] == []
    assert machine.mesh(made("demo"))["defaultProviders"]["tracing"] == [cluster.OWN_STORE]
