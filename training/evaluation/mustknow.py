"""What summaries of notes find of the facts that a reader marked as what a clinician must know.

A fact is **found** if the shown text holds 80% of the characters of one of its spans; shown are the chosen
sentences with their context, as a reader sees them. A sentence is **useless** if it touches no marked fact.
A **trap** is sprung if what misleads by itself is shown and none of what it needs. Each figure is a share of
all facts, sentences or traps of the notes together; intervals are of the paired bootstrap over notes.

The first system decides how long each summary is (its own choice, unless a budget is given); the others may
use as many words in the same note.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from summarizer.assertion.statements import with_neighbours
from summarizer.pinned.find import find_pinned
from summarizer.segmentation.segment import segment
from summarizer.selection.select import count_words
from summarizer.types import Budget, ModelInfo, SectionKind, Segmentation, Span
from training.corpora.mustknow import Fact, Importance, MarkedNote, Part, Trap, covered, is_found, read_marked
from training.corpora.records import Corpus
from training.errors import TrainingError
from training.evaluation.bootstrap import LEVEL, Estimate, Values, resampled_means
from training.evaluation.errors import EvaluationError
from training.evaluation.systems import System
from training.evaluation.types import Item

__all__ = [
    "MEASURES",
    "Measured",
    "OracleOfFacts",
    "Prepared",
    "SectionRule",
    "SystemRow",
    "evaluate_mustknow",
    "read_prepared",
]

MEASURES = ("must", "must with pinned", "should", "useless", "traps")
_EXACT = Budget(sentences=10**9)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A marked note, cut into sentences, and what the rules find in it."""

    note: MarkedNote
    parts: Segmentation
    item: Item
    pinned: tuple[Span, ...]

    def shown(self, chosen: Sequence[int]) -> tuple[Span, ...]:
        """What a reader sees of these sentences: themselves and their context, each character once."""
        spans = []
        for i in chosen:
            sentence = self.parts.sentences[i]
            spans += [Span(sentence.start, sentence.end)]
            spans += [Span(piece.start, piece.end) for piece in sentence.context]
        return _merged(spans)


@dataclass(frozen=True, slots=True)
class SystemRow:
    """The figures of one system.

    Attributes:
        estimates: of all notes together, one for each of `MEASURES`; `differences` to the first system.
        by_fact, by_note: must facts found, of how many, by kind of fact and by kind of note.
        by_fact_with_pinned: the same by kind of fact, with the lines that rules find.
    """

    name: str
    model: ModelInfo
    estimates: tuple[Estimate, ...]
    differences: tuple[Estimate, ...]
    sentences: float
    words: float
    by_fact: Mapping[str, tuple[int, int]]
    by_note: Mapping[str, tuple[int, int]]
    by_fact_with_pinned: Mapping[str, tuple[int, int]]


class SectionRule:
    """No model: impression, assessment and plan in the order of the note, then the rest."""

    name = "section-rule"
    model = ModelInfo(name, "", name)
    _FIRST = (SectionKind.IMPRESSION, SectionKind.ASSESSMENT, SectionKind.PLAN)

    def choose(self, note: Prepared, words: int) -> list[int]:
        """What fits the words."""
        kinds = [
            None if s.section is None else note.parts.sections[s.section].kind for s in note.parts.sentences
        ]
        order = [i for i, kind in enumerate(kinds) if kind in self._FIRST]
        return _fitting(note, [*order, *(i for i in range(len(kinds)) if kinds[i] not in self._FIRST)], words)


