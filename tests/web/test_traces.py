"""Traces at the page, and where people look for Jaeger."""

import httpx
import pytest
from tests.web import fake, spans


async def test_a_search_tells_each_trace_in_a_line(page):
    told = (await page.get("/api/trace-search?tag=error:true")).json()
    assert [(each["service"], each["operation"], each["spans"], each["failed"]) for each in told["traces"]] == [
        ("istio-ingressgateway.istio-system", "GET /productpage", 7, 4)
    ]
    assert told["traces"][0] | {"start": 0} == {
        "id": spans.SLOW,
        "service": "istio-ingressgateway.istio-system",
        "operation": "GET /productpage",
        "start": 0,
        "duration": 421_000,
        "spans": 7,
        "failed": 4,
        "services": [
            {"name": "details.default", "spans": 1},
            {"name": "istio-ingressgateway.istio-system", "spans": 1},
            {"name": "productpage.default", "spans": 3},
            {"name": "ratings.default", "spans": 1},
            {"name": "reviews.default", "spans": 1},
        ],
        "request": spans.REQUEST,
    }
    assert "reviews.default" in told["services"]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("", 20),
        ("limit=100", 24),
        ("service=ratings.default&limit=100", 4),
        ("operation=GET /reviews/0 v2&limit=100", 4),
        ("minDuration=400ms&limit=100", 4),
        ("maxDuration=10ms&service=istio-ingressgateway.istio-system", 0),
        ("end=1", 0),
    ],
)
async def test_searches_are_narrowed(page, asked, count):
    assert len((await page.get(f"/api/trace-search?{asked}")).json()["traces"]) == count


async def test_what_cannot_be_searched_is_told(page):
    answer = await page.get("/api/trace-search?minDuration=long")
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


async def test_a_trace_is_found_by_the_id_of_its_request(page):
    told = (await page.get(f"/api/jaeger/api/traces/{spans.REQUEST}")).json()
    assert told["data"][0]["traceID"] == spans.SLOW


async def _asked(pool, path: str, host: str = "localhost:16686") -> httpx.Response:
    async with (
        fake.served(pool) as (_, site),
        httpx.AsyncClient(transport=httpx.ASGITransport(site.jaeger), base_url="http://x") as client,
    ):
        return await client.get(path, headers={"Host": host})


@pytest.mark.parametrize("path", ["/api/services", "/jaeger/api/services", "/api/v3/services"])
@pytest.mark.parametrize("host", ["localhost:16686", "tracing.istio-system", "10.77.0.4:80", "tracing"])
async def test_jaegers_api_answers_where_jaeger_is_looked_for(pool, path, host):
    answer = await _asked(pool, path, host)
    assert (answer.status_code, "reviews.default" in answer.text) == (200, True)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "istio-system.evil.example", "", "evil.example:16686"])
async def test_foreign_names_do_not_reach_it(pool, host):
    assert (await _asked(pool, "/api/traces", host)).status_code == 421


@pytest.mark.parametrize(
    ("path", "code", "where"),
    [
        ("/jaeger/search?service=a", 307, "/search?service=a"),
        ("/jaeger//evil.example/", 307, "/evil.example/"),
        ("/jaeger", 307, "/"),
        ("/api/overview", 401, None),
        ("/api/mesh/services", 401, None),
    ],
)
async def test_everything_else_is_the_page(pool, path, code, where):
    answer = await _asked(pool, path)
    assert (answer.status_code, answer.headers.get("location")) == (code, where)
