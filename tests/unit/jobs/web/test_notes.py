"""`/v1/notes` and `/notes`: what came in, and another try of what failed."""

import asyncio
import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from jobs.ledger.rows import NoteRow
from jobs.runtime import open_ledger
from jobs.web.app import create_app
from jobs.web.batching import QueueLimits
from jobs.web.views.chart import HEIGHT, bars
from tests.unit.jobs.web.web_parts import MakeSettings, Served, started, until

TOKEN = "a-token-of-enough-characters"
BEARER = {"authorization": f"Bearer {TOKEN}"}
HTML = {"accept": "text/html"}
NOW = datetime.now(UTC)


def row(number: int, **changed: object) -> NoteRow:
    values: dict[str, object] = {
        "source": f"DocumentReference/{number}",
        "version": "1",
        "pipeline_version": "p",
        "status": "written",
        "composition": f"c-{number}",
        "sentences": 3,
        "handled_at": NOW - timedelta(minutes=number),
    }
    return NoteRow(**{**values, **changed})  # type: ignore[arg-type]


def failed(number: int, reason: str = "malformed", **changed: object) -> NoteRow:
    return row(number, status="failed", reason=reason, composition="", sentences=0, **changed)


@pytest.fixture
def fill(make_settings: MakeSettings) -> Any:
    """Writes rows into the ledger of this test's application."""

    def write(*rows: NoteRow, **given: object) -> None:
        with open_ledger(make_settings(**given)) as ledger:
            ledger.record(rows)

    return write


async def test_the_list_in_pages(served: Served, fill: Any) -> None:
    fill(*(row(n) for n in range(5)), failed(5, "timeout", detail="read", retry_at=NOW))
    async with served() as client:
        found: list[dict[str, Any]] = []
        query = {"count": "4"}
        for _ in range(2):
            answer = await client.get("/v1/notes", params=query)
            assert answer.headers["cache-control"] == "no-store"
            found += answer.json()["notes"]
            query = {"count": "4", "cursor": answer.json().get("next", "")}
    assert query["cursor"] == ""
    assert [note["source"] for note in found] == [f"DocumentReference/{n}" for n in range(6)]
    assert found[0]["composition"] == "Composition/c-0"
    assert "reason" not in found[0]
    assert found[5]["message"] == "Fetching, reading or scoring the note took longer than the settings allow."
    assert found[5]["handled_at"].endswith("Z")


async def test_filters_of_the_list(served: Served, fill: Any) -> None:
    fill(
        row(1),
        failed(2),
        failed(3, "timeout", source="DiagnosticReport/3"),
        row(4, handled_at=NOW.replace(2020)),
    )
    cases = {
        "status=failed": {"DocumentReference/2", "DiagnosticReport/3"},
        "reason=timeout": {"DiagnosticReport/3"},
        "kind=DocumentReference&status=failed": {"DocumentReference/2"},
        "since=2021-01-01": {"DocumentReference/1", "DocumentReference/2", "DiagnosticReport/3"},
    }
    async with served() as client:
        for query, expected in cases.items():
            answer = await client.get(f"/v1/notes?{query}")
            assert {note["source"] for note in answer.json()["notes"]} == expected, query
            page = await client.get(f"/notes?{query}", headers=HTML)
            for source in ("DocumentReference/1", "DocumentReference/2", "DiagnosticReport/3"):
                assert (f"<code>{source}</code>" in page.text) is (source in expected), query


@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "reason=none",
        "kind=Observation",
        "since=yesterday",
        "since=86400",
        "since=2026-02-30",
        "q=Zanzibarowitz",
    ],
)
async def test_a_filter_that_is_none(served: Served, query: str) -> None:
    async with served() as client:
        assert (await client.get(f"/v1/notes?{query}")).status_code == 422
        page = await client.get(f"/notes?{query}", headers=HTML)
    assert page.status_code == 422
    assert query.partition("=")[2] not in page.text


@pytest.mark.parametrize("place", ["older=x", "newer=1", f"older={10**18 - 1}.1"])
async def test_a_place_that_is_none(served: Served, place: str) -> None:
    async with served() as client:
        assert (await client.get(f"/notes?{place}")).status_code == 404


async def test_the_page_of_an_empty_ledger(served: Served) -> None:
    async with served() as client:
        page = await client.get("/notes?status=&reason=&kind=&since=", headers=HTML)
    assert page.status_code == 200
    assert "Nothing has come in yet" in page.text
    assert "Try " not in page.text


