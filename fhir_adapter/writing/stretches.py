"""Stretches of a note as they are shown and pointed at: a sentence, and the context that goes with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fhir_adapter import canonical
from fhir_adapter.lenient import JsonObject
from fhir_adapter.narrative import Piece
from summarizer.types import PinnedLine


@dataclass(frozen=True, slots=True)
class Stretch:
    """A sentence or a piece of its context, to be shown and pointed at.

    Attributes:
        number: of the piece among those of its sentence, from 1; 0 for the sentence itself.
        kind: of context; "" for the sentence.
        score: of the sentence; None where there is none to state.
        rule: address of the rule that found it, with its version; "" where a score chose it.
    """

    start: int
    end: int
    number: int = 0
    kind: str = ""
    score: float | None = None
    rule: str = ""

    def anchor(self, sentence: str) -> str:
        """The id in the narrative, and in the extensions with a `p` before it: `s2`, `s2c1`."""
        return f"{sentence}c{self.number}" if self.number else sentence

    def piece(self, sentence: str, text: str) -> Piece:
        """How it stands in the narrative."""
        return Piece(self.anchor(sentence), text[self.start : self.end], self.kind)

    def extension(self, sentence: str, where: JsonObject, path: str) -> JsonObject:
        """The `derivation-reference`: where it stands in the text at `path` of `where`."""
        parts: list[JsonObject] = [
            {"url": "reference", "valueReference": where},
            {"url": "path", "valueString": path},
            {"url": "offset", "valueInteger": self.start},
            {"url": "length", "valueInteger": self.end - self.start},
            {"url": canonical.NARRATIVE_LINK, "valueUrl": f"#{self.anchor(sentence)}"},
        ]
        if self.score is not None:
            parts.append({"url": canonical.EXTRACT_SCORE, "valueDecimal": self.score})
        if self.rule:
            parts.append({"url": canonical.EXTRACT_RULE, "valueUri": self.rule})
        if self.kind:
            parts.append({"url": canonical.EXTRACT_CONTEXT, "valueCode": self.kind})
        name = f"p{self.anchor(sentence).removeprefix('s')}"
        return {"id": name, "url": canonical.DERIVATION_REFERENCE, "extension": parts}


class Scored(Protocol):
    """A sentence with its salience."""

    @property
    def start(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int: ...  # noqa: D102
    @property
    def score(self) -> float | None: ...  # noqa: D102


class Around(Protocol):
    """A piece of its context."""

    @property
    def start(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102


def in_order(sentence: Scored, context: Iterable[Around]) -> list[Stretch]:
    """A sentence and its context as they follow each other in the note."""
    return _with(Stretch(sentence.start, sentence.end, score=sentence.score), context)


def line_in_order(line: PinnedLine) -> list[Stretch]:
    """As `in_order`, of a line that a rule found."""
    return _with(Stretch(line.start, line.end, rule=rule_address(line.rule, line.version)), line.context)


def rule_address(rule: str, version: int) -> str:
    """How a rule is named where its lines are written: `.../rules/allergies|1`."""
    return f"{canonical.RULES}/{rule}|{version}"


def _with(sentence: Stretch, context: Iterable[Around]) -> list[Stretch]:
    pieces = [sentence]
    pieces += [Stretch(c.start, c.end, n, str(c.kind)) for n, c in enumerate(context, 1)]
    return sorted(pieces, key=lambda stretch: (stretch.start, stretch.end))


def stand_apart(stretches: Sequence[Stretch], text: str) -> bool:
    """Whether stretches in order lie in the text, from word to word and none inside another."""
    bounds = [bound for stretch in stretches for bound in (stretch.start, stretch.end)]
    inside = bounds == sorted(bounds) and bounds[0] >= 0 and bounds[-1] <= len(text)
    return inside and all(whole(text[one.start : one.end]) for one in stretches)


def whole(words: str) -> bool:
    """Whether a stretch begins and ends with what is not white space, so that its offsets are exact."""
    return bool(words) and words == words.strip()
