"""`/` in a browser: what cannot be read, what does not answer, and what is hostile."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.seeing import Faults, Picture, axe, sideways
from tests.browser.serving import PATIENCE, Web
from tests.browser.summarising import DESKTOP, NOTE, drop, read

HOSTILE = (
    "HISTORY <b>now</b>:\n<script>alert(1)</script> was noted. <img src=x onerror=alert(2)> is no fever.\n\n"
    'PLAN"><svg onload=alert(3)>:\n😀 {{ 7*7 }} javascript:alert(4) & \'quotes\' "hold". <iframe src=x>\n'
)


@DESKTOP
@pytest.mark.parametrize(
    ("name", "data", "media_type", "words"),
    [
        ("x.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "image/png", "holds no text that can be read"),
        ("x.pdf", b"%PDF-1.7 nothing more", "application/pdf", "The file could not be read"),
        ("x.txt", b"", "text/plain", "The file is empty"),
    ],
    ids=["picture", "damaged", "empty"],
)
async def test_a_file_that_cannot_be_read(
    demo_site: Web, page: Page, faults: Faults, name: str, data: bytes, media_type: str, words: str
) -> None:
    faults.allow("status of 4(15|22)")
    await page.goto(f"{demo_site.address}/")
    await drop(page, name, data, media_type)
    await expect(page.get_by_role("alert")).to_contain_text(words)
    await expect(page.get_by_label("Clinical note")).to_be_visible()
    assert await axe(page) == []


async def test_no_network_and_a_busy_service(
    demo_site: Web, page: Page, faults: Faults, picture: Picture
) -> None:
    faults.allow("ERR_INTERNET_DISCONNECTED|status of 503")
    await page.goto(f"{demo_site.address}/")
    alert = page.get_by_role("alert")
    await page.get_by_role("button", name="Summarise").click()
    await expect(alert).to_contain_text("There is no note yet")

    await page.context.set_offline(True)
    await page.get_by_label("Clinical note").fill(NOTE)
    await page.get_by_role("button", name="Summarise").click()
    await expect(alert).to_contain_text("The service cannot be reached")
    await expect(page.get_by_label("Clinical note")).to_have_value(NOTE)
    assert await axe(page) == []
    await picture(page, "no-network")
    await page.context.set_offline(False)

    busy = {"code": "queue-full", "title": "busy", "status": 503}

    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json=busy, headers={"Retry-After": "2"})

    await page.route("**/v1/summaries*", refuse, times=1)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#working")).to_contain_text("The service is busy. Asking again in")
    await picture(page, "busy")
    await page.locator("#result").wait_for(timeout=PATIENCE * 1000)
    await expect(alert).to_be_empty()

    await page.get_by_role("button", name="Another note").click()
    await page.route("**/v1/summaries*", refuse, times=1)
    await page.get_by_role("button", name="Summarise").click()
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_label("Clinical note")).to_be_focused()
    await expect(alert).to_be_empty()


@DESKTOP
async def test_an_answer_whose_offsets_do_not_hold_its_sentences_is_not_shown(
    demo_site: Web, page: Page
) -> None:
    async def shift(route: Route) -> None:
        answered = await route.fetch()
        found = await answered.json()
        for sentence in (*found["summary"], *found["sentences"]):
            sentence["start"] += 1
        await route.fulfill(response=answered, json=found)

    await page.route("**/v1/summaries*", shift)
    await page.goto(f"{demo_site.address}/")
    await page.get_by_label("Clinical note").fill(NOTE)
    await page.get_by_role("button", name="Summarise").click()
    await expect(page.get_by_role("alert")).to_contain_text("does not fit the note")
    await expect(page.locator("#result")).to_be_hidden()


async def test_a_hostile_note_is_shown_as_it_is_and_nothing_of_a_note_is_in_an_address(
    demo_site: Web, page: Page
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await read(page, demo_site, HOSTILE)
    assert await page.locator("#text").text_content() == HOSTILE
    assert (
        await page.locator("#result script, #result img, #result svg svg, #result iframe, #text b").count()
        == 0
    )
    for link in await page.locator("#result a[href]").all():
        assert (await link.get_attribute("href") or "").startswith(("#note-", "#summary-"))
    assert await sideways(page) == 0
    assert "/v1/summaries?include_ranks=true" in asked[-1]
    assert not any(word in url for url in asked for word in ("alert", "fever", "HISTORY", "quotes"))
    assert await page.evaluate("Object.values({...localStorage}).join() + document.cookie") == ""
