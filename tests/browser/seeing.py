"""What a test sees of a page beside its elements: faults, weight, axe's verdict, a picture."""

import re
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Page, Request

from tests.places import ROOT

PICTURES = ROOT / "build" / "screenshots"
SIZES = {"phone": (390, 844), "tablet": (768, 1024), "desktop": (1440, 900)}

Picture = Callable[..., Awaitable[Path]]
"""`await picture(page, "empty")` keeps the whole page as `TEST-empty-VIEW-SCHEME.png`."""

_REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));"""


class Faults:
    """What should never happen in a page; a test fails at its end where something did.

    Errors on the console, exceptions of scripts, violations of the policy, dialogs, and requests to other
    hosts than this machine's loopback.
    """

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._allowed: list[re.Pattern[str]] = []

    async def watch(self, page: Page) -> None:
        """Collects from now on, also over the pages that this tab goes to."""
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("pageerror", lambda error: self._seen.append(f"script: {error}"))
        page.on("request", self._asked)
        page.on("dialog", self._dismiss)
        await page.add_init_script(_REPORT_VIOLATIONS)

    def allow(self, pattern: str) -> None:
        """Lets faults that match pass, such as the console's `status of 404` on a page that is not there."""
        self._allowed.append(re.compile(pattern))

    @property
    def seen(self) -> list[str]:
        """All but those that are allowed."""
        return [fault for fault in self._seen if not any(a.search(fault) for a in self._allowed)]

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self._seen.append(f"console {kind}: {text}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.hostname != "127.0.0.1" and address.scheme != "blob":
            self._seen.append(f"asked another host: {request.url[:200]}")

    async def _dismiss(self, dialog: Any) -> None:
        self._seen.append(f"dialog: {dialog.message}")
        await dialog.dismiss()


async def axe(page: Page) -> list[str]:
    """What axe finds serious or critical on the page as it is now: rule, impact, place, and why."""
    if not await page.evaluate("typeof window.axe === 'object'"):
        await page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']} ({violation['impact']}) {node['target']}: {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


async def weight(page: Page, address: str) -> dict[str, int]:
    """Opens a page with nothing cached: bytes of each answer, head and body as they came over the wire."""
    asked: list[Request] = []
    page.on("requestfinished", lambda request: asked.append(request))
    await page.goto(address, wait_until="networkidle")
    sizes: dict[str, int] = {}
    for request in asked:
        size = await request.sizes()
        path = urlsplit(request.url).path  # what is there twice comes over the wire once
        sizes[path] = sizes.get(path, 0) + size["responseBodySize"] + size["responseHeadersSize"]
    return sizes


async def sideways(page: Page) -> int:
    """By how many pixels the page is wider than its window; 0 where nobody has to scroll sideways."""
    wider: int = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return wider
