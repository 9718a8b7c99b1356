"""BERTSum as an engine: scores of sentences, from the head that the text is for."""

from collections import deque
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from summarizer.bertsum.config import BertSumConfig
from summarizer.bertsum.document import DocumentInput, gathered, prepare
from summarizer.bertsum.folder import read_config, read_encoder, read_heads
from summarizer.bertsum.scoring import Head, ModuleHead
from summarizer.centrality import Vectors
from summarizer.encoder.encoder import Encoder
from summarizer.encoder.files import find_model
from summarizer.encoder.runtime import Runtime
from summarizer.engines.base import Salience
from summarizer.errors import SummarizerError, UnsupportedModelError
from summarizer.limits import check_time
from summarizer.types import ModelInfo, SplitDocument, round_scores

if TYPE_CHECKING:
    from summarizer.bertsum.model import BertSum

_TOGETHER = 4096  # sentences that the head reads at once: its time and memory grow with their square
_AROUND = 512  # of these on each side for context, where a document has more
_AHEAD = 3  # documents that are made ready while one is read


@dataclass(frozen=True, slots=True)
class _Begun:
    """A document whose windows are being read."""

    config: BertSumConfig
    head: Head
    prepared: DocumentInput
    hidden: Iterator[tuple[int, Vectors]]


class BertSumEngine:
    """Scores from 0 to 1, in the order in which the model would choose.

    A model may bring a second head for texts that are no notes (`SplitDocument.article`).

    Args:
        encoder: with two segment ids.
        config: of the heads.
        head: for notes.
        articles: for other texts, where the model has a head for these.
    """

    fits_length = False

    def __init__(
        self, encoder: Encoder, config: BertSumConfig, head: Head, articles: Head | None = None
    ) -> None:
        self._encoder, self._config = encoder, config
        self._head, self._articles = head, articles
        self.model = ModelInfo(encoder.name, encoder.sha256, "bertsum", config.calibrated, config.threshold)
        self.device, self.precision = encoder.device, encoder.precision
        self._try()

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        device: str = "auto",
        precision: str = "auto",
        runtime: Runtime | None = None,
    ) -> "BertSumEngine":
        """Loads the model that ships (None) or a folder that declares itself a BERTSum model.

        Raises:
            ModelError: there is no such model, or it is not one of BERTSum.
            EngineError: device or precision are not possible, or torch is needed and not installed.
        """
        files = find_model(model)
        config = read_config(files)
        encoder = read_encoder(files, device, precision, runtime)
        return cls(encoder, config, *read_heads(files, encoder, config))

    @classmethod
    def of_module(cls, encoder: Encoder, bertsum: "BertSum") -> "BertSumEngine":
        """Of a network in torch, as it is after training."""
        heads = (bertsum.head, bertsum.articles)
        head, articles = (part and ModuleHead(part, encoder.device) for part in heads)
        if head is None:
            raise TypeError("a BERTSum has a head")
        return cls(encoder, bertsum.config, head, articles)

    def in_precision(self, precision: str) -> "BertSumEngine":
        """The same engine with another precision of its encoder; what is in memory is shared."""
        other = copy(self)
        other._encoder, other.precision = self._encoder.in_precision(precision), precision
        return other

    def _try(self) -> None:
        """Scores a sentence, since parts that are right, each by itself, may not be so together."""
        sentence = ("The pain began two hours ago.",)
        try:
            self.score([SplitDocument(sentence)], (1,))
        except SummarizerError:
            raise
        except (
            Exception
        ) as error:  # whatever comes of numbers that do not go together, such as heads and width
            raise UnsupportedModelError(
                f"The model {self.model.name!r} cannot score a sentence ({type(error).__name__}); its "
                "config.json may not be that of its weights."
            ) from None

    def score(self, documents: Sequence[SplitDocument], asked: Sequence[int]) -> list[Salience]:
        """Reads each document by itself; while one is read, the next are made ready."""
        found: list[Salience] = []
        waiting: deque[_Begun | None] = deque()
        for document in documents:
            waiting.append(self._begin(document))
            if len(waiting) > _AHEAD:
                found.append(self._salience(waiting.popleft()))
        return found + [self._salience(begun) for begun in waiting]

    def _begin(self, document: SplitDocument) -> _Begun | None:
        if not document.sentences:
            return None
        config, head = self._config, self._head
        if document.article and config.articles and self._articles is not None:
            config, head = config.articles, self._articles
        prepared = prepare(self._encoder, document, config.context)
        return _Begun(config, head, prepared, self._encoder.encode(prepared.rows, config.head.depth))

    def _salience(self, begun: _Begun | None) -> Salience:
        if begun is None:
            return Salience(())
        scores = round_scores(self._scores(begun))
        return Salience(scores, calibrated=begun.config.calibrated, threshold=begun.config.threshold)

    def _scores(self, begun: _Begun) -> list[float]:
        config, made = begun.config, begun.prepared
        vectors = gathered(
            begun.hidden, made.windows, made.lengths, config.head.pooling, self._encoder.hidden
        )
        logits = []
        for low, start, end, high in _stretches(len(vectors)):
            check_time()
            part = begun.head(vectors[low:high], made.features[low:high], made.kinds[low:high])
            logits.append(part[start - low : end - low])
        values = config.scale * np.concatenate(logits) + config.shift
        if not np.isfinite(values).all():
            raise UnsupportedModelError(f"The model {self.model.name!r} gives scores that are no numbers.")
        # The same as 1 / (1 + exp(-x)), without overflow at either end.
        scores: list[float] = (0.5 * (1 + np.tanh(0.5 * values))).tolist()
        return scores


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
