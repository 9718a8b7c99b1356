"""What holds on every page: hostile text stays text, axe, keyboard, no note text where it must not be."""

from collections.abc import Iterator
from urllib.parse import unquote

import httpx
import pytest
from playwright.async_api import Page, Response

from tests.browser.hostile import ALL, MARK, PAYLOADS, compositions, hostile_site, note_of
from tests.browser.places import ids_on, places
from tests.browser.seeing import Faults, Picture, axe, sideways
from tests.browser.serving import Web, serving

DESKTOP = pytest.mark.parametrize("view", ["desktop"])
TOKEN = "a-token-for-the-tests-of-the-pages"

_GUILTY = """() => {
  const found = [];
  if (window.pwned !== undefined) found.push("a payload ran");
  for (const element of document.querySelectorAll("*")) {
    for (const {name, value} of element.attributes)
      if (name.startsWith("on") || (name === "style" && value.includes("pwned")))
        found.push(`${element.tagName} ${name}`);
  }
  for (const element of document.querySelectorAll("iframe, object, embed, base, meta[http-equiv]"))
    found.push(element.tagName);
  for (const script of document.scripts)
    if (!script.src.startsWith(`${location.origin}/static/`)) found.push(`script ${script.src}`);
  for (const link of document.querySelectorAll("[href], [src], [action]")) {
    const raw = link.getAttribute("href") ?? link.getAttribute("src") ?? link.getAttribute("action");
    const url = new URL(raw, location.href);
    if (url.protocol !== "http:" || url.hostname !== "127.0.0.1") found.push(`link ${raw}`);
  }
  for (const details of document.querySelectorAll("details")) details.open = true;
  return found;
}"""
_FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  const name = element.textContent.trim().slice(0, 40) || element.id || element.tagName;
  return {name, seen: ring && inside && box.width > 0, skip: element.classList.contains("skip")};
}"""

_SETTLED = "document.activeElement.matches('[autofocus]')"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service whose FHIR server and ledger are full of hostile text."""
    with hostile_site(tmp_path_factory.mktemp("hostile")) as web:
        yield web


async def guilty(page: Page) -> list[str]:
    """What a page does that text should not be able to make it do."""
    found: list[str] = await page.evaluate(_GUILTY)
    await page.wait_for_timeout(50)  # what would run now is seen as a fault
    return found + await page.evaluate(_GUILTY)


async def test_hostile_text_stays_text_on_every_page(hostile: Web, page: Page) -> None:
    asked: list[Response] = []
    page.on("response", lambda response: asked.append(response))
    shown = {}
    for place in places(ids_on(hostile.fhir)):
        answer = await page.goto(f"{hostile.address}{place}", wait_until="load")
        assert answer
        assert answer.status == 200, place
        assert await guilty(page) == [], place
        assert await sideways(page) == 0, place
        shown[place.split("/")[1]] = MARK in await page.locator("main").inner_text()
    assert {name: shown[name] for name in ("notes", "note", "patient")} == dict.fromkeys(
        ("notes", "note", "patient"), True
    )
    for response in asked:
        assert MARK not in unquote(response.url)
        if "/static/" not in response.url:
            assert response.headers["cache-control"] == "no-store", response.url


@DESKTOP
async def test_hostile_text_stays_text_in_every_audit(hostile: Web, page: Page) -> None:
    with httpx.Client(trust_env=False, timeout=600) as client:
        found = compositions(client, hostile.fhir)
    assert len(found) == 3 * len(PAYLOADS)
    for composition in found:
        await page.goto(f"{hostile.address}/note/{composition['id']}")
        assert await guilty(page) == [], composition["id"]
        assert MARK in await page.locator("main").inner_text()


