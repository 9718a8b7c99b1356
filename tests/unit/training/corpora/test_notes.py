"""What a note to learn from concludes, and what stands around it."""

from typing import Any

import pytest

from training.corpora.letterhead import framed
from training.corpora.notes import conclusions, conclusions_moved, description

ASSESSED = {
    "text": "HISTORY: He felt a pop in the heel.\n\nDIAGNOSIS: Heel pain.\n\n"
    "IMPRESSION: Rupture of the tendon.\n\nPLAN: Repair on Monday.",
    "description": "Torn tendon.",
}
OPERATIVE = {
    "text": "PREOPERATIVE DIAGNOSIS: Ruptured tendon.\n\nANESTHESIA: Spinal.\n\n"
    "DESCRIPTION OF PROCEDURE: The skin was cut. The tendon was sewn."
}
DISCHARGE = {"text": "HOSPITAL COURSE: The tendon was sewn on day 2. No fever.\n\nALLERGIES: None."}


@pytest.mark.parametrize(
    ("note", "concluded"),
    [
        (ASSESSED, ["rupture of the tendon.", "repair on monday."]),
        (OPERATIVE, ["ruptured tendon."]),
        (DISCHARGE, ["the tendon was sewn on day 2.", "no fever."]),
    ],
)
def test_diagnoses_and_course_conclude_a_note_without_an_assessment(
    note: dict[str, Any], concluded: list[str]
) -> None:
    parts, reference = conclusions(note)
    assert [line.lower() for line in reference] == concluded
    lines = [line for _, inside in parts for line in inside]
    assert set(reference) < set(lines)
    assert sorted(conclusions_moved(note)[1]) == sorted(reference)


def test_a_plan_is_wanted_always_and_what_stands_instead_of_an_assessment_mostly() -> None:
    found = [
        conclusions({"text": f"{OPERATIVE['text']}\n\nPLAN: Cast for {number} weeks."})[1]
        for number in range(100)
    ]
    assert all(f"Cast for {number} weeks." in reference for number, reference in enumerate(found))
    assert 0.65 < sum("Ruptured tendon." in reference for reference in found) / len(found) < 0.95


def test_moving_keeps_every_sentence_of_the_note() -> None:
    notes = [{"text": ASSESSED["text"] + f"\n\nALLERGIES: Number {i}."} for i in range(8)]
    for note in notes:
        moved = {line for _, inside in conclusions_moved(note)[0] for line in inside}
        assert {"He felt a pop in the heel.", "Heel pain.", *conclusions(note)[1]} <= moved
    assert len({tuple(title for title, _ in conclusions_moved(note)[0] if title) for note in notes}) > 2


def test_a_letterhead_stands_before_the_note_and_a_signature_behind() -> None:
    note = [("history", ["A pop."]), ("plan", ["Repair."])]
    found = [framed(note, str(seed)) for seed in range(200)]
    assert found == [framed(note, str(seed)) for seed in range(200)]
    whole = [parts for parts in found if parts != note]
    assert 0.8 < len(whole) / len(found) < 0.97
    for top, history, (title, lines) in whole:
        assert 1 <= len(top[1]) <= 5
        assert history == note[0]
        assert (title, lines[0]) == ("plan", "Repair.")
        assert len(lines) <= 3
        assert not any("{" in line for line in top[1] + lines)
    assert 0.3 < sum(bool(top[0]) for top, *_ in whole) / len(whole) < 0.7
    assert 0.5 < sum(len(parts[-1][1]) > 1 for parts in whole) / len(whole) < 0.9


def test_nothing_is_put_around_nothing() -> None:
    assert framed([], "seed") == []


def test_the_described_note_is_whole_and_the_same_every_time() -> None:
    parts, reference = description(ASSESSED)
    assert reference == ["Torn tendon."]
    assert (parts, reference) == description(ASSESSED)
    assert "Rupture of the tendon." in [line for _, inside in parts for line in inside]
