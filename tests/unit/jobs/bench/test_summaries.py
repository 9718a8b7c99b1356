"""`clinsum bench summaries`, with a peer that is not there and one that answers at a known pace."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from jobs.bench import summaries
from jobs.cli import run
from jobs.settings import Settings
from summarizer.encoder.encoder import Encoder
from training.evaluation.systems import Choices
from training.evaluation.types import Item


class Paced:
    """A peer that takes two seconds for each note."""

    def __init__(self, model: str | None) -> None:
        if model is not None:
            assert Encoder.from_pretrained(model).hidden == 64  # what was written can be loaded

    def choose(self, items: Sequence[Item]) -> Choices:
        assert all(len(item.sentences) > 5 for item in items)
        return Choices(tuple((0,) for _ in items), 2.0 * len(items))


def test_rates_and_ratios_of_the_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "_peer", lambda python, model: Paced(model))
    small = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    monkeypatch.setattr(summaries, "LARGE", small)
    rows = list(summaries.measure(Settings(engine="lead"), 3, 2, Path("python")))
    assert [row.notes for row in rows] == [3, 3, 2]
    assert rows[0].ratio == 1.0
    for row in rows[1:]:
        assert row.per_second == pytest.approx(0.5)
        assert row.ratio == pytest.approx(rows[0].per_second / 0.5)


def test_an_interpreter_without_the_peer_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["bench", "summaries", "--peers-python", sys.executable, "--notes", "1", "--set", "ENGINE=lead"]
    assert run(command) == 2
    assert "installed" in " ".join(capsys.readouterr().err.split())
