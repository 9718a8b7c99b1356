"""A line that denies, and what below it is no more of what it denies."""

import re
from collections.abc import Sequence

from summarizer.segmentation.line_ends import is_terminated, stands_alone
from summarizer.segmentation.lines import HEADING, Line
from summarizer.segmentation.vocabulary import alternatives, words

_DENIES = re.compile(
    rf"(?:(?:{alternatives('denials', 'subjects')})\s)?(?:{alternatives('denials', 'denies')})\b", re.I
)
_UNDONE = re.compile(rf"\b(?:{alternatives('denials', 'undone')})\b", re.I)
_STOP = re.compile(r"[.;:]\s")
_JUDGMENTS = words("denials", "judgments")
_REASONED = re.compile(rf"(?P<named>\w[^.;:]{{0,40}}?) (?:{alternatives('denials', 'reasons')})\b", re.I)
_LONGEST_JUDGMENT = max(map(len, _JUDGMENTS))
_LONGEST_ACRONYM = 3
"""`PE` heads an exam, and is what was looked for."""
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


def is_judged_above(lines: Sequence[Line], index: int) -> bool:
    """Whether a line names what the judgment alone on the line above is of (`Unlikely` / `PE given ...`).

    Below a thing that judgment is of the thing.
    """
    before, text = lines[index - 1], lines[index].text
    if len(before.text) > _LONGEST_JUDGMENT or before.text.lower() not in _JUDGMENTS:
        return False
    above = lines[index - 2] if index > 1 and not before.after_blank else None
    alone = above is None or above.text[-1] == ":" or is_terminated(above.text[-8:])
    alone = alone or (above is not None and above.kind is HEADING and len(above.text) > _LONGEST_ACRONYM)
    found = _REASONED.match(text) if alone else None
    return found is not None and not stands_alone(found["named"])


def _tells_extent(line: str) -> bool:
    """Whether an extent stands in a line behind the last word that puts one into the past."""
    behind = 0
    for ago in _AGO.finditer(line):
        behind = ago.end() - 1
    return _EXTENT.search(line, behind) is not None
