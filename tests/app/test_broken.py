"""Broken configurations of real life: each is found, told with a mend, and gone when that is applied."""

from pathlib import Path

import pytest
import yaml
from tests.app.broken.cases import CASES, documents

from semafor.app.analysis import analyzing
from semafor.app.analysis.reading import Source
from semafor.planner import Options

BASE = list(yaml.safe_load_all((Path(__file__).parent / "broken" / "base.yaml").read_text()))


def messages(*changes):
    """What is told of the base with the changes, one after the other."""
    objects = {}
    for each in (*filter(None, BASE), *(one for change in changes for one in documents(change))):
        objects[each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]] = each
    sources = [Source(document=each, file="mesh.yaml") for each in objects.values()]
    return analyzing.analyze(sources, options=Options(), namespace="demo", is_live=True)


def test_nothing_is_wrong_with_the_base():
    assert [str(each) for each in messages() if each.level != "Info" and each.code != "SubsetNotLive"] == []


def test_there_are_enough():
    assert len(CASES) >= 50


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title.replace(" ", "-"))
def test_it_is_found_told_and_mended(case):
    broken, mended = messages(case.change), messages(case.change, case.mend)
    before = {(each.code, str(each.ref), each.text) for each in broken}
    told = [text for code, _, text in before if code == case.code and case.says in text]
    assert told, sorted((code, text) for code, _, text in before)
    after = {(each.code, str(each.ref)) for each in mended}
    assert not [each for each in before if each[0] == case.code and case.says in each[2] and each[:2] in after]
    grave = {each for each in mended if each.level != "Info" and each.code != "SubsetNotLive"}
    assert grave <= set(broken), "the mend breaks something else"
