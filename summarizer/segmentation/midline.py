"""Headings inside running text: at its beginning, after a stop, and where newlines became commas."""

import re

from summarizer.segmentation.labels import (
    AFTER_COLON,
    LISTING_KINDS,
    Role,
    abbreviates_allergies,
    known_heading,
    opens_section,
    role,
)
from summarizer.segmentation.regions import EXAM_REGIONS, is_region, is_study
from summarizer.segmentation.section_titles import TITLE_KINDS, normalise, section_kind
from summarizer.segmentation.times import time_alone_before
from summarizer.segmentation.vocabulary import words
from summarizer.types import SectionKind

_OTHER, _SECTION, _VALUE, _LEAD_IN = SectionKind.OTHER, Role.SECTION, Role.VALUE, Role.LEAD_IN
_BARE_TITLE = re.compile(r"(?P<words>[A-Z][A-Z /&-]{3,60}+),(?=[ \t]*(?:\d{1,2}[.)]|[A-Z]|$)|\d)")
_BARE_INSIDE = re.compile(r"," + _BARE_TITLE.pattern)
_SHOUTED = re.compile(r"\s{1,80}(?=[A-Z]{2})(?:[^a-z]{24}|[^a-z]{2,24}\Z)")
"""Capitals behind a title's comma: the comma stands in a sentence of a note in capitals."""
_IN_CAPITALS = re.compile(r"[A-Z\s]")
_LOST_NEWLINE = re.compile(r"[.:;)] ?,")
_TITLE_LINE = re.compile(r"[A-Z][A-Z/&()-]{1,30}+[ \t][A-Z /&()-]{2,70}+,(?=[A-Z])")
_DASHED = re.compile(r"(?P<words>[A-Z][A-Z /&]{0,40}?)[ \t]+[-–—]{1,2}(?:[ \t]+(?=\S)|[ \t]*$)")
_COUNTED = re.compile(r"(?P<words>[A-Z][A-Z /&-]{3,40}?)[ \t]{1,8}(?=1[.)][ \t]{1,8}[A-Z])")
_SOAP_LETTER = re.compile(r"[.;:],[SOAP]$")
_LINE_ENDED = re.compile(r":[ \t]*,")
_STOPPED = re.compile(r"[.,;:?!)][\"'”’]?\s*$")
_STOPPED_HARD = re.compile(r"[.;:?!)],?\s*$")
_NO_LABEL = re.compile(r"[.;:?!]")
_QUALIFIERS = words("line_ends", "qualifiers")
_MOST_WORDS = 7
"""How many a label inside a line has at most."""
_NO_LABEL_AFTER = frozenset(
    "no not any without denies negative has have had the of and or and/or his her their with in to a an "
    "for by on at from this is was were are find found see saw show shows showed obtain bring brought review "
    "reviewed discuss discussed deny reports reported gave give provide provided recall about".split()
)


def opening_title(text: str, start: int, end: int, *, first: bool) -> int | None:
    """Where a title without a colon ends that text begins with, None if there is none.

    Its second character is a capital or a blank. Such are capitals before a comma (`PLAN,1.`), before a dash
    (`A - Stable.`), and, where `first` says that nothing stands before it, the title of a note before the
    comma of a lost newline.
    """
    bare = _BARE_TITLE.match(text, start, end)
    if bare and _is_bare_title(bare):
        return bare.end()
    dashed = dashed_title(text, start, end)
    if dashed:
        return dashed.end()
    title = _TITLE_LINE.match(text, start, end) if first else None
    return title.end() if title else None


def counted_title(text: str, start: int, end: int) -> int | None:
    """Where a title in capitals ends behind which a list begins on its line (`IMPRESSION 1. Normal.`)."""
    if text.find("1", start, end) < 0:
        return None
    counted = _COUNTED.match(text, start, end)
    return counted.end() if counted and normalise(counted["words"]) in TITLE_KINDS else None


def is_heading(
    text: str, label: re.Match[str], end: int, context: SectionKind | None, *, nested: bool
) -> bool:
    """Whether a label at the start of running text is a heading."""
    words = label["words"]
    if _ends_in_capitals(words):
        return False
    if role(words) is _SECTION or opens_section(words, _rest(text, label.end(), end), context, nested=nested):
        return True
    return _closes_line(text, label.end() - 1, words)


