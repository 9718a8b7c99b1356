"""`/v1/summaries` and `:batch` as a client meets them."""

import asyncio
import json

import httpx
import pytest

from jobs.demo.notes import note_file
from jobs.demo.render import pdf_bytes
from jobs.web.app import create_app
from jobs.web.guard.observed import HEADERS
from summarizer import Budget, Summarizer
from tests.unit.jobs.web.web_parts import NOTE, Held, MakeSettings, Served, started, until

PROBLEM = "application/problem+json"
PLAIN = {"content-type": "text/plain"}
JSON = {"content-type": "application/json"}


async def test_a_text_as_json(served: Served) -> None:
    async with served() as client:
        answer = await client.post("/v1/summaries", json={"text": NOTE, "budget": 2})
    assert answer.status_code == 200
    expected = Summarizer.from_pretrained(engine="lead").summarize([NOTE], Budget(sentences=2))[0]
    assert answer.json() == expected.to_json()
    for sentence in answer.json()["summary"]:
        assert NOTE[sentence["start"] : sentence["end"]] == sentence["text"]


@pytest.mark.parametrize(
    ("budget", "sentences"),
    [(1, 1), (2.0, 2), ("2", 2), ("6w", 1), ("50%", 3), ("100%", 5), ("auto", 3), (None, 3)],
)
async def test_every_kind_of_budget(served: Served, budget: object, sentences: int) -> None:
    async with served() as client:
        answer = await client.post("/v1/summaries", json={"text": NOTE, "budget": budget})
    assert len(answer.json()["summary"]) == sentences


async def test_ranks_are_what_the_service_chooses_for_any_length(served: Served) -> None:
    note = note_file("nstemi-discharge.txt")
    path = "/v1/summaries?include_ranks=true"
    async with served(engine="bertsum") as client:
        first = (await client.post(path, content=note, headers=PLAIN)).json()
        ranks = [s["rank"] for s in first["sentences"]]
        by_length = {
            count: (await client.post(f"{path}&budget={count}", content=note, headers=PLAIN)).json()[
                "summary"
            ]
            for count in {*range(1, len(ranks), 5), len(ranks)}
        }
    assert first["ranked"] is True
    assert len(ranks) > 20
    for count, summary in by_length.items():
        chosen = [s for s in first["sentences"] if s["rank"] <= count]
        assert [(s["start"], s["end"], s["score"], s["section"]) for s in chosen] == [
            (s["start"], s["end"], s["score"], s["section"]) for s in summary
        ]
    assert [s["start"] for s in first["summary"]] == [
        s["start"] for s in first["sentences"] if s["rank"] <= len(first["summary"])
    ]


async def test_ranks_come_only_where_asked_for_and_never_from_k_means(served: Served) -> None:
    async with served() as client:
        plain = (await client.post("/v1/summaries", json={"text": NOTE})).json()
        repeated = (
            await client.post("/v1/summaries?include_ranks=true", json={"text": "No fever. No fever."})
        ).json()
        none = (await client.post("/v1/summaries?include_ranks=true", json={"text": " "})).json()
    async with served(engine="kmeans") as client:
        clustered = (await client.post("/v1/summaries?include_ranks=true", json={"text": NOTE})).json()
    assert "ranked" not in plain
    assert {*plain["sentences"][0]} == {"start", "end", "score"}
    assert [s.get("rank") for s in repeated["sentences"]] == [1, None]
    assert (none["ranked"], none["sentences"]) == (True, [])
    assert clustered["ranked"] is False
    assert {*clustered["sentences"][0]} == {"start", "end", "score", "section", "context"}


async def test_the_settings_say_the_budget_where_nobody_else_does(served: Served) -> None:
    async with served(budget="1") as client:
        answer = await client.post("/v1/summaries", json={"text": NOTE})
        raw = await client.post("/v1/summaries", content=NOTE.encode(), headers=PLAIN)
    assert len(answer.json()["summary"]) == len(raw.json()["summary"]) == 1