async def test_the_page_leads_through_the_list_and_back(served: Served, fill: Any) -> None:
    fill(*(row(n) for n in range(120)))
    seen: list[str] = []

    def sources(page: str) -> list[str]:
        return [part.partition("<")[0] for part in page.split("<code>DocumentReference/")[1:]]

    def link(page: str, name: str) -> str:
        """The address of a link by its words; empty where there is none."""
        before, found, _ = page.partition(f'#list">{name}</a>')
        return before.rpartition('href="')[2].replace("&amp;", "&") if found else ""

    async with served() as client:
        first = page = (await client.get("/notes")).text
        assert not link(page, "Newer")
        seen += sources(page)
        while following := link(page, "Older"):
            page = (await client.get(following)).text
            seen += sources(page)
        assert len(sources(page)) == 20
        back = (await client.get(link((await client.get(link(page, "Newer"))).text, "Newer"))).text
        latest = (await client.get(link(page, "Latest"))).text
    assert seen == [str(n) for n in range(120)]
    assert sources(back) == sources(latest) == sources(first)


async def test_figures_and_charts_say_what_the_ledger_holds(served: Served, fill: Any) -> None:
    fill(
        *(row(n, handled_at=NOW) for n in range(3)),
        failed(3, handled_at=NOW),
        failed(4, "timeout", handled_at=NOW),
    )
    async with served() as client:
        page = (await client.get("/notes")).text
    assert "5 in all, at most 5 in one hour." in page
    assert "2 in all, at most 2 in one hour." in page
    assert page.count("<rect ") == 2
    assert 'href="/notes?status=failed&amp;reason=timeout"' in page
    assert "Ledger: answers" in page
    assert "FHIR server: no answer" in page
    for forbidden in ("<script", "style=", "onclick"):
        assert forbidden not in page


def test_a_small_value_beside_large_ones_is_seen() -> None:
    chart = bars([("a", 0), ("b", 1), ("c", 10_000)])
    assert [(bar.x, bar.y, bar.height) for bar in chart.bars] == [(10, HEIGHT - 3, 3), (20, 0, HEIGHT)]
    assert (chart.most, chart.total) == (10_000, 10_001)
    assert chart.bars[1].words == "c: 10,000"
    assert bars([]).bars == ()


async def test_what_the_ledger_may_hold_is_shown_as_text(served: Served, fill: Any) -> None:
    evil = "<script>alert(1)</script>"
    fill(
        row(
            1,
            source=f"DocumentReference/{evil}",
            version=evil,
            media_type=evil,
            detail=evil,
            composition=evil,
        )
    )
    fill(failed(2, evil, detail="'\"><img src=x onerror=alert(1)>"))
    async with served() as client:
        page = (await client.get("/notes")).text
        listed = (await client.get("/v1/notes")).json()["notes"]
    assert "<script>" not in page
    assert page.count("<img") == page.count('<img src="/static/icon.svg?') == 1  # ours, at the top
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert {note["reason"] for note in listed if "reason" in note} == {evil[:32]}


# Who may.


async def test_each_address_asks_for_its_scope(served: Served) -> None:
    async with served(service_token=TOKEN) as client:
        answers = [
            await client.get("/v1/notes"),
            await client.post("/v1/notes:retry", json={}),
            await client.get("/notes"),
            await client.post("/notes/retry"),
        ]
        page = await client.get("/notes", headers=HTML)
        inside = await client.get("/notes", headers=BEARER)
    assert [answer.status_code for answer in answers] == [401] * 4
    assert (page.status_code, page.headers["location"]) == (303, "/login?to=/notes")
    assert inside.status_code == 200


