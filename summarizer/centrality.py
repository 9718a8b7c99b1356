"""How central each sentence is among the others of its document: LexRank, in memory that stays small."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from summarizer.types import round_scores

Vectors = npt.NDArray[np.float32]
Times = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]

_DAMPING = 0.85
_TOLERANCE = 1e-6
_MAX_ROUNDS = 100
_BLOCK = 1024  # rows of the similarity matrix made at once
_KEEP = 4096  # up to so many sentences the matrix is kept (64 MiB); above, it is made again in every round


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
    distinct, place = distinct_vectors(vectors)
    count = len(distinct)
    rank = walk(_Graph(distinct).times, count)
    return round_scores((rank / rank.max())[place].tolist())


def walk(times: Times, count: int) -> npt.NDArray[np.float64]:
    """How often the reader of `lexrank_scores` comes by each of so many sentences.

    Args:
        times: the matrix of likenesses, symmetric and without its diagonal, times a vector.
        count: of sentences, at least 1.

    Returns:
        Shape (sentences,), of sum 1.
    """
    degree = times(np.ones(count))
    alone = degree <= 0
    degree[alone] = 1
    rank = np.full(count, 1 / count)
    for _ in range(_MAX_ROUNDS):
        # The matrix is symmetric: walking along its rows and summing over its columns are the same product.
        # From a sentence like no other the reader goes anywhere.
        flow = times(rank / degree) + rank[alone].sum() / count
        following = (1 - _DAMPING) / count + _DAMPING * flow
        following /= following.sum()
        moved = np.abs(following - rank).max() * count
        rank = following
        if moved < _TOLERANCE:
            break
    return rank


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

    def times(self, vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The matrix times a vector of shape (sentences,)."""
        short = vector.astype(np.float32)
        blocks = self._blocks() if self._kept is None else self._kept
        return np.concatenate([block @ short for block in blocks]).astype(np.float64)


def distinct_vectors(vectors: Vectors) -> tuple[Vectors, npt.NDArray[np.intp]]:
    """Distinct vectors at length 1 (0 stays 0) in order of appearance, and each sentence's index there."""
    _, first, inverse = np.unique(vectors, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    distinct = vectors[first[order]]
    lengths = np.linalg.norm(distinct, axis=1, keepdims=True)
    unit: Vectors = distinct / np.maximum(lengths, 1e-12)
    return unit, rank[inverse.ravel()]
