"""BERTSum as an engine: a model folder read, notes scored with calibrated probabilities.

A model folder is one of transformers (encoder and tokenizer) with two files more: `bertsum.json`, by which it
declares itself, and `head.safetensors` with the head's tensors.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from summarizer.bertsum.heads import make_head
from summarizer.bertsum.model import BertSum, BertSumConfig, cls_vectors, prepare
from summarizer.encoder.encoder import Encoder
from summarizer.encoder.files import ModelFiles, find_model
from summarizer.engines.base import Salience, round_scores
from summarizer.errors import UnsupportedModelError
from summarizer.types import ModelInfo, SplitDocument

DECLARATION = "bertsum.json"
HEAD = "head.safetensors"


class BertSumEngine:
    """Scores are the probabilities that a sentence belongs into the summary."""

    fits_length = False

    def __init__(self, encoder: Encoder, config: BertSumConfig, head: torch.nn.Module) -> None:
        self._encoder = encoder
        self._config = config
        self._head = head.float().eval().to(encoder.device)
        self.model = ModelInfo(encoder.name, encoder.sha256, "bertsum", config.calibrated)
        self.device, self.precision = encoder.device, encoder.precision

    @classmethod
    def from_pretrained(
        cls, model: str | Path | None = None, device: str = "auto", precision: str = "auto"
    ) -> "BertSumEngine":
        """Loads the model that ships (None) or a folder that declares itself a BERTSum model.

        Raises:
            ModelError: there is no such model, or it is not one of BERTSum.
        """
        encoder, bertsum = read_bertsum(model, device, precision)
        return cls(encoder, bertsum.config, bertsum.head)

    def score(self, documents: Sequence[SplitDocument], asked: Sequence[int]) -> list[Salience]:
        """Reads each document by itself."""
        return [self._salience(document) for document in documents]

    def _salience(self, document: SplitDocument) -> Salience:
        if not document.sentences:
            return Salience(())
        probabilities = self._probabilities(document)
        return Salience(round_scores(probabilities), calibrated=self._config.calibrated)

    def _probabilities(self, document: SplitDocument) -> list[float]:
        prepared = prepare(self._encoder, document, self._config.context)
        vectors = torch.from_numpy(cls_vectors(self._encoder, prepared))[None]
        parts = (vectors, torch.from_numpy(prepared.features)[None], torch.from_numpy(prepared.kinds)[None])
        with torch.inference_mode():
            logits = self._head(*(part.to(self._encoder.device) for part in parts))[0]
        values = self._config.scale * logits.double().cpu().numpy() + self._config.shift
        # The same as 1 / (1 + exp(-x)), without overflow at either end.
        probabilities: list[float] = (0.5 * (1 + np.tanh(0.5 * values))).tolist()
        return probabilities


def read_bertsum(
    model: str | Path | None, device: str = "auto", precision: str = "auto"
) -> tuple[Encoder, BertSum]:
    """The model of a folder, and its encoder as a service; both hold the same network.

    Raises:
        ModelError: there is no such model, or it is not one of BERTSum.
    """
    files = find_model(model)
    config = read_config(files)
    encoder = Encoder(files, device, precision)
    if encoder.segments < 2:
        raise UnsupportedModelError(
            f"The encoder of {files.name!r} has no two segment ids, which BERTSum needs; use a BERT."
        )
    bertsum = BertSum(encoder.module, config)
    bertsum.head = _read_head(files, encoder.hidden, config).to(encoder.device)
    return encoder, bertsum


def read_config(files: ModelFiles) -> BertSumConfig:
    """The `bertsum.json` of a model folder.

    Raises:
        UnsupportedModelError: there is none, or not one that this version reads.
    """
    try:
        values = json.loads((files.folder / DECLARATION).read_text(encoding="utf-8"))
        return BertSumConfig.from_json(values)
    except OSError:
        raise UnsupportedModelError(
            f"The model {files.name!r} is not a BERTSum model: its folder has no {DECLARATION}."
        ) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UnsupportedModelError(
            f"The {DECLARATION} of {files.name!r} is not one that this version reads."
        ) from None


def _read_head(files: ModelFiles, hidden: int, config: BertSumConfig) -> torch.nn.Module:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    head = make_head(hidden, config.head)
    try:
        tensors = load_file(files.folder / HEAD)
    except (OSError, SafetensorError):
        raise UnsupportedModelError(f"The {HEAD} of {files.name!r} is missing or damaged.") from None
    try:
        head.load_state_dict(tensors)
    except RuntimeError:
        raise UnsupportedModelError(
            f"The {HEAD} of {files.name!r} does not fit its {DECLARATION} and an encoder of hidden size "
            f"{hidden}."
        ) from None
    return head
