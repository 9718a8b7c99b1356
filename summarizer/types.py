"""Plain data: what goes into a summary and what comes out. Offsets are code points, half-open."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class SectionKind(StrEnum):
    """What a section of a clinical note is about, after the LOINC document section names."""

    CHIEF_COMPLAINT = "chief-complaint"
    HISTORY = "history"
    PAST_HISTORY = "past-history"
    FAMILY_HISTORY = "family-history"
    SOCIAL_HISTORY = "social-history"
    ALLERGIES = "allergies"
    MEDICATIONS = "medications"
    REVIEW_OF_SYSTEMS = "review-of-systems"
    VITALS = "vitals"
    EXAM = "exam"
    RESULTS = "results"
    FINDINGS = "findings"
    PROCEDURE = "procedure"
    HOSPITAL_COURSE = "hospital-course"
    ASSESSMENT = "assessment"
    IMPRESSION = "impression"
    DIAGNOSIS = "diagnosis"
    PLAN = "plan"
    INSTRUCTIONS = "instructions"
    INDICATION = "indication"
    TECHNIQUE = "technique"
    ADMINISTRATIVE = "administrative"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]`."""

    start: int
    end: int


class ContextKind(StrEnum):
    """Why a piece of text must be shown with a sentence."""

    HEADING = "heading"
    LEAD_IN = "lead-in"
    QUESTION = "question"
    COLUMN = "column"
    ROW = "row"
    CAPTION = "caption"
    STRIKE = "strike"
    ANTECEDENT = "antecedent"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class ContextSpan:
    """`text[start:end]`, which must be shown wherever the sentence that it belongs to is shown."""

    start: int
    end: int
    kind: ContextKind

    def to_json(self) -> dict[str, object]:
        """As it stands in every answer that is JSON."""
        return {"start": self.start, "end": self.end, "kind": self.kind.value}


class Flag(StrEnum):
    """What a sentence says of its facts, after ConText (Harkema et al. 2009); a label, it changes no word."""

    NEGATED = "negated"
    POSSIBLE = "possible"
    FAMILY = "family"
    HISTORICAL = "historical"
    CONDITIONAL = "conditional"
    STOPPED = "stopped"


class MarkKind(StrEnum):
    """What a format can declare of a stretch of text."""

    ROW = "row"
    COLUMNS = "columns"
    ROW_HEAD = "row-head"
    CAPTION = "caption"
    STRIKE = "strike"
    SECTION = "section"


