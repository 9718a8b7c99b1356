"""The gold standard is well formed, is what its mark-up says, and is met."""

import importlib.util
import io
from pathlib import Path

import pytest
from rich.console import Console

from jobs.bench import sentences as bench
from summarizer.segmentation.segment import segment
from summarizer.types import SectionKind
from tests.places import ROOT

GOLD = ROOT / "tests" / "gold"


def build_module():
    spec = importlib.util.spec_from_file_location("gold_build", GOLD / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_data_file_is_what_the_mark_up_says() -> None:
    assert build_module().build() == (GOLD / "gold.jsonl").read_text(encoding="utf-8")


def test_there_are_enough_passages_and_a_part_is_held_out() -> None:
    passages = bench.read_gold(GOLD / "gold.jsonl")
    assert len(passages) >= 450
    assert sum(passage.split == "heldout" for passage in passages) == 50
    assert sum(passage.split == "statements" for passage in passages) >= 300
    assert len({passage.id for passage in passages}) == len(passages)


def test_kinds_of_sections_are_ours() -> None:
    module = build_module()
    for split in module.SPLITS:
        for kind in module.section_kinds(split):
            assert SectionKind(kind)


@pytest.mark.parametrize("text", ["bare words", "« leading»", "‹plan|PLAN:› «a› b»"])
def test_bad_mark_up_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="mark"):
        build_module().read_passage(text)


@pytest.mark.parametrize(("split", "least"), [("development", 0.99), ("heldout", 0.96), ("statements", 0.99)])
def test_the_gold_standard_is_met(split: str, least: float) -> None:
    passages = [each for each in bench.read_gold(GOLD / "gold.jsonl") if each.split == split]
    found = [{(s.start, s.end) for s in segment(passage.text).sentences} for passage in passages]
    assert bench.score([set(passage.sentences) for passage in passages], found).f1 >= least


def test_scores_count_exact_spans() -> None:
    scores = bench.score([{(0, 4), (5, 9)}], [{(0, 4), (5, 8), (8, 9)}])
    assert scores == bench.Scores(1 / 3, 1 / 2, 0.4)


def test_the_table_has_a_row_for_each_splitter(tmp_path: Path) -> None:
    speed_file = tmp_path / "note.txt"
    speed_file.write_text("No fever. No cough.\n", encoding="utf-8")
    rows = bench.run(GOLD / "gold.jsonl", speed_file=speed_file, seconds=0.1)
    assert {row.tool for row in rows} >= {bench.OURS, "sentencizer"}
    assert {row.split for row in rows} == {"all", "development", "heldout", "statements"}
    shown = io.StringIO()
    bench.report(rows, Console(file=shown, width=120))
    assert bench.OURS in shown.getvalue()


def test_generated_notes_have_the_size_asked_for() -> None:
    passages = bench.read_gold(GOLD / "gold.jsonl")
    notes = bench.generate_notes(passages, 0.05)
    assert 50_000 <= sum(len(note.encode()) for note in notes) < 70_000
    assert notes == bench.generate_notes(passages, 0.05)


def test_an_interpreter_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="no-such-python"):
        bench.run(GOLD / "gold.jsonl", peers_python=Path("no-such-python"), megabytes=0.01, seconds=0.01)
