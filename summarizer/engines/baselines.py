"""Engines that need no training: lead, K-means on sentence embeddings, LexRank."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from summarizer.encoder.encoder import Encoder, Vectors
from summarizer.engines.base import Salience, round_scores
from summarizer.types import ModelInfo, SplitDocument

_DAMPING = 0.85
_TOLERANCE = 1e-6
_MAX_ROUNDS = 100
_BLOCK = 1024  # rows of the similarity matrix made at once
_KEEP = 4096  # up to so many sentences the matrix is kept (64 MiB); above, it is made again in every round
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
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    distinct, place = _distinct(vectors)
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


def lexrank_scores(vectors: Vectors) -> tuple[float, ...]:
    """Centrality of each sentence as a share of the highest one.

    A random reader goes from sentence to sentence with probabilities in proportion to their squared cosines
    (below 0 counts as 0) and with probability 0.15 jumps anywhere; the score is how often it comes by. The
    square keeps the many faint likenesses of a long document from drowning the few close ones. A sentence
    that stands in the document several times votes once, so that a repeated "None." is not its centre.

    Args:
        vectors: shape (sentences, hidden), of any length.
    """
    if not len(vectors):
        return ()
    distinct, place = _distinct(vectors)
    count = len(distinct)
    graph = _Graph(distinct)
    degree = graph.times(np.ones(count, dtype=np.float32))
    alone = degree <= 0
    degree[alone] = 1
    rank = np.full(count, 1 / count)
    for _ in range(_MAX_ROUNDS):
        # The matrix is symmetric: walking along its rows and summing over its columns are the same product.
        # From a sentence like no other the reader goes anywhere.
        flow = graph.times((rank / degree).astype(np.float32)) + rank[alone].sum() / count
        following = (1 - _DAMPING) / count + _DAMPING * flow
        following /= following.sum()
        moved = np.abs(following - rank).max() * count
        rank = following
        if moved < _TOLERANCE:
            break
    return round_scores((rank / rank.max())[place].tolist())


class _Graph:
    """The matrix of squared cosines, never held whole for long documents; its diagonal is 0."""

    def __init__(self, unit: Vectors) -> None:
        self._unit = unit
        self._kept = list(self._blocks()) if len(unit) <= _KEEP else None

    def _blocks(self) -> Iterator[Vectors]:
        for start in range(0, len(self._unit), _BLOCK):
            block = np.maximum(self._unit[start : start + _BLOCK] @ self._unit.T, 0) ** 2
            own = np.arange(len(block))
            block[own, own + start] = 0
            yield block

    def times(self, vector: Vectors) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The matrix times a vector of shape (sentences,)."""
        blocks = self._blocks() if self._kept is None else self._kept
        return np.concatenate([block @ vector for block in blocks]).astype(np.float64)


def _distinct(vectors: Vectors) -> tuple[Vectors, npt.NDArray[np.intp]]:
    """Distinct vectors at length 1 (0 stays 0) in order of appearance, and each sentence's index there."""
    _, first, inverse = np.unique(vectors, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    distinct = vectors[first[order]]
    lengths = np.linalg.norm(distinct, axis=1, keepdims=True)
    unit: Vectors = distinct / np.maximum(lengths, 1e-12)
    return unit, rank[inverse.ravel()]
