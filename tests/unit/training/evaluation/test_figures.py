"""The figures themselves: ROUGE, the oracle, intervals."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarizer.selection.select import count_words
from summarizer.types import Budget
from training.evaluation.bootstrap import estimate, resampled_means
from training.evaluation.oracle import oracle
from training.evaluation.rouge import ROUGE, Rouge

WORDS = ["fever", "fevers", "running", "runs", "ran", "dose", "2.5", "mg", "é", "no"]
SENTENCES = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), max_size=5)

DOCUMENT = [
    "The weather was fine on Monday.",
    "Fever fell within two days of treatment.",
    "Patients were asked to sign a form.",
    "Cough did not change.",
    "The study was paid for by nobody.",
]
ABSTRACT = ["Fever fell within two days.", "Cough did not change."]


@given(SENTENCES, SENTENCES)
def test_rouge_is_that_of_rouge_score(sentences: list[str], reference: list[str]) -> None:
    from rouge_score.rouge_scorer import RougeScorer  # and nltk: seconds of start

    theirs = RougeScorer(list(ROUGE), use_stemmer=True).score("\n".join(reference), "\n".join(sentences))
    assert Rouge().score(sentences, reference) == tuple(theirs[name].fmeasure for name in ROUGE)


def test_lsum_depends_on_where_sentences_end() -> None:
    reference = ["fever fell", "cough rose"]
    swapped = ["cough rose", "fever fell"]
    assert Rouge().score(swapped, reference)[2] == 1.0
    assert Rouge().score([" ".join(swapped)], [" ".join(reference)])[2] == 0.5


def test_oracle_finds_the_sentences_of_the_abstract() -> None:
    assert oracle(DOCUMENT, ABSTRACT, Budget(words=200)) == [1, 3]
    assert oracle(DOCUMENT, ABSTRACT, Budget(sentences=1)) == [1]
    assert oracle(DOCUMENT, ABSTRACT, Budget(words=4)) == [3]
    assert oracle(DOCUMENT, ["zebra"], Budget(words=200)) == []


@given(SENTENCES.filter(bool), SENTENCES.filter(bool), st.integers(1, 8))
def test_oracle_keeps_the_budget_and_beats_each_single_sentence(
    sentences: list[str], reference: list[str], words: int
) -> None:
    rouge = Rouge(("rouge1", "rouge2"))
    chosen = oracle(sentences, reference, Budget(words=words))
    reached = sum(rouge.score([sentences[i] for i in chosen], reference))
    assert sum(count_words(sentences[i]) for i in chosen) <= words
    fitting = [s for s in sentences if count_words(s) <= words]
    best = max((sum(rouge.score([s], reference)) for s in fitting), default=0.0)
    assert reached >= best - 1e-12


def test_intervals_repeat_by_seed_and_hold_the_mean() -> None:
    values = np.random.default_rng(1).random((60, 2))
    means = resampled_means(values, seed=7)
    assert (means == resampled_means(values, seed=7)).all()
    assert (means != resampled_means(values, seed=8)).any()
    found = estimate(values[:, 0], means[:, 0])
    assert found.low < found.mean < found.high
    # The normal approximation of the mean of 60 numbers says nearly the same.
    half = 1.96 * values[:, 0].std(ddof=1) / 60**0.5
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_differences_are_paired() -> None:
    hard = np.random.default_rng(2).random(50)
    values = np.stack([hard, hard + 0.01], axis=1)
    means = resampled_means(values, seed=0)
    difference = estimate(values[:, 1] - values[:, 0], means[:, 1] - means[:, 0])
    assert (difference.low, difference.mean, difference.high) == (0.01, 0.01, 0.01)
    single = [estimate(values[:, i], means[:, i]) for i in range(2)]
    assert all(a.low < b.high and b.low < a.high for a, b in combinations(single, 2))
