"""Clinical recall: what counts as found, and notes whose sections are moved about."""

import json
from pathlib import Path

import pytest

from summarizer.types import Budget
from training.evaluation.clinical import (
    FIRST,
    IN_ORDER,
    LAST,
    MOVED,
    SHUFFLES,
    best_choice,
    figures,
    measures,
    read_notes,
    recall,
)
from training.evaluation.errors import EvaluationError
from training.evaluation.types import Corpus, Item

NOTE = """Seen today at the clinic.

HISTORY: Cough for two weeks. Takes lisinopril.

EXAM: Lungs are clear. No edema is seen.

ASSESSMENT: Cough from lisinopril is likely.

PLAN: Stop lisinopril today. Start losartan 50 mg. Call back in two weeks."""
REPORT = {
    "indication": "Cough.",
    "findings": "Heart is normal. Lungs are clear. No effusion is seen. Bones are intact.",
    "impression": "No acute disease. Lungs are clear.",
}


def read(folder: Path, *rows: object, budget: Budget | None = None, seed: int = 0) -> Corpus:
    path = folder / "notes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_notes(path, budget, seed=seed)


def said(item: Item) -> list[str]:
    """The wording of each target."""
    return sorted(item.sentences[min(target)] for target in item.targets)


CONCLUSIONS = sorted(
    [
        "Cough from lisinopril is likely.",
        "Stop lisinopril today.",
        "Start losartan 50 mg.",
        "Call back in two weeks.",
    ]
)


def test_targets_are_those_of_assessment_and_plan_wherever_they_stand(tmp_path: Path) -> None:
    (case,) = read(tmp_path, {"text": NOTE}).cases
    assert [item.arrangement for item in case.items] == [IN_ORDER, *[MOVED] * SHUFFLES]
    for item in case.items:
        assert said(item) == CONCLUSIONS
        assert item.budget == Budget(sentences=4)
        assert item.text is not None
        for start, sentence in zip(item.starts, item.sentences, strict=True):
            assert item.text[start : start + len(sentence)] == sentence


def test_moving_keeps_every_block_whole_and_none_in_the_order_of_the_note(tmp_path: Path) -> None:
    (case,) = read(tmp_path, {"text": NOTE}).cases
    texts = [item.text for item in case.items]
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert text is not None
        assert sorted(text.split("\n\n")) == sorted(NOTE.split("\n\n"))


def test_shuffles_depend_on_the_seed_and_the_note_alone(tmp_path: Path) -> None:
    other = {"text": NOTE.replace("losartan", "valsartan")}
    alone = read(tmp_path, {"text": NOTE}).cases[0].items
    assert read(tmp_path, other, {"text": NOTE}).cases[1].items == alone
    assert read(tmp_path, {"text": NOTE}, seed=1).cases[0].items != alone


def test_two_blocks_have_one_other_order(tmp_path: Path) -> None:
    text = "HISTORY: Cough for two weeks. No fever.\n\nPLAN: Stop lisinopril today."
    (case,) = read(tmp_path, {"text": text}).cases
    assert [item.arrangement for item in case.items] == [IN_ORDER, MOVED]


def test_recall_counts_targets_and_repeats_of_their_words(tmp_path: Path) -> None:
    (case,) = read(tmp_path, REPORT).cases
    last, first = case.items
    assert (last.arrangement, first.arrangement) == (LAST, FIRST)
    assert last.budget == Budget(sentences=3)
    position = {s: i for i, s in enumerate(last.sentences)}
    # This stands in the findings too: a summary that has it there says what the impression says.
    assert last.sentences.index("Lungs are clear.") < position["No acute disease."]
    assert recall(last, [last.sentences.index("Lungs are clear.")]) == 0.5
    assert recall(last, [position["No acute disease."], position["Lungs are clear."]]) == 1.0
    assert recall(last, [position["Heart is normal."]]) == 0.0
    lead = [[0, 1, 2], [0, 1, 2]]
    assert first.sentences[:2] == ("No acute disease.", "Lungs are clear.")
    assert figures(case, lead) == [0.75, 0.5, 1.0]


def test_the_figures_of_notes_are_means_over_the_moved_ones(tmp_path: Path) -> None:
    corpus = read(tmp_path, {"text": NOTE})
    (case,) = corpus.cases
    assert measures(corpus) == (MOVED, IN_ORDER)
    nothing: list[list[int]] = [[] for _ in case.items]
    assert figures(case, nothing) == [0.0, 0.0]
    assert figures(case, [best_choice(item) for item in case.items]) == [1.0, 1.0]
    one_of_five = [best_choice(item) if place == 1 else [] for place, item in enumerate(case.items)]
    assert figures(case, one_of_five) == [pytest.approx(1 / SHUFFLES), 0.0]


def test_the_best_choice_keeps_the_budget(tmp_path: Path) -> None:
    (case,) = read(tmp_path, {"text": NOTE}, budget=Budget(words=8)).cases
    chosen = best_choice(case.items[0])
    assert [case.items[0].sentences[i] for i in chosen] == [
        "Stop lisinopril today.",
        "Start losartan 50 mg.",
    ]
    (case,) = read(tmp_path, {"text": NOTE}, budget=Budget(sentences=1)).cases
    assert recall(case.items[0], best_choice(case.items[0])) == 0.25


def test_what_cannot_be_measured_is_counted(tmp_path: Path) -> None:
    corpus = read(
        tmp_path,
        {"text": NOTE},
        {"text": "HISTORY: Cough for two weeks. No fever."},
        {"text": "PLAN: Stop lisinopril today. Call back."},
        {"text": "ASSESSMENT: Cough.\n\nPLAN: Stop lisinopril today."},
        {"note": NOTE},
        {"text": 7},
    )
    assert corpus.left_out == {
        "no impression, assessment or plan": 1,
        "one section only": 1,
        "nothing beside the conclusions": 1,
    }
    assert [(bad.line, bad.reason) for bad in corpus.bad] == [(5, "no text"), (6, "text is not a string")]


def test_reports_that_lack_a_part_or_are_short_are_counted(tmp_path: Path) -> None:
    corpus = read(
        tmp_path,
        REPORT,
        {**REPORT, "impression": ""},
        {**REPORT, "findings": None},
        {"findings": "Clear.", "impression": "No acute disease."},
    )
    assert corpus.left_out == {"no impression": 1, "no findings": 1, "no more than the budget holds": 1}


def test_files_of_neither_or_of_both_are_errors(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no note with conclusions"):
        read(tmp_path, {"text": "Cough."})
    with pytest.raises(EvaluationError, match="one by one"):
        read(tmp_path, {"text": NOTE}, REPORT)
