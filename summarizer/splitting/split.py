"""A text and the sentences that can be chosen from it, with all that rules say of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from summarizer.types import Document, Pinned, Section, Sentence, SplitDocument


@dataclass(frozen=True, slots=True)
class Split:
    """A text and the sentences that can be chosen from it."""

    text: str
    sentences: tuple[Sentence, ...]
    sections: tuple[Section, ...] = ()
    pinned: Pinned = field(default_factory=Pinned)
    parts: Sequence[int] = ()
    article: bool = False

    @property
    def document(self) -> SplitDocument:
        """What an engine reads."""
        return SplitDocument(
            tuple(self.text[s.start : s.end] for s in self.sentences),
            tuple(s.section for s in self.sentences) if self.sections else (),
            tuple(section.kind for section in self.sections),
            self.article,
        )

    def title(self, sentence: Sentence) -> str | None:
        """Of the section that a sentence stands in."""
        return None if sentence.section is None else self.sections[sentence.section].title


def split_document(document: Document) -> Split:
    """Segmentation, what the sentences lean on, and the pinned lines.

    Raises:
        LimitError: the note has more sentences than the work in hand allows (`summarizer.limits`).
    """
    from summarizer.assertion.statements import with_neighbours
    from summarizer.pinned.find import find_pinned
    from summarizer.segmentation.segment import segment

    parts = segment(document.text, document.headings, document.marks)
    parts = with_neighbours(document.text, parts)
    pinned = find_pinned(document.text, parts)
    return Split(document.text, parts.sentences, parts.sections, pinned, document.parts)


def joined(sentences: Sequence[str]) -> Split:
    """The split of a text that came as sentences: these joined by single newlines, blank ones left out."""
    found = []
    start = 0
    for sentence in sentences:
        if sentence.strip():
            found.append(Sentence(start, start + len(sentence)))
        start += len(sentence) + 1
    return Split("\n".join(sentences), tuple(found), article=True)
