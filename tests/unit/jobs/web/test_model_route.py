"""`/model`: what is said of each kind of model, and that a card of somebody else's can do no harm."""

import hashlib
import json
from pathlib import Path

import pytest

from jobs.web.routes.model_page import METHODS
from jobs.web.service import Options
from jobs.web.views.model_card import as_html, named_model
from summarizer.encoder.files import PRETRAINED, PRETRAINED_NAME, find_model
from summarizer.engines.registry import ENGINES
from tests.unit.jobs.web.web_parts import NOTE, MakeSettings, Served

HOSTILE = """---
license: <script>alert(0)</script>
---
# A <b>model</b>

<script>alert(1)</script>
<img src=x onerror=alert(2)>

[click](javascript:alert(3)) ![picture](https://elsewhere.example/pixel.png) [beside](LICENSE "x")
[site](https://example.org/ "t"), <https://example.org/a>, [data](data:text/html,hello)

| a | b |
|---|--:|
| `<i>` | 2 |

```sh
clinsum evaluate <corpus>
```
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder of a user's, with weights that would not load."""
    made = tmp_path / "our-model"
    made.mkdir()
    (made / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (made / "model.safetensors").write_bytes(b"weights")
    (made / "README.md").write_text(HOSTILE)
    return made


async def test_the_card_of_the_model_that_ships_without_loading_it(served: Served) -> None:
    for options in (Options(), Options(demo=True)):
        async with served(options, engine="bertsum") as client:
            answer = await client.get("/model")
            assert client.app.state.service.model.summarizer is None  # type: ignore[attr-defined]
        assert answer.status_code == 200
        assert 'aria-current="page">Model</a>' in answer.text
        for words in (
            PRETRAINED_NAME,
            find_model(None).sha256(),
            "<h3>Intended use</h3>",
            "<h3>Training data</h3>",
            "<h3>Limits</h3>",
            "train-trials-0.jsonl",
            "loads on first use",
            '<th scope="col">score</th>',
        ):
            assert words in answer.text


async def test_a_model_that_is_loaded_says_so_itself(served: Served) -> None:
    async with served() as client:
        await client.post("/v1/summaries", json={"text": NOTE})
        page = (await client.get("/model")).text
    assert "ready, on cpu" in page
    assert "not calibrated" in page


async def test_a_folder_of_ones_own_has_its_own_card_in_which_nothing_runs(
    served: Served, folder: Path
) -> None:
    async with served(engine="bertsum", model=folder) as client:
        page = (await client.get("/model")).text
        picture = await client.get("/model/reliability.svg")
    assert "our-model" in page
    assert str(folder.parent) not in page
    assert hashlib.sha256(b"weights").hexdigest() in page
    assert "clinsum-bertsum-minilm" not in page
    assert "<script>" not in page
    assert (
        page.count("<img") == page.count('<img src="/static/icon.svg?') == 1
    )  # ours, at the top: no picture
    assert picture.status_code == 404


def test_a_hostile_card() -> None:
    shown = str(as_html(HOSTILE))
    assert shown.startswith("<h2>A &lt;b&gt;model&lt;/b&gt;</h2>")
    assert "license" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    for forbidden in ("<script", "<img", "<b>", "<i>", 'href="javascript', 'href="data', 'href="LICENSE'):
        assert forbidden not in shown
    assert '<a href="https://example.org/" title="t" rel="noopener noreferrer">site</a>' in shown
    assert "<span>beside</span>" in shown
    assert '<div class="scroll" tabindex="0" role="region" aria-label="Table 1 of the card"><table>' in shown
    assert shown.count("</table></div>") == 1
    assert "clinsum evaluate &lt;corpus&gt;" in shown


async def test_the_picture_of_the_calibration_where_there_is_one(served: Served, folder: Path) -> None:
    drawn = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    (folder / "reliability.svg").write_bytes(drawn)
    async with served(engine="bertsum", model=folder) as client:
        page = (await client.get("/model")).text
        picture = await client.get("/model/reliability.svg")
    assert '<img src="/model/reliability.svg"' in page
    assert picture.content == drawn
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.headers["content-security-policy"].endswith("sandbox")
    assert "script-src" not in picture.headers["content-security-policy"]


@pytest.mark.parametrize("engine", sorted(ENGINES))
async def test_each_engine_is_explained_and_only_a_trained_one_has_a_card(
    served: Served, engine: str
) -> None:
    async with served(engine=engine) as client:
        page = (await client.get("/model")).text
    assert METHODS[engine].split(";")[0].split(",")[0] in page
    assert ('<article class="card"' in page) is (engine == "bertsum")
    assert ("has no card" in page) is (engine != "bertsum")
    assert ("SHA-256" in page) is (engine != "lead")


def test_models_whose_files_cannot_be_read_without_loading(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "run-7.pt"
    checkpoint.write_bytes(b"tensors")
    bare = tmp_path / "bare"
    bare.mkdir()
    large = tmp_path / "large"
    large.mkdir()
    (large / "README.md").write_bytes(b"#" * 1_000_001)

    found = {
        name: named_model(make_settings(engine="bertsum", model=model))
        for name, model in {
            "checkpoint": checkpoint,
            "gone": tmp_path / "gone.pt",
            "hub": "someone/some-bert",
            "bare": bare,
            "large": large,
        }.items()
    }

    assert (found["checkpoint"].name, found["gone"].sha256) == ("run-7", "")
    assert found["checkpoint"].sha256 == hashlib.sha256(b"tensors").hexdigest()
    assert (found["hub"].name, found["hub"].sha256) == ("someone/some-bert", "")
    assert all(model.card is None and not model.picture for model in found.values())


def test_a_model_that_is_replaced_has_another_hash(make_settings: MakeSettings, folder: Path) -> None:
    settings = make_settings(engine="bertsum", model=folder)
    before = named_model(settings).sha256
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert named_model(settings).sha256 == hashlib.sha256(b"other weights").hexdigest() != before


async def test_whoever_is_known_sees_it_and_nobody_else(served: Served) -> None:
    token = "a-token-of-more-than-24-characters"
    async with served(service_token=token) as client:
        refused = await client.get("/model")
        known = await client.get("/model", headers={"authorization": f"Bearer {token}"})
    assert (refused.status_code, known.status_code) == (401, 200)


def test_the_card_that_ships_is_read() -> None:
    shown = as_html((PRETRAINED / "README.md").read_text("utf-8"))
    assert shown.count("<table>") == 8  # facts, facts by kind, notes by kind, three of data, settings, scores
    assert shown.count("<h2>") == 1
