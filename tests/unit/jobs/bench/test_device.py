"""`clinsum bench device`: the code that GPUs run, on the CPU; what is said where there is no GPU."""

import json

import pytest

from jobs.bench import device
from jobs.cli import run
from summarizer.encoder import runtime

SMALL = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}


def test_the_code_of_gpus_is_measured_on_the_cpu(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(device, "BASE", SMALL)

    assert run(["bench", "device", "--device", "cpu", "--count", "3", "--json"]) == 0

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["notes"] for row in rows] == [3] * 4
    assert all(row["tokens_per_second"] > row["notes_per_second"] > 0 for row in rows[:2])
    assert [row["same"] for row in rows[:2]] == [None, None]
    assert rows[3]["way"] == "summaries, mixed"
    assert rows[3]["same"] == 3
    assert all(row["busy"] is None for row in rows)


def test_without_a_gpu_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runtime, "has_cuda", lambda: False)
    assert run(["bench", "device", "--count", "1"]) == 0
    assert "Not measured: no CUDA device is there." in capsys.readouterr().err
