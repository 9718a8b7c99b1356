"""When one sentence may stand for another across notes."""

import pytest

from summarizer.repeats import Told, same_facts

COPIED = "Community-acquired pneumonia of the left lower lobe, improving on ceftriaxone and azithromycin."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (COPIED, COPIED),
        (COPIED, COPIED.upper().rstrip(".")),
        (COPIED, COPIED.replace(", improving", ",\nimproving")),
        (COPIED, "Still " + COPIED),
        (
            "Continue metoprolol 25 mg by mouth for rate control, and follow up with cardiology.",
            "Continued metoprolol 25 mg by mouth for rate control, and follow up with cardiology.",
        ),
        ("No chest pain.", "no chest pain"),
    ],
)
def test_copies_and_slight_edits_are_repeats(one: str, other: str) -> None:
    assert same_facts(one, other)
    assert same_facts(other, one)


@pytest.mark.parametrize(
    ("changed", "to"),
    [
        ("left", "right"),
        ("improving", "worsening"),
        ("ceftriaxone", "levofloxacin"),
        ("pneumonia", "pneumonia, resolved,"),
        ("Community", "No community"),
        ("pneumonia", "possible pneumonia"),
        ("ceftriaxone", "ceftriaxone 2 g"),
        ("on ceftriaxone and azithromycin", "on ceftriaxone and azithromycin, day 3"),
        ("improving", "not improving"),
        (".", "?"),
    ],
)
def test_a_difference_that_matters_makes_another_sentence(changed: str, to: str) -> None:
    other = COPIED.replace(changed, to, 1)
    assert other != COPIED
    assert not same_facts(COPIED, other)
    assert not same_facts(other, COPIED)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Troponin +, repeat in the morning.", "Troponin -, repeat in the morning."),
        ("Hemoglobin 9.1 today and stable since.", "Hemoglobin 9.7 today and stable since."),
        (
            "Aspirin 81 mg, metoprolol 25 mg and atorvastatin 80 mg daily.",
            "Aspirin 81 mg, metoprolol 25 mg daily.",
        ),
        ("Afebrile overnight.", "Afebrile this morning."),
    ],
)
def test_signs_figures_and_shortened_lists_are_kept_apart(one: str, other: str) -> None:
    assert not same_facts(one, other)


def test_the_first_told_is_found_and_short_remarks_never_are() -> None:
    told = Told()
    for sentence in ("Stable.", COPIED, "Home tomorrow with his daughter.", COPIED):
        told.add(sentence)
    assert told.find("Still " + COPIED) == 1
    assert told.find("HOME TOMORROW WITH HIS DAUGHTER") == 2
    assert told.find("Stable.") is None
    assert told.find("Seen by physical therapy today.") is None