class OracleOfFacts:
    """Sees the marks: each time the sentence that brings the most must facts for its words."""

    name = "oracle"
    model = ModelInfo(name, "", name)

    def choose(self, note: Prepared, words: int) -> list[int]:
        """What fits the words."""
        chosen: list[int] = []
        left = words
        while True:
            best, found = None, 0.0
            had = self._worth(note, chosen)
            for i, sentence in enumerate(note.item.sentences):
                cost = count_words(sentence)
                if i not in chosen and cost <= left:
                    gain = (self._worth(note, [*chosen, i]) - had) / cost
                    if gain > found:
                        best, found = i, gain
            if best is None:
                return sorted(chosen)
            chosen.append(best)
            left -= count_words(note.item.sentences[best])

    @staticmethod
    def _worth(note: Prepared, chosen: Sequence[int]) -> float:
        """Facts found; a part of one counts a little, as two sentences may state it together."""
        shown = note.shown(chosen)
        worth = {Importance.MUST: 1.0, Importance.SHOULD: 0.01}
        return sum(worth[fact.importance] * _nearly(fact, shown) for fact in note.note.facts)


Measured = System | SectionRule | OracleOfFacts


def read_prepared(
    marks: Corpus, notes: Corpus, part: Part | None, limit: int | None = None
) -> list[Prepared]:
    """The marked notes of a part (None: of all), as they are measured on.

    Raises:
        EvaluationError: the files cannot be read or do not belong together, or there is no such note.
    """
    found: list[Prepared] = []
    try:
        for note in read_marked(marks, notes):
            if part in (None, note.part) and len(found) != limit:
                found.append(_prepared(note))
    except TrainingError as error:
        raise EvaluationError(str(error)) from None
    if not found:
        raise EvaluationError(f"{marks.name} marks no note of this part.")
    return found


def evaluate_mustknow(
    notes: Sequence[Prepared],
    systems: Sequence[Measured],
    budget: Budget | None,
    seed: int,
    say: Callable[[str], None],
) -> list[SystemRow]:
    """Measures systems at the same number of words in each note.

    Args:
        notes: see `read_prepared`.
        systems: the first one, an engine, decides how many words the others may use.
        budget: of the first one; None for its own choice.
        seed: of the bootstrap.
        say: is told when a system is done.

    Returns:
        A row for each system; its `differences` are from the first one, which has none.
    """
    first, *others = systems
    if isinstance(first, SectionRule | OracleOfFacts):
        raise EvaluationError("Name an engine first; the others use as many words as it does.")
    choices = [first.choose([replace(note.item, budget=budget or Budget()) for note in notes]).chosen]
    words = [
        sum(count_words(note.item.sentences[i]) for i in c) for note, c in zip(notes, choices[0], strict=True)
    ]
    say(f"{first.name}: {sum(words)} words in {len(notes)} notes")
    for system in others:
        if isinstance(system, SectionRule | OracleOfFacts):
            chosen = [tuple(system.choose(note, most)) for note, most in zip(notes, words, strict=True)]
        else:
            items = [
                replace(n.item, budget=Budget(words=max(1, most)))
                for n, most in zip(notes, words, strict=True)
            ]
            chosen = list(system.choose(items).chosen)
        choices.append(tuple(chosen))
        say(f"{system.name}: done")
    counts = [_counts(notes, chosen) for chosen in choices]  # of each (notes, measures, 2)
    return _rows(notes, systems, choices, counts, seed)


def _rows(
    notes: Sequence[Prepared],
    systems: Sequence[Measured],
    choices: Sequence[Sequence[Sequence[int]]],
    counts: Sequence[Values],
    seed: int,
) -> list[SystemRow]:
    stacked = np.stack(counts, axis=1)  # (notes, systems, measures, 2)
    drawn = resampled_means(stacked.reshape(len(notes), -1), seed).reshape(-1, *stacked.shape[1:])
    shares, resampled = _ratio(stacked.mean(axis=0)), _ratio(drawn)
    rows = []
    for place, (system, chosen) in enumerate(zip(systems, choices, strict=True)):
        own, less = shares[place], shares[place] - shares[0]
        shown = [note.shown(indices) for note, indices in zip(notes, chosen, strict=True)]
        with_pinned = [_merged([*spans, *note.pinned]) for note, spans in zip(notes, shown, strict=True)]
        rows.append(
            SystemRow(
                system.name,
                system.model,
                _estimates(own, resampled[:, place]),
                _estimates(less, resampled[:, place] - resampled[:, 0]) if place else (),
                sum(map(len, chosen)) / len(notes),
                sum(count_words(n.item.sentences[i]) for n, c in zip(notes, chosen, strict=True) for i in c)
                / len(notes),
                _must_by(notes, shown, lambda note, kind: kind),
                _must_by(notes, shown, lambda note, kind: note),
                _must_by(notes, with_pinned, lambda note, kind: kind),
            )
        )
    return rows


