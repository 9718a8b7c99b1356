"""`/model` in a browser: with the card that ships, with a picture, and without either."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from summarizer.encoder.files import PRETRAINED
from tests.browser.seeing import Picture, axe, sideways
from tests.browser.serving import Web, serving

DESKTOP = pytest.mark.parametrize("view", ["desktop"])
DRAWN = """<svg xmlns="http://www.w3.org/2000/svg" width="324" height="324">
<style>line { stroke: black }</style><script>document.title = "ran"</script>
<line x1="20" y1="304" x2="304" y2="20" style="stroke-width: 2"/></svg>"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_card_that_ships(demo_site: Web, page: Page, picture: Picture) -> None:
    await page.goto(f"{demo_site.address}/model")
    for title in ("The model", "clinsum-bertsum-minilm", "Intended use", "Figures", "Limits"):
        await expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    tables = page.get_by_role("region", name=re.compile(r"^Table \d+ of the card$"))
    await expect(tables.filter(has_text="share wanted")).to_have_count(1)
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """With a model folder of a user's, which has a card and a picture."""
    folder = tmp_path_factory.mktemp("own") / "ward-model"
    folder.mkdir()
    for name in ("config.json", "bertsum.json", "head.safetensors"):
        shutil.copyfile(PRETRAINED / name, folder / name)
    (folder / "README.md").write_text(
        "# Ward model\n\n<script>document.title = 'ran'</script>\n\n## Limits\n"
    )
    (folder / "reliability.svg").write_text(DRAWN)
    with serving(folder.parent / "run", "--demo", model=str(folder)) as web:
        yield web


@DESKTOP
async def test_a_model_of_ones_own_with_a_picture(own_site: Web, page: Page, picture: Picture) -> None:
    await page.goto(f"{own_site.address}/model", wait_until="networkidle")
    await expect(page.get_by_role("heading", name="Ward model")).to_be_visible()
    await expect(page.get_by_text("<script>document.title")).to_be_visible()
    image = page.get_by_role("img", name="Reliability")
    assert await image.evaluate("image => image.complete && image.naturalWidth") == 324
    assert await page.title() == "The model · Clinical AI Summarizer"
    assert await axe(page) == []
    await picture(page)


@pytest.fixture(scope="module")
def lead_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """With the engine that has no model at all."""
    with serving(tmp_path_factory.mktemp("lead"), "--demo", engine="lead") as web:
        yield web


async def test_an_engine_without_a_card(lead_site: Web, page: Page, picture: Picture) -> None:
    await page.goto(f"{lead_site.address}/model")
    await expect(page.locator("main")).to_contain_text("has no card, since nothing was trained")
    await expect(page.locator("main")).not_to_contain_text("SHA-256")
    assert await axe(page) == []
    assert await sideways(page) == 0
    await picture(page)
