"""BERTSum as an engine: scores of sentences, from the head that the text is for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from summarizer.bertsum.config import BertSumConfig
from summarizer.bertsum.folder import read_bertsum
from summarizer.bertsum.model import BertSum, prepare, sentence_vectors
from summarizer.encoder.encoder import Encoder
from summarizer.engines.base import Salience
from summarizer.types import ModelInfo, SplitDocument, round_scores


class BertSumEngine:
    """Scores from 0 to 1, in the order in which the model would choose.

    A model may bring a second head for texts that are no notes (`SplitDocument.article`).
    """

    fits_length = False

    def __init__(self, encoder: Encoder, bertsum: BertSum) -> None:
        self._encoder = encoder
        self._config = bertsum.config
        self._head = bertsum.head.float().eval().to(encoder.device)
        self._articles = bertsum.articles and bertsum.articles.float().eval().to(encoder.device)
        self.model = ModelInfo(
            encoder.name, encoder.sha256, "bertsum", self._config.calibrated, self._config.threshold
        )
        self.device, self.precision = encoder.device, encoder.precision

    @classmethod
    def from_pretrained(
        cls, model: str | Path | None = None, device: str = "auto", precision: str = "auto"
    ) -> "BertSumEngine":
        """Loads the model that ships (None) or a folder that declares itself a BERTSum model.

        Raises:
            ModelError: there is no such model, or it is not one of BERTSum.
        """
        return cls(*read_bertsum(model, device, precision))

    def score(self, documents: Sequence[SplitDocument], asked: Sequence[int]) -> list[Salience]:
        """Reads each document by itself."""
        return [self._salience(document) for document in documents]

    def _salience(self, document: SplitDocument) -> Salience:
        if not document.sentences:
            return Salience(())
        config, head = self._config, self._head
        if document.article and config.articles and self._articles is not None:
            config, head = config.articles, self._articles
        scores = round_scores(self._scores(document, config, head))
        return Salience(scores, calibrated=config.calibrated, threshold=config.threshold)

    def _scores(self, document: SplitDocument, config: BertSumConfig, head: torch.nn.Module) -> list[float]:
        prepared = prepare(self._encoder, document, config.context)
        pooled = sentence_vectors(self._encoder, prepared, config.head.pooling)
        vectors = torch.from_numpy(pooled)[None]
        parts = (vectors, torch.from_numpy(prepared.features)[None], torch.from_numpy(prepared.kinds)[None])
        with torch.inference_mode():
            logits = head(*(part.to(self._encoder.device) for part in parts))[0]
        values = config.scale * logits.double().cpu().numpy() + config.shift
        # The same as 1 / (1 + exp(-x)), without overflow at either end.
        scores: list[float] = (0.5 * (1 + np.tanh(0.5 * values))).tolist()
        return scores