def _ratio(values: Values) -> Values:
    ratios: Values = values[..., 0] / np.maximum(values[..., 1], 1e-12)
    return ratios


def _estimates(means: Values, drawn: Values) -> tuple[Estimate, ...]:
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(drawn, [tail, 100 - tail], axis=0)
    return tuple(
        Estimate(round(float(m), 6), round(float(a), 6), round(float(b), 6))
        for m, a, b in zip(means, low, high, strict=True)
    )


def _counts(notes: Sequence[Prepared], choices: Sequence[Sequence[int]]) -> Values:
    """Of each note and measure: how many, of how many."""
    return np.array([_of_note(note, chosen) for note, chosen in zip(notes, choices, strict=True)], np.float64)


def _of_note(note: Prepared, chosen: Sequence[int]) -> list[tuple[int, int]]:
    shown = note.shown(chosen)
    both = _merged([*shown, *note.pinned])
    facts = {i: [f for f in note.note.facts if f.importance is i] for i in Importance}
    must, should = facts[Importance.MUST], facts[Importance.SHOULD]
    useless = sum(not _touches(note, i) for i in chosen)
    return [
        (sum(is_found(f.spans, shown) for f in must), len(must)),
        (sum(is_found(f.spans, both) for f in must), len(must)),
        (sum(is_found(f.spans, shown) for f in should), len(should)),
        (useless, len(chosen)),
        (sum(_sprung(trap, shown) for trap in note.note.traps), len(note.note.traps)),
    ]


def _nearly(fact: Fact, shown: Sequence[Span]) -> float:
    if is_found(fact.spans, shown):
        return 1.0
    return 0.5 * max(covered(span, shown) / (span.end - span.start) for span in fact.spans)


def _touches(note: Prepared, sentence: int) -> bool:
    own = (Span(note.parts.sentences[sentence].start, note.parts.sentences[sentence].end),)
    return any(covered(span, own) for fact in note.note.facts for span in fact.spans)


def _sprung(trap: Trap, shown: Sequence[Span]) -> bool:
    return is_found((trap.shown,), shown) and not any(is_found((need,), shown) for need in trap.needs)


def _must_by(
    notes: Sequence[Prepared], shown: Sequence[Sequence[Span]], key: Callable[[str, str], str]
) -> dict[str, tuple[int, int]]:
    table: dict[str, tuple[int, int]] = {}
    for note, spans in zip(notes, shown, strict=True):
        for fact in note.note.facts:
            if fact.importance is Importance.MUST:
                name = key(note.note.kind, fact.kind)
                found, count = table.get(name, (0, 0))
                table[name] = found + is_found(fact.spans, spans), count + 1
    return dict(sorted(table.items()))


def _prepared(note: MarkedNote) -> Prepared:
    parts = with_neighbours(note.text, segment(note.text))
    item = Item(
        tuple(note.text[s.start : s.end] for s in parts.sentences),
        tuple(s.start for s in parts.sentences),
        _EXACT,
        text=note.text,
    )
    lines = find_pinned(note.text, parts).lines
    spans = [Span(line.start, line.end) for line in lines]
    spans += [Span(piece.start, piece.end) for line in lines for piece in line.context]
    return Prepared(note, parts, item, _merged(spans))


def _merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Disjoint spans in order that hold the same characters."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)


def _fitting(note: Prepared, order: Sequence[int], words: int) -> list[int]:
    chosen, left = [], words
    for i in order:
        cost = count_words(note.item.sentences[i])
        if cost <= left:
            chosen.append(i)
            left -= cost
    return sorted(chosen)
