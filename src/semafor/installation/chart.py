"""The objects of a cluster as a Helm chart. Pure: files by their path.

It is made of what `manifest generate` makes: once with words in the place of hub, tag and revision, and once without a
revision. Where the words cannot say the difference, the template has both.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import yaml

from semafor.installation import cluster, parts, spec
from semafor.installation.spec import Layer

Doc = dict[str, Any]

_HUB, _TAG, _REVISION = "xxhubxx", "xxtagxx", "xxrevisionxx"
_WORDS: Final = (
    (_HUB, "{{ .Values.hub }}"),
    (_TAG, "{{ .Values.tag }}"),
    (f"-{_REVISION}", '{{ with .Values.revision }}-{{ . }}{{ end }}'),
    (_REVISION, '{{ .Values.revision | default "default" }}'),
)  # fmt: skip
_MESH: Final = "|-\n{{ toYaml .Values.meshConfig | indent 4 }}"
_VALUES: Final = '|-\n{{ toYaml (merge (dict "revision" .Values.revision) .Values.values) | indent 4 }}'
_SETTINGS: Final = (("mesh", "xxmeshxx", _MESH), ("values", "xxvaluesxx", _VALUES))  # keys of ConfigMaps
_SPLIT: Final = ("Namespace", "CustomResourceDefinition")  # Helm makes the one, and installs the others first


def files(version: str) -> dict[str, str]:
    """The chart's files. `version` is Semafor's."""
    plain, named = _documents(""), _documents(_REVISION)
    made = {f"crds/{each['metadata']['name']}.yaml": _text(_bare(each)) for each in plain if each["kind"] == _SPLIT[1]}
    return {
        "Chart.yaml": _text(
            {
                "apiVersion": "v2",
                "name": "semafor",
                "description": "Semafor, a service mesh with Istio's API",
                "type": "application",
                "version": version,
                "appVersion": version,
                "kubeVersion": ">=1.28.0-0",
            }
        ),
        "values.yaml": _text(_defaults(plain)),
        "values.schema.json": json.dumps(_schema(), indent=2) + "\n",
        "templates/semafor.yaml": "".join(_templates(plain, named)),
        **made,
    }


def _documents(revision: str) -> list[Doc]:
    wanted = {"hub": _HUB, "tag": _TAG, "profile": "default"} | ({"revision": revision} if revision else {})
    made, problems = spec.resolve([Layer(spec.ref("chart"), wanted)], home="cluster")
    assert not problems, problems
    return [document for part in parts.render(made, cluster.CHARTS) for document in part.documents]


def _defaults(documents: Iterable[Doc]) -> Doc:
    """What holds unless somebody says otherwise, in the words of an IstioOperator."""
    found: Doc = {"hub": cluster.HUB, "tag": "latest", "revision": ""}
    names = {"mesh": "meshConfig", "values": "values"}
    for document in documents:
        for key, text in (document.get("data") or {}).items():
            settings = yaml.safe_load(text)
            found[names[key]] = {name: value for name, value in settings.items() if name != "revision"}
    return found


def _schema() -> Doc:
    """Other keys are refused: `semafor manifest generate` has all of them."""
    text, free = {"type": "string"}, {"type": "object"}
    known = {"hub": text, "tag": {"type": ["string", "number"]}, "revision": text, "meshConfig": free, "values": free}
    own = {**known, "global": free}  # Helm adds it
    return {
        "$schema": "http://json-schema.org/schema#", "type": "object", "properties": own, "additionalProperties": False,
    }  # fmt: skip


def _templates(plain: list[Doc], named: list[Doc]) -> Iterator[str]:
    by_name = {_key(each): each for each in named}
    for document in plain:
        if document["kind"] in _SPLIT:
            continue
        other = by_name.get(_key(document))
        mine = _template(document)
        if other is None:  # of the revision without a name alone
            yield f"---\n{{{{- if not .Values.revision }}}}\n{mine}{{{{- end }}}}\n"
        elif _filled(_template(other)) == _filled(mine):
            yield f"---\n{_template(other)}"
        else:
            yield f"---\n{{{{- if .Values.revision }}}}\n{_template(other)}{{{{- else }}}}\n{mine}{{{{- end }}}}\n"


def _key(document: Doc) -> tuple[str, str]:
    return document["kind"], document["metadata"]["name"].replace(f"-{_REVISION}", "")


def _template(document: Doc) -> str:
    data = {key: word for key, word, _ in _SETTINGS if key in (document.get("data") or {})}
    text = _text({**document, "data": data} if data else document)
    for _, word, template in _SETTINGS:
        text = text.replace(word, template)
    for word, template in _WORDS:
        text = text.replace(word, template)
    return text


def _filled(template: str) -> str:
    """As it is without a revision."""
    for _, words in _WORDS[2:]:
        template = template.replace(words, "default" if "default" in words else "")
    return template


def _bare(document: Doc) -> Doc:
    """A definition, which all revisions share."""
    metadata = {key: value for key, value in document["metadata"].items() if key != "labels"}
    return {**document, "metadata": metadata}


def _text(document: Doc) -> str:
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000)
    return text
