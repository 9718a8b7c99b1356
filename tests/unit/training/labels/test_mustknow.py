"""Targets out of marked facts, whatever the segmentation."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.cli import run
from summarizer.segmentation.segment import segment
from summarizer.types import Sentence, Span
from tests.unit.training.marked import NOTE, PLAIN, write_marked
from training.corpora.letterhead import framed_text
from training.corpora.mustknow import Fact, Importance, Part, is_found, read_marked
from training.corpora.records import Corpus
from training.errors import CorpusError
from training.labels.label_file import read_labels
from training.labels.mustknow import MarkedJob, label_marked, targets


def corpora(folder: Path) -> tuple[Corpus, Corpus]:
    marks, notes = write_marked(folder)
    return Corpus(str(marks)), Corpus(str(notes))


def test_a_sentence_has_the_worth_of_the_facts_it_states(tmp_path: Path) -> None:
    (note, _) = read_marked(*corpora(tmp_path))
    parts = segment(NOTE)
    found = dict(
        zip(
            (NOTE[s.start : s.end] for s in parts.sentences),
            targets(parts.sentences, note.facts),
            strict=True,
        )
    )
    assert found == {
        "Cough for two days.": 0.0,
        "He smokes.": 0.5,
        "Penicillin, hives.": 1.0,
        "Start doxycycline 100 mg twice a day for one week.": 1.0,
        "Return to clinic in two weeks.": 1.0,
    }


@pytest.mark.parametrize(
    ("sentences", "worth"),
    [
        ([(0, 10), (10, 20)], (1.0, 1.0)),  # a fact in two sentences
        ([(0, 40)], (1.0,)),  # a sentence that holds it
        ([(0, 4), (4, 40)], (1.0, 1.0)),  # one wholly inside, one with most of it
        ([(16, 60)], (0.0,)),  # less than half of it, and it less than half of the sentence
    ],
)
def test_half_decides(sentences: list[tuple[int, int]], worth: tuple[float, ...]) -> None:
    fact = Fact("plan", Importance.MUST, (Span(0, 20),))
    assert targets([Sentence(*s) for s in sentences], [fact]) == worth


def test_found_is_eight_tenths_of_one_span() -> None:
    spans = (Span(0, 10), Span(50, 60))
    assert is_found(spans, [Span(0, 4), Span(5, 9)])
    assert not is_found(spans, [Span(0, 7), Span(53, 60)])
    assert not is_found(spans, [])


def test_letterheads_go_through_the_segmentation_and_shift_the_facts(tmp_path: Path) -> None:
    marks, notes = corpora(tmp_path)
    label_marked(MarkedJob(marks, notes, tuple(Part), framed=3), tmp_path / "labels.jsonl")
    rows = list(read_labels(tmp_path / "labels.jsonl"))
    assert len(rows) == 2 * 4
    for row in rows:
        stated = {s for s, worth in zip(row.article.sentences, row.labels.alone, strict=True) if worth == 1.0}
        assert stated == set(row.article.summary)
        assert stated in (
            {
                "Penicillin, hives.",
                "Start doxycycline 100 mg twice a day for one week.",
                "Return to clinic in two weeks.",
            },
            {"Fracture of the left hip."},
        )
    assert rows[1].article.sentences != rows[0].article.sentences
    text, shift = framed_text(PLAIN, "seed")
    assert text[shift : shift + len(PLAIN)] == PLAIN
    assert (text, shift) == framed_text(PLAIN, "seed")


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    marks, notes = corpora(tmp_path)
    job = MarkedJob(marks, notes, tuple(Part))
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    label_marked(job, whole)
    lines = whole.read_bytes().splitlines(keepends=True)
    cut.write_bytes(b"".join(lines[:2]) + lines[2][:10])
    label_marked(job, cut)
    assert cut.read_bytes() == whole.read_bytes()


def spoiled_hash(row: dict[str, object]) -> None:
    row["sha256"] = "0" * 64


def spoiled_span(row: dict[str, object]) -> None:
    row["facts"] = [{"kind": "plan", "importance": "must", "spans": [[5, 10**6]]}]


@pytest.mark.parametrize(
    ("spoil", "said"), [(spoiled_hash, "does not hold the note"), (spoiled_span, "marks no facts")]
)
def test_marks_that_do_not_fit_their_note_are_refused(
    tmp_path: Path, spoil: Callable[[dict[str, object]], None], said: str
) -> None:
    marks, notes = write_marked(tmp_path)
    row = json.loads(marks.read_text().splitlines()[0])
    spoil(row)
    marks.write_text(json.dumps(row) + "\n")
    with pytest.raises(CorpusError, match=said):
        list(read_marked(Corpus(str(marks)), Corpus(str(notes))))


def test_the_part_of_a_note_follows_from_its_words(tmp_path: Path) -> None:
    first, second = read_marked(*corpora(tmp_path))
    assert (first.part, second.part) == (Part.TRAINING, Part.HELD_OUT)


def test_the_command_labels_one_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marks, notes = write_marked(tmp_path)
    arguments = ["label", str(marks), str(tmp_path / "out.jsonl"), "--schema", "mustknow", "--json"]
    assert run([*arguments, "--notes", str(notes), "--part", "training", "--framed", "0"]) == 0
    assert json.loads(capsys.readouterr().out)["articles"] == 1
    assert run(arguments) == 2
    assert "--notes" in capsys.readouterr().err