def newlines_lost(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]` seems to have commas in place of newlines."""
    return text.find(",", start, end) >= 0 and _LOST_NEWLINE.search(text, start, end) is not None


def midline_headings(
    text: str, start: int, end: int, context: SectionKind | None, *, lost: bool
) -> list[tuple[int, int]]:
    """Headings inside running text of a section of kind `context`, each with what closes it.

    `lost` says whether newlines became commas.
    """
    found: list[tuple[int, int]] = []
    if lost:
        found = [
            (bare.start() + 1, bare.end())
            for bare in _BARE_INSIDE.finditer(text, start, end)
            if not _IN_CAPITALS.match(text, bare.start() - 1) and _is_bare_title(bare)
        ]
    colon = text.find(":", start, end)
    while colon >= 0:
        following = text[colon + 1 : colon + 2]
        if not following.isdigit() or text[colon - 1].isalpha():
            begin = label_before(text, start, colon, end, context)
            if begin is not None:
                name = normalise(text[begin:colon])
                kind = section_kind(name)
                if context is None or not (kind is _OTHER or is_region(name)):
                    context = kind
                stop = AFTER_COLON.match(text, colon, end)
                to = stop.end() if stop else colon + 1
                found.append((begin, to))
                start = to
        colon = text.find(":", max(start, colon + 1), end)
    return sorted(found)


def label_before(
    text: str, start: int, colon: int, end: int, context: SectionKind | None = None
) -> int | None:
    """Where the heading begins that ends at `colon`, None if the words before it are no heading."""
    low = max(start, colon - 60)
    rest: str | None = None
    said = text[low:colon].rsplit(None, _MOST_WORDS)
    at = low + (len(said.pop(0)) if len(said) > _MOST_WORDS else 0)
    for word in said:
        begin = text.index(word, at)
        at = begin + len(word)
        if "." in word or "," in word or ";" in word:
            begin = _label_start(text, begin, at)
        if not text[begin].isupper():
            continue
        label = text[begin:colon]
        if _NO_LABEL.search(label) or _ends_in_capitals(label):
            continue
        rest = _rest(text, colon + 1, end) if rest is None else rest
        if not word.strip("X") or (len(label) < 2 and not _SOAP_LETTER.search(text, begin - 2, colon)):
            continue
        before = text[max(start, begin - 6) : begin]
        if _has_acronym(label) and not _STOPPED_HARD.search(before):
            continue
        if _is_entry(text, begin, normalise(label)):
            return None
        if begin <= start or _STOPPED.search(before):
            if _is_label(text, begin, colon, rest, context):
                return begin
        elif _stands_out(text, begin, label, rest):
            return begin
    return None


def _is_entry(text: str, begin: int, name: str) -> bool:
    """Whether a time alone stands before a study or region on its line, which is then of its statement."""
    if not (is_study(name) or is_region(name)) or begin < 4 or not text[max(0, begin - 12) : begin].strip():
        return False
    return time_alone_before(text, begin)


def _is_label(text: str, begin: int, colon: int, rest: str, context: SectionKind | None) -> bool:
    """Whether a label that follows a stop or a comma is a heading."""
    label = text[begin:colon]
    if known_heading(label, rest) or abbreviates_allergies(label, rest, context):
        return True
    if _closes_line(text, colon, label):
        return True
    if text[begin - 1] != ",":
        if (
            context in LISTING_KINDS
            and text[max(0, begin - 4) : begin].rstrip()[-1:] == "."
            and "," not in label
        ):
            return opens_section(label, rest, context)
        return label.isupper() and "," not in label and opens_section(label, rest, nested=True)
    # The comma of a lost newline: the label begins a line.
    return text[begin - 2] in ".;)" and "," not in label and opens_section(label, rest, context)


def _has_acronym(label: str) -> bool:
    """Whether a label in capitals is the end of other text and then a title (`SVT FINDINGS`)."""
    first, _, title = label.partition(" ")
    return (
        len(first) <= 3
        and label.isupper()
        and len(title) > 6
        and normalise(label) not in TITLE_KINDS
        and normalise(title) in TITLE_KINDS
        and not is_study(normalise(first))
    )


def _label_start(text: str, start: int, stop: int) -> int:
    """Past a full stop or comma inside a word, where newlines were lost (`changes.,HEENT`)."""
    inner = text[start : stop - 1]
    if "." not in inner and "," not in inner and ";" not in inner:
        return start
    for at in range(stop - 1, start, -1):
        if text[at - 1] in ".,;" and text[at].isalpha():
            return at
    return start


def _stands_out(text: str, begin: int, label: str, rest: str) -> bool:
    """Whether a label without a stop before it is one by its look and its words."""
    name = normalise(label)
    if rest[:1].islower() and rest.split(None, 1)[0] in ("of", "for", "with", "in", "and", "or"):
        return False
    if (
        len(name) < 3
        or not known_heading(label, rest)
        or (name not in EXAM_REGIONS and len(name.split()) < 2 and not label.isupper())
    ):
        return False
    before = text[max(0, begin - 30) : begin].split()
    nearest = next((word.lower() for word in reversed(before) if word.lower() not in _QUALIFIERS), "")
    if not before or nearest in _NO_LABEL_AFTER:  # `reports no significant Past Medical History:`
        return False
    last = before[-1]
    if not last.strip("X") or (len(last) <= 3 and len(label) > 6 and name in TITLE_KINDS):
        return True
    if name in EXAM_REGIONS and label.isupper():
        return True
    return not (last[0].isupper() and last.isalpha() and last.isupper() == label.isupper())


def _is_bare_title(found: re.Match[str]) -> bool:
    """Whether capitals before a comma are a section title, a study or, where a newline was lost, a value."""
    name = normalise(found["words"])
    if name in TITLE_KINDS or (" " in name and is_study(name)):
        return not _SHOUTED.match(found.string, found.end())
    after = found.string[found.end() : found.end() + 1]
    return " " in name and not after.isspace() and role(name) is _VALUE


def dashed_title(text: str, start: int, end: int) -> re.Match[str] | None:
    """A title in capitals that a dash sets off from its text (`A - Stable.`)."""
    found = _DASHED.match(text, start, end)
    if found is None:
        return None
    name = normalise(found["words"])
    return found if name == "o" or name in TITLE_KINDS or name in EXAM_REGIONS else None


def _ends_in_capitals(label: str) -> bool:
    """Whether a label is other text and then a title in capitals (`Lateral chest INDICATION`)."""
    first, _, last = label.rpartition(" ")
    if label.isupper() or not last.isupper() or normalise(last) not in TITLE_KINDS or len(last) < 5:
        return False
    return not first.isupper() and not last.startswith("EXAM")


def _closes_line(text: str, colon: int, label: str) -> bool:
    """Whether `LABEL:,` stood alone on its line before newlines became commas."""
    return label.isupper() and _LINE_ENDED.match(text, colon) is not None and role(label) is not _LEAD_IN


def _rest(text: str, start: int, end: int) -> str:
    """What follows a label on its line, in short."""
    return text[start : min(end, start + 200)].partition("\n")[0].strip(" \t\r,;:")
