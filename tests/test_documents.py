"""The documents keep what they promise, and their checks see what is wrong."""

import pytest
from tests import documents, reference

from semafor.planner import envoy_filter
from semafor.resources.istio import envoy_filter as istio_envoy_filter


def test_documents_have_no_mistakes():
    assert documents.check() == []


def test_links_to_nowhere_are_found(tmp_path):
    text = "A line.\n\nSee [one](one.md), [two](two.md) and [three](https://example.com).\n"
    (tmp_path / "two.md").touch()
    assert list(documents.links(tmp_path / "here.md", text)) == [(3, "one.md does not exist")]


def test_a_link_to_a_missing_heading_is_found(tmp_path):
    file = tmp_path / "here.md"
    file.write_text("## Two and a half\n")
    text = "[two](here.md#two-and-a-half) [three](here.md#three)"
    assert list(documents.links(file, text)) == [(1, "here.md has no heading #three")]


def test_commands_that_semafor_does_not_take_are_found():
    text = "```sh\nsemafor up\nsemafor up --prot 1 | cat\nsemafor run -- ls -l; semafor dwon\n```\n"
    assert [line for line, _ in documents.commands(text)] == [3, 4]


def test_comments_and_pipes_end_a_command():
    text = "```\nsemafor status -o json | jq .   # all of it\nx=$(semafor version) && semafor down --purge 2>log\n```\n"
    assert list(documents.commands(text)) == []


def test_yaml_that_the_api_would_refuse_is_found():
    text = "```yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {container: []}\n```\n"
    assert [message for _, message in documents.yaml(text)] == [
        "Pod: spec.containers: Required value",
        "Pod: unknown field spec.container",
    ]


def test_a_translation_has_the_originals_headings_and_blocks():
    original = "# A\n\n```sh\nls\n```\n\n## B\n"
    assert list(documents.differences(original, original.replace("A", "Б"))) == []
    assert list(documents.differences(original, "# Б\n\n```sh\nls -l\n```\n")) == [
        "it has 1 headings, the original 2",
        "its code block 1 is not the original's: ['ls -l']",
    ]


def test_the_reference_of_fields_says_what_the_planner_does():
    assert reference.stale() == [], "run `python -m tests.reference --write` and read the difference"


@pytest.mark.parametrize("kind", reference.kinds(), ids=lambda kind: kind.resource)
def test_no_field_is_silently_ignored(kind):
    assert reference.ignored(kind) == [], "read the field, or refuse it by name"


def test_the_reference_follows_the_planners_lists(monkeypatch):
    monkeypatch.setattr(envoy_filter, "SPEC", ("workload_selector", "config_patches"))
    fields = reference.structs(istio_envoy_filter.KIND)[istio_envoy_filter.EnvoyFilterSpec]
    outcomes = {name: one.becomes["spec"] for name, one in fields.items()}
    assert outcomes == {
        "workloadSelector": "implemented",
        "targetRefs": "refused",
        "configPatches": "implemented",
        "priority": "refused",
    }
