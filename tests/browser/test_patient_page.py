"""`/patient` in a browser: full, filtered, empty, with something wrong, by keys, without scripts, printed."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.altered import Altered
from tests.browser.full import FAMILY, full_site
from tests.browser.seeing import Faults, Picture, axe, sideways, weight
from tests.browser.serving import Web

ONE = pytest.mark.parametrize("view", ["desktop"])
BOTH = pytest.mark.parametrize("scheme", ["light", "dark"])
PATIENT = "demo-ainsley"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service over a patient with three hundred notes, and one without any."""
    with full_site(tmp_path_factory.mktemp("full")) as web:
        yield web


@BOTH
async def test_a_patient_is_found_and_read(web: Web, page: Page, picture: Picture) -> None:
    await page.goto(web.address)
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page, "form")
    await page.get_by_label("Name or number").fill("ainsley")
    await page.get_by_role("button", name="Find").click()
    await page.get_by_role("heading", name="Walter Ainsley").wait_for()
    assert page.url == f"{web.address}/patient/{PATIENT}"
    assert await page.locator("article.note").count() == 6
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)
    await page.mouse.wheel(0, 2000)
    await expect(page.locator("header.person")).to_be_in_viewport()


async def test_a_sentence_opens_its_note_beside(web: Web, page: Page, picture: Picture, view: str) -> None:
    await page.goto(f"{web.address}/patient/{PATIENT}")
    sentence = page.locator("a.told").nth(3)
    await sentence.click()
    mark = page.locator("#pane .mark.now")
    await mark.wait_for()
    assert page.url == f"{web.address}/patient/{PATIENT}"
    assert " ".join(str(await mark.text_content()).split()) == await sentence.inner_text()
    await expect(mark).to_be_in_viewport()
    assert await page.locator("#ruler i").count() > 3
    assert await axe(page) == []
    await picture(page)
    other = page.locator("#pane .mark[data-row]").first
    await other.click()
    assert await page.locator("a.told.now").inner_text() == " ".join(str(await other.text_content()).split())
    if view == "phone":
        await page.get_by_role("button", name="Close").click()
        await expect(page.locator("#pane")).not_to_be_visible()


async def test_repeats_are_told_with_their_other_notes(
    altered_site: Altered, page: Page, picture: Picture
) -> None:
    await page.goto(f"{altered_site.web.address}/patient/one?order=oldest")
    also = page.locator("article li").first
    await also.get_by_text("also in 2 notes").click()
    assert "Still pneumonia" in " ".join(str(await also.locator("ul").text_content()).split())
    assert await axe(page) == []
    await picture(page)
    await also.locator("ul a").last.click()
    await page.locator(".mark").first.wait_for()
    anchor = page.url.partition("#")[2]
    assert await page.locator(f"#{anchor}").count() == 1


@ONE
async def test_dates_filter_and_stand_in_the_address(web: Web, page: Page, faults: Faults) -> None:
    await page.goto(f"{web.address}/patient/{PATIENT}")
    await page.get_by_label("From").fill("2025-09-04")
    await page.get_by_label("until").fill("2025-09-06")
    await page.get_by_role("button", name="Show").click()
    await page.get_by_role("link", name="All dates").wait_for()
    assert page.url == f"{web.address}/patient/{PATIENT}?since=2025-09-04&until=2025-09-06"
    assert await page.locator("article h2").all_text_contents() == ["Discharge summary", "Echocardiogram"]
    await page.get_by_label("From").fill("soon")
    await page.get_by_role("button", name="Show").click()
    assert page.url.endswith("until=2025-09-06")  # the browser itself says what is wrong
    faults.allow("status of 422")
    await page.goto(f"{web.address}/patient/{PATIENT}?since=2026&until=2025")
    assert await page.get_by_role("alert").is_visible()
    assert await axe(page) == []


@ONE
async def test_sentences_are_searched_and_filtered(web: Web, page: Page) -> None:
    await page.goto(f"{web.address}/patient/{PATIENT}")
    before = page.url
    await page.keyboard.press("/")
    await page.keyboard.type("TICAGRELOR")
    await expect(page.locator("#counted")).to_contain_text("sentence")
    shown = page.locator("article a.told:visible")
    assert await shown.count() > 1
    for words in await shown.locator("xpath=ancestor::*[self::li or self::dd][1]").all_inner_texts():
        assert "ticagrelor" in words.lower()
    await page.get_by_label("Kind of note").select_option("Discharge summary")
    assert await page.locator("article:visible h2").all_inner_texts() == ["Discharge summary"]
    assert page.url == before


