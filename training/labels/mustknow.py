"""Targets out of marked facts: which sentences of a note state what a clinician must know.

Facts are marked as spans of characters, so the targets follow from whatever the segmentation makes of a note:
when it changes, labels are made anew from the same marks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from summarizer.segmentation.segment import segment
from summarizer.types import Segmentation, Sentence, Span
from training.corpora.article import Article, ArticleSection
from training.corpora.letterhead import framed_text
from training.corpora.mustknow import Fact, Importance, MarkedNote, Part, covered, read_marked
from training.corpora.records import Corpus
from training.labels.label_file import LabelledArticle, Totals, open_labels, row_of
from training.labels.oracle import Labels

__all__ = ["MarkedJob", "label_marked", "sentences_of", "targets"]

SOURCE = "mustknow"
WORTH = {Importance.MUST: 1.0, Importance.SHOULD: 0.5}
_HALF = 0.5  # of a span in a sentence, or of a sentence in a span: the sentence states the fact


@dataclass(frozen=True, slots=True)
class MarkedJob:
    """What to label.

    Attributes:
        marks, notes: see `training.corpora.mustknow.read_marked`.
        parts: the notes to label; none of those that are held out, unless asked for.
        framed: how often each note comes once more with an invented letterhead and signature around it,
            which go through the segmentation as those of a real note do.
    """

    marks: Corpus
    notes: Corpus
    parts: tuple[Part, ...] = (Part.TRAINING,)
    framed: int = 1

    def settings(self) -> dict[str, Any]:
        """What decides the content of the file, for its first line."""
        return {
            "data": self.marks.name,
            "schema": SOURCE,
            "notes": self.notes.name,
            "parts": list(self.parts),
            "framed": self.framed,
        }


def label_marked(job: MarkedJob, out: Path) -> Totals:
    """Labels marked notes into a file.

    Returns:
        The totals of the file.

    Raises:
        CorpusError: marks and notes cannot be read or do not belong together.
        LabelFileError: `out` holds something else, was made with other settings, or cannot be written.
    """
    writer = open_labels(out, job.settings())
    with writer.file:
        done = writer.totals.records
        for number, labelled in enumerate(_labelled(job)):
            if number >= done:
                writer.add([row_of(number, labelled)])
    return writer.totals


def targets(sentences: Sequence[Sentence], facts: Sequence[Fact], shift: int = 0) -> tuple[float, ...]:
    """What each sentence is worth: 1 where it states a must fact, 0.5 a should fact, else 0.

    Args:
        sentences: of the text.
        facts: marked in the note.
        shift: where the note begins in the text.
    """
    worth = [0.0] * len(sentences)
    for fact in facts:
        for i in sentences_of(sentences, fact, shift):
            worth[i] = max(worth[i], WORTH[fact.importance])
    return tuple(worth)


def sentences_of(sentences: Sequence[Sentence], fact: Fact, shift: int = 0) -> list[int]:
    """The sentences that state a fact: half of one of its spans is in it, or half of it in the span."""
    spans = [Span(span.start + shift, span.end + shift) for span in fact.spans]
    return [i for i, sentence in enumerate(sentences) if any(_states(sentence, span) for span in spans)]


def _states(sentence: Sentence, span: Span) -> bool:
    shared = covered(span, (Span(sentence.start, sentence.end),))
    return shared > 0 and shared >= _HALF * min(span.end - span.start, sentence.end - sentence.start)


def _labelled(job: MarkedJob) -> Iterator[LabelledArticle]:
    for note in read_marked(job.marks, job.notes):
        if note.part not in job.parts:
            continue
        for number in range(1 + job.framed):
            text, shift = framed_text(note.text, f"{number}:{note.id}") if number else (note.text, 0)
            parts = segment(text)
            if parts.sentences:
                yield _article(note, number, text, parts, targets(parts.sentences, note.facts, shift))


def _article(
    note: MarkedNote, number: int, text: str, parts: Segmentation, worth: tuple[float, ...]
) -> LabelledArticle:
    sentences = tuple(" ".join(text[s.start : s.end].split()) for s in parts.sentences)
    must = tuple(int(value == 1.0) for value in worth)
    labels = Labels(
        labels=must,
        order=tuple(i for i, value in enumerate(must) if value),
        alone=worth,
        gain=worth,
        rouge=1.0,
    )
    summary = tuple(sentence for sentence, value in zip(sentences, must, strict=True) if value)
    article = Article(f"{note.id}:{number}", sentences, _sections(parts), summary, SOURCE)
    return LabelledArticle(article, labels)


def _sections(parts: Segmentation) -> tuple[ArticleSection, ...]:
    """Sections with their sentences; what stands before the first or between two has no title."""
    found: list[ArticleSection] = []
    before: int | None = -1
    for i, sentence in enumerate(parts.sentences):
        if sentence.section != before or not found:
            title = "" if sentence.section is None else parts.sections[sentence.section].title
            found.append(ArticleSection(title, i, i))
            before = sentence.section
        last = found[-1]
        found[-1] = ArticleSection(last.title, last.start, i + 1)
    return tuple(found)
