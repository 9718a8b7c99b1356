"""`/notes` in a browser: empty, as after the demo, full, and failing; filter, pages and another try."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page

from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import NoteRow
from tests.browser.seeing import Faults, Picture, axe, sideways
from tests.browser.serving import Web, serving

BOTH = pytest.mark.parametrize("scheme", ["light", "dark"])
DESKTOP = pytest.mark.parametrize("view", ["desktop"])
FAILURES = [
    ("timeout", "fetch"),
    ("malformed", "application/pdf"),
    ("hash-mismatch", ""),
    ("rejected-by-server", "HTTP 422"),
]


def handled(number: int, now: datetime) -> NoteRow:
    """A note of a busy day: every ninth skipped, every seventeenth failed."""
    kind = "DiagnosticReport" if number % 5 == 0 else "DocumentReference"
    values: dict[str, object] = {
        "source": f"{kind}/{number:08d}-6f3c-4a51-9a3c-0a3a6d2f7c11",
        "version": str(1 + number % 3),
        "pipeline_version": "p",
        "handled_at": now - timedelta(minutes=number * 1.5 + (number % 7) * 25),
        "media_type": ("text/plain", "application/pdf", "text/html")[number % 3],
    }
    if number % 17 == 3:
        reason, detail = FAILURES[number // 17 % 4]
        retry = now + timedelta(minutes=number % 50 + 1) if reason == "timeout" else None
        ended = {"status": "failed", "reason": reason, "detail": detail, "attempts": 2, "retry_at": retry}
    elif number % 9 == 4:
        ended = {"status": "skipped", "reason": ("scanned-image", "not-final")[number % 2], "attempts": 1}
    else:
        ended = {"status": "written", "composition": f"6f3c1c9e-1f0e-5a51-9a3c-{number:012d}", "sentences": 5}
    return NoteRow(**{**values, **ended})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service whose ledger holds 1,000 notes of the last day, and whose FHIR server is away."""
    with serving(tmp_path_factory.mktemp("busy"), retries="0") as web:
        with Ledger(web.ledger, server=web.fhir, pipeline="extractive") as ledger:
            now = datetime.now(UTC)
            ledger.record([handled(number, now) for number in range(1000)])
            ledger.move_watermark("DocumentReference", "2026-11-25T03:41:04.123+00:00")
        yield web


@pytest.fixture(scope="module")
def unused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A service whose ledger is empty."""
    with serving(tmp_path_factory.mktemp("unused")) as web:
        yield web


@BOTH
async def test_notes_of_a_busy_day(busy: Web, page: Page, picture: Picture) -> None:
    await page.goto(f"{busy.address}/notes")
    assert await page.locator("table.notes tbody tr").count() == 50
    assert await page.locator("figure svg rect").count() > 20
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)
    await page.get_by_text("The last 24 hours as a table").click()
    assert await page.locator(".table-of-hours tbody tr").count() == 24
    assert await axe(page) == []


@BOTH
async def test_notes_that_failed(busy: Web, page: Page, picture: Picture) -> None:
    await page.goto(f"{busy.address}/notes")
    await page.get_by_role("link", name="Failed", exact=False).first.click()
    await page.wait_for_url("**/notes?status=failed")
    shown = page.locator("table.notes tbody tr")
    assert await shown.count() == await page.get_by_role("button", name="Try again: ").count() == 50
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)


@BOTH
async def test_notes_of_an_empty_ledger(unused: Web, page: Page, picture: Picture) -> None:
    await page.goto(f"{unused.address}/notes")
    assert await page.get_by_text("Nothing has come in yet").is_visible()
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)


@BOTH
async def test_notes_of_the_demo(web: Web, page: Page, picture: Picture) -> None:
    await page.goto(f"{web.address}/notes")
    assert await page.locator("table.notes tbody tr").count() > 5
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)


@DESKTOP
async def test_a_filter_is_chosen_and_taken_away(busy: Web, page: Page, picture: Picture) -> None:
    await page.goto(f"{busy.address}/notes")
    await page.get_by_label("Reason").select_option("scanned-image")
    await page.get_by_label("Kind").select_option("DiagnosticReport")
    await page.get_by_role("button", name="Show").click()
    await page.wait_for_url("**reason=scanned-image**")
    rows = page.locator("table.notes tbody tr")
    assert await rows.count() > 3
    for text in await rows.all_inner_texts():
        assert "DiagnosticReport/" in text
        assert "The PDF holds pictures of pages and no text." in text
    assert await page.get_by_label("Reason").input_value() == "scanned-image"
    await page.get_by_label("Handled since").fill("2099-01-01")
    await page.get_by_role("button", name="Show").click()
    await page.get_by_text("No note fits.").wait_for()
    await picture(page)
    await page.get_by_role("link", name="Show all notes").click()
    await page.wait_for_url(f"{busy.address}/notes")


@DESKTOP
async def test_older_pages_and_back(busy: Web, page: Page) -> None:
    await page.goto(f"{busy.address}/notes")
    first = await page.locator("table.notes tbody th code").all_inner_texts()
    await page.get_by_role("link", name="Older").click()
    await page.wait_for_url("**older=**")
    second = await page.locator("table.notes tbody th code").all_inner_texts()
    assert len(second) == 50
    assert not set(first) & set(second)
    await page.get_by_role("link", name="Newer").click()
    await page.wait_for_url("**newer=**")
    assert await page.locator("table.notes tbody th code").all_inner_texts() == first


@DESKTOP
async def test_one_note_is_tried_again(busy: Web, page: Page) -> None:
    """The server is away, so the note waits for the next pass."""
    await page.goto(f"{busy.address}/notes?status=failed")
    await page.get_by_role("button", name="Try again: ").first.click()
    await page.get_by_text("tried again").first.wait_for()
    while await page.get_by_text("being tried again now").count():
        await page.reload()
    assert await page.get_by_text("to be tried again by the next pass").is_visible()
    assert page.url == f"{busy.address}/notes?status=failed"


@DESKTOP
async def test_a_ledger_that_cannot_be_used(
    tmp_path: Path, page: Page, faults: Faults, picture: Picture
) -> None:
    faults.allow("status of 502")
    nowhere = "postgresql+psycopg://clinsum@127.0.0.1:9/none"
    with serving(tmp_path, ledger=nowhere) as web:
        answer = await page.goto(f"{web.address}/notes")
        assert answer
        assert answer.status == 502
        assert await page.get_by_text("The ledger's database could not be used.").is_visible()
        assert await axe(page) == []
        await picture(page)
