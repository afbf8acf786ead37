"""Workloads, services and their figures."""

import pytest

from semafor.app.web import charts


async def test_a_workload_has_its_pods_services_and_rules(page):
    told = (await page.get("/api/workloads/default/reviews-v2")).json()
    assert (told["health"], [pod["ready"] for pod in told["pods"]], told["services"]) == (
        "degraded",
        [True, False],
        ["reviews"],
    )
    assert {(rule["kind"], rule["why"]) for rule in told["rules"]} == {
        ("PeerAuthentication", "namespace"),
        ("VirtualService", "service"),
        ("DestinationRule", "service"),
    }


async def test_a_service_has_the_workloads_behind_it(page):
    told = (await page.get("/api/mesh/services/default/reviews")).json()
    assert [each["name"] for each in told["workloads"]] == ["reviews-v1", "reviews-v2"]


async def test_figures_come_by_class_of_answer(page):
    told = (await page.get("/api/charts/workload/default/reviews-v2?window=300")).json()
    assert set(told["requests"]) == {"2xx", "5xx"}
    assert len(told["requests"]["2xx"]) == 61
    assert all(len(points) == 61 for points in told["latency"].values())


@pytest.mark.parametrize("path", ["/api/charts/pod/a/b", "/api/charts/service/a/b?direction=out", "/api/graph?view=x"])
async def test_what_cannot_be_answered_is_refused(page, path):
    assert (await page.get(path)).status_code == 400


@pytest.mark.parametrize("path", ["/api/logs/default/nobody/app", "/api/envoy/default/reviews-v1-5d4f-a/quitquitquit"])
async def test_only_logs_and_views_that_there_are_can_be_read(page, path):
    assert (await page.get(path)).status_code == 404


def test_no_name_can_end_the_string_that_it_is_in():
    assert charts.quoted('a"} or up{x="\\\n') == '"a\\"} or up{x=\\"\\\\\\n"'
