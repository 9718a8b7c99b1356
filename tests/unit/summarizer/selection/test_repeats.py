"""When one sentence may stand for another across notes."""

import random

import pytest

from summarizer.selection.repeats import RepeatFinder, same_facts, words

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
    told = RepeatFinder()
    for sentence in ("Stable.", COPIED, "Home tomorrow with his daughter.", COPIED):
        told.add(sentence)
    assert told.find("Still " + COPIED) == 1
    assert told.find("HOME TOMORROW WITH HIS DAUGHTER") == 2
    assert told.find("Stable.") is None
    assert told.find("Seen by physical therapy today.") is None


def test_what_is_found_is_the_first_of_all_told_that_holds_the_same_facts() -> None:
    """Against a comparison with every one of them, over forms filled in alike."""
    chance = random.Random(7)
    forms = (
        "Seen on the {} by {}, {} fever, oxygen at {} liters by nasal cannula.",
        "Plan: go on with {1} and look again on the {0}{3}, {2} change.",
        "{1} of the {0}, {2} cough since {3} days?",
        "{1}.",
    )
    fillings = ["ward", "third", "2.5", "left"], ["Ann", "metoprolol", "amlodipine", "ward"], ["no", "some"]
    told, before = RepeatFinder(), list[str]()
    found = []
    for _ in range(1500):
        filled = [chance.choice(some) for some in (*fillings, ["2", "3", "+", "two"])]
        sentence = chance.choice(forms).format(*filled)
        sentence = chance.choice((sentence, f"Still {sentence}", sentence.upper()))
        repeated = told.find(sentence)
        wanted = (i for i, text in enumerate(before) if same_facts(text, sentence))
        assert repeated == (None if len(words(sentence)) < 3 else next(wanted, None)), sentence
        if repeated is None:
            told.add(sentence)
            before.append(sentence)
        found.append(repeated)
    assert 20 < len(before) < 1500
    assert len(set(found)) > 10
