from semafor.app.analysis import analyzing, reading
from semafor.app.cli.places import Places

FILE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: model}
spec:
  hosts: [model]
  http:
  - match:
    - uri: {prefix: /a}
    route: [{destination: {host: model, subset: v1}}]
  - route:
    - destination: {host: model, subset: v2}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: model.all, namespace: shop}
spec: {rules: [{}]}
"""
ROUTE = "VirtualService demo/model spec.http[0]"


class Applied:
    """What is applied: the documents themselves, but for those named."""

    def __init__(self, **changed):
        self.changed = changed
        self.asked = []

    def find(self, document):
        self.asked.append(document["metadata"]["name"])
        return self.changed.get(document["kind"], document)


def places(applied):
    return Places((analyzing.placed(each, "demo") for each in reading.documents(FILE, "rules.yaml")), applied)


def test_what_a_line_names_gets_its_place():
    lines = {
        "route     VirtualService demo/model spec.http[1]  takes /": "spec.http[1] (rules.yaml:11)  takes",
        "by VirtualService demo/model.": "by VirtualService demo/model (rules.yaml:2).",
        "VirtualService demo/model spec.http[1].route[0].destination, 90 %": "destination (rules.yaml:12), 90 %",
        "allow AuthorizationPolicy shop/model.all spec.rules[0]: takes it": "spec.rules[0] (rules.yaml:17): takes it",
        "VirtualService demo/model-b spec.http[0]": "VirtualService demo/model-b spec.http[0]",
        "VirtualService demo/model.b spec.http[0]": "VirtualService demo/model.b spec.http[0]",
        "VirtualService other/model spec.http[0]": "VirtualService other/model spec.http[0]",
    }
    found = places(Applied())
    for line, told in lines.items():
        assert told in found.told(line)
    assert list(found.notes()) == []


def test_a_document_names_each_place_once():
    assert places(Applied()).named(f"x {ROUTE}: y\n{ROUTE} z") == {ROUTE: "rules.yaml:8"}


def test_a_file_that_is_not_what_is_applied_is_told_once():
    applied = Applied(VirtualService={"spec": {"hosts": ["model"]}}, AuthorizationPolicy=None)
    found = places(applied)
    assert list(found.notes()) == []
    for _ in range(2):
        found.told(ROUTE)
    (note,) = found.notes()
    assert note.startswith("rules.yaml: its VirtualService demo/model is not the one that is applied")
    assert applied.asked == ["model"]


def test_files_without_objects_have_no_places():
    found = Places((), Applied())
    assert (found.told(ROUTE), found.named(ROUTE)) == (ROUTE, {})