@ONE
async def test_what_stands_under_a_heading_is_found_by_it(web: Web, page: Page) -> None:
    await page.goto(f"{web.address}/patient/{PATIENT}")
    await page.keyboard.press("/")
    await page.keyboard.type("allerg")
    await expect(page.locator("#counted")).to_contain_text("2 sentences in 1 note")
    assert await page.locator("article a.told:visible").all_inner_texts() == ["NKDA.", "NKDA."]
    assert await page.locator("article .ruled dt:visible").all_inner_texts() == ["Allergies"]


@ONE
async def test_keys_step_through_and_can_be_switched_off(web: Web, page: Page) -> None:
    await page.goto(f"{web.address}/patient/{PATIENT}")
    focused = "document.activeElement.id || document.activeElement.className"
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    assert await page.evaluate(focused) == "n5"
    await page.keyboard.press("k")
    assert await page.evaluate(focused) == "n6"
    await page.keyboard.press("n")
    first, second = page.locator("#n6 a.told").first, page.locator("#n6 a.told").nth(1)
    await expect(first).to_be_focused()
    await page.keyboard.press("n")
    await expect(second).to_be_focused()
    await page.locator("#pane .mark.now").wait_for()
    await page.keyboard.press("p")
    await expect(first).to_be_focused()
    await page.keyboard.press("?")
    await page.get_by_role("dialog").wait_for()
    assert await axe(page) == []
    await page.get_by_label("Keys are on").uncheck()
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    await page.keyboard.press("o")
    await page.reload()
    assert not page.url.endswith("order=oldest")
    await page.get_by_role("button", name="Keys").click()
    await page.get_by_label("Keys are on").check()
    await page.keyboard.press("Escape")
    await page.keyboard.press("o")
    await page.wait_for_url("**order=oldest")
    assert await page.locator("article.note").first.get_attribute("id") == "n1"


@ONE
async def test_three_hundred_notes(full: Web, page: Page, picture: Picture) -> None:
    sizes = await weight(page, f"{full.address}/patient/full")
    assert sum(sizes.values()) < 100_000
    assert await page.locator("header.person .counts").inner_text() == (
        "301 notes · 285 summarised · 8 not readable · 8 not final"
    )
    assert await page.locator("article.note").count() == 20
    assert "valid base64" in await page.locator("article.bare").first.inner_text()
    assert "Not shown: 396 more sentences." in await page.locator("article.note").first.inner_text()
    assert await page.locator(".dots i").count() == 301
    assert await axe(page) == []
    await picture(page)
    await page.get_by_role("link", name="Earlier notes").click()
    await expect(page.locator("article.note")).to_have_count(40)
    await page.get_by_label("Search the sentences").fill("night 7,")
    await expect(page.locator("#counted")).to_have_text("1 sentence in 1 note")
    assert page.url == f"{full.address}/patient/full"


async def test_a_patient_without_notes(full: Web, page: Page, picture: Picture) -> None:
    await page.goto(f"{full.address}/patient")
    await page.get_by_label("Name or number").fill(FAMILY)
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Nobody").click()
    await page.get_by_text("No notes, and no summary of one.").wait_for()
    assert await page.locator("nav.left, #help").count() == 0
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)


async def test_what_does_not_hold_is_said_first(altered_site: Altered, page: Page, picture: Picture) -> None:
    await page.goto(f"{altered_site.web.address}/patient/wronged")
    assert await page.locator(".wrongs").is_visible()
    assert "ten liters" not in str(await page.locator("main").text_content())
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)


async def test_hostile_titles_do_nothing(altered_site: Altered, page: Page, picture: Picture) -> None:
    await page.goto(f"{altered_site.web.address}/patient/two")
    assert await page.locator("article.note").count() == 1
    assert await page.locator("main img, main script").count() == 0
    assert await sideways(page) == 0
    await picture(page)


async def test_without_scripts_all_of_it_is_read_through_links(web: Web, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{web.address}/patient/{PATIENT}")
    assert not await page.locator("#beside, #seek").first.is_visible()
    await page.get_by_role("link", name="Oldest first").click()
    assert await page.locator("article.note").first.get_attribute("id") == "n1"
    sentence = page.locator("a.told").first
    words = await sentence.inner_text()
    await sentence.click()
    anchor = page.url.partition("#")[2]
    assert words in " ".join(str(await page.locator(f"#{anchor}").text_content()).split())
    await context.close()


@ONE
async def test_on_paper(web: Web, page: Page, picture: Picture) -> None:
    sizes = await weight(page, f"{web.address}/patient/{PATIENT}")
    assert sum(sizes.values()) < 100_000
    await page.emulate_media(media="print")
    for hidden in ("form", "#beside", "nav.left", ".top"):
        assert not await page.locator(hidden).first.is_visible()
    for shown in (".banner", "header.person", "header.person time[data-printed]"):
        assert await page.locator(shown).is_visible()
    assert await page.locator("article.note").last.is_visible()
    await picture(page)
    assert (await page.pdf(format="A4")).startswith(b"%PDF")
