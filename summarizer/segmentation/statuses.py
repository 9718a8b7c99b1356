"""Lines that give the state of what stands on the line above (`warfarin 5 mg` / `Status: Stopped`)."""

import re

from summarizer.segmentation.answers import begins_answer
from summarizer.segmentation.line_ends import is_terminated
from summarizer.segmentation.lines import LABELLED, TEXT, Line
from summarizer.segmentation.vocabulary import alternatives, read

_STATUS = re.compile(rf"(?:{alternatives('answers', 'of_the_line_above')})(?:\s?[:?]|\s[-–—=])", re.I)
_STATUS_ALONE = re.compile(rf"[(\[](?:{alternatives('answers', 'states')})[.;]?[)\]]\.?", re.I)
_STATE = re.compile(rf"\s{{0,20}}(?:{alternatives('answers', 'states')})[.;]?", re.I)
_STATUS_BEGINS = frozenset(label[0] for label in read("answers")["of_the_line_above"])


def is_status(line: Line) -> bool:
    """Whether a line gives the status of what stands on the line above (`Status: Stopped`)."""
    if line.kind not in (LABELLED, TEXT):
        return False
    first = line.text[0]
    if first in "([":
        return _STATUS_ALONE.fullmatch(line.text) is not None
    if first.lower() not in _STATUS_BEGINS:
        return False
    found = _STATUS.match(line.text)
    return found is not None and (
        line.text[found.end() - 1] == ":"
        or begins_answer(line.text[found.end() :])
        or _STATE.fullmatch(line.text, found.end()) is not None
    )


def takes_status(before: Line) -> bool:
    """Whether a line names a thing that a status line under it speaks of."""
    if before.kind is LABELLED:
        return False
    return not is_terminated(before.text[-8:])
