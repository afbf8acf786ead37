"""What stands before the page, asked as browsers and as attackers ask."""

import base64
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from tests.web import fake

from semafor.app.web.gate import is_loopback
from semafor.app.web.site import Site
from semafor.app.web.sources import Sources
from semafor.kube.api.objects import Objects
from semafor.kube.store import Store

HERE = "http://127.0.0.1:20002"
ORIGIN = {"Origin": HERE}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    store = Store.open(None)
    control = cast("Any", SimpleNamespace(problems=dict, proxies=list))
    yield Site(Sources("test", Objects(store), control, fake._authenticate, Clock()))
    await store.close()


@pytest.fixture
async def browser(site) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site.app), base_url=HERE) as client:
        yield client


async def _sign_in(browser, site) -> str:
    answer = await browser.post("/api/login", json={"link": site.link()}, headers=ORIGIN)
    assert answer.status_code == 200
    return answer.json()["csrf"]


async def test_a_link_opens_a_session_once(browser, site):
    link = {"link": site.link()}
    first = await browser.post("/api/login", json=link, headers=ORIGIN)
    cookie = first.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert (await browser.get("/api/overview")).status_code == 200
    browser.cookies.clear()
    assert (await browser.post("/api/login", json=link, headers=ORIGIN)).status_code == 401


@pytest.mark.parametrize("path", ["/api/overview", "/api/graph", "/api/problems", "/api/nothing"])
async def test_nothing_is_told_without_a_session(browser, path):
    answer = await browser.get(path)
    assert (answer.status_code, answer.json()["reason"]) == (401, "NoSession")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost:evil", "[::1]:1:2", "10.0.0.1", ""]
)
async def test_a_foreign_host_is_refused(browser, host):
    answer = await browser.get("/", headers={"Host": host})
    assert (answer.status_code, answer.json()["reason"]) == (421, "WrongHost")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9999", "[::1]:20001", "[::1]"])
def test_every_port_of_loopback_is_ours(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:20003"},
        {**ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {**ORIGIN, "Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_change_from_elsewhere_is_refused(browser, site, headers):
    csrf = await _sign_in(browser, site)
    answer = await browser.post("/api/logout", json={}, headers={**headers, "X-CSRF-Token": csrf})
    assert (answer.status_code, answer.json()["reason"]) == (403, "ForeignOrigin")


@pytest.mark.parametrize("token", ["", "made-up"])
async def test_a_change_without_the_sessions_token_is_refused(browser, site, token):
    await _sign_in(browser, site)
    answer = await browser.post("/api/logout", json={}, headers={**ORIGIN, "X-CSRF-Token": token})
    assert (answer.status_code, answer.json()["reason"]) == (403, "NoCsrfToken")


async def test_signing_out_ends_the_session_itself(browser, site):
    csrf = await _sign_in(browser, site)
    [(name, value)] = browser.cookies.items()
    await browser.post("/api/logout", json={}, headers={**ORIGIN, "X-CSRF-Token": csrf})
    answer = await browser.get("/api/overview", headers={"Cookie": f"{name}={value}"})
    assert answer.status_code == 401


async def test_every_answer_has_the_strict_headers(browser):
    for path in ("/", "/api/session", "/assets/nothing.js", "/graph"):
        headers = (await browser.get(path)).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
        assert headers["cache-control"] == "no-store"


async def test_probes_need_neither_host_nor_session(browser):
    answer = await browser.get("/kiali/healthz", headers={"Host": "10.244.0.9:20001"})
    assert (answer.status_code, answer.text) == (200, "ok")


async def test_a_token_is_taken_from_administrators_only(browser):
    given = [fake.TOKEN, "a-pods-token", "made-up", ""]
    answers = [await browser.post("/api/login", json={"token": token}, headers=ORIGIN) for token in given]
    assert [answer.status_code for answer in answers] == [200, 401, 401, 401]


async def test_a_password_opens_only_where_one_is_set(browser, site):
    asked = {"user": "admin", "password": "secret"}
    assert (await browser.get("/api/session")).json() == {"signedIn": False, "ways": ["link", "token"]}
    assert (await browser.post("/api/login", json=asked, headers=ORIGIN)).status_code == 401
    await _set_password(site, "admin", "secret")
    assert "password" in (await browser.get("/api/session")).json()["ways"]
    assert (await browser.post("/api/login", json={**asked, "password": "no"}, headers=ORIGIN)).status_code == 401
    assert (await browser.post("/api/login", json=asked, headers=ORIGIN)).status_code == 200


async def test_guessing_passwords_gets_slow_but_a_link_still_works(browser, site):
    await _set_password(site, "admin", "secret")
    wrong = {"user": "admin", "password": "guess"}
    codes = [(await browser.post("/api/login", json=wrong, headers=ORIGIN)).status_code for _ in range(7)]
    assert codes == [401] * 5 + [429] * 2
    right = {**wrong, "password": "secret"}
    assert (await browser.post("/api/login", json=right, headers=ORIGIN)).status_code == 429
    assert (await browser.post("/api/login", json={"link": site.link()}, headers=ORIGIN)).status_code == 200


@pytest.mark.parametrize("body", [b"", b"[]", b'{"link": 5}', b"\xff", b'"x"'])
async def test_a_body_that_is_no_login_is_refused(browser, body):
    answer = await browser.post("/api/login", content=body, headers=ORIGIN)
    assert answer.status_code == 400


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(browser):
    answer = await browser.post("/api/login", headers={**ORIGIN, "Content-Length": "2000000"}, content=b"{}")
    assert answer.status_code == 413


async def _set_password(site, user: str, password: str) -> None:
    data = {"username": user, "passphrase": password}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    metadata = {"name": "kiali", "namespace": "istio-system"}
    stored = site._sources.objects.store.create("secrets", {"metadata": metadata, "data": encoded})
    await stored
