"""What the head knows of a sentence beside its vector: where it stands, how central it is, its length.

Position in the whole document and within the section, the kind of section, and the centrality of a sentence
among the others are what extractive models of long documents gain most from (Ruan et al. 2022, "HiStruct+";
Xiao and Carenini 2019; Dong et al. 2021, "HipoRank").
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from summarizer.bertsum.config import COUNT, GROUPS
from summarizer.centrality import Vectors, lexrank_scores
from summarizer.types import SectionKind, SplitDocument

__all__ = ["COUNT", "GROUPS", "KINDS", "features", "lexical_vectors", "section_kinds"]

KINDS = tuple(SectionKind)
_WAVES = 4
FEW = 512  # sentences for which the matrix of their likenesses is made
_BUCKETS = 2048  # of hashed tokens; a document rarely has more distinct ones
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


def features(tokens: Sequence[Sequence[int]], document: SplitDocument) -> Vectors:
    """Numbers of about unit size for each sentence of one document.

    They follow from the words alone, not from the encoder, so they stay as they are while it is trained.

    Args:
        tokens: the token ids of each sentence, at least one sentence.
        document: the sentences and their sections.

    Returns:
        Shape (sentences, COUNT).
    """
    lengths = [len(ids) for ids in tokens]
    columns = [
        *(_centrality_of_few(tokens) if len(tokens) <= FEW else _centrality_of_many(tokens)),
        *_position(len(tokens)),
        *_section(document),
        *_length(lengths),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def lexical_vectors(tokens: Sequence[Sequence[int]]) -> Vectors:
    """TF-IDF of each sentence within its document, with tokens hashed into buckets.

    Returns:
        Shape (sentences, buckets), rows of length 1 (0 for a sentence without tokens).
    """
    owners, buckets = _hashed(tokens)
    counts = np.zeros((len(tokens), _BUCKETS), np.float32)
    np.add.at(counts, (owners, buckets), 1)
    frequency = (counts > 0).sum(axis=0)
    weight = np.log((1 + len(tokens)) / (1 + frequency)) + 1
    vectors = (np.log(np.maximum(counts, 1)) + (counts > 0)) * weight.astype(np.float32)
    used = vectors[:, frequency > 0]
    unit: Vectors = used / np.maximum(np.linalg.norm(used, axis=1, keepdims=True), 1e-12)
    return unit


def section_kinds(document: SplitDocument) -> npt.NDArray[np.int64]:
    """Shape (sentences,): 0 where a sentence has no known section, else the place of its kind plus 1."""
    places = {kind: place + 1 for place, kind in enumerate(KINDS)}
    kinds = [0 if s is None else places[document.kinds[s]] for s in document.sections]
    return np.array(kinds or [0] * len(document.sentences), np.int64)


def _hashed(tokens: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Of every token its sentence and its bucket."""
    owners = np.repeat(np.arange(len(tokens)), [len(ids) for ids in tokens])
    ids = np.fromiter(chain.from_iterable(tokens), np.uint64, len(owners))
    return owners, ((ids * _SPREAD) >> np.uint64(40)).astype(np.int64) % _BUCKETS


def _centrality_of_few(tokens: Sequence[Sequence[int]]) -> list[Vectors]:
    unit = lexical_vectors(tokens)
    rank = np.array(lexrank_scores(unit), np.float32)
    mean = unit.mean(axis=0)
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    return _centrality(rank, unit @ mean, _nearest_before(unit))


def _centrality_of_many(tokens: Sequence[Sequence[int]]) -> list[Vectors]:
    """The same in time and memory that grow with the sentences and not with their square."""
    from summarizer.bertsum.many import lexrank, nearest_before, sparse_vectors

    unit = sparse_vectors(*_hashed(tokens), len(tokens), _BUCKETS)
    mean = np.asarray(unit.mean(axis=0)).ravel()
    mean /= max(float(np.linalg.norm(mean)), 1e-12)
    return _centrality(np.array(lexrank(unit), np.float32), unit @ mean, nearest_before(unit))


def _centrality(rank: Vectors, likeness: Vectors, nearest: Vectors) -> list[Vectors]:
    """Columns from the LexRank score, the cosine with the mean and the highest with an earlier sentence."""
    order = np.empty(len(rank), np.float32)
    order[np.argsort(-rank, kind="stable")] = np.arange(len(rank))
    return [
        np.log(rank + 1e-3) / 2 + 1,
        (rank - rank.mean()) / (rank.std() + 1e-3),
        2 * likeness - 1,
        1 - 2 * order / max(1, len(rank) - 1),
        2 * nearest - 1,
    ]


def _nearest_before(unit: Vectors, block: int = 1024) -> Vectors:
    """The highest cosine with an earlier sentence; 0 for the first."""
    found = np.zeros(len(unit), np.float32)
    for start in range(0, len(unit), block):
        end = min(len(unit), start + block)
        cosines = unit[start:end] @ unit[:end].T
        earlier = np.arange(end)[None, :] < np.arange(start, end)[:, None]
        found[start:end] = np.where(earlier, cosines, 0).max(axis=1)
    return found


def _position(count: int) -> list[Vectors]:
    place = np.arange(count, dtype=np.float32)
    share = place / max(1, count - 1)
    waves = [wave(np.pi * (k + 1) * share) for k in range(_WAVES) for wave in (np.sin, np.cos)]
    from_start, from_end = np.log1p(place) / 3 - 1, np.log1p(count - 1 - place) / 3 - 1
    return [2 * share - 1, from_start, from_end, (place == 0) * 1.0, (place == count - 1) * 1.0, *waves]


def _section(document: SplitDocument) -> list[Vectors]:
    count = len(document.sentences)
    known = np.zeros(count, np.float32)
    share, place, size, index = (np.zeros(count, np.float32) for _ in range(4))
    sections = np.array([-1 if s is None else s for s in document.sections], np.int64)
    last = max(1, len(document.kinds) - 1)
    order = np.argsort(sections, kind="stable")
    edges = np.searchsorted(sections[order], np.arange(len(document.kinds) + 1))
    for section in range(len(document.kinds)):
        inside = order[edges[section] : edges[section + 1]]
        steps = np.arange(len(inside), dtype=np.float32)
        known[inside] = 1
        share[inside] = 2 * steps / max(1, len(inside) - 1) - 1
        place[inside] = np.log1p(steps) / 2
        size[inside] = np.log1p(len(inside)) / 2
        index[inside] = 2 * section / last - 1
    return [known, share, place, size, index]


def _length(lengths: Sequence[int]) -> list[Vectors]:
    long = np.log1p(np.array(lengths, np.float32))
    return [long / 2 - 1.5, (long - long.mean()), np.full(len(long), np.log1p(len(long)) / 2 - 2, np.float32)]
