"""What a timeline shows of a note: sentences and lines that rules found, each with what stands around it."""

import re
from dataclasses import dataclass, field

_WORD = re.compile(r"[\W_]+")
_NUMBER = re.compile(
    r"\s{0,40}(\(?(?:\d{1,2}|[A-Za-z]|[ivxIVX]{1,5})[.):]{1,2}|#\s?\d{1,2}[.):]?)\s{0,40}", re.ASCII
)
_NEAR = 40  # characters of a line before its first sentence


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
        number: what counts it on its line, where it is an item of a list: `2.`; else "".
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
    number: str = field(default="", compare=False)

    @property
    def setting(self) -> tuple[tuple[str, str], ...]:
        """What is said around it; two places with the same words and another setting say two things."""
        return tuple((piece.kind, _WORD.sub(" ", piece.text.casefold()).strip()) for piece in self.context)


def number_before(text: str, start: int) -> str:
    """What stands alone before a sentence on its line and counts it, such as `2.`, `(b)` or `#3`; else ""."""
    line = text[max(text.rfind("\n", 0, start) + 1, start - _NEAR) : start]
    found = _NUMBER.fullmatch(line)
    return found[1] if found else ""


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
