"""Sentences of running text in the corpora: print, the benchmark's spacing, and lower case."""

import re

from summarizer.segmentation.blocks import segment_text

_SPACED_STOP = re.compile(r"(?<=\s[.?!])\s+")
_UPPER = re.compile("[A-Z]")
_SHORT = "sp spp subsp ssp var cv fig figs al vs ca cf eg ie approx no nos st dr resp"
_AFTER_STOP = re.compile(r"(?:^|(?P<word>[^\s.?!]*)[.?!][\])\"']*\s+)(?P<first>[a-z])")
_WORD = re.compile(r"\w")


def split_text(text: str) -> list[str]:
    """The sentences of a text, in order, each on one line; no character but white space is lost.

    A line break ends a sentence. So does a full stop that stands apart, as in the benchmark. Within what is
    left the segmentation of clinical notes decides; for text without capitals it is shown one after each stop
    that no abbreviation explains, as a capital is what it looks for.
    """
    found: list[str] = []
    for line in text.splitlines():
        for piece in _SPACED_STOP.split(line.strip()):
            for sentence in _segmented(piece):
                if found and not _WORD.search(sentence):
                    found[-1] += f" {sentence}"
                elif sentence:
                    found.append(sentence)
    return found


def _segmented(piece: str) -> list[str]:
    """A piece cut at the ends of its sentences; headings and markers stay with what follows."""
    lower = not _UPPER.search(piece)
    shown = _AFTER_STOP.sub(_capital, piece) if lower else piece
    parts = []
    at = 0
    for sentence in segment_text(shown, ()).sentences:
        if lower and shown[sentence.end :].lstrip()[:1].islower():
            continue  # what follows was not shown as a beginning
        parts.append(piece[at : sentence.end])
        at = sentence.end
    rest = piece[at:]
    if rest.strip():
        parts.append(rest)
    return [" ".join(part.split()) for part in parts]


def _capital(found: re.Match[str]) -> str:
    word = found["word"]
    if word is not None and (len(word) == 1 or word.lstrip("([") in _SHORT.split()):
        return found[0]
    return found[0][:-1] + found["first"].upper()
