"""Sentences of running text in the corpora, the same for training and for evaluation.

Three forms of text come in: print, the PubMed benchmark's (lower case, full stops set off by blanks) and
lower case spaced as in print. A lower-cased text has no capital to tell a full stop from an abbreviation's.
"""

import re

from summarizer.segmentation.segment import segment

# The full stop after these, or after a single letter, ends no sentence where there are no capitals.
_ABBREVIATIONS = frozenset(
    """
    al approx ca cf cv dr e.g eg etc fig figs i.e ie nos no resp ref sp spp ssp st subsp tab var vs
    """.split()
)
_SPACED_STOP = re.compile(r"(?P<word>\S+)?\s[.?!](?:\s+|$)")
_UPPER = re.compile("[A-Z]")
_AFTER_STOP = re.compile(r"(?:^|(?P<word>[^\s.?!]*)[.?!][\])\"']*\s+)(?P<first>[a-z])")
_LAST_STOP = re.compile(r"(?P<word>[^\s.?!]+)\s?\.$")
_WORD = re.compile(r"\w")


def split_text(text: str) -> list[str]:
    """The sentences of a text, in order, each on one line.

    A line break ends a sentence, and so does a full stop that stands apart, as in the benchmark, unless an
    abbreviation explains it. In a lower-cased text with such stops a line break means nothing, and lines of
    capitals alone are headings and are left out; no other character but white space is lost. Within what is
    left the segmentation of clinical notes decides; for text without capitals it is shown one after each stop
    that no abbreviation explains, as a capital is what it looks for.
    """
    found: list[str] = []
    for line in _lines(text):
        for piece in _pieces(line):
            for sentence in _segmented(piece):
                if found and not _WORD.search(sentence):
                    found[-1] += f" {sentence}"
                elif sentence:
                    found.append(sentence)
    return found


def _lines(text: str) -> list[str]:
    lines = text.splitlines()
    plain = [line for line in lines if not line.isupper()]
    if any(_UPPER.search(line) for line in plain) or not (len(plain) < len(lines) or _spaced(plain)):
        return lines
    return [" ".join(plain)] if _spaced(plain) else plain


def _spaced(lines: list[str]) -> bool:
    return any(_SPACED_STOP.search(line) for line in lines)


def _pieces(line: str) -> list[str]:
    """A line cut behind the full stops that stand apart."""
    line = line.strip()
    pieces, at = [], 0
    for stop in _SPACED_STOP.finditer(line):
        if not _abbreviated(stop["word"] or ""):
            pieces.append(line[at : stop.end()])
            at = stop.end()
    return [*pieces, line[at:]]


def _abbreviated(word: str) -> bool:
    word = word.lstrip("([")
    return word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word.islower())


def _segmented(piece: str) -> list[str]:
    """A piece cut at the ends of its sentences; headings and markers stay with what follows."""
    lower = not _UPPER.search(piece)
    shown = _AFTER_STOP.sub(_capital, piece) if lower else piece
    parts = []
    at = 0
    for sentence in segment(shown, ()).sentences:
        if lower and shown[sentence.end :].lstrip()[:1].islower():
            continue  # what follows was not shown as a beginning
        if lower and (stop := _LAST_STOP.search(piece[at : sentence.end])) and _abbreviated(stop["word"]):
            continue
        parts.append(piece[at : sentence.end])
        at = sentence.end
    rest = piece[at:]
    if rest.strip():
        parts.append(rest)
    return [" ".join(part.split()) for part in parts]


def _capital(found: re.Match[str]) -> str:
    word = found["word"]
    if word is not None and _abbreviated(word):
        return found[0]
    return found[0][:-1] + found["first"].upper()
