"""What people ask the mesh, over the meshes of the golden cases."""

from types import SimpleNamespace

import pytest
from tests.golden import cases

from semafor.app.questions import authz, describe, envoy, explain, metrics
from semafor.app.questions.explain import Question
from semafor.kube.api.errors import StatusError
from semafor.planner import Proxy

AUTHORIZATION = cases.ROOT / "security" / "authorization"
LAYERS = cases.ROOT / "routing" / "layers"
SPLIT = cases.ROOT / "routing" / "split"


class Fleet:
    """Every pod of the case with a sidecar has one here, with the plan that it would get."""

    def __init__(self, case: cases.Case) -> None:
        self._case = case

    def proxy_of_pod(self, name: str) -> Proxy | None:
        pod = self._case.mesh.pods[tuple(name.split("/"))]
        return self._case.proxy(name) if pod.in_mesh else None

    def plan_of_pod(self, name: str):
        return self._case.plan(name)[0] if self.proxy_of_pod(name) else None


def asked(folder, **question):
    case = cases.Case(folder)
    return explain.answer(case.mesh, Fleet(case).plan_of_pod, Question(**question))


def test_a_route_is_told_with_its_object_its_field_and_what_it_won_against():
    story = asked(LAYERS, source="default/agent-1", host="model", method="GET", headers=(("x-user", "ada"),))
    (outcome,) = story.way.outcomes
    assert (story.verdict, str(outcome.rule)) == ("passes", "VirtualService default/b-canary spec.http[0].match[0]")
    assert [str(each.rule) for each in story.way.later] == [
        "VirtualService default/a-base spec.http[1].match[0]",
        "VirtualService default/c-resilient spec.http[0]",
    ]
    assert any(each.startswith("VirtualService default/a-base spec.http[2]") for each in story.problems)


def test_a_split_is_told_with_its_shares_and_the_instances_of_each():
    story = asked(SPLIT, source="default/agent-1", host="model", method="GET", path="/chat")
    (outcome,) = story.way.outcomes
    found = [(target.share, [each.workload for each in target.instances]) for target in outcome.targets]
    assert found == [(90, ["default/model-v1-1", "default/model-v1-2"]), (10, ["default/model-v2-1"])]


def test_a_caller_without_a_sidecar_is_led_to_the_instances_by_the_node():
    story = asked(SPLIT, source="default/legacy-1", host="model", method="GET")
    assert (story.way, [each.workload for each in story.arrivals]) == (None, ["default/model-v1-1"])
    assert {each.transport for each in story.arrivals} == {"plain text"}


def test_a_pod_that_does_not_exist_is_refused_by_name():
    with pytest.raises(StatusError, match="there is no pod nobody in the namespace default"):
        asked(SPLIT, source="default/nobody", host="model", method="GET")


def test_a_question_of_another_shape_is_refused():
    with pytest.raises(StatusError, match="not understood"):
        explain.parse(b'{"port": "eighty"}')


def test_the_policies_of_a_pod_are_listed():
    case = cases.Case(AUTHORIZATION)
    found = authz.policies(case.mesh, Fleet(case), "default/api-1")
    assert [(each.action, each.name, each.rules) for each in found] == [
        ("ALLOW", "api.default", 4),
        ("DENY", "no-debug.istio-system", 1),
    ]


def test_a_refusal_names_the_rule_and_what_would_mend_it():
    case = cases.Case(AUTHORIZATION)
    question = Question(source="default/agent-1", method="GET", port=8080)
    arrival = authz.arrival(case.mesh, Fleet(case), "default/vault-1", question)
    assert (arrival.status, arrival.judged[-1].action) == (403, "allow")
    assert "cluster.local/ns/default/sa/default" in arrival.mend


def test_claims_are_flattened():
    payload = {"iss": "a", "groups": ["x", 1], "realm": {"roles": ["r"]}, "scope": "read write"}
    assert dict(explain.claims(payload)) == {
        "iss": ("a",),
        "groups": ("x", "1"),
        "realm.roles": ("r",),
        "scope": ("read", "write"),
    }


def test_who_may_call_is_told_in_words():
    case = cases.Case(AUTHORIZATION)
    (policy,) = [each for each in case.mesh.authorization_policies.values() if each.origin.ref.name == "no-debug"]
    (permission,) = describe.permissions([policy])
    assert (permission.action, permission.who) == ("DENY", "everybody")
    assert 'the path begins with "/debug" or ends with "/internal"' in permission.what


def test_the_token_of_a_proxy_is_left_out_of_what_is_shown():
    secret = {"initial_metadata": [{"key": "authorization", "value": "Bearer x"}, {"key": "other", "value": "y"}]}
    shown = {"initial_metadata": [{"key": "authorization", "value": "[redacted]"}, {"key": "other", "value": "y"}]}
    assert envoy.redacted([secret]) == [shown]


class Samples:
    """Metrics that answer a question by the first of the words that is in it."""

    def __init__(self, **answers: float) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def query(self, expr: str, at: float):
        self.asked.append(expr)
        found = (value for word, value in self._answers.items() if word in expr)
        return [SimpleNamespace(value=value) for value in [next(found, None)] if value is not None]


async def test_the_load_of_a_workload_is_what_its_own_proxies_count():
    samples = Samples(response_code=1.5, requests_total=6.0, histogram_quantile=float("nan"))
    load = await metrics.load(samples, "demo", "model-v1", 60)
    assert (load.workload, load.total_rps, load.error_rps, load.p50_ms) == ("model-v1.demo", 6.0, 1.5, None)
    assert all('destination_workload="model-v1"' in expr and 'reporter="destination"' in expr for expr in samples.asked)


async def test_a_name_that_is_none_never_gets_into_a_query():
    with pytest.raises(StatusError, match="is no name of a workload"):
        await metrics.load(Samples(), "demo", 'x"} or up{a="', 60)
