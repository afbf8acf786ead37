"""The plans of the cases are those that were written down, and their calls go where they have to."""

import pytest
from tests.calls import edge, matcher, script
from tests.golden import cases

FOLDERS = cases.folders()
CALLS = [folder for folder in FOLDERS if (folder / "calls.txt").exists()]


def _name(folder) -> str:
    return str(folder.relative_to(cases.ROOT))


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_the_plan_is_as_written_down(folder, request):
    shown, golden = cases.Case(folder).shown(), folder / "plan.yaml"
    if request.config.getoption("--rewrite", default=False):
        golden.write_text(shown)
    known = golden.read_text() if golden.exists() else ""
    assert known == shown, "run `make golden` and read the difference"


@pytest.mark.parametrize("folder", CALLS, ids=_name)
def test_calls_go_where_they_have_to(folder, pool):
    case = cases.Case(folder)
    calls = script.read(folder / "calls.txt")
    match = {proxy: matcher.Matcher(pool, case.plan(proxy)[0], case.names()) for proxy in {c.proxy for c in calls}}
    went = [call.with_result(_followed(match[call.proxy], case, call)) for call in calls]
    assert [str(call) for call in went] == [str(call) for call in calls]


def _followed(match, case, call):
    identity = case.identity(call.caller)
    if call.is_entering:
        return edge.follow(match, call, edge.Client(identity, *case.certificate(call.certificate)))
    return match.follow(call, identity)


def test_no_golden_is_an_orphan(request):
    orphans = [path for path in cases.ROOT.glob("*/*/plan.yaml") if not (path.parent / "in.yaml").exists()]
    if request.config.getoption("--rewrite", default=False):
        for path in orphans:
            path.unlink()
        orphans = []
    assert orphans == []
