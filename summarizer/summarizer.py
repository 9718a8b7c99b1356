"""The public face: texts in, summaries out."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from summarizer.engines.base import Engine, Salience
from summarizer.engines.registry import DeferredEngine, EngineOptions, make_engine
from summarizer.selection.select import asked_sentences, select, sufficient, taking_order
from summarizer.types import (
    Budget,
    Document,
    LeftOut,
    LeftOutSection,
    ModelInfo,
    Pinned,
    ScoredSentence,
    Section,
    SelectedSentence,
    Sentence,
    SplitDocument,
    Summary,
)


@dataclass(frozen=True, slots=True)
class _Split:
    """A text and the sentences that can be chosen from it."""

    text: str
    sentences: tuple[Sentence, ...]
    sections: tuple[Section, ...] = ()
    pinned: Pinned = field(default_factory=Pinned)
    article: bool = False

    @property
    def document(self) -> SplitDocument:
        return SplitDocument(
            tuple(self.text[s.start : s.end] for s in self.sentences),
            tuple(s.section for s in self.sentences) if self.sections else (),
            tuple(section.kind for section in self.sections),
            self.article,
        )

    def title(self, sentence: Sentence) -> str | None:
        return None if sentence.section is None else self.sections[sentence.section].title


class Summarizer:
    """Extractive summaries: sentences of the note itself, verbatim, in its own order.

    A note's summary depends on the note, the model and the budget alone: not on the other notes of a call,
    their number or their order.

    Example:
        >>> summarizer = Summarizer.from_pretrained(engine="lead")
        >>> [summary] = summarizer.summarize(["No fever. Cough for two days."], Budget(sentences=1))
        >>> summary.summary[0].text
        'No fever.'
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        engine: str = "bertsum",
        device: str = "auto",
        precision: str = "auto",
        *,
        defer: bool = False,
    ) -> "Summarizer":
        """Loads an engine and its model.

        Args:
            model: a model folder, a hub name of a BERT (the only case in which the network is used), or None
                for the one that ships. `lead` needs none and ignores it.
            engine: `bertsum`, which needs a model trained for it, `lexrank`, `kmeans` or `lead`.
            device: `auto` (CUDA if there is a device), `cpu` or `cuda`.
            precision: `auto` or `fp32`, or `bf16`, which is faster and changes some selections.
            defer: load weights (and torch) when the first text has to be scored; `model` is known before.

        Raises:
            EngineError: unknown engine, device or precision.
            ModelError: the model cannot be found, reached or used.
        """
        options = EngineOptions(model, device, precision)
        return cls(DeferredEngine(engine, options) if defer else make_engine(engine, options))

    @property
    def model(self) -> ModelInfo:
        """Which model chooses."""
        return self._engine.model

    @property
    def device(self) -> str:
        """Where it computes, as resolved: `cpu` or `cuda`."""
        return self._engine.device

    @property
    def precision(self) -> str:
        """What the encoder computes with, as resolved: `fp32` or `bf16`; "" for an engine without one."""
        return self._engine.precision

    def summarize(self, texts: Sequence[str | Document], budget: Budget | None = None) -> list[Summary]:
        """One summary per text, in the order of the texts; a text without a sentence has an empty one.

        Args:
            texts: strings, or documents that bring the headings and marks their format declares.
            budget: None for the model's own choice of length (`summarizer.selection.select.select`).
        """
        from summarizer.assertion.statements import with_neighbours
        from summarizer.pinned.find import find_pinned
        from summarizer.segmentation.segment import segment

        splits = []
        for item in texts:
            document = Document(item) if isinstance(item, str) else item
            parts = segment(document.text, document.headings, document.marks)
            parts = with_neighbours(document.text, parts)
            pinned = find_pinned(document.text, parts)
            splits.append(_Split(document.text, parts.sentences, parts.sections, pinned))
        return self._summarize(splits, budget)

    def summarize_sentences(
        self, documents: Iterable[Sequence[str]], budget: Budget | None = None
    ) -> list[Summary]:
        """The same for texts that are split already, as corpora are.

        Args:
            documents: the sentences of each document.
            budget: as in `summarize`.

        Returns:
            Summaries whose offsets are into the sentences joined by single newlines. Blank sentences are left
            out.
        """
        return self._summarize([_joined(document) for document in documents], budget)

    def ranks(self, text: str, summary: Summary) -> tuple[int | None, ...] | None:
        """The place in which each sentence of a summary's note is taken as a budget of sentences grows.

        The sentences with a rank of at most N are those that `summarize` chooses for `Budget(sentences=N)`,
        so whoever shows a summary can make it longer and shorter without asking again.

        Args:
            text: the note.
            summary: made of it by this summarizer, with whatever budget.

        Returns:
            For each of `summary.sentences` its rank from 1, or None if it is never taken because it repeats
            another one word for word; None if the engine chooses anew for each length, as K-means does.
        """
        if self._engine.fits_length:
            return None
        sentences = [text[s.start : s.end] for s in summary.sentences]
        scores = tuple(s.score for s in summary.sentences)
        salience = Salience(scores, calibrated=self.model.calibrated)
        found: list[int | None] = [None] * len(sentences)
        for rank, i in enumerate(taking_order(sentences, salience), start=1):
            found[i] = rank
        return tuple(found)

    def _summarize(self, splits: Sequence[_Split], budget: Budget | None) -> list[Summary]:
        documents = [split.document for split in splits]
        asked = [asked_sentences(budget, document.sentences) for document in documents]
        saliences = self._engine.score(documents, asked)
        return [
            self._summary(split, salience, select(document.sentences, salience, budget))
            for split, document, salience in zip(splits, documents, saliences, strict=True)
        ]

    def _summary(self, split: _Split, salience: Salience, chosen: Sequence[int]) -> Summary:
        from summarizer.assertion.flags import sentence_flags

        flags = {
            i: sentence_flags(split.text, s.start, s.end, s.context)
            for i in chosen
            for s in (split.sentences[i],)
        }
        scored = [
            ScoredSentence(s.start, s.end, score, split.title(s), s.context, flags.get(i, ()))
            for i, (s, score) in enumerate(zip(split.sentences, salience.scores, strict=True))
        ]
        return Summary(
            model=self.model,
            text_sha256=_sha256(split.text),
            length=len(split.text),
            summary=tuple(_selected(split.text, scored[i]) for i in chosen),
            sentences=tuple(scored),
            pinned=split.pinned,
            left_out=_left_out(split, salience, chosen),
        )


def _selected(text: str, sentence: ScoredSentence) -> SelectedSentence:
    return SelectedSentence(
        sentence.start,
        sentence.end,
        text[sentence.start : sentence.end],
        sentence.score,
        sentence.section,
        sentence.context,
        sentence.flags,
    )


def _joined(document: Sequence[str]) -> _Split:
    sentences = []
    start = 0
    for sentence in document:
        if sentence.strip():
            sentences.append(Sentence(start, start + len(sentence)))
        start += len(sentence) + 1
    return _Split("\n".join(document), tuple(sentences), article=True)


def _sha256(text: str) -> str:
    # A lone surrogate, which JSON can bring, has no UTF-8 form; it counts as the three bytes it would have.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _left_out(split: _Split, salience: Salience, chosen: Sequence[int]) -> LeftOut:
    """Sections of which nothing was chosen, and the sentences that would have sufficed but found no place."""
    of = Counter(s.section for s in split.sentences if s.section is not None)
    shown = {split.sentences[i].section for i in chosen}
    sections = tuple(
        LeftOutSection(section.title, of[number])
        for number, section in enumerate(split.sections)
        if of[number] and number not in shown
    )
    return LeftOut(sections, len(sufficient(split.document.sentences, salience) - set(chosen)))
