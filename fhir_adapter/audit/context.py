"""What is shown around the sentences, against the note: as it is claimed, and as the rules give it again."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from fhir_adapter.audit.claims import Claims, Span
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.record import Maker
from fhir_adapter.audit.verdict import AuditedContext
from fhir_adapter.narrative import FORM, displayed, printable
from fhir_adapter.note import NoteText
from fhir_adapter.writing.stretches import whole
from summarizer.types import ContextKind, ContextSpan, Document, Pinned, Section, Sentence

_ANCHOR = re.compile(r"s([1-9][0-9]*)c([1-9][0-9]*)", re.ASCII)
_KINDS = frozenset(kind.value for kind in ContextKind)

Expected = Mapping[tuple[int, int], tuple[ContextSpan, ...]]
"""The sentences of a note by their offsets, each with its context."""


def number_of(link: str) -> str:
    """The number of the sentence that an id of it, or of a piece of its context, belongs to."""
    return link.removeprefix("s").partition("c")[0]


def shows(claims: Claims, text: str, shown: str) -> bool:
    """Whether what a narrative shows is a text of the note, by the form of the narrative."""
    return bool(text) and (
        shown == printable(text) if claims.form == 1 else whole(text) and shown == displayed(text)
    )


def arranged(claims: Claims) -> list[Found]:
    """What is wrong with the arrangement of context: its ids, kinds and order, and where it stands."""
    found: list[Found] = []
    stated = {span.link: span for span in claims.contexts}
    shown = [piece.anchor for item in claims.shown for piece in item if piece.kind]
    for claimed in claims.contexts:
        where = f"sentence {number_of(claimed.link)}"
        if not claimed.well_formed or claimed.context not in _KINDS or not _ANCHOR.fullmatch(claimed.link):
            found.append((Finding.SPAN_MALFORMED, where))
        if claimed.link not in shown:
            found.append((Finding.SPAN_WITHOUT_SENTENCE, where))
    if len(stated) < len(claims.contexts) or len(set(shown)) < len(shown):
        found.append((Finding.DUPLICATE_ID, "of context"))
    for item in claims.shown:
        own = next((piece.anchor for piece in item if not piece.kind), "")
        where = f"sentence {number_of(own)}"
        pieces = [piece for piece in item if piece.kind]
        for piece in pieces:
            span = stated.get(piece.anchor)
            if span is None:
                found.append((Finding.CONTEXT_ADDED, where))
            elif span.context != piece.kind:
                found.append((Finding.CONTEXT_DIFFERS, where))
        named = [piece.anchor for piece in pieces] == [f"{own}c{n}" for n in range(1, len(pieces) + 1)]
        if not named or not _in_step(claims, [piece.anchor for piece in item]):
            found.append((Finding.WRONG_ORDER, where))
    return found


def _in_step(claims: Claims, anchors: Sequence[str]) -> bool:
    """Whether the pieces of an item follow each other as their offsets do, and as these are written."""
    first = {span.link: span for span in (*reversed(claims.spans), *claims.contexts)}
    spans = [first[anchor] for anchor in anchors if anchor in first]
    bounds = [(span.offset, span.offset + span.length) for span in spans]
    written = [link for link in dict.fromkeys(claims.links) if link in anchors]
    return all(a[1] <= b[0] for a, b in pairwise(bounds)) and written == [span.link for span in spans]


def compared(
    claims: Claims, link: str, text_at: Callable[[Span], str]
) -> tuple[tuple[AuditedContext, ...], list[Found]]:
    """What is shown with a sentence, word for word.

    Args:
        claims: of the note's section.
        link: id of the sentence.
        text_at: what stands at a span of context; "" where nothing can be read there.
    """
    shown = {piece.anchor: piece.text for item in claims.shown for piece in item if piece.kind}
    audited, found = [], []
    for span in claims.context_of(link):
        text, seen = text_at(span), shown.get(span.link, "")
        ok = shows(claims, text, seen)
        if text and not ok and span.link in shown:
            found.append((Finding.CONTEXT_ALTERED, f"sentence {number_of(link)}"))
        end = span.offset + span.length
        audited.append(AuditedContext(span.context or "", span.offset, end, text, ok, seen))
    return tuple(audited), found


@dataclass(frozen=True, slots=True)
class Ruled:
    """What the rules give for a note.

    Attributes:
        sentences: each with its context and its section.
        sections: of the note.
        pinned: the lines that must not depend on a score.
        rules: all by which lines are pinned, as `allergies|1`, whether they found something or not.
    """

    sentences: Sequence[Sentence]
    sections: Sequence[Section] = ()
    pinned: Pinned = field(default_factory=Pinned)
    rules: tuple[str, ...] = ()

    @property
    def contexts(self) -> Expected:
        """The sentences by their offsets, each with its context."""
        return {(one.start, one.end): one.context for one in self.sentences}


@dataclass(frozen=True, slots=True)
class Rules:
    """By what a note falls into sentences with their context, and lines of it are pinned.

    Attributes:
        software: the version of this product, which the rules are part of.
        read: gives what the rules find in a note.
    """

    software: str
    read: Callable[[Document], Ruled]


def expected(text: NoteText, claims: Claims, maker: Maker | None, rules: Rules | None) -> Ruled | None:
    """What the rules give for a note, where they are those by which the summary was made; else None.

    Args:
        text: of the note, read again.
        claims: what the Composition says of it.
        maker: the Device that chose the sentences.
        rules: of this version; None where nothing shall be computed again.
    """
    if rules is None or maker is None or (maker.form, maker.software) != (FORM, rules.software):
        return None
    if (claims.normalization, claims.sha256) != (text.normalization, text.sha256):
        return None
    return rules.read(text.document())


def against_rules(claims: Claims, wanted: Expected) -> dict[str, list[Finding]]:
    """By the ids of sentences: that it is none by the rules, lacks context, or has that of something else."""
    found: dict[str, list[Finding]] = {}
    for span in reversed(claims.spans):
        context = wanted.get((span.offset, span.offset + span.length))
        if context is None:
            found[span.link] = [Finding.SENTENCE_CUT]
            continue
        ruled = {(one.start, one.end, one.kind.value) for one in context}
        stated = {(s.offset, s.offset + s.length, s.context or "") for s in claims.context_of(span.link)}
        wrong = [Finding.CONTEXT_MISSING] if ruled - stated else []
        found[span.link] = wrong + ([Finding.CONTEXT_DIFFERS] if stated - ruled else [])
    return {link: findings for link, findings in found.items() if findings}


def told(wrong: Mapping[str, Sequence[Finding]]) -> list[Found]:
    """What `against_rules` found, as an audit lists it."""
    links = sorted(wrong, key=lambda link: int(number) if (number := number_of(link)).isdigit() else 0)
    return [(finding, f"sentence {number_of(link)}") for link in links for finding in wrong[link]]
