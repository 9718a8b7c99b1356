"""A line that denies, and what below it is no more of what it denies."""

import re

from summarizer.segmentation.vocabulary import alternatives, words

_DENIES = re.compile(
    rf"(?:(?:{alternatives('denials', 'subjects')})\s)?(?:{alternatives('denials', 'denies')})\b", re.I
)
_UNDONE = re.compile(rf"\b(?:{alternatives('denials', 'undone')})\b", re.I)
_STOP = re.compile(r"[.;:]\s")
_EXTENT = re.compile(
    r"\S\s(?:x\s?\d|\d{1,3}(?:[-–]\d{1,3})?\s?(?:"
    rf"{alternatives('denials', 'extents')})\b)",
    re.I,
)
_AGO = re.compile(r"\b(?:ago|before|earlier)\b", re.I)
_AFFIRMS = words("denials", "affirms")
_NO_SUBJECT = words("denials", "no_subject", "affirms")


def ends_denial(above: str, line: str) -> bool:
    """Whether a line in small letters is a finding of its own below one that denies others.

    It says that something is there (`reports cough`), or how much of it (`Denies SOB, PND` / `orthopnea x2
    pillows`): nobody gives the extent of what is not there.
    """
    if not line[0].islower():
        return False
    clause = _STOP.split(above[-200:])[-1]
    if not _DENIES.match(clause) or _UNDONE.search(clause):
        return False
    first = line.split(None, 1)[0].strip("(,;:").lower()
    if first in _AFFIRMS:
        return True
    return len(first) > 1 and first not in _NO_SUBJECT and first.isalpha() and _tells_extent(line)


def _tells_extent(line: str) -> bool:
    """Whether an extent stands in a line behind the last word that puts one into the past."""
    behind = 0
    for ago in _AGO.finditer(line):
        behind = ago.end() - 1
    return _EXTENT.search(line, behind) is not None
