"""The harness itself: it sees what goes wrong in a page."""

import pytest
from playwright.async_api import Page

from tests.browser.seeing import Faults, Picture, axe, sideways, weight
from tests.browser.serving import Web

ONE = pytest.mark.parametrize("view", ["desktop"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_api_page(web: Web, page: Page, picture: Picture) -> None:
    sizes = await weight(page, f"{web.address}/docs")
    assert await page.title() == "API · Clinical AI Summarizer"
    assert {"/docs", "/static/base.css", "/static/icon.svg"} <= set(sizes)
    assert all(size > 200 for size in sizes.values())
    assert await axe(page) == []
    assert await sideways(page) == 0
    assert (await picture(page)).stat().st_size > 10_000


@ONE
async def test_the_demo_has_no_route_to_a_server(demo_site: Web, page: Page, faults: Faults) -> None:
    faults.allow("status of 404")
    answer = await page.goto(f"{demo_site.address}/v1/compositions")
    assert answer
    assert answer.status == 404


@ONE
async def test_faults_are_seen(web: Web, page: Page, faults: Faults) -> None:
    await page.goto(f"{web.address}/docs")
    assert faults.seen == []
    await page.evaluate("console.error('wrong'), setTimeout(() => { alert('hello'); throw Error('thrown') })")
    await page.evaluate("fetch('https://elsewhere.example/x').catch(() => {})")
    await page.evaluate("document.body.append(Object.assign(document.createElement('img'), {src: 'data:x'}))")
    await page.wait_for_timeout(300)
    seen = " ".join(faults.seen)
    for fault in ("wrong", "hello", "thrown", "policy: connect-src", "policy: img-src"):
        assert fault in seen, seen
    faults.allow("")


@ONE
async def test_axe_finds_what_is_wrong(web: Web, page: Page) -> None:
    await page.goto(f"{web.address}/docs")
    await page.evaluate("document.body.append(document.createElement('button'))")
    (found,) = await axe(page)
    assert found.startswith("button-name (critical)")
