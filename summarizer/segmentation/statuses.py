"""Lines that give the state of what stands on the line above (`warfarin 5 mg` / `Status: Stopped`)."""

import re
from collections.abc import Sequence

from summarizer.segmentation.answers import begins_answer
from summarizer.segmentation.line_ends import has_dose, is_terminated
from summarizer.segmentation.lines import ITEM, LABELLED, TEXT, Line
from summarizer.segmentation.vocabulary import alternatives, read

_STATUS = re.compile(rf"(?:{alternatives('answers', 'of_the_line_above')})(?:\s?[:?]|\s[-–—=])", re.I)
_STATUS_ALONE = re.compile(rf"[(\[](?:{alternatives('answers', 'states')})[.;]?[)\]]\.?", re.I)
_STATE = re.compile(rf"\s{{0,20}}(?:{alternatives('answers', 'states')})[.;]?", re.I)
_STATE_LAST = re.compile(rf", (?:{alternatives('answers', 'states')})[.;]?\Z", re.I)
_BARE = re.compile(
    rf"[-–—*<>=\s]{{0,8}}(?:{alternatives('answers', 'states', 'flags')})"
    r"(?: (?:at )?\d[\d:/.]{0,9})?[-–—*<>=.;\s]{0,8}",
    re.I,
)
LONGEST_STATE = 28
"""A mere state is shorter, in characters."""
_THING_WORDS = 10
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


def ends_in_state(text: str) -> bool:
    """Whether a line gives a drug with its dose, and behind a comma its state (`..., BID, Not taking`)."""
    return (
        "," in text[-20:] and _STATE_LAST.search(text, max(0, len(text) - 24)) is not None and has_dose(text)
    )


def is_state_of_above(lines: Sequence[Line], index: int) -> bool:
    """Whether a line is a mere state, of the thing on the line above it (`naproxen 500 mg` / `STOPPED`).

    A word like that heads a list as well. It belongs to the line above where from there to the end of the
    paragraph each thing has its state, as has each one above.
    """
    line = lines[index]
    if index == 0 or line.after_blank or not _is_bare(line) or not _is_thing(lines[index - 1]):
        return False
    at = index - 1
    while at > 1 and not lines[at].after_blank and _is_bare(lines[at - 1]):
        at -= 2
        if lines[at + 1].after_blank or not _is_thing(lines[at]):
            return False
    if at and not lines[at].after_blank and (_is_thing(lines[at - 1]) or _is_bare(lines[at - 1])):
        return False
    for thing, state in zip(lines[index + 1 :: 2], lines[index + 2 :: 2], strict=False):
        if thing.after_blank:
            return True
        if state.after_blank or not _is_thing(thing) or not _is_bare(state):
            return False
    rest = lines[index + 1 :]
    return len(rest) % 2 == 0 or rest[-1].after_blank


def _is_bare(line: Line) -> bool:
    return len(line.text) < LONGEST_STATE and _BARE.fullmatch(line.text) is not None


def _is_thing(line: Line) -> bool:
    """Whether a line names a thing, with its dose or value, and is no state itself."""
    text = line.text
    return (
        line.kind in (TEXT, ITEM)
        and not line.titled
        and not _is_bare(line)
        and text[-1] not in ":,"
        and not is_terminated(text[-8:])
        and len(text.split()) < _THING_WORDS
    )
