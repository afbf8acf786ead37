"""The Helm chart makes what `manifest generate --home cluster` makes."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from semafor.installation import chart, cluster, parts, spec

IMAGES = {"hub": "registry.example.com/semafor", "tag": "1"}
WANTED = [{}, {"revision": "canary"}, {"meshConfig": {"accessLogFile": "/dev/stdout"}}]


def generated(wanted):
    """By kind and name; texts of ConfigMaps as what they say."""
    made, _ = spec.resolve([spec.Layer(spec.ref("x"), {**IMAGES, "profile": "default", **wanted})], home="cluster")
    return by_name(each for part in parts.render(made, cluster.CHARTS) for each in part.documents)


def by_name(documents):
    return {(each["kind"], each["metadata"]["name"]): said(each) for each in documents if each and own(each)}


def own(document):
    return document["kind"] not in ("Namespace", "CustomResourceDefinition")


def said(document):
    data = document.get("data")
    return {**document, "data": {key: yaml.safe_load(text) for key, text in data.items()}} if data else document


def evaluated(template, revision):
    """The template with values in it, as far as this chart goes: one level of conditions, four words."""

    def chosen(found):
        yes, _, no = found[2].partition("{{- else }}\n")
        return yes if bool(revision) is (found[1] == "if ") else no

    text = re.sub(r"{{- (if |if not )\.Values\.revision }}\n(.*?){{- end }}\n", chosen, template, flags=re.DOTALL)
    values = {
        "{{ .Values.hub }}": IMAGES["hub"],
        "{{ .Values.tag }}": IMAGES["tag"],
        "{{ with .Values.revision }}-{{ . }}{{ end }}": f"-{revision}" if revision else "",
        '{{ .Values.revision | default "default" }}': revision or "default",
    }
    for word, value in values.items():
        text = text.replace(word, value)
    return re.sub(r"\|-\n{{ toYaml.*}}", "'{}'", text)


@pytest.mark.parametrize("revision", ["", "canary"])
def test_its_templates_say_what_is_generated(revision):
    template = chart.files("0.1.0")["templates/semafor.yaml"]
    found = by_name(yaml.safe_load_all(evaluated(template, revision)))
    wanted = generated({"revision": revision} if revision else {})
    without = {key: {name: value for name, value in each.items() if name != "data"} for key, each in wanted.items()}
    assert {key: {k: v for k, v in each.items() if k != "data"} for key, each in found.items()} == without


def test_its_values_are_those_of_the_default_profile():
    values, known = yaml.safe_load(chart.files("0.1.0")["values.yaml"]), generated({})
    assert values["meshConfig"] == known["ConfigMap", "istio"]["data"]["mesh"]
    told = known["ConfigMap", "istio-sidecar-injector"]["data"]["values"]
    assert {**values["values"], "revision": ""} == told


@pytest.mark.parametrize("wanted", WANTED, ids=["default", "revision", "mesh configuration"])
def test_helm_makes_what_is_generated(wanted, tmp_path: Path):
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not installed")
    for name, text in chart.files("0.1.0").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    values = tmp_path / "more.yaml"
    values.write_text(yaml.safe_dump({**IMAGES, **wanted}))
    done = subprocess.run(
        [helm, "template", "semafor", tmp_path, "-f", values, "-n", "istio-system", "--kube-version", "1.36"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert by_name(yaml.safe_load_all(done.stdout)) == generated(wanted)
