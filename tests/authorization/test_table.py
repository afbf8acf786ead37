"""Every statement of table.yaml: by the reference, in process, and by a real Envoy in the place of as many sidecars."""

import json
import shlex
from pathlib import Path

import pytest
import ryaml
from tests.authorization import trial
from tests.authorization.trial import Asked, Trial

ROWS = ryaml.loads((Path(__file__).parent / "table.yaml").read_text())
_NAMES = {"port", "host", "from", "claims"}


def _policies(row):
    return [_policy(number, said) for number, said in enumerate(row["policies"])]


def _policy(number, said):
    spec = {name: said[name] for name in ("action", "rules") if name in said}
    if "for" in said:
        spec["selector"] = {"matchLabels": said["for"]}
    dry = {"annotations": {"istio.io/dry-run": "true"}} if said.get("dry-run") else {}
    meta = {"name": f"p{number}", "namespace": said.get("in", trial.NAMESPACE), **dry}
    return {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": meta, "spec": spec}


def _calls(row):
    """Each line with what is asked, and whether it passes."""
    for line in row["calls"]:
        text, _, result = line.rpartition(" -> ")
        verb, *words = shlex.split(text)
        path = words.pop(0) if verb != "bytes" else ""
        pairs = dict(word.split("=", 1) for word in words)
        asked = Asked(
            account=pairs.get("from", ""),
            port=int(pairs.get("port", 8080)),
            method="" if verb == "bytes" else verb,
            path=path,
            host=pairs.get("host", "web"),
            headers={name: value for name, value in pairs.items() if name not in _NAMES},
            claims=json.loads(pairs.get("claims", "{}")),
        )
        yield line, asked, {"yes": True, "no": False}[result]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["says"])
def test_the_reference_and_the_mesh_agree_with_the_statement(pool, row):
    made = Trial(pool, _policies(row))
    assert made.serious() == []
    for line, asked, passes in _calls(row):
        assert (made.judged(asked), made.in_process(asked)) == (passes, passes), line


@pytest.mark.envoy
def test_a_real_envoy_agrees_with_every_statement(pool, tmp_path):
    made = {str(number): Trial(pool, _policies(row)) for number, row in enumerate(ROWS)}
    with trial.real(made, tmp_path) as envoy:
        wrong = [
            f"{row['says']}: {line}"
            for number, row in enumerate(ROWS)
            for line, asked, passes in _calls(row)
            if trial.passes(envoy, str(number), asked) != passes
        ]
    assert wrong == []
