"""`/audit` and `/note/{id}` in a browser: looked at, clicked through, printed."""

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page

from tests.browser.altered import Altered
from tests.browser.seeing import Faults, Picture, axe, sideways, weight
from tests.browser.serving import Web

ONE = pytest.mark.parametrize("view", ["desktop"])
BOTH = pytest.mark.parametrize("scheme", ["light", "dark"])


NOTE = "DocumentReference/demo-nstemi-followup"


def audit_of(web: Web, source: str) -> str:
    """Address of the page of a note's summary."""
    answer = httpx.get(f"{web.address}/v1/compositions?count=200", trust_env=False, timeout=600)
    found = {one["source"]: one["composition"] for one in answer.json()["compositions"]}
    return f"{web.address}/note/{found[source].partition('/')[2]}"


async def in_view(of: Locator) -> bool:
    """Whether it is in the window, and in the pane it stands in."""
    seen: bool = await of.evaluate(
        """(element) => {
          const box = element.getClientRects()[0];
          const pane = element.closest('.note')?.getBoundingClientRect() ?? {top: 0, bottom: innerHeight};
          return box.top >= Math.max(0, pane.top) - 1 && box.top < Math.min(innerHeight, pane.bottom);
        }"""
    )
    return seen


async def focused(page: Page) -> str:
    """Id of the element that has the focus."""
    found: str = await page.evaluate("document.activeElement.id")
    return found


@BOTH
async def test_a_summary_that_holds(web: Web, page: Page, picture: Picture, view: str) -> None:
    await page.goto(f"{web.address}/audit")
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page, "list")
    await page.locator("table.list th a").first.click()
    await page.get_by_role("heading", name="Word for word").wait_for()
    await page.goto(audit_of(web, NOTE))
    assert await page.get_by_role("heading", name="Word for word").is_visible()
    if view == "desktop":
        top = "(words) => words.getBoundingClientRect().top"
        assert await page.locator(".summary .words").first.evaluate(top) < 200
    assert await axe(page) == []
    await picture(page, "closed")
    await page.get_by_text("How this was checked").click()
    assert await page.get_by_role("heading", name="This summary holds").is_visible()
    assert await page.locator(".checks > li.holds").count() == 7
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)


@BOTH
async def test_a_summary_that_was_tampered_with(altered_site: Altered, page: Page, picture: Picture) -> None:
    await page.goto(f"{altered_site.web.address}/note/{altered_site.tampered}")
    assert await page.get_by_role("heading", name="Does not hold").is_visible()
    assert await page.locator(".summary ol.rows > li.fails").count() == 2
    await page.get_by_role("link", name="summary says ten liters, note says two liters").click()
    assert await in_view(page.locator("#s2"))
    await page.get_by_text("How this was checked").click()
    assert await page.get_by_role("heading", name="This summary does not hold").is_visible()
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)
    await page.locator("p.finding").get_by_role("link", name="Sentence 3").click()
    assert await in_view(page.locator("#s3"))


async def test_a_summary_whose_note_is_gone(altered_site: Altered, page: Page, picture: Picture) -> None:
    await page.goto(f"{altered_site.web.address}/note/{altered_site.gone}")
    told = page.locator("p.unproven")
    assert await told.is_visible()
    assert await told.evaluate("one => one.scrollHeight <= one.clientHeight")  # no word outside its box
    assert await page.locator(".summary ol.rows > li.unknown").count() == 2
    assert await axe(page) == []
    await picture(page)


async def test_hostile_fields_do_nothing(altered_site: Altered, page: Page, picture: Picture) -> None:
    for path in (f"/note/{altered_site.hostile}", "/audit"):
        await page.goto(f"{altered_site.web.address}{path}")
        assert await page.locator("main img, main script, main iframe").count() == 0
        assert await sideways(page) == 0
        assert await axe(page) == []
        await picture(page, path.rpartition("/")[2])


@BOTH
async def test_a_timeline_that_was_written(altered_site: Altered, page: Page, picture: Picture) -> None:
    await page.goto(f"{altered_site.web.address}/note/{altered_site.timeline}")
    assert await page.get_by_role("heading", name="This timeline holds").is_visible()
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)


