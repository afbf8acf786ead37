"""What the page tells of the mesh itself, and what tools read from it with a token."""

import time

import pytest
from tests.web import fake


async def test_every_proxy_is_listed_with_its_state_and_its_certificate(page):
    told = (await page.get("/api/mesh/status")).json()
    (own,) = [each for each in told["proxies"] if each["pod"] == "reviews-v1-5d4f-a"]
    left = own.pop("expires") - time.time()
    assert own == {
        "namespace": "default",
        "pod": "reviews-v1-5d4f-a",
        "workload": "reviews-v1",
        "role": "sidecar",
        "connected": True,
        "behind": 0,
        "types": {"CDS": "SYNCED"},
    }
    assert 20 * 3600 < left < 22 * 3600
    assert [each["name"] for each in told["without"]] == ["batch-v1"]
    assert told["authority"]["signer"]["until"] == "2036-11-20"


async def test_an_app_is_all_its_versions(page):
    told = (await page.get("/api/apps/default/reviews")).json()
    assert ([each["name"] for each in told["workloads"]], told["services"], len(told["pods"])) == (
        ["reviews-v1", "reviews-v2"],
        ["reviews"],
        4,
    )
    kinds = [each["kind"] for each in told["rules"]]
    assert sorted(kinds) == sorted(set(kinds)), "each rule once"
    assert (await page.get("/api/apps/default/nobody")).status_code == 404


async def test_an_app_has_figures_of_its_own(page):
    told = (await page.get("/api/charts/app/default/reviews?direction=out")).json()
    assert told["requests"]


async def test_envoys_tables_are_those_of_the_command_line(page):
    path = "/api/questions/semafor/v1/proxies/default/reviews-v1-5d4f-a/tables"
    told = (await page.get(f"{path}/clusters")).json()
    assert told["header"][:3] == ["SERVICE FQDN", "PORT", "SUBSET"]
    assert [row[2] for row in told["rows"]] == ["v1", "v2"]
    endpoints = (await page.get(f"{path}/endpoints")).json()
    assert endpoints["rows"][0][:3] == ["10.77.0.9:9080", "HEALTHY", "OK"]
    assert (await page.get(f"{path}/nothing")).json()["reason"] == "NotFound"


async def test_who_may_call_is_told_and_asked(page):
    pod = "default/reviews-v1-5d4f-a"
    told = (await page.get(f"/api/questions/semafor/v1/pods/{pod}")).json()
    assert {each["mode"] for each in told["ports"]} == {"STRICT"}
    question = {"method": "GET", "path": "/", "says": "http"}
    answer = await page.post(f"/api/questions/semafor/v1/authz/{pod}", json=question)
    assert answer.json()["refusal"], "STRICT takes nobody without a sidecar"


@pytest.mark.parametrize(
    ("path", "method", "code"),
    [
        ("/api/prometheus/api/v1/query", "GET", 200),
        ("/api/prometheus/api/v1/query", "POST", 200),
        ("/api/jaeger/api/services", "GET", 200),
        ("/api/overview", "GET", 401),
        ("/api/logout", "POST", 403),
    ],
)
async def test_tools_read_figures_and_traces_with_an_administrators_token(page, path, method, code):
    page.cookies.clear()
    headers = {"Authorization": f"Bearer {fake.TOKEN}", "Origin": "http://grafana.example"}
    assert (await page.request(method, path, headers=headers)).status_code == code


@pytest.mark.parametrize("token", ["a-pods-token", "", "wrong"])
async def test_no_other_token_opens_anything(page, token):
    page.cookies.clear()
    answer = await page.get("/api/prometheus/api/v1/query", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_a_tool_is_heard_under_the_names_of_loopback_alone(page):
    page.cookies.clear()
    headers = {"Authorization": f"Bearer {fake.TOKEN}", "Host": "evil.example"}
    assert (await page.get("/api/prometheus/api/v1/query", headers=headers)).status_code == 421
