"""The measurements themselves, on a few notes; what a comparison names."""

import json
import lzma
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from jobs.bench import others
from jobs.bench.figures import Figure
from jobs.bench.notes import note_texts
from jobs.bench.picture import picture
from jobs.bench.precision import measure
from jobs.bench.whole import last_run, machine, regressions, run_of

TEXTS = ["Fever for two days. No cough. Plan: paracetamol.", "Chest pain since noon. Troponin is high."]


def test_every_precision_is_held_against_torch() -> None:
    rows = {row.way: row for row in measure(None, TEXTS)}
    assert list(rows)[:3] == ["torch, fp32", "openvino, fp32", "openvino, bf16"]
    assert rows["openvino, fp32"].same == len(TEXTS)
    assert rows["openvino, fp32"].apart <= 0.0002
    assert all(row.seconds > 0 and row.ratio > 0 for row in rows.values())


def test_the_machine_has_a_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.bench.whole._SECONDS", 0.05)
    figures = list(machine())
    assert [figure.ratio for figure in figures if "fp32" in figure.name] == [1.0]
    assert figures[-1].name == "memory copy"
    assert all(figure.value > 0 for figure in figures)


def test_memory_is_that_of_the_process_and_not_of_who_started_it() -> None:
    held = bytearray(300_000_000)
    code = "from jobs.bench.passes import peak_memory; print(peak_memory())"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(child.stdout) < len(held)


def test_a_comparison_names_what_is_slower(tmp_path: Path) -> None:
    def run(*ratios: float) -> dict[str, object]:
        return run_of([Figure(f"f{i}", 1.0, "notes/s", r, "plain") for i, r in enumerate(ratios)], TEXTS)

    file = tmp_path / "history.jsonl"
    file.write_text("".join(json.dumps(found) + "\n" for found in (run(9, 9), run(2.0, 3.0))))

    assert regressions(last_run(file), run(1.9, 2.0, 0.1)) == ["f1: 2.00 times plain, before 3.00"]
    file.write_text("")
    with pytest.raises(ValueError, match="no line"):
        last_run(file)


def test_what_is_not_installed_is_named_and_compared_with_nothing() -> None:
    absent = Figure("other", None, "notes/s", None, "ours")
    run = run_of([Figure("ours", 2.0, "notes/s", 1.0, "ours"), absent], TEXTS)

    assert absent.cells()[:2] == ("other", "not installed")
    assert regressions(run, run_of([absent, Figure("ours", 2.0, "notes/s", 1.0, "ours")], TEXTS)) == []


def test_others_stand_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(others, "_SECONDS", 0.05)
    monkeypatch.setattr(others, "find_peers", lambda pythons, model: [])

    found = {figure.name: figure for figure in others.measure(None, TEXTS, [])}

    assert found[others.CHOOSING].ratio == found[others.SPLITTING].ratio == 1.0
    assert found["sumy-lexrank"].value is None
    assert found["sentences, sentencizer"].value


def test_a_picture_has_a_bar_for_each_figure_to_scale() -> None:
    drawn = picture(
        [
            Figure("ours", 8.0, "notes/s", 1.0, "ours"),
            Figure("half & less", 4.0, "notes/s", 0.5, "ours"),
            Figure("absent", None, "notes/s", None, "ours"),
        ]
    )
    root = ElementTree.fromstring(drawn)
    bars = [float(bar.get("width", "")) for bar in root.findall("{*}rect")[1:]]
    words = [text.text for text in root.findall("{*}text")]

    assert bars[1] == bars[0] / 2
    assert {"half & less", "not installed", "times ours"} <= set(words)


def test_notes_come_from_a_file_or_are_made(tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl.xz"
    with lzma.open(file, "wt") as out:
        out.writelines(json.dumps({"text": text}) + "\n" for text in TEXTS)
    assert note_texts(file, 1) == TEXTS[:1]
    assert len(set(note_texts(None, 3))) == 3
    (tmp_path / "other.jsonl").write_text('{"words": 1}\n')
    with pytest.raises(ValueError, match="text"):
        note_texts(tmp_path / "other.jsonl", 1)