@pytest.mark.parametrize(
    ("data", "declared", "media_type"),
    [
        (NOTE.encode(), "text/plain; charset=utf-8", "text/plain"),
        (NOTE.replace("😀 ", "").encode("windows-1252"), "text/plain; charset=windows-1252", "text/plain"),
        (note_file("copd-discharge.html"), "text/html", "text/html"),
        (note_file("hip-discharge.xml"), "application/xml", "application/cda+xml"),
        (note_file("nstemi-cath-report.rtf"), "application/rtf", "application/rtf"),
        (pdf_bytes(note_file("hip-xray.txt").decode()), "application/octet-stream", "application/pdf"),
    ],
)
async def test_every_kind_of_file(served: Served, data: bytes, declared: str, media_type: str) -> None:
    async with served() as client:
        answer = await client.post(
            "/v1/summaries?include_text=true&budget=2", content=data, headers={"content-type": declared}
        )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    text = found["text"]["content"]
    assert found["text"]["media_type"] == media_type
    assert found["text"]["length"] == len(text)
    assert len(found["summary"]) == 2
    for sentence in found["summary"]:
        assert text[sentence["start"] : sentence["end"]] == sentence["text"]


@pytest.mark.parametrize(
    ("data", "declared", "status", "reason"),
    [
        (b"%PDF-1.7 nothing more", "application/pdf", 422, "malformed"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "image/png", 415, "unsupported-type"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><ClinicalDocument xmlns='urn:hl7-org:v3'/>", "text/xml", 422, None),
    ],
)
async def test_a_file_without_text_says_why(
    served: Served, data: bytes, declared: str, status: int, reason: str | None
) -> None:
    async with served() as client:
        answer = await client.post("/v1/summaries", content=data, headers={"content-type": declared})
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["reason"] == (reason or answer.json()["reason"])
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"text": 3}',
        b'{"text": null}',
        b'{"budget": 1}',
        b'{"text": "a", "budget": 0}',
        b'{"text": "a", "budget": "0"}',
        b'{"text": "a", "budget": "101%"}',
        b'{"text": "a", "budget": true}',
        b'{"text": "a", "budget": {"sentences": 1}}',
        b'{"text": "\\ud800"}',
        b'{"text": "\xff"}',
    ],
)
async def test_json_that_is_not_as_described(served: Served, body: bytes) -> None:
    async with served() as client:
        answer = await client.post(
            "/v1/summaries", content=body, headers={"content-type": "application/json"}
        )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["code"] == "invalid"
    assert answer.json()["errors"][0]["problem"]


@pytest.mark.parametrize("text", ["", " \n ", "\x00", "😀", "a" * 100_000])
async def test_odd_texts_have_a_summary_all_the_same(served: Served, text: str) -> None:
    async with served() as client:
        answer = await client.post("/v1/summaries", json={"text": text})
    assert answer.status_code == 200
    assert answer.json()["text"]["length"] == len(text)


async def test_a_body_over_the_limit(served: Served) -> None:
    async def parts() -> object:
        for _ in range(4):
            yield b"a" * 400

    async with served(max_bytes=1000) as client:
        told = await client.post("/v1/summaries", content=b"a" * 1001)
        untold = await client.post("/v1/summaries", content=parts())  # type: ignore[arg-type]
        fits = await client.post("/v1/summaries", content=b"a" * 1000, headers=PLAIN)
    assert (told.status_code, untold.status_code, fits.status_code) == (413, 413, 200)
    assert told.json()["code"] == untold.json()["code"] == "too-large"


async def test_the_bodies_in_hand_are_bounded_together(served: Served) -> None:
    gate = asyncio.Event()

    taken = 0

    async def slow() -> object:
        nonlocal taken
        yield b"a" * 1000
        taken += 1
        await gate.wait()

    async with served(max_bytes=1000) as client:
        held = [asyncio.create_task(client.post("/v1/summaries", content=slow())) for _ in range(8)]  # type: ignore[arg-type]
        await until(lambda: taken == 8)
        refused = await client.post("/v1/summaries", content=b"a" * 10)
        gate.set()
        await asyncio.gather(*held)
        after = await client.post("/v1/summaries", content=b"a" * 10, headers=PLAIN)
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    assert after.status_code == 200


async def test_a_body_that_does_not_arrive(served: Served) -> None:
    async def never() -> object:
        yield b"a"
        await asyncio.sleep(60)

    async with served(serve_timeout=0.2) as client:
        answer = await client.post("/v1/summaries", content=never())  # type: ignore[arg-type]
    assert answer.status_code == 408


async def test_everything_that_may_hold_text_is_kept_by_nobody_and_guarded(served: Served) -> None:
    async with served() as client:
        answers = [
            await client.post("/v1/summaries", json={"text": NOTE}),
            await client.post("/v1/summaries", json={}),
            await client.get("/docs"),
            await client.get("/nowhere"),
            await client.get("/nowhere", headers={"accept": "text/html"}),
        ]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        for name, value in HEADERS.items():
            assert answer.headers[name] == value


