"""The page in a real Chromium: every view opened, clicked and read. A word in the console fails the test."""

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from tests.web import fake, spans

from semafor.app.web import files

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),  # seconds it takes, minutes on a machine that does ten other things
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine (on Debian: apt install chromium)"),
]
AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
VIEWS = {
    "/overview": "Overview",
    "/graph": "Graph",
    "/graph?table=1": "Graph",
    "/workloads": "Workloads",
    "/workloads/default/reviews-v2": "reviews-v2 Deployment",
    "/services/default/reviews": "reviews Service",
    "/services/default/reviews?tab=rules": "reviews Service",
    "/services/default/reviews?tab=access": "reviews Service",
    "/apps/default/reviews": "reviews App",
    "/apps/default/reviews?tab=logs": "reviews App",
    "/workloads/default/reviews-v1?tab=traces": "reviews-v1 Deployment",
    "/workloads/default/reviews-v1?tab=access": "reviews-v1 Deployment",
    "/workloads/default/reviews-v1?tab=envoy": "reviews-v1 Deployment",
    "/alerts": "Alerts",
    "/mesh": "Mesh",
    "/search": "Traces",
    "/search?service=reviews.default&tags=error%3Dtrue&lookback=custom&minDuration=1ms": "Traces",
    f"/trace/{spans.SLOW}": "istio-ingressgateway.istio-system GET /productpage",
    f"/trace/{spans.SLOW}...{1:032x}": "Comparison of two traces",
    "/config": "Configuration",
    "/config/new": "New object",
    "/config/virtualservices.networking.istio.io/default/ratings": "ratings VirtualService",
    "/wizards?service=default/reviews": "Wizards",
}
# Slow machines: this is how long anything may take to appear, not how long it does.
expect.set_options(timeout=60_000)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def mesh(pool) -> AsyncIterator[tuple[str, fake.Site]]:
    assert (files.BUILT / "index.html").exists(), "the page is not built: make setup"
    async with fake.served(pool) as served:
        yield served


async def _enter(browser: Browser, mesh, **options) -> tuple[Page, list[str]]:
    """A page that is signed in, and what its console says from now on."""
    address, site = mesh
    context = await browser.new_context(base_url=address, locale="en-GB", reduced_motion="reduce", **options)
    context.set_default_timeout(60_000)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if _is_bad(message) else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    await page.goto(f"/#link={site.link()}")
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert "link" not in page.url
    return page, said


def _is_bad(message) -> bool:
    """Errors and warnings, but for one of Chromium's own editing: it tries to keep the style of replaced text."""
    return message.type in ("error", "warning") and "Applying inline style" not in message.text


async def _mistakes(page: Page) -> list[str]:
    """What axe finds, told shortly. It is run from outside of the page's policy, as a developer's tool would be."""
    session = await page.context.new_cdp_session(page)
    await session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    options = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"
    script = f"axe.run(document, {options}).then(found => JSON.stringify(found.violations.map("
    script += "each => each.id + ': ' + each.nodes.map(node => node.html.slice(0, 120)).slice(0, 3).join(' | '))))"
    answer = await session.send("Runtime.evaluate", {"expression": script, "awaitPromise": True})
    return [each for each in re.findall(r'"((?:[^"\\]|\\.)*)"', answer["result"]["value"]) if each]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_view_opens_is_silent_and_accessible(chromium, mesh, scheme):
    page, said = await _enter(chromium, mesh, color_scheme=scheme, viewport=DESKTOP)
    found = {}
    for path, heading in VIEWS.items():
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        await expect(page.locator(".waiting")).to_have_count(0)
        if mistakes := await _mistakes(page):
            found[path] = mistakes
    assert (said, found) == ([], {})


async def test_every_view_fits_a_phone_and_speaks_russian(chromium, mesh):
    page, said = await _enter(chromium, mesh, viewport=PHONE)
    await page.get_by_role("button", name="По-русски").click()
    wide = []
    for path in VIEWS:
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_be_attached()
        await expect(page.locator(".waiting")).to_have_count(0)
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(path)
    await expect(page.locator("html")).to_have_attribute("lang", "ru")
    assert (said, wide) == ([], [])


async def test_the_graph_has_locks_signs_and_figures(chromium, mesh):
    page, said = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.get_by_role("link", name="Graph", exact=True).click()
    await page.get_by_role("button", name=re.compile("^ratings, v1, .*Fault injection")).click()
    panel = page.get_by_role("complementary")
    await expect(panel).to_contain_text("reviews v2")
    await panel.get_by_role("button", name="reviews v2").click()
    await expect(panel).to_contain_text("Mutual TLS")
    await expect(panel).to_contain_text("P99")
    await expect(page.locator(".tag .icon")).not_to_have_count(0)
    assert said == []


