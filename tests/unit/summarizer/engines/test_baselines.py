import numpy as np
import pytest

from summarizer import centrality
from summarizer.centrality import lexrank_scores
from summarizer.engines.baselines import LeadEngine, kmeans_salience
from summarizer.types import SplitDocument


def vectors(count: int, seed: int = 0, size: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)


def lexrank_by_eigenvector(rows: np.ndarray) -> np.ndarray:
    """The definition, solved at once instead of by iteration."""
    unit = rows.astype(np.float64) / np.linalg.norm(rows, axis=1, keepdims=True)
    weights = np.maximum(unit @ unit.T, 0) ** 2
    np.fill_diagonal(weights, 0)
    walk = 0.15 / len(rows) + 0.85 * weights / weights.sum(axis=1, keepdims=True)
    values, spaces = np.linalg.eig(walk.T)
    rank = np.abs(spaces[:, values.real.argmax()].real)
    return rank / rank.max()


def test_lead_prefers_the_beginning() -> None:
    [one, none, four] = LeadEngine().score(
        [SplitDocument(tuple(text)) for text in ("a", "", "abcd")], [1, 1, 1]
    )

    assert one.scores == (1.0,)
    assert none.scores == ()
    assert four.scores == (1.0, 0.75, 0.5, 0.25)


def test_lexrank_is_the_stationary_distribution() -> None:
    rows = vectors(40)

    np.testing.assert_allclose(lexrank_scores(rows), lexrank_by_eigenvector(rows), atol=1e-4)


def test_lexrank_ranks_the_centre_above_the_outlier() -> None:
    rows = np.array([[1, 0.2, 0], [1, 0, 0.2], [1, 0, 0], [0, 0, -1]], dtype=np.float32)

    scores = lexrank_scores(rows)

    assert scores[2] == 1.0
    assert scores[3] < 0.2


def test_a_repeated_sentence_votes_once() -> None:
    rows = vectors(6)

    repeated = lexrank_scores(np.concatenate([rows, rows[[3, 3, 3]]]))

    assert repeated[:6] == lexrank_scores(rows)
    assert set(repeated[6:]) == {repeated[3]}


def test_lexrank_of_a_long_document_needs_no_whole_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = vectors(300)
    kept = lexrank_scores(rows)
    monkeypatch.setattr(centrality, "_KEEP", 100)
    monkeypatch.setattr(centrality, "_BLOCK", 64)

    np.testing.assert_allclose(lexrank_scores(rows), kept, atol=1.01e-4)


@pytest.mark.parametrize("count", [0, 1, 2, 5000])
def test_documents_of_any_length_have_scores(count: int) -> None:
    rows = vectors(count)

    for scores in (lexrank_scores(rows), kmeans_salience(rows, 5).scores):
        assert len(scores) == count
        assert all(-1 <= score <= 1 for score in scores)
        assert all(score == round(score, 4) for score in scores)


def test_vectors_of_zeros_have_scores() -> None:
    rows = np.zeros((3, 16), dtype=np.float32)

    assert lexrank_scores(rows) == (1.0, 1.0, 1.0)
    assert kmeans_salience(rows, 2).scores == (0.0, 0.0, 0.0)


def test_kmeans_takes_the_sentence_nearest_each_centroid() -> None:
    centres = np.eye(3, 16, dtype=np.float32) * 10
    groups = [
        centre + offset
        for centre in centres
        for offset in (vectors(1, 1)[0], np.zeros(16), -vectors(1, 1)[0])
    ]
    salience = kmeans_salience(np.array(groups, dtype=np.float32), 3)

    assert salience.first == {1, 4, 7}
    assert all(salience.scores[i] == max(salience.scores[i - 1 : i + 2]) for i in salience.first)


def test_of_equally_near_sentences_kmeans_takes_the_earlier() -> None:
    rows = vectors(2)

    assert kmeans_salience(rows[[0, 0, 1, 1]], 2).first == {0, 2}


def test_kmeans_asked_for_more_clusters_than_there_are_sentences() -> None:
    salience = kmeans_salience(vectors(3)[[0, 1, 2, 2]], 10)

    assert salience.first == {0, 1, 2}
    assert salience.scores == (1.0, 1.0, 1.0, 1.0)


def test_kmeans_gives_the_same_every_time() -> None:
    rows = vectors(600)

    assert kmeans_salience(rows, 12) == kmeans_salience(rows, 12)
