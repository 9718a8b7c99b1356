"""Centrality of sentences by their words, for documents of many sentences, in time and memory in proportion.

For few sentences the matrix of their likenesses is made (`summarizer.centrality`). The likeness that LexRank
walks by is a squared cosine, and (u . v)^2 is the product of two vectors again, of the products of every two
entries of u and of v. Sentences have few distinct words, so these are short, and the walk needs no matrix.
"""

import numpy as np
import numpy.typing as npt
from scipy import sparse

from summarizer.centrality import Vectors, walk
from summarizer.types import round_scores

_PAIRED = 64  # words of a sentence that are paired: those that weigh most, where it has more
_BEFORE = 1024  # earlier sentences, beside equal ones, that the nearest is sought among
_BLOCK = 512


def sparse_vectors(
    owners: npt.NDArray[np.intp], buckets: npt.NDArray[np.int64], count: int, width: int
) -> sparse.csr_matrix:
    """As `summarizer.bertsum.features.lexical_vectors`: shape (count, width), rows of length 1.

    Args:
        owners: of each token the sentence.
        buckets: of each token.
        count: of sentences.
        width: number of buckets.
    """
    ones = np.ones(len(owners), np.float64)
    counts = sparse.csr_matrix((ones, (owners, buckets)), shape=(count, width))
    counts.sum_duplicates()
    frequency = np.bincount(counts.indices, minlength=width)
    weight = np.log((1 + count) / (1 + frequency)) + 1
    counts.data = (np.log(counts.data) + 1) * weight[counts.indices]
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    scaled: sparse.csr_matrix = sparse.diags(1 / np.maximum(lengths, 1e-12)) @ counts
    return scaled.tocsr()


def distinct_rows(rows: sparse.csr_matrix) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The first of each set of equal rows, in order, and the place of each row among these."""
    seen: dict[bytes, int] = {}
    first: list[int] = []
    place = np.empty(rows.shape[0], np.intp)
    for i in range(rows.shape[0]):
        begin, end = rows.indptr[i], rows.indptr[i + 1]
        key = rows.indices[begin:end].tobytes() + rows.data[begin:end].tobytes()
        at = seen.setdefault(key, len(first))
        if at == len(first):
            first.append(i)
        place[i] = at
    return np.array(first, np.intp), place


def lexrank(rows: sparse.csr_matrix) -> tuple[float, ...]:
    """As `summarizer.centrality.lexrank_scores`, of rows that have no negative entry."""
    first, place = distinct_rows(rows)
    pairs = _pairs(rows[first])
    transposed = pairs.T.tocsr()
    own = np.asarray(pairs.multiply(pairs).sum(axis=1)).ravel()

    def times(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        product: npt.NDArray[np.float64] = pairs @ (transposed @ vector) - own * vector
        return np.maximum(product, 0)

    rank = walk(times, len(first))
    return round_scores((rank / rank.max())[place].tolist())


def nearest_before(rows: sparse.csr_matrix) -> Vectors:
    """The highest cosine with an earlier sentence: of those close before it, and of equal ones anywhere."""
    count = rows.shape[0]
    first, place = distinct_rows(rows)
    found = np.zeros(count, np.float32)
    for start in range(0, count, _BLOCK):
        end, low = min(count, start + _BLOCK), max(0, start - _BEFORE)
        cosines = (rows[start:end] @ rows[low:end].T).toarray()
        earlier = np.arange(low, end)[None, :] < np.arange(start, end)[:, None]
        found[start:end] = np.where(earlier, cosines, 0).max(axis=1)
    empty = np.diff(rows.indptr) == 0
    repeats = (first[place] < np.arange(count)) & ~empty
    found[repeats] = 1
    return found


def _pairs(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    """Each row's products of two entries, so that two rows' product is the square of that of `rows`."""
    width = rows.shape[1]
    sizes = np.minimum(np.diff(rows.indptr), _PAIRED)
    owners: list[npt.NDArray[np.int64]] = []
    columns: list[npt.NDArray[np.int64]] = []
    values: list[npt.NDArray[np.float64]] = []
    for size in np.unique(sizes[sizes > 0]):
        of_size = np.flatnonzero(sizes == size)
        index, data = _heaviest(rows, of_size, int(size))
        one, other = np.triu_indices(size)
        owners.append(np.repeat(of_size, len(one)))
        columns.append((index[:, one].astype(np.int64) * width + index[:, other]).ravel())
        values.append((data[:, one] * data[:, other] * np.where(one == other, 1.0, np.sqrt(2.0))).ravel())
    if not owners:
        return sparse.csr_matrix((rows.shape[0], 1))
    used, column = np.unique(np.concatenate(columns), return_inverse=True)
    shape = (rows.shape[0], len(used))
    return sparse.csr_matrix((np.concatenate(values), (np.concatenate(owners), column.ravel())), shape=shape)


def _heaviest(
    rows: sparse.csr_matrix, of_size: npt.NDArray[np.intp], size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Columns, ascending, and values of the `size` heaviest entries of each of these rows."""
    index = np.empty((len(of_size), size), np.int64)
    data = np.empty((len(of_size), size), np.float64)
    for at, row in enumerate(of_size):
        begin, end = rows.indptr[row], rows.indptr[row + 1]
        columns, values = rows.indices[begin:end], rows.data[begin:end]
        chosen = np.arange(end - begin)
        if end - begin > size:
            chosen = np.argsort(-values, kind="stable")[:size]
        chosen = chosen[np.argsort(columns[chosen])]
        index[at], data[at] = columns[chosen], values[chosen]
    return index, data
