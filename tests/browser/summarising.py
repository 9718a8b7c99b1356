"""What the tests of the page `/` do and ask."""

from typing import Any

import httpx
import pytest
from playwright.async_api import Page

from jobs.demo.notes import note_file
from tests.browser.serving import PATIENCE, Web

DESKTOP = pytest.mark.parametrize("view", ["desktop"])
NOTE = note_file("nstemi-discharge-amended.txt").decode()


async def read(page: Page, web: Web, text: str) -> None:
    """Pastes a note and waits for its summary."""
    await page.goto(f"{web.address}/summarise")
    await page.get_by_label("Clinical note").fill(text)
    await page.get_by_role("button", name="Summarise").click()
    await page.locator("#result").wait_for(timeout=PATIENCE * 1000)


async def chosen(page: Page) -> list[str]:
    """The sentences marked in the note, as they stand there."""
    return await page.locator("#text a[href]").all_text_contents()


async def answer(web: Web, text: str, budget: int | None = None) -> dict[str, Any]:
    """What the service says when a program asks."""
    body = {"text": text} if budget is None else {"text": text, "budget": budget}
    async with httpx.AsyncClient(trust_env=False, timeout=600) as client:
        found = await client.post(f"{web.address}/v1/summaries", json=body)
    return dict(found.raise_for_status().json())


async def drop(page: Page, name: str, data: bytes, media_type: str) -> None:
    """Drops a file on the page, as far as a script can do what a hand does."""
    await page.evaluate(
        """([name, bytes, type]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name, {type}));
            const how = {dataTransfer: transfer, bubbles: true, cancelable: true};
            const happens = (kind) => new DragEvent(kind, how);
            document.body.dispatchEvent(happens("dragover"));
            document.body.dispatchEvent(happens("drop"));
        }""",
        [name, list(data), media_type],
    )