async def test_who_may_only_read_sees_no_way_to_try_again(
    served: Served, fill: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.web.guard.access import Access, Principal, Scope

    async def reader(*_: object) -> Principal:
        return Principal("oidc:reader", frozenset({Scope.READ}))

    monkeypatch.setattr(Access, "principal", reader)
    fill(failed(1))
    async with served() as client:
        page = await client.get("/notes", headers=HTML)
        refused = [await client.post("/v1/notes:retry", json={}), await client.post("/notes/retry")]
    assert "DocumentReference/1" in page.text
    assert "Try " not in page.text
    assert [answer.status_code for answer in refused] == [403, 403]


async def test_another_sites_form_does_nothing(
    served: Served, fill: Any, make_settings: MakeSettings
) -> None:
    fill(failed(1))
    async with served() as client:
        answer = await client.post("/notes/retry", headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    with open_ledger(make_settings()) as ledger:
        assert ledger.due(10) == []


@pytest.mark.parametrize(
    "body",
    [
        {"sources": []},
        {"sources": ["x"]},
        {"sources": ["DocumentReference/a b"]},
        {"sources": "DocumentReference/1"},
        {"reasons": "timeout"},
        {"reason": "none"},
        [],
    ],
)
async def test_a_retry_that_is_none(served: Served, body: object) -> None:
    async with served() as client:
        assert (await client.post("/v1/notes:retry", json=body)).status_code == 422
        wrong = await client.post("/v1/notes:retry", content=b"{}", headers={"content-type": "text/plain"})
    assert wrong.status_code == 415


# Another try, with a server.


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_embedded() as base_url:
        yield base_url


def put(server: str, name: str, text: str | None) -> None:
    """A note that is fine, or where `text` is None one whose bytes are damaged."""
    (note,) = generated_notes(1)
    data = base64.b64encode(text.encode()).decode() if text else "%%%"
    attachment = {"contentType": "text/plain; charset=utf-8", "data": data}
    note |= {"id": name, "content": [{"attachment": attachment}]}
    httpx.put(
        f"{server}/DocumentReference/{name}", json=note, trust_env=False, timeout=600
    ).raise_for_status()


async def settled(client: httpx.AsyncClient) -> None:
    service = client.app.state.service  # type: ignore[attr-defined]
    await until(lambda: not service.retrying.running)


async def test_a_note_that_failed_is_tried_again_by_the_service(
    server: str, served: Served, make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = make_settings(fhir_base_url=server)
    for name, text in (("mended", None), ("broken", None), ("fine", "A first sentence. And a second one.")):
        put(server, name, text)
    sources = [f"DocumentReference/{name}" for name in ("mended", "broken", "fine")]
    with open_ledger(settings) as ledger:
        await asyncio.to_thread(lambda: asyncio.run(_passed(settings, ledger)))
        before = {row.source: row.status for row in ledger.notes()}
    assert before == dict(zip(sources, ["failed", "failed", "written"], strict=True))
    with open_ledger(settings) as ledger:  # as where the server gave damaged bytes of what it holds
        put(server, "mended", "Now there is a sentence. And another one.")
        async with served(fhir_base_url=server) as client:
            answer = await client.post("/v1/notes:retry", json={})
            assert (answer.status_code, answer.json()) == (202, {"notes": 2, "running": True})
            await settled(client)
            one = await client.post(
                "/notes/retry", data={"source": "DocumentReference/fine", "status": "failed"}
            )
            page = await client.get(one.headers["location"], headers=HTML)
        rows = ledger.known(sources)
    assert one.status_code == 303
    assert one.headers["location"] == "/notes?status=failed"
    assert "DocumentReference/broken" in page.text
    assert [rows[source].status for source in sources] == ["written", "failed", "unchanged"]
    assert rows[sources[1]].attempts == 2
    assert rows[sources[1]].retry_at is not None  # pauses grow, and never end


async def _passed(settings: Any, ledger: Any) -> None:
    from jobs.passes.one_pass import Pass
    from jobs.runtime import runtime

    async with runtime(settings, ledger) as shared:
        await Pass(shared, lambda _: None, asyncio.Event()).run(settings.resource_types)


async def test_what_another_process_has_the_passes_for_waits_for_it(
    server: str, served: Served, make_settings: MakeSettings
) -> None:
    settings = make_settings(fhir_base_url=server)
    put(server, "waits", "One sentence of a note. And one more.")
    with open_ledger(settings) as ledger, ledger.one_pass():
        ledger.record([failed(1, source="DocumentReference/waits", version="0")])
        async with served(fhir_base_url=server) as client:
            answer = await client.post("/v1/notes:retry", json={"sources": ["DocumentReference/waits"]})
            await settled(client)
            page = await client.get("/notes", headers=HTML)
        assert answer.json()["notes"] == 1
        assert "to be tried again by the next pass" in page.text
        assert [row.source for row in ledger.due(5)] == ["DocumentReference/waits"]
        assert ledger.known(["DocumentReference/waits"])["DocumentReference/waits"].status == "failed"


async def test_nothing_to_try_again(served: Served) -> None:
    async with served() as client:
        answer = await client.post("/v1/notes:retry", json={"sources": ["DocumentReference/unknown"]})
    assert answer.json() == {"notes": 0, "running": False}


async def test_a_server_that_is_away_leaves_the_notes_marked(
    served: Served, fill: Any, make_settings: MakeSettings
) -> None:
    fill(failed(1))
    async with served(retries=0) as client:
        assert (await client.post("/v1/notes:retry", json={})).json()["notes"] == 1
        await settled(client)
        assert (await client.get("/health/live")).status_code == 200
    with open_ledger(make_settings()) as ledger:
        assert len(ledger.due(5)) == 1


async def test_the_pass_waits_in_the_same_queue_as_everybodys_texts(
    server: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(fhir_base_url=server, serve_queue=1)
    names = [f"queued-{n}" for n in range(6)]
    for name in names:
        put(server, name, f"This is the note {name}. It has two sentences.")
    with open_ledger(settings) as ledger:
        ledger.record([failed(n, source=f"DocumentReference/{name}") for n, name in enumerate(names)])
        async with started(create_app(settings)) as client:
            assert client.app.state.service.model._limits == QueueLimits(requests=1)  # type: ignore[attr-defined]
            await client.post("/v1/notes:retry", json={})
            await settled(client)
        assert {row.status for row in ledger.notes()} == {"written"}
