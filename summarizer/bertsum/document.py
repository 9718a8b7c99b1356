"""One document for BERTSum: its windows of tokens, its features, and the vector of each sentence.

Every sentence stands between [CLS] and [SEP]; segment embeddings alternate with the sentences. A long
document is read in windows of whole sentences (`summarizer.encoder.windows`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from summarizer.bertsum.config import Pooling
from summarizer.bertsum.features import features, section_kinds
from summarizer.centrality import Vectors
from summarizer.encoder.encoder import Encoder
from summarizer.encoder.network import TokenSequence
from summarizer.encoder.windows import Piece, Window, plan_windows
from summarizer.types import SplitDocument


@dataclass(frozen=True, slots=True)
class DocumentInput:
    """One document, ready for the model.

    Attributes:
        rows: its windows as token sequences with segments.
        windows: how they were laid out.
        lengths: tokens of each sentence.
        features: shape (sentences, `summarizer.bertsum.features.COUNT`).
        kinds: shape (sentences,).
    """

    rows: tuple[TokenSequence, ...]
    windows: tuple[Window, ...]
    lengths: tuple[int, ...]
    features: Vectors
    kinds: np.ndarray[Any, np.dtype[np.int64]]


def prepare(encoder: Encoder, document: SplitDocument, context: int) -> DocumentInput:
    """Tokens, windows and features of one document of at least one sentence.

    Args:
        encoder: for its tokenizer and number of positions.
        document: the sentences in order.
        context: see `plan_windows`; at most half a window is used.
    """
    tokens = encoder.tokenize(document.sentences)
    lengths = tuple(len(ids) for ids in tokens)
    windows = plan_windows(lengths, encoder.limit, min(context, encoder.limit // 2))
    return DocumentInput(
        rows=tuple(_row(encoder, window, tokens) for window in windows),
        windows=tuple(windows),
        lengths=lengths,
        features=features(tokens, document),
        kinds=section_kinds(document),
    )


def sentence_vectors(
    encoder: Encoder, document: DocumentInput, pooling: Pooling = "cls", depth: int = 0
) -> Vectors:
    """What stands for each sentence, read among the sentences around it, after so many layers (0: all).

    Returns:
        Shape (sentences, hidden). Of a sentence in several pieces, the mean weighted by their lengths.
    """
    (vectors,) = gathered(encoder.encode(document.rows, depth), [document], pooling, encoder.hidden)
    return vectors


def gathered(
    hidden: Iterable[tuple[int, Vectors]], documents: Sequence[DocumentInput], pooling: Pooling, size: int
) -> list[Vectors]:
    """The same of documents whose windows were read in one call, from hidden states as they come.

    Args:
        hidden: of each window of all documents its place among them, and its states, (positions, size).
            Windows may come in any order: their parts are summed in the order of the document.
        documents: in the order of their windows.
        pooling: what stands for a sentence.
        size: of a state.
    """
    windows = [(document, window) for document in documents for window in document.windows]
    parts: dict[int, Vectors] = {}
    for row, states in hidden:
        document, window = windows[row]
        parts[row] = _of_window(window, states, document.lengths, pooling)
    found: list[Vectors] = []
    row = 0
    for document in documents:
        vectors = np.zeros((len(document.lengths), size), np.float32)
        for window in document.windows:
            owners = [piece.sentence for piece in window.pieces[window.own[0] : window.own[1]]]
            np.add.at(vectors, owners, parts[row])
            row += 1
        found.append(vectors)
    return found


def _of_window(window: Window, states: Vectors, lengths: Sequence[int], pooling: Pooling) -> Vectors:
    """What a window tells of the pieces that it owns: shape (pieces, size)."""
    first, last = window.own
    costs = np.array([piece.cost for piece in window.pieces])
    starts = np.concatenate(([0], np.cumsum(costs)))
    shares = [_share(piece, lengths) for piece in window.pieces[first:last]]
    found = np.zeros((last - first, states.shape[1]), np.float32)
    if pooling != "mean":
        found += states[starts[first:last]]
    if pooling != "cls":
        inside = states[starts[first] : starts[last]]
        found += np.add.reduceat(inside, starts[first:last] - starts[first]) / costs[first:last, None]
    return found * np.array(shares, np.float32)[:, None]


def _share(piece: Piece, lengths: Sequence[int]) -> float:
    """Of its sentence's tokens, how many a piece has."""
    return (piece.end - piece.start) / lengths[piece.sentence] if piece.end else 1.0


def owned_places(
    windows: Sequence[Window], lengths: Sequence[int], pooling: Pooling = "cls"
) -> Iterator[tuple[int, int, int, float]]:
    """What a sentence's vector is made of: window, position, sentence, and the weight of what stands there.

    Of each piece of the sentence that is the [CLS] before it, or every position from that to its [SEP];
    pieces count by their share of its tokens.
    """
    for row, window in enumerate(windows):
        position = 0
        for place, piece in enumerate(window.pieces):
            if window.own[0] <= place < window.own[1]:
                share = _share(piece, lengths)
                if pooling != "mean":
                    yield row, position, piece.sentence, share
                if pooling != "cls":
                    for inside in range(position, position + piece.cost):
                        yield row, inside, piece.sentence, share / piece.cost
            position += piece.cost


def _row(encoder: Encoder, window: Window, tokens: Sequence[Sequence[int]]) -> TokenSequence:
    ids: list[int] = []
    segments: list[int] = []
    for piece in window.pieces:
        ids += [encoder.cls_id, *tokens[piece.sentence][piece.start : piece.end], encoder.sep_id]
        segments += [piece.sentence % 2] * piece.cost
    return TokenSequence(tuple(ids), tuple(segments))
