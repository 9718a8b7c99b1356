"""Engines that need no training: lead, K-means on sentence embeddings, LexRank."""

from collections.abc import Sequence

import numpy as np

from summarizer.centrality import Vectors, distinct_vectors, lexrank_scores
from summarizer.encoder.encoder import Encoder
from summarizer.engines.base import Salience
from summarizer.errors import EngineError
from summarizer.types import ModelInfo, SplitDocument, round_scores

_KMEANS_SEED = 0
_KMEANS_STARTS = 4


class LeadEngine:
    """The first sentences: the baseline that is hard to beat where the news stands first."""

    model = ModelInfo("lead", "", "lead")
    device = "cpu"
    precision = ""
    fits_length = False

    def score(self, documents: Sequence[SplitDocument], asked: Sequence[int]) -> list[Salience]:
        """From 1 for the first sentence down in equal steps."""
        return [
            Salience(round_scores([1 - i / count for i in range(count)]))
            for count in (len(document.sentences) for document in documents)
        ]


class KMeansEngine:
    """K-means on sentence embeddings (Miller 2019, "Leveraging BERT for Extractive Text Summarization").

    As many clusters as the summary has sentences; the sentence nearest each centroid comes first. The score
    of a sentence is its cosine with the centroid of its cluster.
    """

    fits_length = True

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.model = ModelInfo(encoder.name, encoder.sha256, "kmeans")
        self.device, self.precision = encoder.device, encoder.precision

    def score(self, documents: Sequence[SplitDocument], asked: Sequence[int]) -> list[Salience]:
        """Clusters each document by itself."""
        return [
            kmeans_salience(self._encoder.sentence_vectors(document.sentences), count)
            for document, count in zip(documents, asked, strict=True)
        ]


def kmeans_salience(vectors: Vectors, clusters: int) -> Salience:
    """Clusters sentence vectors, shape (sentences, hidden), with a fixed seed."""
    if not len(vectors):
        return Salience(())
    try:
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        raise EngineError(
            "The engine kmeans needs scikit-learn; install clinical-ai-summarizer[kmeans]."
        ) from None

    distinct, place = distinct_vectors(vectors)
    unit = distinct.astype(np.float64)
    clusters = min(clusters, len(unit))
    # With several threads the parts of a centroid are added in the order they come in: never the same twice.
    with threadpool_limits(limits=1, user_api="openmp"):
        fit = KMeans(clusters, random_state=_KMEANS_SEED, n_init=_KMEANS_STARTS).fit(unit)
    centroids = fit.cluster_centers_ / np.maximum(
        np.linalg.norm(fit.cluster_centers_, axis=1, keepdims=True), 1e-12
    )
    closeness = (unit * centroids[fit.labels_]).sum(axis=1)
    scores = round_scores(closeness[place].tolist())
    nearest: dict[int, int] = {}
    for i, label in enumerate(fit.labels_[place].tolist()):
        if label not in nearest or scores[i] > scores[nearest[label]]:
            nearest[label] = i
    return Salience(scores, frozenset(nearest.values()))


class LexRankEngine:
    """Continuous LexRank (Erkan and Radev 2004) on the squared cosines of sentence embeddings."""

    fits_length = False

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.model = ModelInfo(encoder.name, encoder.sha256, "lexrank")
        self.device, self.precision = encoder.device, encoder.precision

    def score(self, documents: Sequence[SplitDocument], asked: Sequence[int]) -> list[Salience]:
        """Ranks each document by itself; the most central sentence has 1."""
        return [
            Salience(lexrank_scores(self._encoder.sentence_vectors(document.sentences)))
            for document in documents
        ]
