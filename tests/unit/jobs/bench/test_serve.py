"""`clinsum bench serve` runs all three ways and counts rightly; how fast they are is not for a test."""

import json

import pytest

from jobs.bench.serve import held_at_once, texts
from jobs.cli import run
from jobs.settings import load_settings


def test_the_three_ways_summarise_all_notes_without_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINSUM_ENGINE", "lead")
    queue = ["--set", "SERVE_QUEUE=2", "--set", "SERVE_BATCH_TOKENS=400"]
    assert run(["bench", "serve", "--notes", "12", "--clients", "6", "--json", *queue]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [figures["way"] for figures in found] == ["model alone", "service", "naive endpoint"]
    for figures in found:
        assert figures["notes"] == 12
        assert figures["errors"] == 0
        assert figures["per_second"] > 0
        assert figures["memory_end_mb"] > 0
    service, naive = found[1:]
    assert 0 < service["p50"] <= service["p99"]
    assert naive["refused"] == 0


def test_the_load_is_twice_what_the_service_holds() -> None:
    settings = load_settings({"serve_queue": "10", "serve_batch_tokens": "4096"})
    per_note = len(texts(1)[0]) // 4 + 1
    assert held_at_once(settings) == 10 + 4096 // per_note
