"""BERTSum (Liu and Lapata 2019, "Text Summarization with Pretrained Encoders") for documents of any length.

Every sentence stands between [CLS] and [SEP]; segment embeddings alternate with the sentences. A long
document is read in windows of whole sentences (`summarizer.encoder.windows`); the vector of each [CLS], or
what else the head declares (`summarizer.bertsum.config.Pooling`), goes into a salience head
(`summarizer.bertsum.heads`), which gives one logit for each sentence of the document.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from summarizer.bertsum.config import BertSumConfig, Pooling
from summarizer.bertsum.features import features, section_kinds
from summarizer.bertsum.heads import make_head
from summarizer.centrality import Vectors
from summarizer.encoder.encoder import Encoder, TokenSequence, pad_rows
from summarizer.encoder.windows import Window, plan_windows
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


class BertSum(nn.Module):
    """An encoder of the BERT family with a salience head: what is trained, saved and loaded."""

    def __init__(self, encoder: nn.Module, config: BertSumConfig) -> None:
        super().__init__()
        self.encoder = encoder
        self.config = config
        hidden = int(encoder.config.hidden_size)  # type: ignore[union-attr, arg-type]
        self.head = make_head(hidden, config.head)
        self.articles = make_head(hidden, config.articles.head) if config.articles else None

    def forward(self, document: DocumentInput, pad_id: int = 0) -> Tensor:
        """Logits of the sentences of one document, shape (sentences,), with gradients into the encoder.

        Args:
            document: see `prepare`.
            pad_id: the token id that fills the shorter windows.
        """
        device = next(self.head.parameters()).device
        ids, mask, segments = (part.to(device) for part in pad_rows(document.rows, pad_id))
        depth = self.config.head.depth
        found = self.encoder(
            input_ids=ids, attention_mask=mask, token_type_ids=segments, output_hidden_states=depth > 0
        )
        hidden = found.hidden_states[depth] if depth else found.last_hidden_state  # (windows, width, hidden)
        places = list(owned_places(document.windows, document.lengths, self.config.head.pooling))
        rows, positions, owners = (
            torch.tensor(part, device=device) for part in list(zip(*places, strict=True))[:3]
        )
        shares = torch.tensor([place[3] for place in places], device=device, dtype=hidden.dtype)
        vectors = hidden.new_zeros(len(document.lengths), hidden.shape[-1])
        vectors = vectors.index_add(0, owners, hidden[rows, positions] * shares[:, None])
        features = torch.from_numpy(document.features).to(device)
        kinds = torch.from_numpy(document.kinds).to(device)
        logits: Tensor = self.head(vectors[None].float(), features[None], kinds[None])[0]
        return logits


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
    hidden = dict(encoder.encode(document.rows, depth))
    return gathered(hidden, document.windows, document.lengths, pooling, encoder.hidden)


def gathered(
    hidden_of: Mapping[int, Vectors],
    windows: Sequence[Window],
    lengths: Sequence[int],
    pooling: Pooling,
    size: int,
) -> Vectors:
    """The same of hidden states that are there: of each window, shape (positions, size)."""
    vectors = np.zeros((len(lengths), size), dtype=np.float32)
    for row, places in groupby(owned_places(windows, lengths, pooling), key=itemgetter(0)):
        _, positions, owners, shares = zip(*places, strict=True)
        weights = np.array(shares, np.float32)[:, None]
        np.add.at(vectors, list(owners), weights * hidden_of[row][list(positions)])
    return vectors


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
                share = (piece.end - piece.start) / lengths[piece.sentence] if piece.end else 1.0
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
