"""A browser, services for it to look at, and a page that fails its test where anything goes wrong in it.

    async def test_notes(site: Web, page: Page, picture: Picture) -> None:
        await page.goto(f"{site.address}/notes")
        assert await axe(page) == []
        await picture(page)

runs on a phone and on a desktop. `@pytest.mark.parametrize("view", ["desktop"])` leaves it at one, and
`@pytest.mark.parametrize("scheme", ["light", "dark"])` runs it in both.
"""

import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from jobs.demo.run import run_demo
from tests.browser.altered import Altered, altered
from tests.browser.seeing import PICTURES, SIZES, Faults, Picture
from tests.browser.serving import PATIENCE, Web, serving

HERE = Path(__file__).parent
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no other host can be reached at all
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all tests here, since the browser lives in it; and their marker."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def chromium() -> str:
    """Path of the browser; without one a skip, or a failure where all is required."""
    found = os.environ.get("CLINSUM_TEST_CHROMIUM") or shutil.which("chromium")
    if found:
        return found
    missing = "There is no chromium on the path, and CLINSUM_TEST_CHROMIUM names none."
    if os.environ.get("CLINSUM_REQUIRE_ALL") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for the whole session."""
    path = chromium()
    expect.set_options(timeout=PATIENCE * 1000)  # as for acts: a busy machine takes its time
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=_ARGUMENTS, timeout=PATIENCE * 1000
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The service with the model that ships, over a sandbox whose demo notes were summarised in two passes.

    Shared by all tests: read from it, and change nothing in its ledger or on its FHIR server.
    """
    chromium()
    folder = tmp_path_factory.mktemp("web")
    with (
        run_demo("embedded", folder / "demo", lambda _: None) as report,
        serving(folder, fhir=report.base_url, ledger=report.ledger) as web,
    ):
        yield web


@pytest.fixture(scope="session")
def altered_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Altered]:
    """The service over a sandbox of its own, where some summaries were altered; change nothing there."""
    chromium()
    with altered(tmp_path_factory.mktemp("altered")) as found:
        yield found


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The service as a demonstration for anyone: the model that ships, and no FHIR server."""
    chromium()
    with serving(tmp_path_factory.mktemp("demo"), "--demo") as web:
        yield web


@pytest.fixture(params=["phone", "desktop"])
def view(request: pytest.FixtureRequest) -> str:
    """Which window of `SIZES`: a phone's and a desktop's, where a test does not ask for others."""
    name: str = request.param
    return name


@pytest.fixture
def scheme() -> str:
    """Which colours the person's system asks for: `light` or `dark`."""
    return "light"


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, view: str, scheme: str) -> AsyncIterator[BrowserContext]:
    """A browser without cookies or cache."""
    width, height = SIZES[view]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        has_touch=view == "phone",
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(PATIENCE * 1000)
    yield context
    await context.close()


@pytest.fixture
def faults() -> Faults:
    """What went wrong in the page so far; `faults.allow("status of 404")` lets it pass."""
    return Faults()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext, faults: Faults) -> AsyncIterator[Page]:
    """A tab; the test fails at its end where a fault was seen in it."""
    page = await context.new_page()
    await faults.watch(page)
    yield page
    await page.close()
    assert faults.seen == []


@pytest.fixture
def picture(request: pytest.FixtureRequest, view: str, scheme: str) -> Picture:
    """Keeps a picture of the whole page, to be looked at by people."""

    async def take(page: Page, what: str = "") -> Path:
        test = request.node.originalname.removeprefix("test_")
        name = re.sub(r"[^a-z0-9]+", "-", "-".join(filter(None, (test, what, view, scheme))).lower())
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = PICTURES / f"{name}.png"
        await page.screenshot(path=path, full_page=True)
        return path

    return take
