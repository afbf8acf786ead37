"""Two plans of one proxy are compared in routes and policies."""

import pytest
import ryaml
from tests.golden import cases

from semafor import explain

CALLER, CALLEE = "default/agent-1", "default/model-v1-1"
SUBSETS = {"name": "v1", "labels": {"version": "v1"}}, {"name": "v2", "labels": {"version": "v2"}}


def rule(kind, spec, group="networking"):
    version = f"{group}.istio.io/v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "model", "namespace": "default"}, "spec": spec}


def split(*weights):
    routes = [
        {"destination": {"host": "model", "subset": f"v{number}"}, "weight": weight}
        for number, weight in enumerate(weights, 1)
    ]
    return rule("VirtualService", {"hosts": ["model"], "http": [{"route": routes}]})


def policy(*methods):
    to = [{"operation": {"methods": list(methods)}}]
    return rule(
        "AuthorizationPolicy",
        {"selector": {"matchLabels": {"app": "model"}}, "action": "DENY", "rules": [{"to": to}]},
        "security",
    )


@pytest.fixture
def plan(tmp_path):
    """The plan of a pod when these documents are there."""

    def made(name, *documents):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        every = (rule("DestinationRule", {"host": "model", "subsets": SUBSETS}), *documents)
        (folder / "in.yaml").write_text("---\n".join(str(ryaml.dumps(each)) for each in every))
        return cases.Case(folder).plan(name)[0]

    return made


def test_the_same_is_no_difference(plan):
    assert explain.compare(plan(CALLER, split(90, 10)), plan(CALLER, split(90, 10))) == ()


def test_weights_are_told_as_routes(plan):
    (change,) = explain.compare(plan(CALLER, split(90, 10)), plan(CALLER, split(50, 50)))
    assert (change.part, change.how) == ("routes of", "changed")
    assert change.name.startswith("model.default.svc.cluster.local:80")
    before, after = (line.split(", 2 retries")[0] for line in change.lines)
    host = "model.default.svc.cluster.local"
    assert before == f"- every request: 90 % to outbound|80|v1|{host}, 10 % to outbound|80|v2|{host}"
    assert after == f"+ every request: 50 % to outbound|80|v1|{host}, 50 % to outbound|80|v2|{host}"


def test_policies_are_told_in_words_and_once_for_all_chains(plan):
    (change,) = explain.compare(plan(CALLEE, policy("GET")), plan(CALLEE, policy("GET", "PUT")))
    assert change.part == "listener"
    assert change.lines[:2] == (
        '- DENY from everybody: the method is "GET"   (AuthorizationPolicy default/model spec.rules[0])',
        '+ DENY from everybody: the method is "GET" or is "PUT"   (AuthorizationPolicy default/model spec.rules[0])',
    )
    assert change.lines[2].startswith("  in chains ")


def test_a_policy_that_goes_takes_its_lines_along(plan):
    (change,) = explain.compare(plan(CALLEE, policy("GET")), plan(CALLEE))
    assert all(line.startswith(("- DENY", "  in chains")) for line in change.lines)


def test_who_is_not_concerned_has_no_difference(plan):
    assert explain.compare(plan(CALLER, policy("GET")), plan(CALLER)) == ()
