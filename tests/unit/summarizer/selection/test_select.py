import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.engines.base import Salience
from summarizer.selection.select import (
    asked_sentences,
    count_words,
    default_sentences,
    expected_length,
    own_choice,
    select,
    select_parts,
    sufficient,
    taking_order,
)
from summarizer.types import Budget


def falling(count: int) -> Salience:
    """Scores that prefer the earlier sentence."""
    return Salience(tuple(round(1 - i / count, 4) for i in range(count)))


def distinct(count: int) -> list[str]:
    return [f"Finding {i} is unlike any other." for i in range(count)]


def test_the_best_come_back_in_the_order_of_the_note() -> None:
    assert select(distinct(5), Salience((0.1, 0.9, 0.2, 0.3, 0.95)), Budget(sentences=3)) == [1, 3, 4]


def test_ties_go_to_the_earlier_sentence() -> None:
    assert select(distinct(6), Salience((0.5,) * 6), Budget(sentences=2)) == [0, 1]


def test_what_an_engine_wants_first_comes_before_higher_scores() -> None:
    salience = Salience((0.9, 0.8, 0.1, 0.2), frozenset([2, 3]))

    assert select(distinct(4), salience, Budget(sentences=2)) == [2, 3]
    assert select(distinct(4), salience, Budget(sentences=3)) == [0, 2, 3]


@pytest.mark.parametrize(
    ("count", "expected"), [(0, 0), (1, 1), (2, 2), (3, 3), (9, 3), (30, 5), (100, 10), (5000, 10)]
)
def test_default_length_is_the_square_root_from_3_to_10(count: int, expected: int) -> None:
    assert default_sentences(count) == expected
    assert len(select(distinct(count), falling(count))) == expected


@pytest.mark.parametrize(
    ("ratio", "count", "expected"), [(0.1, 30, 3), (0.1, 31, 4), (1, 7, 7), (0.01, 5, 1), (0.3, 10, 3)]
)
def test_a_ratio_is_rounded_up(ratio: float, count: int, expected: int) -> None:
    assert len(select(distinct(count), falling(count), Budget(ratio=ratio))) == expected


def test_words_are_filled_with_the_best_that_fit() -> None:
    sentences = ["One two three four.", "Five six seven eight nine ten.", "Eleven twelve.", "Thirteen."]

    assert select(sentences, falling(4), Budget(words=6)) == [0, 2]
    assert select(sentences, falling(4), Budget(words=7)) == [0, 2, 3]


def test_a_word_budget_below_every_sentence_gives_the_best_one() -> None:
    assert select(["One two three.", "Four five six."], Salience((0.1, 0.2)), Budget(words=1)) == [1]


def test_a_sentence_said_twice_is_taken_once_whatever_its_case_and_spacing() -> None:
    sentences = ["No chest pain.", "Cough.", "no  chest\npain", "NO CHEST PAIN."]

    assert select(sentences, falling(4), Budget(sentences=4)) == [0, 1]


def test_of_a_repeated_sentence_the_best_scored_is_taken() -> None:
    assert select(["Cough.", "Fever.", "Cough."], Salience((0.1, 0.2, 0.3)), Budget(sentences=2)) == [1, 2]


def test_sentences_without_words_are_no_repeats_of_one_another() -> None:
    assert select(["+", "-", "+"], falling(3), Budget(sentences=3)) == [0, 1]


NEAR = ["The heart is of normal size today.", "The heart is of normal size.", "Lungs are clear."]


def test_a_near_repeat_gives_way_to_something_new() -> None:
    assert select(NEAR, falling(3), Budget(sentences=2)) == [0, 2]


def test_near_repeats_fill_up_to_the_length_asked_for() -> None:
    assert select(NEAR, falling(3), Budget(sentences=3)) == [0, 1, 2]
    assert select(NEAR, falling(3), Budget(words=16)) == [0, 1, 2]


def test_a_longer_sentence_that_adds_something_is_no_repeat() -> None:
    sentences = ["The heart is enlarged.", "The heart is enlarged and there is new pulmonary oedema.", "Old."]

    assert select(sentences, falling(3), Budget(sentences=2)) == [0, 1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "There is evidence of acute disease in the lung.",
            "There is no evidence of acute disease in the lung.",
        ),
        ("Dose of the drug is 5 mg once a day at night.", "Dose of the drug is 10 mg once a day at night."),
        ("She has pain in the left knee on walking.", "She denies pain in the left knee on walking."),
    ],
)
def test_other_figures_and_negations_are_never_repeats(first: str, second: str) -> None:
    assert select([first, second, "Other."], falling(3), Budget(sentences=2)) == [0, 1]


WORDS = st.sampled_from(["no", "fever", "cough", "left", "knee", "5", "10", "mg."])
SENTENCES = st.lists(st.lists(WORDS, min_size=1, max_size=8).map(" ".join), max_size=25)
BUDGETS = st.one_of(
    st.none(),
    st.integers(1, 30).map(lambda n: Budget(sentences=n)),
    st.integers(1, 60).map(lambda n: Budget(words=n)),
    st.floats(0.001, 1).map(lambda r: Budget(ratio=r)),
)


