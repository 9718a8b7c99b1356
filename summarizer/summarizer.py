"""The public face: texts in, summaries out."""

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from pathlib import Path

from summarizer.encoder.runtime import MIXED
from summarizer.engines.base import Engine, Salience
from summarizer.engines.registry import (
    DeferredEngine,
    EngineOptions,
    exact_engine,
    make_engine,
    quick_precision,
)
from summarizer.limits import begin_scoring, check_time
from summarizer.selection.column_heads import heads_last
from summarizer.selection.select import asked_sentences, select, select_parts, sufficient, taking_order
from summarizer.selection.settle import settled
from summarizer.splitting.apart import split
from summarizer.splitting.split import Split, joined
from summarizer.types import (
    Budget,
    Document,
    LeftOut,
    LeftOutSection,
    ModelInfo,
    ScoredSentence,
    SelectedSentence,
    SplitDocument,
    Summary,
)


class Summarizer:
    """Extractive summaries: sentences of the note itself, verbatim, in its own order.

    A note's summary depends on the note, the model and the budget alone: not on the other notes of a call,
    their number or their order. On a GPU, which reads notes together, scores differ with these by rounding.

    Example:
        >>> summarizer = Summarizer.from_pretrained(engine="lead")
        >>> [summary] = summarizer.summarize(["No fever. Cough for two days."], Budget(sentences=1))
        >>> summary.summary[0].text
        'No fever.'
    """

    def __init__(self, engine: Engine, exact: Callable[[], Engine] | None = None) -> None:
        """Takes an engine, and how a slower one is made that decides where scores lie too close for it."""
        self._engine = engine
        self._exact = None if exact is None else cache(exact)

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
            precision: `auto` or `fp32`; `bf16`, which is faster and changes some selections; or `mixed`: bf16
                where the processor has it, and a note again in fp32 where its selection hangs by a hair.
            defer: load weights (and torch) when the first text has to be scored; `model` is known before.

        Raises:
            EngineError: unknown engine, device or precision.
            ModelError: the model cannot be found, reached or used.
        """
        mixed = precision == MIXED
        if mixed:
            precision = quick_precision(engine, EngineOptions(model, device))
        options = EngineOptions(model, device, precision)
        made = DeferredEngine(engine, options) if defer else make_engine(engine, options)
        return cls(made, partial(exact_engine, made) if mixed and precision != "fp32" else None)

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
        """What the encoder computes with, as resolved: `fp32`, `bf16` or `mixed`; "" where there is none."""
        return self._engine.precision if self._exact is None else MIXED

    def summarize(self, texts: Sequence[str | Document], budget: Budget | None = None) -> list[Summary]:
        """One summary per text, in the order of the texts; a text without a sentence has an empty one.

        Args:
            texts: strings, or documents that bring the headings and marks their format declares. Each part
                of a document gets sentences as if it were alone, so that none is left out for another.
            budget: None for the model's own choice of length (`summarizer.selection.select.select`).

        Raises:
            LimitError: within `summarizer.limits.working`, a note that costs more than it may.
        """
        documents = (Document(item) if isinstance(item, str) else item for item in texts)
        return self._summarize([split(document) for document in documents], budget)

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
        return self._summarize([joined(document) for document in documents], budget)

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
        salience = Salience(scores, calibrated=self.model.calibrated, threshold=self.model.threshold)
        found: list[int | None] = [None] * len(sentences)
        for rank, i in enumerate(taking_order(sentences, salience), start=1):
            found[i] = rank
        return tuple(found)

    def _summarize(self, notes: Sequence[Split], budget: Budget | None) -> list[Summary]:
        documents = [parts.document for parts in notes]
        asked = [asked_sentences(budget, document.sentences) for document in documents]
        begin_scoring(len(notes))
        scored = self._engine.score(documents, asked)
        found = [heads_last(parts.sentences, one) for parts, one in zip(notes, scored, strict=True)]
        rules = [partial(_chosen, parts, budget) for parts in notes]
        chosen = [rule(salience) for rule, salience in zip(rules, found, strict=True)]
        for i, salience in self._decided(documents, asked, found, chosen, rules):
            found[i] = heads_last(notes[i].sentences, salience)
            chosen[i] = rules[i](found[i])
        return [self._summary(*note) for note in zip(notes, found, chosen, strict=True)]

    def _decided(
        self,
        documents: Sequence[SplitDocument],
        asked: Sequence[int],
        found: Sequence[Salience],
        chosen: Sequence[list[int]],
        rules: Sequence[Callable[[Salience], list[int]]],
    ) -> list[tuple[int, Salience]]:
        """The exact scores of those notes whose selection hangs by a hair, read in one call."""
        if self._exact is None:
            return []
        near = [i for i, rule in enumerate(rules) if not settled(found[i], chosen[i], rule)]
        if not near:
            return []
        exact = self._exact().score([documents[i] for i in near], [asked[i] for i in near])
        return list(zip(near, exact, strict=True))

    def _summary(self, parts: Split, salience: Salience, chosen: Sequence[int]) -> Summary:
        from summarizer.assertion.flags import sentence_flags

        flags = {
            i: sentence_flags(parts.text, s.start, s.end, s.context)
            for i in chosen
            for s in (parts.sentences[i],)
        }
        scored = [
            ScoredSentence(s.start, s.end, score, parts.title(s), s.context, flags.get(i, ()))
            for i, (s, score) in enumerate(zip(parts.sentences, salience.scores, strict=True))
        ]
        return Summary(
            model=self.model,
            text_sha256=_sha256(parts.text),
            length=len(parts.text),
            summary=tuple(_selected(parts.text, scored[i]) for i in chosen),
            sentences=tuple(scored),
            pinned=parts.pinned,
            left_out=_left_out(parts, salience, chosen),
        )


def _chosen(note: Split, budget: Budget | None, salience: Salience) -> list[int]:
    check_time()
    sentences = note.document.sentences
    if len(note.parts) < 2:
        return select(sentences, salience, budget)
    starts = [sentence.start for sentence in note.sentences]
    ends = [bisect_left(starts, part) for part in (*note.parts[1:], len(note.text))]
    return select_parts(sentences, salience, ends, budget)


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


def _sha256(text: str) -> str:
    # A lone surrogate, which JSON can bring, has no UTF-8 form; it counts as the three bytes it would have.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _left_out(parts: Split, salience: Salience, chosen: Sequence[int]) -> LeftOut:
    """Sections of which nothing was chosen, and the sentences that would have sufficed but found no place."""
    of = Counter(s.section for s in parts.sentences if s.section is not None)
    shown = {parts.sentences[i].section for i in chosen}
    sections = tuple(
        LeftOutSection(section.title, of[number])
        for number, section in enumerate(parts.sections)
        if of[number] and number not in shown
    )
    return LeftOut(sections, len(sufficient(parts.document.sentences, salience) - set(chosen)))