@dataclass(frozen=True, slots=True)
class Mark:
    """What the format itself declares of `text[start:end]`.

    Attributes:
        kind: `row` is a row of a table, one line of the text or several; `columns` a row that names columns;
            `row-head` a cell, within a row, that names it; `caption` the title of the table that follows;
            `strike` words that are struck out; `section` a heading with all that it stands over, where other
            headings are among that.
    """

    start: int
    end: int
    kind: MarkKind


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and all that stands under it, up to the next heading.

    Attributes:
        title: the heading's words without trailing colon.
        start, end: from the first character of the heading to the end of the section's last line.
    """

    title: str
    kind: SectionKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence and the index of its section in `Segmentation.sections` (None before the first).

    Attributes:
        context: what must be shown with it, in the order of the text, outside its own span.
        flags: in the order of `Flag`.
    """

    start: int
    end: int
    section: int | None = None
    context: tuple[ContextSpan, ...] = ()
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Every character that is not white space is in exactly one of the four kinds of span."""

    sentences: tuple[Sentence, ...]
    sections: tuple[Section, ...] = ()
    headings: tuple[Span, ...] = ()
    markers: tuple[Span, ...] = ()
    boilerplate: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a summary may hold; exactly one of the three, or none for the engine's own choice.

    Attributes:
        sentences: at most this many sentences.
        words: at most this many words (white-space separated); at least one sentence is given.
        ratio: at most this share of the note's sentences (0 to 1), rounded up.
    """

    sentences: int | None = None
    words: int | None = None
    ratio: float | None = None

    def __post_init__(self) -> None:
        given = [v for v in (self.sentences, self.words, self.ratio) if v is not None]
        if len(given) > 1:
            raise ValueError("give one of sentences, words and ratio, not several")
        if self.sentences is not None and self.sentences < 1:
            raise ValueError("sentences must be at least 1")
        if self.words is not None and self.words < 1:
            raise ValueError("words must be at least 1")
        if self.ratio is not None and not 0 < self.ratio <= 1:
            raise ValueError("ratio must be above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model chose.

    Attributes:
        sha256: over the weights; "" for engines that have none.
        calibrated: a score is the probability that the sentence belongs in the summary, as measured; only
            then may it be called a confidence.
        threshold: see `summarizer.engines.base.Salience`.
    """

    name: str
    sha256: str
    engine: str
    calibrated: bool = False
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence of the note with its salience, rounded to four decimals, and its section's title.

    `flags` are those of sentences that the summary shows; empty in all others, which need none.
    """

    start: int
    end: int
    score: float
    section: str | None = None
    context: tuple[ContextSpan, ...] = ()
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class SelectedSentence:
    """A sentence of the summary: `text` is the note's own `text[start:end]`."""

    start: int
    end: int
    text: str
    score: float
    section: str | None = None
    context: tuple[ContextSpan, ...] = ()
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class PinnedLine:
    """A statement that a rule found: `text` is the note's own `text[start:end]`, whatever its score.

    Attributes:
        rule, version: which rule of `summarizer.pinned`; the version is raised with what it finds.
        context, flags: as of the sentence.
    """

    start: int
    end: int
    text: str
    rule: str
    version: int
    context: tuple[ContextSpan, ...] = ()
    flags: tuple[Flag, ...] = ()

    def to_json(self) -> dict[str, object]:
        """As it stands in every answer that is JSON."""
        return {
            "start": self.start,
            "end": self.end,
            "text": self.text,
            "rule": self.rule,
            "version": self.version,
            "context": [piece.to_json() for piece in self.context],
            "flags": [flag.value for flag in self.flags],
        }


@dataclass(frozen=True, slots=True)
class PinnedRule:
    """A rule that found something: how many of its statements are shown, of how many."""

    rule: str
    version: int
    title: str
    shown: int
    found: int

    def to_json(self) -> dict[str, object]:
        """As it stands in every answer that is JSON."""
        return {
            "rule": self.rule,
            "version": self.version,
            "title": self.title,
            "shown": self.shown,
            "found": self.found,
        }


@dataclass(frozen=True, slots=True)
class Pinned:
    """What the rules found in a note: lines by rule, each rule's in the order of the note.

    Attributes:
        lines: those of a rule stand together, so that what contradicts each other does.
        rules: those that found something. Of the others nothing is known: a rule that finds nothing does not
            mean that there is nothing.
    """

    lines: tuple[PinnedLine, ...] = ()
    rules: tuple[PinnedRule, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOutSection:
    """A section of which nothing was chosen, and how many sentences it has."""

    title: str
    sentences: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a summary does not show.

    Attributes:
        sections: those of which nothing was chosen, in the order of the note.
        sentences: how many sentences whose score would have sufficed found no place.
    """

    sections: tuple[LeftOutSection, ...] = ()
    sentences: int = 0

    def to_json(self) -> dict[str, object]:
        """As it stands in every answer that is JSON."""
        return {
            "sections": [{"title": part.title, "sentences": part.sentences} for part in self.sections],
            "sentences": self.sentences,
        }


@dataclass(frozen=True, slots=True)
class Document:
    """A text with what its format declares.

    Attributes:
        headings: as (start, end, LOINC code or None), in order and disjoint.
        marks: in the order of their starts; a longer one before those inside it.
        parts: where each of several documents begins, if the text holds more than one; ascending.
    """

    text: str
    headings: Sequence[tuple[int, int, str | None]] = field(default=())
    marks: Sequence[Mark] = field(default=())
    parts: Sequence[int] = field(default=())


@dataclass(frozen=True, slots=True)
class SplitDocument:
    """What an engine reads: the sentences of one document in order, and what is known of its sections.

    Attributes:
        sentences: none is blank.
        sections: for each sentence the index of its section in `kinds` (None: in none); empty if the document
            has no sections.
        kinds: of each section.
        article: whether it is no note: a text of a corpus that came split into sentences.
    """

    sentences: tuple[str, ...]
    sections: tuple[int | None, ...] = ()
    kinds: tuple[SectionKind, ...] = ()
    article: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """The result for one text.

    Attributes:
        summary: the chosen sentences in the order of the note.
        sentences: every sentence of the note with its score, in order.
        text_sha256: over the UTF-8 text.
        length: code points of the text.
        pinned: what rules found, apart from the summary and outside its budget; empty for texts that came
            split into sentences, which are no notes.
        left_out: what the summary does not show.
    """

    model: ModelInfo
    text_sha256: str
    length: int
    summary: tuple[SelectedSentence, ...]
    sentences: tuple[ScoredSentence, ...]
    pinned: Pinned = Pinned()
    left_out: LeftOut = LeftOut()

    def to_json(self) -> dict[str, object]:
        """The result as the command line and the web service give it: ready for `json.dumps`."""
        return {
            "model": {"name": self.model.name, "sha256": self.model.sha256, "engine": self.model.engine},
            "text": {"sha256": self.text_sha256, "length": self.length, "unit": "unicode-code-point"},
            "summary": [
                {
                    "start": s.start,
                    "end": s.end,
                    "text": s.text,
                    "score": s.score,
                    "section": s.section,
                    "context": [piece.to_json() for piece in s.context],
                    "flags": [flag.value for flag in s.flags],
                }
                for s in self.summary
            ],
            "sentences": [{"start": s.start, "end": s.end, "score": s.score} for s in self.sentences],
            "pinned": [line.to_json() for line in self.pinned.lines],
            "pinned_rules": [rule.to_json() for rule in self.pinned.rules],
            "left_out": self.left_out.to_json(),
        }


def round_scores(values: Sequence[float]) -> tuple[float, ...]:
    """Four decimals, so that the last bits of a sum decide nothing; never -0.0."""
    return tuple(round(float(value), 4) + 0.0 for value in values)