async def test_a_click_on_either_side_finds_the_other(web: Web, page: Page) -> None:
    await page.goto(audit_of(web, NOTE))
    last = page.locator(".summary ol.rows > li").last
    await last.locator(".words").click()
    mark = page.locator(".note .mark[data-row]").last
    assert await focused(page) == await mark.get_attribute("id")
    assert await in_view(mark)
    assert "current" in str(await last.get_attribute("class"))
    first = page.locator(".note .mark[data-row]").first
    await first.click()
    assert await focused(page) == "s1"
    assert await in_view(page.locator("#s1"))
    assert await page.locator(".current").count() == 2


@ONE
async def test_n_and_p_step_through_and_can_be_switched_off(web: Web, page: Page) -> None:
    await page.goto(audit_of(web, NOTE))
    count = page.locator("[data-count]")
    rows = await page.locator(".summary ol.rows > li").count()
    for key, said in (("n", 1), ("n", 2), ("p", 1), ("p", rows), ("n", 1)):
        await page.keyboard.press(key)
        assert await count.text_content() == f"{said} of {rows}"
        assert await focused(page) == f"s{said}"
        assert await in_view(page.locator(f"#s{said}"))
        assert await in_view(page.locator(".mark.current").first)
    await page.get_by_label("Keys n and p").uncheck()
    await page.keyboard.press("n")
    assert await count.text_content() == f"1 of {rows}"
    await page.get_by_role("button", name="Next").click()
    assert await count.text_content() == f"2 of {rows}"
    await page.reload()
    assert not await page.get_by_label("Keys n and p").is_checked()


@ONE
async def test_on_paper_all_of_it_is_there(web: Web, page: Page, picture: Picture) -> None:
    await page.goto(audit_of(web, NOTE))
    await page.get_by_role("heading", name="Word for word").wait_for()
    await page.emulate_media(media="print")
    assert await page.locator("div.note").evaluate("(note) => note.scrollHeight <= note.clientHeight")
    for hidden in (".top", "[data-steps]"):
        assert not await page.locator(hidden).is_visible()
    for shown in (".banner", ".strip", ".verdict", ".checks", "div.note", ".facts"):
        assert await page.locator(shown).is_visible()
    await picture(page)
    assert (await page.pdf(format="A4")).startswith(b"%PDF")


async def test_without_scripts_the_sides_are_linked_all_the_same(web: Web, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(audit_of(web, NOTE))
    assert not await page.locator("[data-steps]").is_visible()
    await page.locator("#s2 .words a").click()
    assert page.url.endswith(str(await page.locator("#s2 .words a").get_attribute("href")))
    await page.locator(".mark[data-row]").first.click()
    assert page.url.endswith("#s1")
    await context.close()


@BOTH
async def test_a_withdrawn_summary_is_struck(altered_site: Altered, page: Page, picture: Picture) -> None:
    await page.goto(f"{altered_site.web.address}/note/{altered_site.withdrawn}")
    assert await page.get_by_role("heading", name="Withdrawn").is_visible()
    struck = "(p) => getComputedStyle(p).textDecorationLine"
    assert await page.locator(".summary .words").first.evaluate(struck) == "line-through"
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)


async def test_another_length_is_picked_and_marked(web: Web, page: Page, picture: Picture) -> None:
    await page.goto(audit_of(web, NOTE))
    kept = await page.locator(".summary ol.rows > li").count()
    await page.get_by_role("link", name="Longer").click()
    await page.locator(".instant").wait_for()
    longer = await page.locator(".summary ol.rows > li").count()
    assert longer > kept
    assert await page.locator("div.note .mark[data-row]").count() == longer
    assert await axe(page) == []
    await picture(page)
    await page.get_by_role("link", name="Suggested").click()
    await page.wait_for_url(audit_of(web, NOTE))


@ONE
async def test_old_addresses_keep_the_place_in_the_note(web: Web, page: Page) -> None:
    address = audit_of(web, NOTE)
    await page.goto(f"{address.replace('/note/', '/audit/')}#s2")
    assert page.url == f"{address}#s2"
    assert "current" in str(await page.locator("#s2").get_attribute("class"))


@ONE
async def test_the_way_to_one_and_what_is_not_there(web: Web, page: Page, faults: Faults) -> None:
    sizes = await weight(page, f"{web.address}/audit")
    assert sum(sizes.values()) < 100_000
    faults.allow("status of 404")
    await page.get_by_label("Composition").fill("Composition/nothing")
    await page.get_by_role("button", name="Prove it").click()
    await page.get_by_text("The FHIR server has no such Composition.").wait_for()
    assert page.url == f"{web.address}/note/nothing"