async def test_the_graph_is_walked_by_keyboard(chromium, mesh):
    page, _ = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.goto("/graph")
    await page.get_by_role("button", name=re.compile("^productpage")).focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("complementary")).not_to_contain_text("productpage · ")
    assert await page.evaluate("document.activeElement.id.startsWith('node:')")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("complementary")).to_have_count(0)


async def test_find_dims_and_hide_takes_away(chromium, mesh):
    page, _ = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.goto("/graph")
    await expect(page.locator(".node")).to_have_count(9)
    await page.get_by_label("Find").fill("error>5")
    await expect(page.locator(".node.dim")).not_to_have_count(0)
    await page.get_by_label("Hide").fill("ns=data")
    await expect(page.locator(".node")).to_have_count(8)
    await page.get_by_label("Find").fill("colour=red")
    await expect(page.get_by_text("Not understood: colour=red")).to_be_visible()


async def test_the_editor_reviews_what_is_typed_and_applies_it(chromium, mesh):
    page, said = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.goto("/config/new")
    text = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata:\nname: typed\n"
    editor = page.get_by_role("textbox", name="YAML")
    await editor.click()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text(text)
    await expect(page.get_by_text("metadata.name is missing")).to_be_visible()
    await expect(page.get_by_role("button", name="Apply")).to_be_disabled()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text(text.replace("\nname", "\n  name") + "spec: {mtls: {mode: STRICT}}\n")
    await expect(page.get_by_role("button", name="Apply")).to_be_enabled()
    await page.get_by_role("button", name="Apply").click()
    await expect(page.get_by_role("link", name="typed")).to_be_visible()
    assert said == []


async def test_a_wizard_shows_its_yaml_and_what_the_mesh_says_before_it_is_applied(chromium, mesh):
    page, _ = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.goto("/wizards?service=default/reviews")
    await page.get_by_role("slider", name="Share of v2").fill("30")
    await expect(page.get_by_role("textbox", name="YAML")).to_contain_text("weight: 70")
    await expect(page.get_by_text("destinations is live")).to_be_visible()


async def test_a_link_works_once_and_leaving_ends_the_session(chromium, mesh):
    address, site = mesh
    page, _ = await _enter(chromium, mesh)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    link = f"{address}/#link={site.link()}"
    for context in (await chromium.new_context(locale="en-GB"), await chromium.new_context(locale="en-GB")):
        page = await context.new_page()
        await page.goto(link)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.get_by_role("alert")).to_contain_text("was used before")


async def test_the_token_of_the_kubeconfig_signs_in(chromium, mesh):
    address, _ = mesh
    context = await chromium.new_context(base_url=address, locale="en-GB")
    page = await context.new_page()
    await page.goto("/")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert await _mistakes(page) == []
    await page.get_by_text("Or use a token").click()
    await page.get_by_label("Token").fill(fake.TOKEN)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


async def test_a_foreign_page_can_neither_read_nor_change_nor_frame(chromium, mesh):
    """From the page of another origin, in the browser of somebody who is signed in."""
    page, _ = await _enter(chromium, mesh)
    address, _ = mesh
    await page.route("http://evil.test/", lambda route: route.fulfill(body="<h1>evil</h1>", content_type="text/html"))
    await page.goto("http://evil.test/")
    options = "{method: 'POST', mode: 'no-cors', credentials: 'include'}"
    script = f"path => fetch(path, {options}).then(answer => answer.type, () => 'refused')"
    assert await page.evaluate(script, f"{address}/api/logout") in ("opaque", "refused")
    assert await page.evaluate(f"fetch('{address}/api/overview').then(() => 'read', () => 'refused')") == "refused"
    await page.evaluate(f"document.body.append(Object.assign(document.createElement('iframe'), {{src: '{address}/'}}))")
    await page.goto(f"{address}/overview")
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


async def test_a_hundred_services_are_drawn(chromium, pool):
    async with fake.served(pool, fake.many(100)) as mesh:
        page, said = await _enter(chromium, mesh, viewport=DESKTOP)
        await page.goto("/graph")
        await expect(page.locator(".node")).to_have_count(100)
        assert said == []


