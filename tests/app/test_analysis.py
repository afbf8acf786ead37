"""What `analyze` and `validate` say of files and of a mesh."""

import json

import pytest
from click.testing import CliRunner

from semafor.app.analysis import analyzing, reading
from semafor.app.cli.analyze import command as analyze
from semafor.app.cli.validate import command as validate
from semafor.planner import Options

ROUTE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: model, namespace: demo}
spec:
  hosts: [model]
  http:
  - match: [{uri: {prefix: /v1}}]
    route:
    - destination:
        host: model
        subset: v9
  - route: [{destination: {host: nobody}}]
"""
MODEL = """
apiVersion: v1
kind: Service
metadata: {name: model, namespace: demo}
spec: {selector: {app: model}, ports: [{port: 80, name: http}]}
"""
WEB = MODEL.replace("name: http", "name: web")
TYPO = """
# a comment above
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: model, namespace: demo}
spec:
  host: model
  trafficPolcy: {}
"""


def messages(*texts, is_live=False, live=()):
    sources = [source for number, text in enumerate(texts) for source in reading.documents(text, f"{number}.yaml")]
    return analyzing.analyze(sources, live, options=Options(), namespace="default", is_live=is_live)


def test_a_missing_destination_is_told_with_istios_code_and_its_line():
    found = [(each.code, each.level, each.place) for each in messages(ROUTE, MODEL)]
    assert ("IST0101", "Error", "0.yaml:13") in found
    assert ("IST0101", "Error", "0.yaml:12") in found


def test_an_unknown_field_is_told_with_its_line():
    (found,) = messages(TYPO, MODEL)
    assert (found.code, found.level, found.place) == ("IST0106", "Error", "0.yaml:9")


def test_a_file_stands_in_place_of_the_living_object():
    (living,) = (source.document for source in reading.documents(MODEL.replace("name: web", "name: http"), ""))
    assert [each.code for each in messages(MODEL, live=[living])] == []


def test_objects_without_a_namespace_go_to_the_one_that_is_looked_at():
    (source,) = reading.documents(MODEL.replace(", namespace: demo", ""), "a.yaml")
    assert analyzing.ref_of(analyzing.placed(source, "shop").document).namespace == "shop"


def test_what_is_around_the_rules_is_told_too():
    namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"
    enabled = "{apiVersion: v1, kind: Namespace, metadata: {name: demo, labels: {istio-injection: enabled}}}"
    pod = (
        "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: demo}, spec: {containers: [{name: a, image: b}]}}"
    )
    policy = (
        "{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: p, namespace: demo}, "
        "spec: {selector: {matchLabels: {app: none}}}}"
    )
    found = {(each.code, str(each.ref)) for each in messages(namespace, enabled, pod, policy, WEB, is_live=True)}
    assert found == {
        ("IST0102", "Namespace shop"),
        ("IST0103", "Pod demo/web"),
        ("IST0118", "Service demo/model"),
        ("IST0127", "AuthorizationPolicy demo/p"),
        ("NoPods", "Service demo/model"),
    }


def test_a_mistyped_label_of_a_namespace_is_told():
    (found,) = messages("{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {istio-injection: enable}}}")
    assert (found.code, found.level) == ("IST0102", "Warning")
    assert "istio-injection=enable means nothing" in found.text


def test_what_is_no_object_is_passed_over():
    assert list(reading.documents("replicas: 3\n---\nkind: Kustomization\n", "values.yaml")) == []


def test_lists_are_taken_apart():
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod"}]})
    assert [source.document["kind"] for source in reading.documents(listed, "a.json")] == ["Pod"]


@pytest.mark.parametrize(("threshold", "code"), [("Error", 79), ("Warning", 79)])
def test_analyze_ends_with_79_as_istioctl_does(tmp_path, threshold, code):
    (tmp_path / "a.yaml").write_text(ROUTE)
    arguments = [str(tmp_path), "--use-kube=false", "-o", "json", "--failure-threshold", threshold]
    done = CliRunner().invoke(analyze, arguments)
    assert done.exit_code == code
    assert {each["code"] for each in json.loads(done.stdout)} == {"IST0101"}


def test_analyze_says_when_nothing_is_wrong(tmp_path):
    (tmp_path / "a.yaml").write_text(MODEL)
    done = CliRunner().invoke(analyze, [str(tmp_path), "--use-kube=false"])
    assert (done.exit_code, done.stdout) == (0, "No validation issues found when analyzing namespace: default.\n")


def test_validate_looks_at_fields_alone(tmp_path):
    (tmp_path / "a.yaml").write_text(TYPO)
    done = CliRunner().invoke(validate, ["-f", str(tmp_path)])
    assert done.exit_code == 1
    assert 'unknown field "spec.trafficPolcy"' in done.stdout


def test_a_file_that_is_no_yaml_is_named(tmp_path):
    (tmp_path / "a.yaml").write_text("a: [")
    done = CliRunner().invoke(validate, ["-f", str(tmp_path)])
    assert "a.yaml" in done.output


def test_messages_that_an_object_suppresses_are_not_told():
    quiet = WEB.replace(
        "namespace: demo", "namespace: demo, annotations: {galley.istio.io/analyze-suppress: 'IST0118'}"
    )
    assert [each.code for each in messages(WEB)] == ["IST0118"]
    assert messages(quiet) == ()


def test_what_a_status_says_no_to_is_told():
    route = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: demo}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
status: {conditions: [{type: Programmed, status: "False", reason: AddressNotUsable, message: "no such address"}]}
"""
    assert ("IST0171", "Warning") in {(each.code, each.level) for each in messages(route)}