@given(SENTENCES, BUDGETS, st.randoms(use_true_random=False))
def test_budgets_are_kept_and_used_up(sentences: list[str], budget: Budget | None, random: object) -> None:
    scores = tuple(round(random.random(), 1) for _ in sentences)  # type: ignore[attr-defined]
    chosen = select(sentences, Salience(scores), budget)

    wordings = {" ".join(s.replace(".", "").split()) for s in sentences}
    chosen_wordings = [" ".join(sentences[i].replace(".", "").split()) for i in chosen]
    assert chosen == sorted(set(chosen))
    assert len(set(chosen_wordings)) == len(chosen)
    if budget is None or budget.words is None:
        asked = asked_sentences(budget, sentences)
        assert len(chosen) == min(asked, len(wordings))
    elif sentences:
        used = sum(count_words(sentences[i]) for i in chosen)
        assert used <= budget.words or len(chosen) == 1
        unused = wordings - set(chosen_wordings)
        assert all(used + count_words(s) > budget.words for s in unused)


@given(SENTENCES, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_taking_is_what_each_longer_budget_adds(
    sentences: list[str], calibrated: bool, random: object
) -> None:
    scores = tuple(round(random.random(), 1) for _ in sentences)  # type: ignore[attr-defined]
    first = frozenset(i for i in range(len(sentences)) if random.random() < 0.1)  # type: ignore[attr-defined]
    salience = Salience(scores, frozenset() if calibrated else first, calibrated)

    order = taking_order(sentences, salience)

    for count in range(1, len(sentences) + 2):
        assert select(sentences, salience, Budget(sentences=count)) == sorted(order[:count])


@given(st.lists(st.floats(0, 1), max_size=30))
def test_the_own_length_has_the_best_expected_f1_from_3_to_10(probabilities: list[float]) -> None:
    ranked, total = sorted(probabilities, reverse=True), sum(probabilities)
    allowed = range(min(3, len(ranked)), min(10, len(ranked)) + 1)

    def f1(k: int) -> float:
        return sum(ranked[:k]) / (k + total) if k else 0.0

    chosen = expected_length(probabilities)

    assert chosen in allowed
    assert f1(chosen) >= max(map(f1, allowed)) - 1e-6


def test_only_calibrated_scores_choose_the_length_and_only_without_a_budget() -> None:
    sentences = distinct(40)
    sure = tuple([0.9] * 5 + [0.0] * 35)
    assert select(sentences, Salience(sure, calibrated=True)) == [0, 1, 2, 3, 4]
    assert len(select(sentences, Salience(sure))) == default_sentences(40)
    assert len(select(sentences, Salience(sure, calibrated=True), Budget(sentences=8))) == 8


def test_an_own_length_takes_what_is_worth_a_place_and_no_filler() -> None:
    sentences = distinct(40)
    scores = tuple([0.9] * 2 + [0.02] * 38)
    assert select(sentences, Salience(scores, calibrated=True, threshold=0.1)) == [0, 1]
    assert select(sentences, Salience(scores, calibrated=True, threshold=0.5)) == [0]
    assert len(select(sentences, Salience(scores, threshold=0.1), Budget(sentences=8))) == 8


def test_an_own_length_grows_with_the_note_up_to_a_cap() -> None:
    for count, most in ((5, 5), (9, 8), (100, 25)):
        chosen = own_choice(distinct(count), Salience((0.9,) * count, threshold=0.1))
        assert len(chosen) == most


def test_a_long_sentence_has_to_score_more_for_its_place() -> None:
    long = "Follow up in the clinic in two weeks with a repeat of all the laboratory studies named above."
    sentences = [long, "Stop warfarin today."]
    assert select(sentences, Salience((0.5, 0.5), threshold=0.2)) == [1]
    assert select(sentences, Salience((0.95, 0.5), threshold=0.2)) == [0, 1]


def test_a_longer_budget_goes_on_from_the_own_length() -> None:
    sentences = distinct(30)
    scores = tuple(round(0.9 - 0.03 * i, 4) for i in range(30))
    salience = Salience(scores, calibrated=True, threshold=0.2)
    own = select(sentences, salience)
    assert 3 < len(own) < 25
    assert select(sentences, salience, Budget(sentences=len(own))) == own
    assert set(select(sentences, salience, Budget(sentences=3))) < set(own)
    assert set(own) < set(select(sentences, salience, Budget(sentences=len(own) + 2)))


def test_what_sufficed_is_counted_once_for_each_wording() -> None:
    sentences = ["Stop warfarin.", "STOP WARFARIN", "Cough.", "Fever."]
    assert sufficient(sentences, Salience((0.9, 0.9, 0.1, 0.6), threshold=0.25)) == {0, 3}
    assert sufficient(sentences, Salience((0.9, 0.9, 0.1, 0.4), calibrated=True)) == {0}
    assert sufficient(sentences, Salience((0.9, 0.9, 0.1, 0.4))) == set()


def test_each_part_of_a_document_is_chosen_from_as_if_it_were_alone() -> None:
    assert select_parts(distinct(7), falling(7), [4, 7], Budget(sentences=2)) == [0, 1, 4, 5]
    wanted = Salience((0.9, 0.8, 0.1, 0.9, 0.8, 0.1), frozenset([2, 5]))
    assert select_parts(distinct(6), wanted, [3, 6], Budget(sentences=1)) == [2, 5]


def test_a_later_part_does_not_say_again_what_stands_in_an_earlier_one() -> None:
    sentences = ["The wound is dry.", "No fever.", "The wound is dry", "Home on Friday."]
    assert select_parts(sentences, falling(4), [2, 2, 4], Budget(sentences=1)) == [0, 3]
