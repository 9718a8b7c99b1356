"""More of what leans on the sentence before, and of what a later line takes back."""

import pytest

from summarizer.assertion.flags import sentence_flags
from summarizer.assertion.statements import with_neighbours
from summarizer.segmentation.segment import segment
from summarizer.types import Flag


def around(text, words):
    parts = with_neighbours(text, segment(text))
    [sentence] = [s for s in parts.sentences if words in text[s.start : s.end]]
    return [(p.kind.value, text[p.start : p.end]) for p in sentence.context]


@pytest.mark.parametrize(
    ("before", "own"),
    [
        ("He was offered a feeding tube.", "Refused."),
        ("Alendronate 70 mg weekly.", "Not daily."),
        ("She was advised to stop driving.", "She has not done so."),
        ("Perhaps a small leak at the suture.", "If confirmed, return to theatre."),
    ],
)
def test_a_sentence_that_leans_takes_the_one_before_along(before, own):
    assert around(f"{before} {own}", own) == [("antecedent", before)]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("NKDA.", "Her son reports anaphylaxis to cefazolin."),
        ("No known drug allergies.", "He is allergic to iodine."),
        ("We wrote that the margins were clear.", "This was incorrect."),
        ("Advice: take prednisolone 40 mg daily.", "LATE ENTRY - dose above should read 4 mg daily."),
    ],
)
def test_what_is_taken_back_and_what_takes_it_back_are_shown_together(earlier, later):
    text = f"{earlier}\n{later}"
    said = earlier.rpartition(": ")[2]
    assert ("correction", later) in around(text, said)
    assert any(said in piece for _, piece in around(text, later))


def test_a_drug_that_was_never_begun_is_said_beside_the_plan():
    text = "Plan on Friday: start edoxaban.\nSaturday: edoxaban not started, low platelets."
    assert any(
        kind == "correction" and "not started" in piece for kind, piece in around(text, "start edoxaban")
    )


@pytest.mark.parametrize(
    "text", ["No known drug allergies. Not allergic to latex.", "NKDA. Mother allergic to nuts."]
)
def test_allergies_of_others_and_none_take_nothing_back(text):
    assert around(text, text.split(". ")[1]) == []


def test_what_somebody_used_to_do_is_of_the_past():
    for text, flags in (
        ("She used to smoke.", (Flag.HISTORICAL,)),
        ("Gauze was used to pack the wound.", ()),
    ):
        assert sentence_flags(text, 0, len(text)) == flags
