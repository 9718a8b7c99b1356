"""What a timeline shows of a note: sentences and lines that rules found, each with what stands around it."""

import re
from dataclasses import dataclass

_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Context:
    """What must be shown with a sentence: `text[start:end]` of the same text.

    Attributes:
        kind: code of why (`summarizer.types.ContextKind`).
        text: what stands there, word for word.
    """

    start: int
    end: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sentence stands: `text[start:end]` at `path` of `reference`, in code points.

    Attributes:
        composition: `Composition/id` of the note's summary, which chose the sentence there.
        source: `Type/id` of the note.
        version: of the note; "" where the server has none.
        reference: `Type/id` of what holds the text: the note, or the extracted text beside it.
        text: what stands there, word for word.
        context: what goes with it there, in the order of the note.
    """

    composition: str
    source: str
    version: str
    reference: str
    path: str
    start: int
    end: int
    text: str
    score: float | None = None
    context: tuple[Context, ...] = ()

    @property
    def setting(self) -> tuple[tuple[str, str], ...]:
        """What is said around it; two places with the same words and another setting say two things."""
        return tuple((piece.kind, _WORD.sub(" ", piece.text.casefold()).strip()) for piece in self.context)


@dataclass(frozen=True, slots=True)
class PinnedLine:
    """A line that a rule found.

    Attributes:
        head: the rule's words: `Allergies`, `Allergies (3 of 5 shown)`.
        rule, version: which rule.
    """

    place: Place
    head: str
    rule: str
    version: str

    @property
    def before(self) -> tuple[Context, ...]:
        """The context that the note has before it."""
        return tuple(piece for piece in self.place.context if piece.start < self.place.start)

    @property
    def after(self) -> tuple[Context, ...]:
        """The context that the note has after it."""
        return tuple(piece for piece in self.place.context if piece.start >= self.place.start)
