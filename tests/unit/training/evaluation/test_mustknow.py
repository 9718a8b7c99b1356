"""What is found of marked facts, at the same number of words."""

import json
from pathlib import Path

import pytest

from jobs.cli import run
from summarizer.types import Budget
from tests.unit.training.marked import write_marked
from training.corpora.records import Corpus
from training.evaluation.errors import EvaluationError
from training.evaluation.mustknow import (
    MEASURES,
    OracleOfFacts,
    SectionRule,
    evaluate_mustknow,
    read_prepared,
)
from training.evaluation.systems import make_system


def test_figures_of_all_notes_together(tmp_path: Path) -> None:
    marks, notes = write_marked(tmp_path)
    prepared = read_prepared(Corpus(str(marks)), Corpus(str(notes)), None)
    systems = [make_system("lead"), SectionRule(), OracleOfFacts()]
    lead, rule, oracle = evaluate_mustknow(prepared, systems, Budget(words=7), 0, lambda _: None)
    # Lead: "Cough for two days. He smokes." and "Lungs clear. Fracture of the left hip."
    assert lead.by_fact["diagnosis"] == (1, 1)
    assert (lead.by_fact["allergy"], lead.by_fact_with_pinned["allergy"]) == ((0, 1), (1, 1))
    assert lead.by_note == {"imaging": (1, 1), "progress note": (0, 3)}
    figures = dict(zip(MEASURES, (e.mean for e in lead.estimates), strict=True))
    assert figures == {
        "must": pytest.approx(1 / 4),
        "must with pinned": pytest.approx(3 / 4),  # allergy and follow-up
        "should": 1.0,
        "useless": pytest.approx(1 / 2),  # the cough and the lungs
        "traps": 0.0,  # what the cough needs is shown
    }
    assert rule.by_fact["follow-up"] == (1, 1)
    assert oracle.estimates[0].mean >= rule.estimates[0].mean > lead.estimates[0].mean
    assert max(rule.words, oracle.words) <= lead.words
    assert (len(lead.differences), len(rule.differences)) == (0, len(MEASURES))


def test_a_trap_is_sprung_by_what_is_shown_without_what_it_needs(tmp_path: Path) -> None:
    marks, notes = write_marked(tmp_path)
    prepared = read_prepared(Corpus(str(marks)), Corpus(str(notes)), None, limit=1)
    (lead,) = evaluate_mustknow(prepared, [make_system("lead")], Budget(sentences=1), 0, lambda _: None)
    assert lead.estimates[MEASURES.index("traps")].mean == 1.0


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marks, notes = write_marked(tmp_path)
    arguments = ["evaluate", "--mustknow", str(marks), "--notes", str(notes), "--engine", "lead"]
    assert run([*arguments, "--part", "all", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [system["name"] for system in said["systems"]] == ["lead", "section-rule", "oracle"]
    assert said["systems"][1]["above_first"]["must"].keys() == {"mean", "low", "high"}
    assert run([*arguments, "--part", "training"]) == 0
    assert "section-rule" in capsys.readouterr().out
    assert run(["evaluate", "--mustknow", str(marks)]) == 2
    assert run([*arguments, "--part", "choosing"]) == 2


def test_an_engine_comes_first(tmp_path: Path) -> None:
    marks, notes = write_marked(tmp_path)
    prepared = read_prepared(Corpus(str(marks)), Corpus(str(notes)), None)
    with pytest.raises(EvaluationError, match="engine first"):
        evaluate_mustknow(prepared, [OracleOfFacts()], None, 0, lambda _: None)