async def test_a_trace_is_searched_for_opened_and_walked_by_keyboard(chromium, mesh):
    page, said = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.get_by_role("link", name="Traces", exact=True).click()
    await page.get_by_label("With errors").check()
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_role("heading", name="1 trace", exact=True)).to_be_visible()
    await page.get_by_role("link", name="istio-ingressgateway.istio-system GET /productpage").click()
    rows = page.locator(".waterfall .name")
    await expect(rows).to_have_count(7)
    await rows.first.focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowLeft")
    await expect(rows).to_have_count(2)
    await page.keyboard.press("ArrowRight")
    await expect(rows).to_have_count(7)
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await expect(page.locator(".detail")).to_contain_text("ratings")
    await page.get_by_placeholder("Highlight").fill("response_flags=UH")
    await expect(page.get_by_text("4 spans")).to_be_visible()
    assert said == []


async def test_two_traces_are_compared(chromium, mesh):
    page, said = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.goto("/search")
    for place in (0, 1):
        await page.get_by_role("checkbox", name=re.compile("^Compare")).nth(place).check()
    await page.get_by_role("link", name="Compare").click()
    await expect(page.get_by_role("row", name="reviews.default GET /reviews/0 v2")).to_contain_text("only in A")
    await page.get_by_role("link", name="Swap").click()
    await expect(page.get_by_role("row", name="reviews.default GET /reviews/0 v2")).to_contain_text("only in B")
    assert said == []


async def test_the_id_of_a_request_opens_its_trace(chromium, mesh):
    page, _ = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.goto("/search")
    await page.get_by_label("Trace or request ID").fill(spans.REQUEST)
    await page.get_by_role("button", name="Open").click()
    await expect(page.locator(".waterfall .name")).to_have_count(7)
    await page.goto("/trace/ffffffff")
    await expect(page.get_by_text("trace not found")).to_be_visible()


async def test_alerts_lead_to_what_they_are_about(chromium, mesh):
    page, said = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.get_by_role("link", name=re.compile("^Alerts")).click()
    alert = page.locator(".alert.firing")
    await expect(alert).to_contain_text("More than 10 % of the requests to reviews fail.")
    await expect(page.get_by_text("many-to-many matching not allowed")).to_be_visible()
    await alert.get_by_role("link", name="in the graph").click()
    await expect(page.locator(".node:not(.dim)")).to_have_count(1)
    await page.go_back()
    await page.locator(".alert.firing").get_by_role("link", name="reviews-v2").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("reviews-v2")
    assert said == []


async def test_a_workload_tells_who_may_call_it_and_what_its_envoy_has(chromium, mesh):
    page, said = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.goto("/workloads/default/reviews-v1")
    await page.get_by_role("tab", name="Access").click()
    await expect(page.get_by_role("row", name=re.compile("^9080 HTTP STRICT"))).to_be_visible()
    await page.get_by_role("button", name="Ask").click()
    await expect(page.get_by_role("status")).to_contain_text("Refused")
    await page.get_by_role("tab", name="Envoy").click()
    await expect(page.get_by_role("cell", name="outbound").first).to_be_visible()
    await page.get_by_role("combobox", name="View", exact=True).select_option("endpoints")
    await expect(page.get_by_role("cell", name="10.77.0.9:9080")).to_be_visible()
    await page.get_by_role("tab", name="Logs").click()
    await page.get_by_role("combobox", name="Container", exact=True).select_option("istio-proxy")
    await page.get_by_label("Lines with").fill("503")
    await expect(page.locator(".output")).to_contain_text("no_healthy_upstream")
    await page.get_by_role("tab", name="Traces").click()
    await expect(page.locator(".traces li")).to_have_count(24)
    assert said == []


async def test_the_mesh_tells_its_proxies_and_certificates(chromium, mesh):
    page, said = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.get_by_role("link", name="Mesh", exact=True).click()
    await expect(page.get_by_role("row", name=re.compile("reviews-v1-5d4f-a .* 21.* h left"))).to_be_visible()
    await expect(page.get_by_role("article").filter(has_text="Certificate authority")).to_contain_text("2036-11-20")
    assert said == []


async def test_the_graph_is_played_from_the_past_until_now(chromium, mesh):
    page, said = await _enter(chromium, mesh, viewport=DESKTOP)
    await page.goto("/graph?ago=2")
    await expect(page.get_by_text("2 min ago")).to_be_visible()
    await page.get_by_role("button", name="Play").click()
    await expect(page.locator(".replay output")).to_have_text("Live")
    await expect(page.get_by_role("button", name="Play")).to_be_visible()
    await expect(page.locator(".node")).to_have_count(9)
    assert said == []
