"""BERTSum as an engine: scores of sentences, from the head that the text is for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from summarizer.bertsum.config import BertSumConfig
from summarizer.bertsum.folder import read_bertsum
from summarizer.bertsum.model import BertSum, prepare, sentence_vectors
from summarizer.encoder.encoder import Encoder
from summarizer.engines.base import Salience
from summarizer.errors import SummarizerError, UnsupportedModelError
from summarizer.limits import check_time
from summarizer.types import ModelInfo, SplitDocument, round_scores

_TOGETHER = 4096  # sentences that the head reads at once: its time and memory grow with their square
_AROUND = 512  # of these on each side for context, where a document has more


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
        self._try()

    @classmethod
    def from_pretrained(
        cls, model: str | Path | None = None, device: str = "auto", precision: str = "auto"
    ) -> "BertSumEngine":
        """Loads the model that ships (None) or a folder that declares itself a BERTSum model.

        Raises:
            ModelError: there is no such model, or it is not one of BERTSum.
        """
        return cls(*read_bertsum(model, device, precision))

    def _try(self) -> None:
        """Scores a sentence, since parts that are right, each by itself, may not be so together."""
        sentence = ("The pain began two hours ago.",)
        try:
            self.score([SplitDocument(sentence), SplitDocument(sentence, article=True)], (1, 1))
        except SummarizerError:
            raise
        except FloatingPointError as error:
            raise UnsupportedModelError(f"The model {self.model.name!r} {error}.") from None
        except (
            Exception
        ) as error:  # whatever comes of numbers that do not go together, such as heads and width
            raise UnsupportedModelError(
                f"The model {self.model.name!r} cannot score a sentence ({type(error).__name__}); its "
                "config.json may not be that of its weights."
            ) from None

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
        vectors = sentence_vectors(self._encoder, prepared, config.head.pooling, config.head.depth)
        arrays = (vectors, prepared.features, prepared.kinds)
        parts = tuple(torch.from_numpy(array).to(self._encoder.device) for array in arrays)
        logits = [
            _logits(head, [part[low:high] for part in parts])[start - low : end - low]
            for low, start, end, high in _stretches(len(vectors))
        ]
        values = config.scale * np.concatenate(logits) + config.shift
        if not np.isfinite(values).all():
            raise FloatingPointError("gives scores that are no numbers")
        # The same as 1 / (1 + exp(-x)), without overflow at either end.
        scores: list[float] = (0.5 * (1 + np.tanh(0.5 * values))).tolist()
        return scores


def _logits(head: torch.nn.Module, parts: Sequence[torch.Tensor]) -> npt.NDArray[np.float64]:
    check_time()
    with torch.inference_mode():
        logits: torch.Tensor = head(*(part[None] for part in parts))[0]
    found: npt.NDArray[np.float64] = logits.double().cpu().numpy()
    return found


def _stretches(count: int) -> list[tuple[int, int, int, int]]:
    """Stretches of sentences that the head reads together, as (low, start, end, high).

    All of them, up to `_TOGETHER`: every sentence attends to every other. A longer document is read in
    stretches from `low` to `high`, of which the scores from `start` to `end` are taken.
    """
    if count <= _TOGETHER:
        return [(0, 0, count, count)]
    step = _TOGETHER - 2 * _AROUND
    return [
        (max(0, start - _AROUND), start, min(count, start + step), min(count, start + step + _AROUND))
        for start in range(0, count, step)
    ]
