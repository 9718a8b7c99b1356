"""Questions and what answers them."""

import re

from summarizer.segmentation.vocabulary import alternatives, words

_ANSWER = re.compile(rf"\s{{0,8}}\W{{0,2}}(?:{alternatives('answers', 'answers')})(?![\w-])", re.I)
_NEXT_QUESTION = re.compile(r"[^?？؟\n]{1,120}[?？؟]")
_CAPITAL = re.compile(r"(?<![\w.])[A-Z]")
_ENDS = re.compile(r"[.!?]\s")
_MOST_WORDS = 12
"""A longer text behind a question is not its answer but goes on about it."""
_CHOICES = re.compile(r"[?？؟]\s*(?:yes|y)\W{1,6}(?:no|n)\W{0,3}$", re.I)
_LABELS = re.compile(rf"(?:{alternatives('answers', 'question_labels')})\s?[:.]\s", re.I)
_ANSWER_LABELS = re.compile(rf"(?:{alternatives('answers', 'answer_labels')})\s?[:.]\s", re.I)
_MERE = words("answers", "answers") - words("answers", "only_after_questions")
_MERE_BEGINS = frozenset(value.split()[0] for value in _MERE)
_FIRST_WORD = re.compile(r"\s*(\S+)")
_MERE_WORDS = "|".join(sorted(map(re.escape, _MERE), key=len, reverse=True))
_MERE_VALUE = re.compile(
    rf"\s{{0,40}}(?:{_MERE_WORDS})(?![\w/-])[ \t]{{0,4}}[.;]?"
    r"(?=[ \t]*(?:\n|$)|[ \t]+[A-Z][\w /]{0,40}:|(?<=[.;])[ \t])",
    re.I,
)


def answer_end(text: str, start: int, stop: int, end: int) -> int | None:
    """Where the answer ends to the question `text[start:stop]`; None if none follows before `end`.

    It is on the same line or, if the question ends its line, on the next. Where another question follows on
    the line, the answer ends before that.
    """
    if end - stop < 1 or stop - start > 400:
        return None
    at = stop
    while at < end and text[at] in " \t":
        at += 1
    if at < end and text[at] in "\r\n":
        at = stop + (len(text[stop:end]) - len(text[stop:end].lstrip()))
    line_end = text.find("\n", at, end)
    line_end = end if line_end < 0 else line_end
    rest = text[at:line_end]
    if not rest.strip():
        return None
    answer = _ANSWER.match(text, at, line_end)
    following = _NEXT_QUESTION.match(text, answer.end() if answer else at, line_end)
    if answer is not None and following is None:
        return _statement_end(text, answer.end(), line_end)
    if answer is not None and following is not None:
        inner = _ENDS.search(text, answer.end() - 1, following.end() - 1)
        if inner is not None:
            return inner.start() + 1
        capital = _CAPITAL.search(text, answer.end(), following.end())
        return capital.start() if capital is not None else answer.end()
    if following is not None or _opens_line(text, start) is False:
        return None
    inner = _ENDS.search(text, at, line_end)
    if inner is not None and inner.end() < line_end and text[inner.end() : line_end].strip():
        return None
    return line_end if len(rest.split()) <= _MOST_WORDS else None


def _statement_end(text: str, at: int, line_end: int) -> int:
    """The end of the sentence that the answer begins."""
    stop = re.compile(r"[.!](?=\s+[A-Z(]|\s*$)|;(?=\s)").search(text, at, line_end)
    return stop.end() if stop is not None else line_end


def _opens_line(text: str, start: int) -> bool:
    """Whether nothing but a marker or a label stands before a question on its line."""
    line_start = text.rfind("\n", max(0, start - 200), start) + 1
    before = text[line_start:start].strip() if start - line_start < 200 else "x"
    return not before or (before[-1] in ":.)-•*#|" and len(before) < 60)


def is_question(text: str) -> bool:
    """Whether a line ends in a question, or is one by its label."""
    return text[-1] in "?？؟" or (text[0] in "Qq" and _LABELS.match(text) is not None)


def asks(text: str) -> bool:
    """Whether a line asks, with the printed choices behind the question or not (`Any stroke? Yes No`)."""
    return is_question(text) or _CHOICES.search(text[-24:]) is not None


def is_labelled_answer(text: str) -> bool:
    """Whether a line is an answer by its label (`A: No`)."""
    return text[0] in "AaRr" and _ANSWER_LABELS.match(text) is not None


def begins_answer(text: str) -> bool:
    """Whether a text begins with a word that answers."""
    return _ANSWER.match(text) is not None


def is_short(text: str) -> bool:
    """Whether a line is short enough to be an answer."""
    return len(text.split()) <= _MOST_WORDS


def mere_value(text: str, start: int, end: int) -> bool:
    """Whether what stands behind a label is no more than `no`, `none`, `stop` or the like."""
    first = _FIRST_WORD.match(text, start, min(end, start + 60))
    if first is None or first[1].lower().rstrip(".;") not in _MERE_BEGINS:
        return False
    return _MERE_VALUE.match(text, start, end) is not None
