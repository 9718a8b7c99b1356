"""Lines that begin with a label and a dash, as in a hand-over by systems (`Resp - on room air`)."""

import re
from collections.abc import Sequence
from itertools import groupby

from summarizer.segmentation.lines import Line
from summarizer.segmentation.section_titles import normalise
from summarizer.segmentation.vocabulary import words

_DASHED = re.compile(r"(?P<words>[A-Z][\w/&.']*(?: [\w/&.']+){0,2}) [-–—]{1,2} +(?=\S)")
_FIELDS = words("section_titles", "before_dash")
_RUN = 3
"""So many lines of the form are needed: one alone is a clause with a dash."""


def _label(line: str) -> re.Match[str] | None:
    """A line's label with the dash behind it."""
    if " -" not in line and " –" not in line and " —" not in line:
        return None
    return _DASHED.match(line)


def names_field(line: str) -> bool:
    """Whether a line is a field with a dash behind its name (`Allergies - none`)."""
    found = _label(line)
    return found is not None and normalise(found["words"]) in _FIELDS


def dashed_labels(lines: Sequence[Line]) -> list[int]:
    """For each line the length of its label with the dash, 0 where it has none.

    Lines are of this form where three of a paragraph that begin in one column are, and most of those.
    """
    found = [0] * len(lines)
    dashed = {at: label.end() for at, line in enumerate(lines) if (label := _label(line.text))}
    if len(dashed) < _RUN:
        return found
    paragraphs: list[list[int]] = []
    for index, line in enumerate(lines):
        if line.after_blank or not paragraphs:
            paragraphs.append([])
        paragraphs[-1].append(index)
    for paragraph in paragraphs:
        by_column = groupby(sorted(paragraph, key=lambda at: lines[at].indent), lambda at: lines[at].indent)
        for _, column in by_column:
            members = list(column)
            labels = {at: dashed[at] for at in members if at in dashed}
            if len(labels) >= _RUN and 2 * len(labels) > len(members):
                for at, length in labels.items():
                    found[at] = length
    return found
