"""Sentences of articles and abstracts that come as one string.

Natural text goes through `summarizer.segmentation`. The PubMed corpora are lower-cased, which leaves no
capital to tell a full stop from an abbreviation, so they are split by rules of their own.
"""

import re

from summarizer.segmentation.segment import segment

# The full stop after these, or after a single letter, ends no sentence.
_ABBREVIATIONS = frozenset(
    "al approx ca cf cv dr e.g eg etc fig figs i.e ie no resp ref sp spp ssp subsp tab var vs".split()
)
_STOP = re.compile(r"\s?[.?!]\s+")
_LAST_WORD = re.compile(r"[^\s([]+$")
_STOP_SET_OFF = re.compile(r"\s[.?!](\s|$)")


def split_sentences(text: str) -> tuple[str, ...]:
    """The sentences of a string, without outer white space.

    A text without capitals, but for lines that have nothing else (headings, which are left out), is
    lower-cased. Where its full stops are set off by blanks, a newline is as good as a blank; elsewhere it
    ends a sentence.
    """
    lines = [line for line in text.split("\n") if not line.isupper()]
    if any(character.isupper() for line in lines for character in line):
        return tuple(text[s.start : s.end] for s in segment(text).sentences)
    pieces = [" ".join(lines)] if _STOP_SET_OFF.search(text) else lines
    return tuple(sentence for piece in pieces for sentence in _split_lower_case(piece))


def _split_lower_case(text: str) -> list[str]:
    sentences, start = [], 0
    for stop in _STOP.finditer(text):
        before = _LAST_WORD.search(text, start, stop.start())
        word = before[0] if before else ""
        if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
            continue
        sentences.append(text[start : stop.end()].strip())
        start = stop.end()
    return [sentence for sentence in [*sentences, text[start:].strip()] if sentence]
