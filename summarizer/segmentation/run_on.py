"""Cutting sentences that are too long for a model to read whole."""

import re
from collections.abc import Iterator

from summarizer.segmentation.vocabulary import words

MAX_TOKENS = 300
"""Pieces of up to eight word characters and single other marks: an estimate of word pieces from above."""

_OPENING_ENDS = words("line_ends", "opening_ends", "finite", "open_verbs")
_OPENING_GOES_ON = words("line_ends", "opening_goes_on")
_LONGEST_OPENING = 16
_AUXILIARIES = words("line_ends", "auxiliaries")
_TELLS = frozenset(
    {"told", "asked", "advised", "instructed", "warned", "reminded", "allowed", "able", "unable", "ordered"}
)
"""Behind these what follows is part of who does or may not do what: `was told never to give`."""
_BEFORE_OBJECT = re.compile(r" (?:of|for|to)\b")
"""Behind a word between a negation and what it denies: `no sign of`, `never exposed to`."""
_COLON = re.compile(r"[^:,;.\n]{1,100}:(?=\s)")
_WORD = re.compile(r"\S+")
_PIECE = re.compile(r"\w{1,8}|[^\w\s]")
_BREAKS: tuple[re.Pattern[str], ...] = (
    re.compile(r"[;；](?=\s)|\n(?=[ \t]*\n)|[!?。]"),
    re.compile(r",(?=\s+(?:and|but|or|then|which|while|so|with)\b)|(?<=\s)[-–—]{1,2}(?=\s)|:(?=\s)|\n"),
    re.compile(r"[,、，](?=\s)|[、，]"),
    re.compile(r"\s(?=(?:and|but|or|then|while|because|who|which|with)\s)"),
    re.compile(r"\s"),
)


def cut_run_on(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """`text[start:end]` as pieces of at most `MAX_TOKENS`, cut at the best inner boundary.

    The boundary is the last one of the strongest sort (semicolon; comma before a conjunction, dash, colon
    or line end; comma; conjunction; white space) in the second half of what fits. A stretch without any, such
    as one endless word, stays whole. The pieces have no outer white space.
    """
    while end - start > MAX_TOKENS:
        limit = _limit(text, start, end)
        if limit is None:
            break
        cut = _best(text, start, limit, end)
        if cut is None:
            break
        piece = text[start:cut].rstrip()
        yield start, start + len(piece)
        while text[cut].isspace():
            cut += 1
        start = cut
    yield start, end


def _limit(text: str, start: int, end: int) -> int | None:
    """The offset where the token allowance is used up, None if the text is short enough."""
    for count, piece in enumerate(_PIECE.finditer(text, start, end)):
        if count >= MAX_TOKENS:
            return piece.start()
    return None


def _best(text: str, start: int, limit: int, end: int) -> int | None:
    """The best place to cut in the second half before `limit`, else the first white space after it."""
    half = (start + limit) // 2
    for pattern in _BREAKS:
        cut = None
        for found in pattern.finditer(text, half, limit):
            cut = found.end()
        if cut is not None and cut < end and text[start:cut].strip() and text[cut:end].strip():
            return cut
    after = _BREAKS[-1].search(text, limit, end)
    return after.end() if after is not None and after.end() < end else None


def opening(text: str, start: int, end: int) -> int:
    """Where the opening ends of a sentence: behind its first verb or negation, else behind its first words.

    `The patient denies any pain, any swelling, ...` opens with `The patient denies any`; what stands before a
    colon opens whole (`The following were not given: ...`).
    """
    stop, ended = start, False
    before, awaits_verb = "", False
    colon = _COLON.match(text, start, end)
    if colon is not None:
        return colon.end()
    for count, word in enumerate(_WORD.finditer(text, start, min(end, start + 400))):
        bare = word[0].lower().strip(".,;:()")
        known = (
            bare in _OPENING_GOES_ON
            or bare in _OPENING_ENDS
            or bare in _TELLS
            or bare.endswith("ly")
            or awaits_verb
        )
        awaits_verb = (bare in ("not", "never") and before in _AUXILIARIES) or (  # `does not report`
            bare == "to" and (before in _TELLS or before in ("not", "never"))
        )
        before = bare
        if ended and not known and not _BEFORE_OBJECT.match(text, word.end()):
            return stop
        if count >= _LONGEST_OPENING:
            break
        ended = ended or bare in _OPENING_ENDS
        if ended or count < _LONGEST_OPENING // 2:
            stop = word.end()
    return stop
