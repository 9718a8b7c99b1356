"""Clinical notes as documents to learn from: their own conclusions, or their descriptions, are the reference.

A note has no abstract, but its writer says what matters in the impression, the assessment and the plan. They
serve in two ways: cut out, as the reference for the rest of the note; and left in, as the sentences to find
among the others, with the sections in their order or moved about, so that position alone can't win. Where a
note has neither impression nor assessment, as operative notes and discharge summaries, its diagnoses and the
course take their place. Those to find in whole notes stand between an invented letterhead and a signature.
"""

import random
from typing import Any

from summarizer.segmentation.segment import segment
from summarizer.types import SectionKind
from training.corpora.article import Fields, Parts
from training.corpora.letterhead import framed
from training.corpora.splitting import split_text

__all__ = [
    "CONCLUSIONS",
    "conclusions",
    "conclusions_moved",
    "description",
    "notes_without_conclusions",
    "radiology",
]

CONCLUSIONS = frozenset({SectionKind.IMPRESSION, SectionKind.ASSESSMENT, SectionKind.PLAN})
_REFERENCE = frozenset({SectionKind.IMPRESSION, SectionKind.ASSESSMENT})
_INSTEAD = frozenset({SectionKind.DIAGNOSIS, SectionKind.HOSPITAL_COURSE})
_PLAN_ALONE = 0.2  # of the notes with a plan and no assessment
_REPORT = ("indication", "comparison", "findings")


def radiology(fields: Fields) -> tuple[Parts, list[str]]:
    """Findings and what precedes them; the reference is the impression."""
    if not str(fields.get("findings") or "").strip():  # nothing that the impression could rest on
        return [], _lines(fields["impression"])
    return [(name, _lines(fields.get(name))) for name in _REPORT], _lines(fields["impression"])


def notes_without_conclusions(fields: Fields) -> tuple[Parts, list[str]]:
    """A note with its impression and assessment cut out; they are the reference."""
    note = _note(fields["text"])
    rest = [(title, lines) for title, kind, lines in note if kind not in _REFERENCE]
    return rest, [line for _, kind, lines in note if kind in _REFERENCE for line in lines]


def description(fields: Fields) -> tuple[Parts, list[str]]:
    """A whole note; the reference is its one-line description."""
    parts = [(title, lines) for title, _, lines in _note(fields["text"])]
    return _whole(parts), _lines(fields["description"])


def conclusions(fields: Fields) -> tuple[Parts, list[str]]:
    """A whole note or report; the reference is what it concludes itself."""
    parts, reference = _with_conclusions(fields)
    return _whole(parts), reference


def conclusions_moved(fields: Fields) -> tuple[Parts, list[str]]:
    """The same with its sections in another order, the same for the same note."""
    parts, reference = _with_conclusions(fields)
    parts = [part for part in parts if part[1]]
    random.Random(repr(reference)).shuffle(parts)
    return _whole(parts), reference


def _with_conclusions(fields: Fields) -> tuple[Parts, list[str]]:
    if "impression" in fields:
        parts, reference = radiology(fields)
        return ([*parts, ("impression", reference)] if parts else []), reference
    note = _note(fields["text"])
    wanted = _concluding({kind for _, kind, lines in note if lines}, fields["text"])
    reference = [line for _, kind, lines in note if kind in wanted for line in lines]
    return [(title, lines) for title, _, lines in note], reference


def _concluding(kinds: set[SectionKind | None], seed: str) -> frozenset[SectionKind]:
    if kinds & _REFERENCE:
        return CONCLUSIONS
    # A plan comes before what stands instead of an assessment: it is wanted in all of these notes, the others
    # in four of five.
    if SectionKind.PLAN in kinds and random.Random(seed).random() < _PLAN_ALONE:
        return CONCLUSIONS
    return CONCLUSIONS | _INSTEAD


def _whole(parts: Parts) -> Parts:
    """As a server holds it; the same for the same note."""
    return framed(parts, repr(parts))


def _lines(value: Any) -> list[str]:
    return split_text(value) if isinstance(value, str) else []


def _note(text: str) -> list[tuple[str, SectionKind | None, list[str]]]:
    """A clinical note's sections: title, kind (None before the first heading), sentences."""
    found = segment(text, ())
    parts: list[tuple[str, SectionKind | None, list[str]]] = [("", None, [])]
    parts += [(section.title, section.kind, []) for section in found.sections]
    for sentence in found.sentences:
        at = 0 if sentence.section is None else sentence.section + 1
        parts[at][2].append(" ".join(text[sentence.start : sentence.end].split()))
    return parts
