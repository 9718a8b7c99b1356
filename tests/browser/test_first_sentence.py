"""What is read first stands high on the page: on a telephone, a tablet and a desktop."""

import pytest
from playwright.async_api import Page

from tests.browser.altered import Altered
from tests.browser.seeing import SIZES, Picture, axe, sideways
from tests.browser.serving import Web
from tests.browser.summarising import NOTE, read
from tests.browser.test_audit_page import audit_of

pytestmark = pytest.mark.parametrize("view", list(SIZES))

ROOM = 200
_TOP = "(element) => element.getBoundingClientRect().top"


async def top(page: Page, of: str) -> float:
    """How far down it begins, in pixels."""
    found: float = await page.locator(of).first.evaluate(_TOP)
    return found


@pytest.mark.parametrize(
    ("note", "pinned"),
    [("demo-nstemi-followup", True), ("demo-hip-discharge", True), ("demo-asthma-clinic", None)],
)
async def test_of_a_note(web: Web, page: Page, picture: Picture, note: str, pinned: bool | None) -> None:
    await page.goto(audit_of(web, f"DocumentReference/{note}"))
    assert await top(page, ".summary .words") < ROOM
    if pinned:
        assert await top(page, ".found") > await top(page, ".summary .words")
    for shown in (".banner", "header.person h1", ".strip"):
        assert await page.locator(shown).is_visible()
        assert await top(page, shown) < ROOM
    assert await page.locator(".strip").get_by_text("picked by a machine, not reviewed").is_visible()
    assert await sideways(page) == 0
    await picture(page, note)


async def test_of_what_was_pasted(web: Web, page: Page, picture: Picture) -> None:
    await read(page, web, NOTE)
    assert await top(page, "#summary a") < ROOM
    assert await page.locator("#tools").is_visible()
    assert await sideways(page) == 0
    assert await axe(page) == []
    await picture(page)


@pytest.mark.parametrize(("which", "room"), [("withdrawn", 210), ("tampered", 220), ("moved", 280)])
async def test_where_the_strip_takes_its_room(
    altered_site: Altered, page: Page, which: str, room: int, picture: Picture
) -> None:
    """A withdrawn, an altered and a moved-on note say so before the first sentence."""
    await page.goto(f"{altered_site.web.address}/note/{getattr(altered_site, which)}")
    assert await top(page, ".strip") < 130
    assert await top(page, ".summary .words") < room
    if which == "moved":
        assert await page.locator(".strip").get_by_text("Blood cultures grew pneumococcus.").is_visible()
    assert await sideways(page) == 0
    await picture(page, which)


async def test_a_long_line_of_a_person_is_one_line_and_opens(web: Web, page: Page) -> None:
    await page.goto(audit_of(web, "DocumentReference/demo-nstemi-followup"))
    name = page.locator("header.person h1")
    before = await page.locator("header.person").evaluate("(line) => line.offsetHeight")
    await name.evaluate("(name) => { (name.firstElementChild ?? name).textContent = 'Ainsley '.repeat(40); }")
    await page.evaluate("dispatchEvent(new Event('resize'))")
    assert await page.locator("header.person").evaluate("(line) => line.offsetHeight") == before
    more = page.get_by_role("button", name="More")
    await more.focus()
    await page.keyboard.press("Enter")
    assert await page.locator("header.person").evaluate("(line) => line.offsetHeight") > before
    assert await name.evaluate("(name) => name.scrollWidth <= name.clientWidth + 1")
    assert await axe(page) == []
    await page.get_by_role("button", name="Less").click()
    assert await page.locator("header.person").evaluate("(line) => line.offsetHeight") == before
