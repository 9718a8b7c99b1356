"""BERTSum as an engine: scores of sentences, from the head that the text is for."""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from summarizer.bertsum.config import BertSumConfig
from summarizer.bertsum.document import DocumentInput, gathered, prepare
from summarizer.bertsum.folder import read_adapter, read_config, read_encoder, read_heads
from summarizer.bertsum.preparing import beside, grouped
from summarizer.bertsum.scoring import Head, HeadInput, Logits, ModuleHead
from summarizer.centrality import Vectors
from summarizer.encoder.adapter import Adapter
from summarizer.encoder.encoder import Encoder
from summarizer.encoder.files import find_model
from summarizer.encoder.network import ahead
from summarizer.encoder.runtime import Runtime, processors
from summarizer.engines.base import Salience
from summarizer.errors import SummarizerError, UnsupportedModelError
from summarizer.limits import check_time
from summarizer.types import ModelInfo, SplitDocument, round_scores

if TYPE_CHECKING:
    from summarizer.bertsum.model import BertSum

_TOGETHER = 4096  # sentences that the head reads at once: its time and memory grow with their square
_AROUND = 512  # of these on each side for context, where a document has more
_AHEAD = 3  # groups of documents that are made ready while one is read


@dataclass(frozen=True, slots=True)
class _Part:
    """A head with its declaration, and the encoder that it reads."""

    config: BertSumConfig
    head: Head
    encoder: Encoder


@dataclass(frozen=True, slots=True)
class _Begun:
    """Documents whose windows are being read in one call."""

    documents: list[DocumentInput]
    hidden: Iterator[tuple[int, Vectors]]


class BertSumEngine:
    """Scores from 0 to 1, in the order in which the model would choose.

    A model may bring a second head for texts that are no notes (`SplitDocument.article`).

    Args:
        encoder: with two segment ids.
        config: of the heads.
        head: for notes.
        articles: for other texts, where the model has a head for these.
        adapter: of the layers below the head for notes.
    """

    fits_length = False

    def __init__(
        self,
        encoder: Encoder,
        config: BertSumConfig,
        head: Head,
        articles: Head | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        self._notes = _Part(config, head, encoder.adapted(adapter) if adapter else encoder)
        self._articles = _Part(config.articles, articles, encoder) if config.articles and articles else None
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
        heads = read_heads(files, encoder, config)
        return cls(encoder, config, *heads, read_adapter(files, config))

    @classmethod
    def of_module(cls, encoder: Encoder, bertsum: "BertSum") -> "BertSumEngine":
        """Of a network in torch, as it is after training."""
        heads = (bertsum.head, bertsum.articles)
        head, articles = (part and ModuleHead(part, encoder.device) for part in heads)
        if head is None:
            raise TypeError("a BERTSum has a head")
        adapter = bertsum.adapter.values() if bertsum.adapter is not None else None
        return cls(encoder, bertsum.config, head, articles, adapter)

    def in_precision(self, precision: str) -> "BertSumEngine":
        """The same engine with another precision of its encoder; what is in memory is shared."""
        return self._with(lambda encoder: encoder.in_precision(precision))

    def packed(self, together: int) -> "BertSumEngine":
        """The same engine that reads documents of so many tokens together, as on a GPU; of torch alone."""
        return self._with(lambda encoder: encoder.packed(together))

    def _with(self, changed: Callable[[Encoder], Encoder]) -> "BertSumEngine":
        other = copy(self)
        other._notes = replace(self._notes, encoder=changed(self._notes.encoder))
        if self._articles:
            shared = self._articles.encoder is self._notes.encoder
            own = other._notes.encoder if shared else changed(self._articles.encoder)
            other._articles = replace(self._articles, encoder=own)
        other.precision = other._notes.encoder.precision
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
        """Reads each document by itself, or some together where the encoder does; the next are made ready."""
        found = [Salience(())] * len(documents)
        for part, article in ((self._notes, False), (self._articles, True)):
            places = [i for i, d in enumerate(documents) if d.sentences and self._is_article(d) == article]
            if part is not None:
                read = self._read(part, [documents[i] for i in places])
                for place, salience in zip(places, read, strict=True):
                    found[place] = salience
        return found

    def _is_article(self, document: SplitDocument) -> bool:
        return document.article and self._articles is not None

    def _read(self, part: _Part, documents: Sequence[SplitDocument]) -> Iterator[Salience]:
        together = part.encoder.together
        made = partial(prepare, part.encoder, context=part.config.context)
        prepared = beside(made, documents, processors() if together else 0)

        def begun() -> Iterator[_Begun]:
            for group in grouped(prepared, together):
                rows = [row for document in group for row in document.rows]
                yield _Begun(group, part.encoder.encode(rows, part.config.head.depth))

        for group in ahead(begun(), _AHEAD):
            yield from self._saliences(part, group)

    def _saliences(self, part: _Part, begun: _Begun) -> Iterator[Salience]:
        config, head = part.config, part.config.head
        vectors = gathered(begun.hidden, begun.documents, head.pooling, part.encoder.hidden)
        inputs = [
            HeadInput(own, document.features, document.kinds)
            for own, document in zip(vectors, begun.documents, strict=True)
        ]
        for logits, document in zip(_logits(part.head, inputs), inputs, strict=True):
            values = config.scale * logits + config.shift
            if config.features:
                values = values + document.features @ np.array(config.features, np.float32)
            if not np.isfinite(values).all():
                raise UnsupportedModelError(
                    f"The model {self.model.name!r} gives scores that are no numbers."
                )
            # The same as 1 / (1 + exp(-x)), without overflow at either end.
            scores = round_scores((0.5 * (1 + np.tanh(0.5 * values))).tolist())
            yield Salience(scores, calibrated=config.calibrated, threshold=config.threshold)


def _logits(head: Head, documents: Sequence[HeadInput]) -> Iterator[Logits]:
    """Of each document; long ones are read in stretches."""
    short = [document for document in documents if len(document.kinds) <= _TOGETHER]
    check_time()
    read = iter(head(short))
    for document in documents:
        if len(document.kinds) <= _TOGETHER:
            yield next(read)
            continue
        parts = []
        for low, start, end, high in _stretches(len(document.kinds)):
            check_time()
            (logits,) = head([document.part(low, high)])
            parts.append(logits[start - low : end - low])
        yield np.concatenate(parts)


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
