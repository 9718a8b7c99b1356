"""The fast oracle against the plain loop over rouge_score, and what its figures mean."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from training.labels.oracle import METRICS, Labels, OracleSettings, label
from training.labels.rouge_counts import Metric, tokens_of

WORDS = [
    "fever",
    "fevers",
    "pain",
    "the",
    "of",
    "İ",
    "ß-blocker",
    "2.5",
    "Kelvin",
    "naïve",
    "...",
    "a\nb",
    "ing",
]
sentence = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join),
    st.text(max_size=12),
    st.just(""),
)
document = st.lists(sentence, max_size=9)
reference = st.lists(sentence, max_size=4)
choices = st.builds(
    OracleSettings,
    metric=st.sampled_from(METRICS),
    max_sentences=st.none() | st.integers(1, 4),
    max_words=st.none() | st.integers(1, 12),
    stemmer=st.booleans(),
)


def by_the_loop(sentences: list[str], summary: list[str], how: OracleSettings) -> Labels:
    from jobs.bench.oracle_reference import ReferenceOracle  # and nltk: seconds of start

    return ReferenceOracle(how).label(sentences, summary)


@settings(max_examples=400)
@given(document, reference, choices)
@example(["the pain", "the pain", "pain the"], ["the pain the pain"], OracleSettings("rouge2"))
@example(["pain", "of the fever", "fever"], ["pain fever", "of the pain fever"], OracleSettings("rouge2"))
@example(["a b", "", "b a", "..."], ["b b a a b"], OracleSettings("mean", max_words=4))
@example([], ["pain"], OracleSettings())
@example(["pain"], [], OracleSettings())
def test_agrees_with_the_plain_loop(sentences: list[str], summary: list[str], how: OracleSettings) -> None:
    assert label(sentences, summary, how) == by_the_loop(sentences, summary, how)


@settings(max_examples=60)
@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4).map(" ".join), min_size=5, max_size=14))
def test_agrees_where_borders_decide(sentences: list[str]) -> None:
    how = OracleSettings("rouge2")
    summary = ["a b c a", "b b c", "c a b"]
    assert label(sentences, summary, how) == by_the_loop(sentences, summary, how)


@settings(max_examples=100)
@given(st.text(), st.booleans())
def test_tokens_are_those_of_rouge_score(text: str, stemmer: bool) -> None:
    from rouge_score.rouge_scorer import RougeScorer  # and nltk: seconds of start

    assert tokens_of(text, stemmer) == RougeScorer(["rouge1"], use_stemmer=stemmer)._tokenizer.tokenize(text)


def test_of_equal_sentences_the_earliest_is_taken() -> None:
    found = label(["No change.", "Fever came back.", "Fever came back."], ["Fever came back."])
    assert found.order == (1,)
    assert found.labels == (0, 1, 0)
    assert found.rouge == 1.0


def test_a_chosen_sentence_can_break_a_bigram_of_its_neighbours() -> None:
    found = label(["acute", "old", "pain"], ["acute pain"], OracleSettings("rouge1"))
    assert found.order == (0, 2)
    broken = label(["severe acute", "old", "pain now"], ["severe acute pain now"], OracleSettings("rouge2"))
    assert broken.order == (0, 2)
    assert broken.rouge == 1.0
    assert broken.gain[1] < 0


@pytest.mark.parametrize("metric", METRICS)
def test_soft_targets_are_scores_and_gains(metric: Metric) -> None:
    sentences = ["Fever and cough for two days.", "He lives alone.", "Chest film shows pneumonia."]
    found = label(
        sentences, ["Two days of fever and cough.", "The film shows pneumonia."], OracleSettings(metric)
    )
    assert found.alone[1] == 0
    assert found.gain[1] <= 0
    assert sum(found.gain[row] for row in found.order) == pytest.approx(found.rouge)
    assert found.gain[found.order[0]] == found.alone[found.order[0]] == max(found.alone)


def test_limits_hold_and_shorter_sentences_still_fit() -> None:
    sentences = ["fever cough pain rash nausea", "fever cough", "pain"]
    summary = ["fever cough pain rash nausea"]
    assert label(sentences, summary, OracleSettings(max_words=3)).order == (1, 2)
    assert label(sentences, summary, OracleSettings(max_words=3, max_sentences=1)).order == (1,)
    kept_out = label(sentences, summary, OracleSettings(max_words=3, max_sentences=1))
    assert kept_out.gain[2] > 0


@pytest.mark.parametrize("bad", [{"metric": "rougeL"}, {"max_words": 0}, {"max_sentences": 0}])
def test_wrong_settings_are_named(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        OracleSettings(**bad)  # type: ignore[arg-type]
