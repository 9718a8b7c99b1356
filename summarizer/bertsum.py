"""BERTSum (Liu and Lapata 2019): sentences read in windows, their [CLS] vectors into a salience head.

A model folder is one of transformers (encoder and tokenizer) with two files more: `bertsum.json`, by which it
declares itself, and `head.safetensors` with the head's tensors. The one head there is so far is the linear
classifier: `weight` of shape (1, hidden) and `bias` of shape (1,), then the logistic function.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from summarizer.encoder import Encoder, Row, Vectors
from summarizer.engines import Salience, round_scores
from summarizer.errors import ModelError, UnsupportedModelError
from summarizer.model_files import ModelFiles, find_model
from summarizer.types import ModelInfo
from summarizer.windows import Window, plan_windows

DECLARATION = "bertsum.json"
HEAD = "head.safetensors"


@dataclass(frozen=True, slots=True)
class BertSumConfig:
    """What `bertsum.json` holds.

    Attributes:
        head: the kind of head: `linear`.
        context: at most so many positions of a window repeat the end of the one before.
    """

    head: str = "linear"
    context: int = 128

    def __post_init__(self) -> None:
        if self.head != "linear":
            raise ValueError("head must be linear")
        if isinstance(self.context, bool) or not isinstance(self.context, int) or self.context < 0:
            raise ValueError("context must be a whole number of at least 0")


class BertSumEngine:
    """Scores are the head's probabilities that a sentence belongs into the summary."""

    def __init__(self, encoder: Encoder, config: BertSumConfig, weight: Vectors, bias: Vectors) -> None:
        self._encoder = encoder
        self._config = config
        self._weight = weight
        self._bias = bias
        self.model = ModelInfo(encoder.name, encoder.sha256, "bertsum")
        self.device, self.precision = encoder.device, encoder.precision

    @classmethod
    def from_pretrained(
        cls, model: str | Path | None, device: str = "auto", precision: str = "auto"
    ) -> "BertSumEngine":
        """Loads a model folder that declares itself a BERTSum model.

        Raises:
            ModelError: no folder was named, or it is not such a model.
        """
        if model is None:
            raise ModelError(
                "The engine bertsum needs a fine-tuned model: name a model folder that holds a bertsum.json."
            )
        files = find_model(model)
        config = _read_config(files)
        encoder = Encoder(files, device, precision)
        if encoder.segments < 2:
            raise UnsupportedModelError(
                f"The encoder of {files.name!r} has no two segment ids, which BERTSum needs; use a BERT."
            )
        return cls(encoder, config, *_read_head(files, encoder.hidden))

    def score(self, documents: Sequence[Sequence[str]], asked: Sequence[int]) -> list[Salience]:
        """Reads each document by itself."""
        return [Salience(self._scores(document)) for document in documents]

    def _scores(self, document: Sequence[str]) -> tuple[float, ...]:
        vectors = cls_vectors(self._encoder, document, self._config.context)
        logits = (vectors @ self._weight.T + self._bias)[:, 0].astype(np.float64)
        # The same as 1 / (1 + exp(-x)), without overflow at either end.
        return round_scores((0.5 * (1 + np.tanh(0.5 * logits))).tolist())


def cls_vectors(encoder: Encoder, sentences: Sequence[str], context: int) -> Vectors:
    """The vector of the [CLS] before each sentence, read among the sentences around it.

    Args:
        encoder: one with two segment ids.
        sentences: those of one document in order.
        context: see `plan_windows`; at most half a window is used.

    Returns:
        Shape (sentences, hidden). Of a sentence in several pieces, the mean weighted by their lengths.
    """
    tokens = encoder.tokenize(sentences)
    windows = plan_windows([len(ids) for ids in tokens], encoder.limit, min(context, encoder.limit // 2))
    rows = [_row(encoder, window, tokens) for window in windows]
    sums = np.zeros((len(tokens), encoder.hidden), dtype=np.float32)
    hidden_of = dict(encoder.encode(rows))
    for index, window in enumerate(windows):
        position = 0
        for place, piece in enumerate(window.pieces):
            if window.own[0] <= place < window.own[1]:
                share = (piece.end - piece.start) / len(tokens[piece.sentence]) if piece.end else 1
                sums[piece.sentence] += np.float32(share) * hidden_of[index][position]
            position += piece.cost
    return sums


def _row(encoder: Encoder, window: Window, tokens: Sequence[Sequence[int]]) -> Row:
    ids: list[int] = []
    segments: list[int] = []
    for piece in window.pieces:
        ids += [encoder.cls_id, *tokens[piece.sentence][piece.start : piece.end], encoder.sep_id]
        segments += [piece.sentence % 2] * piece.cost
    return Row(tuple(ids), tuple(segments))


def _read_config(files: ModelFiles) -> BertSumConfig:
    try:
        values = json.loads((files.folder / DECLARATION).read_text(encoding="utf-8"))
        return BertSumConfig(**values)
    except OSError:
        raise UnsupportedModelError(
            f"The model {files.name!r} is not a BERTSum model: its folder has no {DECLARATION}."
        ) from None
    except (TypeError, ValueError):
        raise UnsupportedModelError(
            f"The {DECLARATION} of {files.name!r} is not one that this version reads."
        ) from None


def _read_head(files: ModelFiles, hidden: int) -> tuple[Vectors, Vectors]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(files.folder / HEAD)
        weight, bias = tensors["weight"], tensors["bias"]
    except (OSError, SafetensorError, KeyError):
        raise UnsupportedModelError(
            f"The {HEAD} of {files.name!r} is missing or lacks weight or bias."
        ) from None
    if weight.shape != (1, hidden) or bias.shape != (1,):
        raise UnsupportedModelError(
            f"The {HEAD} of {files.name!r} does not fit its encoder of hidden size {hidden}."
        )
    return weight.astype(np.float32), bias.astype(np.float32)
