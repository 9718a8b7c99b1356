"""Coverage: what a sentence adds to those taken, and the greedy choice by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.engines.base import Salience
from summarizer.selection.coverage import PER_SENTENCE, PER_WORD, Coverage, Terms
from summarizer.selection.select import select
from summarizer.types import Budget

SENTENCES = st.lists(
    st.lists(st.sampled_from("fever cough aspirin 81 mg no pain left right stable".split()), max_size=12).map(
        " ".join
    ),
    min_size=1,
    max_size=12,
)


def scored(sentences: list[str], seed: int) -> tuple[float, ...]:
    return tuple(round(((i + 1) * 7919 + seed * 104729) % 1000 / 1000, 4) for i in range(len(sentences)))


def test_what_is_covered_adds_less_than_what_is_new() -> None:
    sentences = ["Chest pain since Monday.", "Since Monday pain, chest.", "Aspirin was started today."]
    coverage = Coverage(sentences, [0.5, 0.5, 0.5], PER_WORD)
    before = coverage.gain(1)
    coverage.take(0)
    assert coverage.gain(1) < before
    assert coverage.gain(1) < coverage.gain(2)


def test_inflections_of_a_word_are_one_word() -> None:
    coverage = Coverage(["Infiltrates seen", "Infiltration seen"], [0.5, 0.5], Terms(0, 0, 1))
    coverage.take(0)
    other = Coverage(["Infiltrates seen", "Infiltrates seen"], [0.5, 0.5], Terms(0, 0, 1))
    other.take(0)
    assert coverage.gain(1) == pytest.approx(other.gain(1))


def test_of_the_same_words_the_more_probable_sentence_adds_more() -> None:
    coverage = Coverage(["No fever.", "No fever."], [0.2, 0.8], PER_SENTENCE)
    assert coverage.gain(1) > coverage.gain(0)


def test_words_of_probable_sentences_are_worth_more() -> None:
    # The words of sentence 2 stand in the probable sentence 0, those of 3 in the improbable 1.
    sentences = ["alpha beta gamma delta", "kappa lambda sigma omega", "alpha beta", "kappa lambda"]
    coverage = Coverage(sentences, [0.9, 0.01, 0.1, 0.1], Terms(0, 0, 1))
    assert coverage.gain(2) > coverage.gain(3)


def test_a_sentence_without_words_adds_its_probability_alone() -> None:
    coverage = Coverage(["—", "Fever."], [0.4, 0.4], PER_WORD)
    assert coverage.gain(0) == pytest.approx(PER_WORD.salience * 0.4)


def test_of_equal_probabilities_a_fragment_does_not_come_first() -> None:
    sentences = ["Tobacco.", "Metoprolol stays at 50 mg, since the heart rate is 58.", "Abstinent."]
    coverage = Coverage(sentences, [0.7, 0.7, 0.7], PER_SENTENCE)
    assert coverage.gain(1) > max(coverage.gain(0), coverage.gain(2))


@given(SENTENCES, st.integers(0, 999), st.sampled_from([PER_WORD, PER_SENTENCE]))
def test_a_gain_never_grows(sentences: list[str], seed: int, terms: Terms) -> None:
    coverage = Coverage(sentences, scored(sentences, seed), terms)
    before = [coverage.gain(i) for i in range(len(sentences))]
    for taken in range(len(sentences)):
        coverage.take(taken)
        after = [coverage.gain(i) for i in range(len(sentences))]
        assert all(now <= then + 1e-12 for now, then in zip(after, before, strict=True))
        before = after


@given(SENTENCES, st.integers(0, 999), st.integers(1, 12))
def test_the_choice_is_that_of_plain_greedy_steps(sentences: list[str], seed: int, count: int) -> None:
    sentences = [
        f"{text} w{i}a w{i}b w{i}c w{i}d w{i}e w{i}f" for i, text in enumerate(sentences)
    ]  # no repeats
    scores = scored(sentences, seed)
    coverage = Coverage(sentences, scores, PER_SENTENCE)
    left, expected = set(range(len(sentences))), []
    while left and len(expected) < count:
        best = min(left, key=lambda i: (-coverage.gain(i), -scores[i], i))
        expected.append(best)
        coverage.take(best)
        left.discard(best)
    found = select(sentences, Salience(scores, calibrated=True), Budget(sentences=count))
    assert found == sorted(expected)


@given(SENTENCES, st.integers(0, 999), st.integers(1, 11))
def test_a_longer_summary_holds_the_shorter_one(sentences: list[str], seed: int, count: int) -> None:
    salience = Salience(scored(sentences, seed), calibrated=True)
    shorter = select(sentences, salience, Budget(sentences=count))
    assert set(shorter) <= set(select(sentences, salience, Budget(sentences=count + 1)))


def test_a_words_budget_takes_what_says_more_of_the_note() -> None:
    sentences = [
        "Pneumonia of the right lower lobe with fever.",
        "Fever with pneumonia in that lower right lobe.",
        "Penicillin allergy with anaphylaxis, so levofloxacin was given.",
    ]
    salience = Salience((0.9, 0.88, 0.87), calibrated=True)
    assert select(sentences, salience, Budget(words=17)) == [0, 2]
    assert select(sentences, Salience(salience.scores), Budget(words=17)) == [0, 1]