async def test_a_full_queue_answers_503_and_says_when_to_come_again(
    make_settings: MakeSettings, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.web.service.make_summarizer", lambda _: held)
    app = create_app(make_settings(serve_queue=2, serve_batch_tokens=1, serve_wait=0))
    async with started(app) as client:

        def ask() -> asyncio.Task[httpx.Response]:
            return asyncio.create_task(client.post("/v1/summaries", json={"text": NOTE}))

        waiting = [ask()]
        await until(held.begun.is_set)
        waiting += [ask(), ask()]
        await until(lambda: app.state.service.model.waiting == 2)
        refused = [await ask() for _ in range(3)]
        batch = await client.post("/v1/summaries:batch", json={"items": [{"text": NOTE}]})
        alive = await client.get("/health/live")  # the loop turns while the model computes
        held.leave.set()
        done = await asyncio.gather(*waiting)
    assert alive.status_code == 200
    assert [answer.status_code for answer in done] == [200, 200, 200]
    for answer in [*refused, batch]:
        assert answer.status_code == 503
        assert answer.json()["code"] == "queue-full"
        assert int(answer.headers["retry-after"]) >= 1


async def test_a_request_that_takes_too_long_ends_and_gives_its_place_away(
    make_settings: MakeSettings, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.web.service.make_summarizer", lambda _: held)
    app = create_app(make_settings(serve_timeout=0.2, serve_batch_tokens=1, serve_wait=0))
    async with started(app) as client:
        answers = await asyncio.gather(*(client.post("/v1/summaries", json={"text": NOTE}) for _ in range(2)))
        assert app.state.service.model.waiting == 0
        held.leave.set()
    assert [answer.json()["code"] for answer in answers] == ["timeout", "timeout"]


async def test_a_batch_in_its_order_with_each_texts_own_budget(served: Served) -> None:
    items = [{"text": f"{NOTE} Number {i}.", "budget": 1 + i % 3} for i in range(20)]
    async with served(serve_queue=4) as client:
        answer = await client.post(
            "/v1/summaries:batch", json={"items": [*items, {"text": NOTE}], "budget": 2}
        )
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert answer.json()["failed"] == 0
    assert [item["index"] for item in results] == list(range(21))
    assert [len(item["result"]["summary"]) for item in results] == [1 + i % 3 for i in range(20)] + [2]
    assert [item["result"]["text"]["length"] for item in results[:20]] == [len(i["text"]) for i in items]  # type: ignore[arg-type]


async def test_progress_of_a_batch_as_events(served: Served) -> None:
    items = [{"text": f"{NOTE} Number {i}."} for i in range(5)]
    events: list[tuple[str, dict[str, object]]] = []
    async with (
        served() as client,
        client.stream(
            "POST", "/v1/summaries:batch", json={"items": items}, headers={"accept": "text/event-stream"}
        ) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        name = ""
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.append((name, json.loads(line.removeprefix("data: "))))
    assert [name for name, _ in events] == ["result", "progress"] * 5 + ["done"]
    assert sorted(data["index"] for name, data in events if name == "result") == list(range(5))  # type: ignore[type-var]
    assert [data["done"] for name, data in events if name == "progress"] == [1, 2, 3, 4, 5]
    assert events[-1][1] == {"total": 5, "failed": 0}


async def test_a_text_that_fails_has_a_problem_in_its_place(
    make_settings: MakeSettings, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.web.service.make_summarizer", lambda _: held)
    held.leave.set()
    items = [{"text": NOTE}, {"text": "This text breaks the model."}, {"text": NOTE}]
    async with started(create_app(make_settings())) as client:
        answer = await client.post("/v1/summaries:batch", json={"items": items})
        alone = await client.post("/v1/summaries", json={"text": "This text breaks the model."})
    assert [next(iter(set(item) - {"index"})) for item in answer.json()["results"]] == [
        "result",
        "problem",
        "result",
    ]
    assert answer.json()["failed"] == 1
    assert alone.status_code == 500
    assert "breaks" not in alone.text + json.dumps(answer.json()["results"][1])


async def test_batches_that_are_refused(served: Served) -> None:
    async with served(serve_batch_items=2) as client:
        many = await client.post("/v1/summaries:batch", json={"items": [{"text": "a"}] * 3})
        none = await client.post("/v1/summaries:batch", json={"items": []})
        other = await client.post("/v1/summaries:batch", content=b"a", headers=PLAIN)
    assert (many.status_code, none.status_code, other.status_code) == (413, 422, 415)