@DESKTOP
async def test_hostile_text_stays_text_when_it_is_pasted(hostile: Web, page: Page) -> None:
    for text in [*map(note_of, PAYLOADS), note_of(ALL)]:
        await page.goto(f"{hostile.address}/summarise")
        await page.get_by_label("Clinical note").fill(text)
        await page.get_by_role("button", name="Summarise").click()
        await page.locator("#result").wait_for()
        assert await page.locator("#text").text_content() == text
        assert await guilty(page) == [], text
        assert MARK not in unquote(page.url)


@DESKTOP
async def test_nothing_of_a_note_gets_into_log_or_metrics(hostile: Web, page: Page) -> None:
    """After the tests above, and by itself: every page, a paste, an audit, a refusal."""
    for place in places(ids_on(hostile.fhir)):
        await page.goto(f"{hostile.address}{place}")
    async with httpx.AsyncClient(trust_env=False, timeout=600, base_url=hostile.address) as client:
        for path in ("/v1/summaries", "/v1/notes:retry", "/notes/retry", "/v1/summaries:batch"):
            await client.post(path, json={"text": note_of(ALL), "sources": [ALL], "items": ALL})
            await client.post(path, content=note_of(ALL).encode(), headers={"content-type": "text/plain"})
        metrics = (await client.get("/metrics")).text
    assert 'route="/note/{id}"' in metrics
    for said in (hostile.said, metrics):
        assert "request" in said
        for word in (MARK, "They wrote", "onerror", "evil.example"):
            assert word not in said


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_on_any_page(web: Web, page: Page) -> None:
    found = {}
    for place in places(ids_on(web.fhir)):
        await page.goto(f"{web.address}{place}")
        if serious := await axe(page):
            found[place] = serious
        assert await sideways(page) == 0, place
    assert found == {}


async def test_every_page_by_keyboard(web: Web, page: Page) -> None:
    for place in places(ids_on(web.fhir)):
        await page.goto(f"{web.address}{place}")
        waits = await page.locator("[autofocus]").count()  # for a name, say; what comes first is before it
        if waits:
            await page.wait_for_function(_SETTLED)  # a browser gives the focus after it has loaded the page
            assert (await page.evaluate(_FOCUSED))["seen"], place
        await page.keyboard.press("Tab")
        for _ in range(20 if waits else 0):
            if (await page.evaluate(_FOCUSED) or {"skip": True})["skip"]:
                break
            await page.keyboard.press("Shift+Tab")
        first = await page.evaluate(_FOCUSED)
        assert first, place
        assert first["skip"], place
        assert first["seen"], place
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main", place
        unseen = []
        for _ in range(25):
            await page.keyboard.press("Tab")
            focused = await page.evaluate(_FOCUSED)
            if focused is None:
                break
            unseen += [] if focused["seen"] else [focused["name"]]
        assert unseen == [], place


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_signing_in_and_out(guarded: Web, page: Page, faults: Faults, picture: Picture) -> None:
    faults.allow("status of 401")
    await page.goto(f"{guarded.address}/notes")
    assert page.url == f"{guarded.address}/login?to=/notes"
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page, "asked")
    await page.get_by_label("Access token").fill("not the token of this service")
    await page.keyboard.press("Enter")
    assert await page.get_by_role("alert").inner_text() == "That token is not valid."
    assert await axe(page) == []
    await picture(page, "refused")
    await page.get_by_label("Access token").fill(TOKEN)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"{guarded.address}/notes")
    assert await page.get_by_role("heading", name="Notes", exact=True).is_visible()
    (cookie,) = await page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert TOKEN not in cookie["value"]
    await page.get_by_role("button", name="Sign out").click()
    await page.wait_for_url(f"{guarded.address}/login**")
    assert await page.context.cookies() == []
    await page.goto(f"{guarded.address}/notes")
    assert page.url == f"{guarded.address}/login?to=/notes"
    assert TOKEN not in guarded.said


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service that asks who comes."""
    with serving(tmp_path_factory.mktemp("guarded"), service_token=TOKEN, engine="lead") as web:
        yield web
