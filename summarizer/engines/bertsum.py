"""BERTSum as an engine: notes scored with calibrated probabilities."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from summarizer.bertsum.config import BertSumConfig
from summarizer.bertsum.folder import read_bertsum
from summarizer.bertsum.model import cls_vectors, prepare
from summarizer.encoder.encoder import Encoder
from summarizer.engines.base import Salience
from summarizer.types import ModelInfo, SplitDocument, round_scores


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
