"""Centrality of many sentences: the same numbers as for few, and time in proportion."""

import random

import numpy as np
import pytest

from summarizer.bertsum import features as module
from summarizer.bertsum.features import FEW, features
from summarizer.bertsum.many import lexrank, nearest_before, sparse_vectors
from summarizer.types import SplitDocument


def tokens_of(count: int, seed: int = 0) -> list[list[int]]:
    """Sentences of up to 14 words, common ones often; some empty, some that repeat another."""
    chance = random.Random(seed)
    found = [[int(3000 * chance.random() ** 3) for _ in range(chance.randint(0, 14))] for _ in range(count)]
    for _ in range(count // 10):
        found[chance.randrange(count)] = list(found[chance.randrange(count)])
    return found


def document_of(count: int) -> SplitDocument:
    return SplitDocument(tuple(str(i) for i in range(count)))


@pytest.mark.parametrize("count", [2, 40, 300])
def test_many_sentences_are_weighed_as_few_are(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = tokens_of(count)
    few = features(tokens, document_of(count))
    monkeypatch.setattr(module, "FEW", 0)
    many = features(tokens, document_of(count))
    # Scores of LexRank are rounded to four decimals, so the last one may differ.
    np.testing.assert_allclose(many, few, atol=5e-3)
    assert np.abs(many - few).mean() < 1e-4


def test_few_sentences_are_weighed_by_the_matrix_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(module, "_centrality_of_many", fail)
    features(tokens_of(FEW), document_of(FEW))
    with pytest.raises(AssertionError):
        features(tokens_of(FEW + 1), document_of(FEW + 1))


def test_sentences_of_more_words_than_are_paired_have_a_place_too() -> None:
    tokens = [*tokens_of(20), list(range(500)), list(range(400, 900))]
    owners, buckets = module._hashed(tokens)
    rows = sparse_vectors(owners, buckets, len(tokens), module._BUCKETS)
    scores = lexrank(rows)
    assert len(scores) == 22
    assert max(scores) == 1.0
    assert min(scores) > 0
    assert nearest_before(rows)[21] > 0.1


def test_a_document_without_a_word_has_equal_sentences() -> None:
    owners, buckets = module._hashed([[] for _ in range(5)])
    rows = sparse_vectors(owners, buckets, 5, module._BUCKETS)
    assert lexrank(rows) == (1.0,) * 5
    assert nearest_before(rows).tolist() == [0] * 5
