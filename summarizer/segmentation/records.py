"""Records: a thing on a line, and what labelled lines below say of it (`Drug: warfarin` / `Status: stopped`).

Together they are one statement: neither the name nor the status says anything alone.
"""

import re
from collections.abc import Sequence

from summarizer.segmentation.lines import Line
from summarizer.segmentation.vocabulary import words

_STARTS = words("records", "starts")
_ATTRIBUTES = words("records", "attributes")
_KNOWN = _STARTS | _ATTRIBUTES
_PAIR = re.compile(r"(?:[-*•·] ?)?([^\W\d_](?:[^\W\d_]|[ /]){0,30}) ?:\s{0,20}(\S.{0,160})")
_LABEL_END = 40
"""Within so many characters a label has its colon."""
_MOST_WORDS = 12
"""A longer value is a text of its own under its label."""


def begins_record(line: Line) -> bool:
    """Whether a line names a thing by a label: `Medication: warfarin`."""
    return _label(line.text[line.marker :].lstrip()) in _STARTS


def goes_on(line: Line, block: Sequence[Line]) -> bool:
    """Whether a line says more of the thing that the block in hand names."""
    first = block[0]
    if line.after_blank or _label(line.text) not in _ATTRIBUTES:
        return False
    return begins_record(first) or (first.marker > 0 and line.indent > first.indent and ":" not in first.text)


def is_record(block: Sequence[Line]) -> bool:
    """Whether a block is a thing and nothing but lines that say more of it."""
    return len(block) > 1 and all(goes_on(line, block) for line in block[1:])


def _label(text: str) -> str:
    """The label of a line of a label and a short value, in lower case; "" for any other line."""
    before, colon, _ = text[:_LABEL_END].partition(":")
    if not colon or before.strip("-*•· ").lower() not in _KNOWN:
        return ""
    pair = _PAIR.fullmatch(text)
    if pair is None or len(pair[2].split()) > _MOST_WORDS:
        return ""
    return pair[1].strip().lower()
