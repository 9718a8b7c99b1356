"""The first page without a browser: what it weighs, what it may and does not hold, and who sees it."""

import re
from pathlib import Path

import pytest

from jobs.web.problems import CODES
from jobs.web.service import Options
from jobs.web.views.pages import STATIC
from tests.unit.jobs.web.web_parts import NOTE, Served

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> No fever & \"no\" 'cough'. </textarea>"
SCRIPTS = ("keys.js", "summarise.js", "note.js", "reading.js", "service.js", "strip.js")


async def test_the_page_is_there_with_and_without_a_server(served: Served) -> None:
    for options in (Options(), Options(demo=True)):
        async with served(options) as client:
            answer = await client.get("/summarise", headers={"accept": "text/html"})
            example = await client.get("/example")
            model_loaded = client.app.state.service.model.summarizer  # type: ignore[attr-defined]
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert 'aria-current="page">Summarise</a>' in answer.text
        assert "unverified" in answer.text
        assert example.headers["content-type"].startswith("text/plain")
        assert "invented" not in example.text
        assert len(example.text) > 1000
        assert model_loaded is None


async def test_it_weighs_less_than_100_kb_and_all_of_it_is_the_services_own(served: Served) -> None:
    async with served() as client:
        page = await client.get("/summarise")
        addresses = set(re.findall(r'(?:src|href)="([^"#]+)"', page.text))
        assets = {address for address in addresses if address.startswith("/static/")}
        parts = [await client.get(address) for address in sorted(assets)]
        modules = [await client.get(f"/static/{name}") for name in SCRIPTS]
    assert all(address.startswith("/") for address in addresses)
    assert {Path(a.partition("?")[0]).name for a in assets} == {
        "base.css",
        "icon.svg",
        "summarise.css",
        "printed.js",
        "summarise.js",
    }
    assert all(part.status_code == 200 for part in (*parts, *modules))
    assert len(page.content) + sum(len(part.content) for part in (*parts, *modules)) < 100_000


async def test_parts_of_a_script_are_asked_for_again_each_time(served: Served) -> None:
    """Since they import each other by plain names, an old part must not meet a new one."""
    async with served() as client:
        plain = await client.get("/static/note.js")
        named = await client.get("/static/note.js?v=0123456789ab")
        again = await client.get("/static/note.js", headers={"if-none-match": plain.headers["etag"]})
    assert plain.headers["cache-control"] == "public, no-cache"
    assert "immutable" in named.headers["cache-control"]
    assert again.status_code == 304


async def test_scripts_and_styles_are_packed_and_pages_are_not(served: Served) -> None:
    """Of a page with a secret in it the packed length would tell too much (BREACH)."""
    async with served() as client:
        script = await client.get("/static/note.js")
        as_it_is = await client.get("/static/note.js", headers={"accept-encoding": "identity"})
        page = await client.get("/summarise")
    assert script.headers["content-encoding"] == "gzip"
    assert int(script.headers["content-length"]) < len(as_it_is.content) / 2
    assert script.content == as_it_is.content
    assert "content-encoding" not in {**as_it_is.headers, **page.headers}


def test_the_scripts_import_what_is_there_and_write_no_html() -> None:
    imported = set()
    for name in SCRIPTS:
        text = (STATIC / name).read_text("utf-8")
        imported |= set(re.findall(r'from "\./([^"]+)"', text))
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function", text
        )
    assert imported == set(SCRIPTS) - {"summarise.js"}


def test_every_problem_that_has_words_is_one_that_the_service_knows() -> None:
    table = (STATIC / "service.js").read_text("utf-8").partition("const WORDS = {")[2].partition("};")[0]
    codes = set(re.findall(r'^  "([a-z-]+)":', table, re.MULTILINE))
    assert len(codes) > 8
    assert codes <= set(CODES)


async def test_a_note_typed_in_cannot_get_into_an_address(served: Served) -> None:
    """Even where its script does not run: the field has no name, the form posts, its button does nothing."""
    async with served() as client:
        page = (await client.get("/summarise")).text
        posted = await client.post(
            "/summarise", content=b"note=Zanzibarowitz", headers={"accept": "text/html"}
        )
    [form] = re.findall(r"<form id=[^>]*>", page)
    [area] = re.findall(r"<textarea[^>]*>", page)
    [button] = re.findall(r'<button type="submit" id="go"[^>]*>', page)
    assert 'method="post"' in form
    assert " name=" not in area
    assert 'autocomplete="off"' in area
    assert 'spellcheck="false"' in area  # some browsers send what they check to their maker
    assert " disabled" in button
    assert posted.status_code == 405
    assert "Zanzibarowitz" not in posted.text


@pytest.mark.parametrize("path", ["/summarise", "/example"])
async def test_where_tokens_are_asked_for_a_browser_is_sent_to_sign_in(served: Served, path: str) -> None:
    token = "a-token-of-more-than-24-characters"
    async with served(service_token=token) as client:
        refused = await client.get(path, headers={"accept": "text/html"})
        known = await client.get(path, headers={"authorization": f"Bearer {token}"})
    assert (refused.status_code, refused.headers["location"]) == (303, "/login?to=" + path)
    assert known.status_code == 200


async def test_a_hostile_note_comes_back_as_data_that_no_browser_takes_for_a_page(served: Served) -> None:
    query = "/v1/summaries?include_text=true&include_ranks=true"
    async with served() as client:
        answers = [
            await client.post(query, json={"text": HOSTILE}),
            await client.post(query, content=HOSTILE.encode(), headers={"content-type": "text/plain"}),
        ]
    for answer in answers:
        found = answer.json()
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert found["text"]["content"] == HOSTILE
        for sentence in found["summary"]:
            assert HOSTILE[sentence["start"] : sentence["end"]] == sentence["text"]


async def test_sections_and_ranks_come_for_every_sentence(served: Served) -> None:
    async with served() as client:
        answer = (await client.post("/v1/summaries?include_ranks=true", json={"text": NOTE})).json()
    assert [s["section"] for s in answer["sentences"]] == ["HISTORY"] * 2 + ["ASSESSMENT"] * 3
    assert [s["rank"] for s in answer["sentences"]] == [1, 2, 3, 4, 5]
