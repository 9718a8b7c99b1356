"""`/` in a browser: paste, drop, change the length, find the other side, step, copy, and print."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Page, Request, expect

from jobs.demo.notes import note_file
from jobs.demo.render import pdf_bytes
from jobs.web.routes.summarise_page import EXAMPLE
from tests.browser.seeing import Picture, axe, sideways, weight
from tests.browser.serving import PATIENCE, Web, serving
from tests.browser.summarising import DESKTOP, NOTE, answer, chosen, drop, read


def around(note: str, summary: list[dict[str, Any]]) -> list[str]:
    """What is shown around the sentences; what the one before has in front of it too is told once."""
    found: list[str] = []
    told: set[int] = set()
    for sentence in summary:
        before = [piece for piece in sentence["context"] if piece["start"] < sentence["start"]]
        new = [piece for piece in before if piece["start"] not in told]
        after = [piece for piece in sentence["context"] if piece not in before]
        found += [" ".join(note[piece["start"] : piece["end"]].split()) for piece in (*new, *after)]
        told = {piece["start"] for piece in before}
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_note_is_pasted_and_read(demo_site: Web, page: Page, picture: Picture) -> None:
    sizes = await weight(page, f"{demo_site.address}/")
    assert {"/", "/static/summarise.js", "/static/note.js", "/static/summarise.css"} <= set(sizes)
    assert sum(sizes.values()) < 100_000
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page, "empty")

    await page.get_by_role("button", name="Try an example").click()
    await page.locator("#result").wait_for(timeout=PATIENCE * 1000)

    example = note_file(EXAMPLE).decode()
    expected = await answer(demo_site, example)
    assert await page.locator("#text").text_content() == example
    assert await chosen(page) == [s["text"] for s in expected["summary"]]
    shown = [" ".join(s["text"].split()) for s in expected["summary"]]
    assert await page.locator("#summary a").all_text_contents() == shown
    assert await page.locator("#summary .around").all_text_contents() == around(example, expected["summary"])
    await expect(page.locator("#count")).to_have_text(
        f"{len(expected['summary'])} of {len(expected['sentences'])}"
    )
    await expect(page.get_by_role("heading", name="Summary")).to_be_focused()
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page, "full")


async def test_what_rules_found_stands_above_whatever_the_length(demo_site: Web, page: Page) -> None:
    text = (
        "ALLERGIES:\n😀 Penicillin: hives.\n\nPLAN:\nHome today. She walks well. "
        "He is DNR & DNI <b>now</b>.\n"
    )
    await read(page, demo_site, text)
    pinned = (await answer(demo_site, text))["pinned"]
    assert [line["rule"] for line in pinned] == ["allergies", "code-status"]
    ruled = page.locator("#ruled")
    await page.get_by_role("slider", name="Length").fill("0")
    await expect(ruled.locator("dt")).to_have_text(["Allergies", "Code status and directives"])
    await expect(ruled.locator("a")).to_have_text([line["text"] for line in pinned])
    await expect(ruled.locator("dd").first).to_contain_text("ALLERGIES")
    assert await axe(page) == []
    assert await sideways(page) == 0

    await ruled.locator("a").last.click()
    there = page.locator("#text a[aria-current=true]")
    await expect(there).to_have_text(pinned[-1]["text"])
    await expect(there).to_be_in_viewport()

    await read(page, demo_site, "PLAN:\nHome today. She walks well.\n")
    await expect(ruled).to_be_hidden()


@DESKTOP
async def test_every_length_is_what_the_service_would_choose_and_is_there_at_once(
    demo_site: Web, page: Page
) -> None:
    await read(page, demo_site, NOTE)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    slider = page.get_by_role("slider", name="Length")
    lengths: set[int] = set()
    for place in range(int(await slider.get_attribute("max") or 0) + 1):
        await slider.fill(str(place))
        found = await chosen(page)
        lengths.add(len(found))
        expected = await answer(demo_site, NOTE, len(found))
        assert found == [s["text"] for s in expected["summary"]]
    assert asked == []
    suggested = await answer(demo_site, NOTE)
    assert {1, 2, 3, 4, 5, len(suggested["sentences"])} <= lengths
    await page.get_by_role("button", name="Suggested").click()
    assert await chosen(page) == [s["text"] for s in suggested["summary"]]


async def test_a_click_on_either_side_finds_the_other(demo_site: Web, page: Page) -> None:
    await read(page, demo_site, NOTE)
    address, last = page.url, len(await chosen(page)) - 1
    for side, other in (("#summary", "#text"), ("#text", "#summary")):
        for number in (0, last, 1):
            link = page.locator(f"{side} a[href]").nth(number)
            words = await link.text_content()
            await link.click()
            there = page.locator(f"{other} a[href]").nth(number)
            await expect(there).to_be_focused()
            await expect(there).to_be_in_viewport()
            await expect(there).to_have_text(words or "")
            await expect(there).to_have_attribute("aria-current", "true")
            await expect(page.locator("[aria-current=true]:not(nav *)")).to_have_count(2)
    assert page.url == address


@DESKTOP
async def test_the_keys_n_and_p_step_through_and_can_be_switched_off(demo_site: Web, page: Page) -> None:
    await read(page, demo_site, NOTE)
    marked = page.locator("#text a[href]")
    last = await marked.count() - 1
    for key, number in (("n", 0), ("n", 1), ("p", 0), ("p", last), ("n", 0)):
        await page.keyboard.press(key)
        await expect(marked.nth(number)).to_be_focused()
        await expect(marked.nth(number)).to_be_in_viewport()
    await page.get_by_label("keys n p").uncheck()
    await page.keyboard.press("n")
    await expect(marked.nth(1)).not_to_have_attribute("aria-current", "true")
    await page.get_by_role("button", name="Next").click()
    await expect(marked.nth(1)).to_be_focused()
    await page.reload()
    await expect(page.get_by_label("keys n p")).not_to_be_checked()
    await page.get_by_label("Clinical note").press_sequentially("no pain")
    await expect(page.get_by_label("Clinical note")).to_have_value("no pain")


@DESKTOP
async def test_the_strip_walks_through_every_sentence_with_keys_and_pointer(
    demo_site: Web, page: Page
) -> None:
    await read(page, demo_site, NOTE)
    sentences = (await answer(demo_site, NOTE))["sentences"]
    strip = page.get_by_role("slider", name="Salience along the note")
    await expect(page.locator("#strip rect")).to_have_count(len(sentences))
    await strip.focus()
    for key, place in (
        ("ArrowRight", 2),
        ("End", len(sentences)),
        ("PageUp", len(sentences) - 10),
        ("Home", 1),
    ):
        await page.keyboard.press(key)
        await expect(strip).to_have_attribute("aria-valuenow", str(place))
        sentence = sentences[place - 1]
        words = await strip.get_attribute("aria-valuetext")
        assert NOTE[sentence["start"] : sentence["end"]] in (words or "")
        assert f"score {sentence['score']:.2f}" in (words or "")
    box = await strip.bounding_box()
    assert box
    await strip.click(position={"x": box["width"] - 2, "y": box["height"] / 2})
    await expect(strip).to_have_attribute("aria-valuenow", str(len(sentences)))
    await expect(page.locator(f"#note-{len(sentences) - 1}")).to_be_in_viewport()


@DESKTOP
async def test_a_copy_holds_offsets_that_point_into_the_note(demo_site: Web, page: Page) -> None:
    text = "😀 Café at 38.5 °C.\n" + NOTE
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await read(page, demo_site, text)
    await page.get_by_role("button", name="Copy with offsets").click()
    await expect(page.locator("#said")).to_contain_text("copied")
    copied = await page.evaluate("navigator.clipboard.readText()")
    expected = await answer(demo_site, text)
    for sentence in expected["summary"]:
        parts = [(sentence["start"], sentence["end"], "{}")]
        parts += [(piece["start"], piece["end"], "({})") for piece in sentence["context"]]
        words = " ".join(form.format(" ".join(text[a:b].split())) for a, b, form in sorted(parts))
        assert f"[{sentence['start']}-{sentence['end']}] {words}\n" in copied
    assert any(sentence["context"] for sentence in expected["summary"])
    assert expected["text"]["sha256"] in copied
    assert expected["model"]["sha256"] in copied
    assert "unverified" in copied


async def test_a_file_is_dropped_or_opened(demo_site: Web, page: Page, picture: Picture) -> None:
    await page.goto(f"{demo_site.address}/")
    await drop(page, "discharge.html", note_file("copd-discharge.html"), "text/html")
    await page.locator("#result").wait_for(timeout=PATIENCE * 1000)
    await expect(page.locator("#about")).to_contain_text("discharge.html")
    assert "<p>" not in (await page.locator("#text").text_content() or "")
    assert await chosen(page) == await page.locator("#summary a").all_text_contents()
    assert len(await chosen(page)) >= 3

    await page.get_by_role("button", name="Another note").click()
    await expect(page.get_by_label("Clinical note")).to_be_focused()
    pdf = pdf_bytes(note_file("hip-admission.txt").decode())
    await page.get_by_label("Open a file").set_input_files(
        {"name": "hip.pdf", "mimeType": "application/pdf", "buffer": pdf}
    )
    await expect(page.locator("#about")).to_contain_text("hip.pdf")
    assert await sideways(page) == 0
    await picture(page, "pdf")


async def test_a_long_note_and_a_short_one(demo_site: Web, page: Page, picture: Picture) -> None:
    days = (f"DAY {day}\n{NOTE.replace('LVEF', f'LVEF of day {day}')}\n" for day in range(1, 31))
    long = "".join(days)
    assert len(long) > 100_000
    await read(page, demo_site, long)
    slider = page.get_by_role("slider", name="Length")
    assert await page.locator("#text").text_content() == long
    await slider.focus()
    await page.keyboard.press("End")
    everything = await page.locator("#summary li").count()
    assert everything > 100
    assert await sideways(page) == 0
    await page.keyboard.press("Home")
    await expect(page.locator("#summary li")).to_have_count(1)
    for _ in range(11):
        await page.keyboard.press("ArrowRight")
    await expect(page.locator("#summary li")).to_have_count(12)
    await page.keyboard.press("p")
    await expect(page.locator("#text a[href]").last).to_be_in_viewport()

    await read(page, demo_site, "No acute distress.")
    await expect(slider).to_be_disabled()
    assert await chosen(page) == ["No acute distress."]
    await picture(page, "one-sentence")
    await read(page, demo_site, "ASSESSMENT:\n\nPLAN:\n")
    await expect(page.locator("#notice")).to_contain_text("No sentence was found")
    await expect(page.locator("#tools")).to_be_hidden()
    assert await axe(page) == []


@DESKTOP
async def test_on_paper_there_are_banner_summary_and_note(
    demo_site: Web, page: Page, picture: Picture
) -> None:
    await read(page, demo_site, NOTE)
    await page.emulate_media(media="print")
    for shown in (".banner", "#summary", "#text", "#about"):
        await expect(page.locator(shown)).to_be_visible()
    for hidden in ("#tools", "#another", ".top"):
        await expect(page.locator(hidden)).to_be_hidden()
    assert (await page.locator("#summary a").first.bounding_box() or {})["x"] >= 0
    await picture(page)


@pytest.fixture(scope="module")
def kmeans_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """With an engine whose sentences have no ranks."""
    with serving(tmp_path_factory.mktemp("kmeans"), "--demo", engine="kmeans") as web:
        yield web


@DESKTOP
async def test_an_engine_without_ranks_is_asked_for_each_length(kmeans_site: Web, page: Page) -> None:
    await read(page, kmeans_site, NOTE)
    slider = page.get_by_role("slider", name="Length")
    for place in ("9", "1"):
        async with page.expect_response("**/v1/summaries*"):
            await slider.fill(place)
        length = int(place) + 1
        await expect(page.locator("#summary li")).to_have_count(length)
        expected = await answer(kmeans_site, NOTE, length)
        assert await chosen(page) == [s["text"] for s in expected["summary"]]
