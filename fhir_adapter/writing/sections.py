"""The sections of a summary: what a model chose, apart from it what rules found, and what is in neither."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fhir_adapter import canonical
from fhir_adapter.lenient import JsonObject
from fhir_adapter.narrative import Piece, displayed, ruled_list, sentence_list
from fhir_adapter.writing.stretches import Stretch, in_order, line_in_order, rule_address
from summarizer.types import LeftOut, Pinned, PinnedRule, Summary

CHOSEN_TITLE = "Extracted sentences (in the order of the note)"
PINNED_TITLE = "Found by rule"


@dataclass(frozen=True, slots=True)
class Frame:
    """What the sections of one summary have in common.

    Attributes:
        text: of the note.
        where: Reference to what holds it; `path` leads to it there.
        language: of the sentences.
        code: the source's kind of note.
        author: Reference to the Device.
        source: Reference to the note.
    """

    text: str
    where: JsonObject
    path: str
    language: str
    code: JsonObject
    author: JsonObject
    source: JsonObject

    def shown(self, stretches: Sequence[Stretch], anchor: str) -> tuple[list[Piece], list[JsonObject]]:
        """What the narrative shows of a sentence with its context, and the offsets of each piece of it."""
        pieces = [one.piece(anchor, self.text) for one in stretches]
        return pieces, [one.extension(anchor, self.where, self.path) for one in stretches]

    def section(self, name: str, title: str, order: tuple[str, str, str], **content: Any) -> JsonObject:
        """A section with these offsets and this narrative; `order` is code, display and our words."""
        code, display, words = order
        return {
            "id": name,
            "extension": content["extension"],
            "title": title,
            "code": self.code,
            "author": [self.author],
            "text": content["text"],
            "mode": "snapshot",
            "orderedBy": {
                "coding": [{"system": canonical.LIST_ORDER, "code": code, "display": display}],
                "text": words,
            },
            "entry": [self.source],
        }


def sections(summary: Summary, frame: Frame) -> list[JsonObject]:
    """The sentences in the order of the note and, where rules found something, their lines."""
    found = [_chosen(summary, frame)]
    return [*found, _pinned(summary.pinned, frame)] if summary.pinned.lines else found


def _chosen(summary: Summary, frame: Frame) -> JsonObject:
    spans: list[JsonObject] = []
    items: list[list[Piece]] = []
    for number, sentence in enumerate(summary.summary, 1):
        pieces, places = frame.shown(in_order(sentence, sentence.context), f"s{number}")
        items.append(pieces)
        spans += places
    return frame.section(
        "sec1",
        CHOSEN_TITLE,
        ("system", "Sorted by System", "In the order of the source note"),
        extension=spans,
        text=sentence_list(items, frame.language),
    )


def _pinned(pinned: Pinned, frame: Frame) -> JsonObject:
    """Lines by rule; each says which rule found it, and how many of the rule's lines are shown."""
    heads = {(rule.rule, rule.version): rule_words(rule) for rule in pinned.rules}
    spans = [rule_extension(rule) for rule in pinned.rules]
    items: list[tuple[str, list[Piece]]] = []
    for number, line in enumerate(pinned.lines, 1):
        pieces, places = frame.shown(line_in_order(line), f"r{number}")
        items.append((heads[line.rule, line.version], pieces))
        spans += places
    return frame.section(
        "sec2",
        PINNED_TITLE,
        ("category", "Sorted by Category", "By rule, and of each rule in the order of the source note"),
        extension=spans,
        text=ruled_list(items, frame.language),
    )


def rule_words(rule: PinnedRule) -> str:
    """What stands before each line of a rule: `Allergies:`, or `Allergies (3 of 5 shown):`."""
    return f"{shown_words(rule.title, rule.shown, rule.found)}:"


def shown_words(title: str, shown: int, found: int) -> str:
    """A rule's title and, where it found more than is shown, how many."""
    return title if shown == found else f"{title} ({shown} of {found} shown)"


def rule_extension(rule: PinnedRule) -> JsonObject:
    """Which rule found lines, and how many of them are shown."""
    parts: list[JsonObject] = [
        {"url": "rule", "valueUri": rule_address(rule.rule, rule.version)},
        {"url": "title", "valueString": rule.title},
        {"url": "shown", "valueInteger": rule.shown},
        {"url": "found", "valueInteger": rule.found},
    ]
    return {"url": canonical.PINNED_RULE, "extension": parts}


def left_out_extension(left_out: LeftOut) -> list[JsonObject]:
    """What no score chose, in numbers; nothing where all was chosen. Rules may have found lines there."""
    if not left_out.sections and not left_out.sentences:
        return []
    parts: list[JsonObject] = [{"url": "sentences", "valueInteger": left_out.sentences}]
    for section in left_out.sections:
        inner: list[JsonObject] = [
            {"url": "title", "valueString": displayed(section.title)},
            {"url": "sentences", "valueInteger": section.sentences},
        ]
        parts.append({"url": "section", "extension": inner})
    return [{"url": canonical.LEFT_OUT, "extension": parts}]


def left_out_words(left_out: LeftOut) -> str:
    """The same in a sentence; "" where all was chosen."""
    count, within = len(left_out.sections), sum(section.sentences for section in left_out.sections)
    more = left_out.sentences
    parts = []
    if count:
        parts.append(f"nothing from {_count(count, 'section')} ({_count(within, 'sentence')})")
    if more:
        parts.append(f"{_count(more, 'more sentence')} that scored high enough and found no place")
    return f"Not chosen: {', and '.join(parts)}." if parts else ""


def notice_words(notice: str) -> str:
    """What was remarkable in reading the note, in a sentence; "" where nothing was."""
    return f"On reading the note: {notice}." if notice else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
