"""Section titles of clinical notes and the kind each one names.

The kinds follow the LOINC document section names (loinc.org, class DOC.SECTION; codes as used by
HL7 C-CDA R2.1).
"""

import re
from functools import lru_cache

from summarizer.segmentation.regions import is_region, is_study
from summarizer.segmentation.vocabulary import read
from summarizer.types import SectionKind as K

AXIS = re.compile(r"axis\s{1,9}(?:iv|i{1,3}|v)\b[.:,]*", re.I)
"""One of the five of a psychiatric diagnosis (DSM-IV): it heads its line, and nothing below."""
_FILE = "section_titles"
LOINC_KINDS = {code: K(kind) for kind, codes in read("loinc").items() for code in codes}
TITLE_KINDS = {title: K(kind) for kind, titles in read(_FILE)["titles"].items() for title in titles}
_TAIL_KINDS = {word: K(kind) for kind, tails in read(_FILE)["last_word"].items() for word in tails}
_HEAD_KINDS = tuple((head, K(kind)) for kind, heads in read(_FILE)["first_words"].items() for head in heads)
_HEADS = tuple(head for head, _ in _HEAD_KINDS)
_FRAMES = re.compile(r"^(?:ros|exam|the|patient'?s|current|past|final|brief|pertinent|additional|other) ")
_NORMALISE = re.compile(r"\([^)]{0,200}\)|\[[^\]]{0,200}\]|[*_#]+")
_SPACES = re.compile(r"\s+")


@lru_cache(maxsize=8192)
def normalise(title: str) -> str:
    """Lower case, without parentheses, mark-up, outer punctuation and repeated white space."""
    text = _NORMALISE.sub(" ", title).lower().replace("’", "'")
    return _SPACES.sub(" ", text).strip(" \t.,;:-–—=")


@lru_cache(maxsize=8192)
def section_kind(title: str, code: str | None = None) -> K:
    """The kind a heading names, by its LOINC code if that is known, else by its words."""
    if code is not None and code in LOINC_KINDS:
        return LOINC_KINDS[code]
    return _kind_of_words(normalise(title))


def _kind_of_words(name: str) -> K:
    """The kind of a normalised title, OTHER if none is known."""
    name = re.sub(r"^(?:\d{1,2}|[ivx]{1,4}|[a-h])[.)]\s*", "", name)
    if name in TITLE_KINDS:
        return TITLE_KINDS[name]
    spelled = name.replace(" & ", " and ")
    if spelled in TITLE_KINDS:
        return TITLE_KINDS[spelled]
    if is_region(name):
        return K.EXAM
    if is_study(name):
        return K.RESULTS
    framed = _FRAMES.sub("", name)
    if framed != name:
        return _kind_of_words(framed)
    for head, kind in _HEAD_KINDS:
        if name.startswith(head):
            return kind
    return _TAIL_KINDS.get(name.rpartition(" ")[2], K.OTHER)


def names_section(name: str) -> bool:
    """Whether a normalised title names a section by itself or by its first or last words."""
    if name in TITLE_KINDS or name.replace(" & ", " and ") in TITLE_KINDS:
        return True
    if name.startswith(_HEADS):
        return len(name.split()) <= 12
    return len(name.split()) <= 7 and name.rpartition(" ")[2] in _TAIL_KINDS
