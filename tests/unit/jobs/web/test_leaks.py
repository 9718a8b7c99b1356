"""Nothing of a note gets into a log line, a metric, an address, an error or a cache."""

import json
from collections.abc import Callable

import pytest

from jobs.demo.render import pdf_bytes
from jobs.logs import configure_logging
from jobs.web.app import create_app
from tests.unit.jobs.web.web_parts import Held, MakeSettings, started

CANARY = "Zanzibarowitz"
NOTE = f"{CANARY} reports chest pain. {CANARY} takes aspirin."


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What went to standard error and output, with logging set up as the commands do it, and louder."""
    configure_logging("json", "debug")

    def read() -> str:
        captured = capsys.readouterr()
        return captured.out + captured.err

    return read


async def test_nothing_of_a_note_leaks(
    make_settings: MakeSettings, held: Held, monkeypatch: pytest.MonkeyPatch, log: Callable[[], str]
) -> None:
    monkeypatch.setattr("jobs.web.service.make_summarizer", lambda _: held)
    held.leave.set()
    answers = []
    async with started(create_app(make_settings(max_bytes=20_000))) as client:

        async def post(path: str, body: bytes, media_type: str) -> None:
            answers.append(await client.post(path, content=body, headers={"content-type": media_type}))

        await post("/v1/summaries", json.dumps({"text": NOTE}).encode(), "application/json")
        await post("/v1/summaries", pdf_bytes(NOTE), "application/pdf")
        await post(
            "/v1/summaries:batch", json.dumps({"items": [{"text": NOTE}]}).encode(), "application/json"
        )
        fine = len(answers)
        for wrong in (
            {"text": [NOTE]},
            {"text": NOTE, "budget": NOTE},
            {NOTE: NOTE},
            {"text": NOTE, "budget": {NOTE: 1}},
            {"items": [{"text": NOTE, "budget": NOTE}]},
            {"text": "This text breaks the model."},
        ):
            for path in ("/v1/summaries", "/v1/summaries:batch"):
                await post(path, json.dumps(wrong).encode(), "application/json")
        await post("/v1/summaries", NOTE.encode(), "application/json")
        await post("/v1/summaries", f"%PDF-1.7 {NOTE}".encode(), "application/pdf")
        await post("/v1/summaries", f"\x89PNG\r\n\x1a\n{NOTE}".encode("latin-1"), "image/png")
        await post("/v1/summaries", f"<a b='{NOTE}'><{CANARY}".encode(), "application/xml")
        await post("/v1/summaries", NOTE.encode() * 1000, "text/plain")
        await post(f"/v1/summaries?budget={CANARY}", NOTE.encode(), "text/plain")
        for path in (
            f"/{CANARY}",
            f"/notes?q={CANARY}",
            f"/v1/compositions/{CANARY}/audit",
            f"/static/{CANARY}",
        ):
            answers.append(await client.get(path))
            answers.append(await client.get(path, headers={"accept": "text/html"}))
        metrics = (await client.get("/metrics")).text
    assert [answer.status_code for answer in answers[:fine]] == [200] * fine
    assert all(answer.status_code >= 400 for answer in answers[fine:])
    assert any(answer.status_code == 500 for answer in answers)
    for answer in answers[fine:]:
        assert CANARY not in answer.text
        assert CANARY not in str(answer.headers)
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
    said = log()
    assert '"event": "request"' in said
    assert "text-failed" in said
    assert '"client": "anyone"' in said
    for word in (CANARY, "breaks the model", "chest pain"):
        assert word not in said
        assert word not in metrics


async def test_an_error_that_nobody_expected_shows_its_type_alone(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, log: Callable[[], str]
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError(NOTE)

    monkeypatch.setattr("jobs.web.routes.summaries.as_budget", break_down)
    async with started(create_app(make_settings())) as client:
        answer = await client.post("/v1/summaries", json={"text": NOTE})
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal-error"
    assert answer.headers["content-security-policy"]
    said = log()
    assert "RuntimeError" in said
    assert CANARY not in said + answer.text


async def test_metrics_count_what_happened(make_settings: MakeSettings) -> None:
    async with started(create_app(make_settings())) as client:
        await client.post("/v1/summaries", json={"text": NOTE})
        await client.post("/v1/summaries", json={})
        await client.get(f"/{CANARY}")
        metrics = (await client.get("/metrics")).text.splitlines()
    for line in (
        'clinsum_http_requests_total{method="POST",route="/v1/summaries",status="200"} 1.0',
        'clinsum_http_requests_total{method="POST",route="/v1/summaries",status="422"} 1.0',
        'clinsum_http_requests_total{method="GET",route="none",status="404"} 1.0',
        'clinsum_requests_refused_total{code="invalid"} 1.0',
        "clinsum_texts_summarized_total 1.0",
        "clinsum_queue_waiting 0.0",
        "clinsum_model_loaded 1.0",
    ):
        assert line in metrics, line
