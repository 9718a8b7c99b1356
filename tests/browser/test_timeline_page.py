"""`/timeline` in a browser: full, filtered, empty, with something wrong in it."""

import pytest
from playwright.async_api import Page

from tests.browser.altered import Altered
from tests.browser.seeing import Faults, Picture, axe, sideways, weight
from tests.browser.serving import Web

ONE = pytest.mark.parametrize("view", ["desktop"])
BOTH = pytest.mark.parametrize("scheme", ["light", "dark"])


@BOTH
async def test_a_patients_timeline(web: Web, page: Page, picture: Picture) -> None:
    await page.goto(f"{web.address}/timeline")
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page, "form")
    await page.get_by_label("Patient or encounter").fill("Patient/demo-ainsley")
    await page.get_by_role("button", name="Show").click()
    await page.get_by_role("heading", name="Timeline of Patient/demo-ainsley").wait_for()
    assert await page.locator("li.note").count() == 6
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)


async def test_repeats_stand_once_with_all_their_places(
    altered_site: Altered, page: Page, picture: Picture
) -> None:
    await page.goto(f"{altered_site.web.address}/timeline/one")
    also = page.locator(".told > li").first.locator(".also > li")
    assert await also.count() == 2
    assert await also.first.is_visible()
    assert "as: Still pneumonia" in " ".join(str(await also.first.text_content()).split())
    assert await axe(page) == []
    await picture(page)
    await also.last.locator("a.offsets").click()
    await page.get_by_role("heading", name="This summary holds").wait_for()
    anchor = page.url.partition("#")[2]
    assert "current" in str(await page.locator(f"#{anchor}").get_attribute("class"))


@ONE
async def test_dates_filter_and_stand_in_the_address(web: Web, page: Page, faults: Faults) -> None:
    await page.goto(f"{web.address}/timeline/demo-ainsley")
    await page.get_by_label("From").fill("2025-09-04")
    await page.get_by_label("until").fill("2025-09-06")
    await page.get_by_role("button", name="Show").click()
    await page.get_by_role("link", name="All dates").wait_for()
    assert page.url == f"{web.address}/timeline/demo-ainsley?since=2025-09-04&until=2025-09-06"
    assert await page.locator("li.note h3").all_text_contents() == ["Echocardiogram", "Discharge summary"]
    await page.get_by_label("From").fill("soon")
    await page.get_by_role("button", name="Show").click()
    assert page.url.endswith("until=2025-09-06")  # the browser itself says what is wrong
    faults.allow("status of 422")
    await page.goto(f"{web.address}/timeline/demo-ainsley?since=2026&until=2025")
    assert await page.get_by_role("alert").is_visible()
    assert await axe(page) == []


async def test_an_empty_timeline(altered_site: Altered, page: Page, picture: Picture) -> None:
    await page.goto(f"{altered_site.web.address}/timeline/unnoted")
    assert await page.get_by_text("No note has a summary that can be shown.").is_visible()
    assert await axe(page) == []
    await picture(page)


async def test_what_does_not_hold_is_said_first(altered_site: Altered, page: Page, picture: Picture) -> None:
    await page.goto(f"{altered_site.web.address}/timeline/wronged")
    assert await page.locator(".wrongs").is_visible()
    assert "ten liters" not in str(await page.locator("main").text_content())
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)


async def test_hostile_titles_do_nothing(altered_site: Altered, page: Page, picture: Picture) -> None:
    await page.goto(f"{altered_site.web.address}/timeline/two")
    assert await page.locator("li.note").count() == 1
    assert await page.locator("main img, main script").count() == 0
    assert await sideways(page) == 0
    await picture(page)


@ONE
async def test_on_paper(web: Web, page: Page, picture: Picture) -> None:
    sizes = await weight(page, f"{web.address}/timeline/demo-ainsley")
    assert sum(sizes.values()) < 100_000
    await page.emulate_media(media="print")
    assert not await page.locator("form").first.is_visible()
    assert await page.locator("li.note").last.is_visible()
    await picture(page)
