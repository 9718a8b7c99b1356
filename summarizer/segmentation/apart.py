"""Lines that no heading of a note stands over: whose note it is, a page's head or foot, who signed it."""

import re

from summarizer.segmentation.vocabulary import alternatives, words

_FIRST = re.compile(r"[a-z.]+", re.I)
_BEGINS = frozenset(
    name.group().lower()
    for phrase in words("apart", "identity", "signers", "signed")
    if (name := _FIRST.match(phrase)) is not None
)
"""First words of all of these: far quicker than to try the patterns on every line."""
_IDENTITY = re.compile(rf"(?:{alternatives('apart', 'identity')})\s?[:#]", re.I)
_SIGNED = re.compile(
    rf"(?:(?:{alternatives('apart', 'signers')})(?:['’]?s)?\s)?(?:{alternatives('apart', 'signed')})"
    r"\s?(?::|_{2,}|\||\(|$)",
    re.I,
)
_PAGE = re.compile(
    r"(?:^|[|\t]\s{0,8}| {3})(?:page|pg\.?|p ?a ?g ?e)\s?:?\s?\d{1,4}(?:\s?(?:of|/)\s?\d{1,4})?"
    r"\s{0,8}(?:$|[|\t]| {3})"
    r"|^\d{1,4}\s{0,4}\|\s{0,4}p ?a ?g ?e$",
    re.I,
)


def may_stand_apart(line: str) -> bool:
    """Whether a line begins as a field of identity or of a signature does."""
    first = _FIRST.match(line)
    return first is not None and first[0].lower() in _BEGINS


def is_of_page(line: str) -> bool:
    """Whether a line is a page's head or foot: one of its cells is the page's number."""
    return _PAGE.search(line) is not None


def is_identity(line: str) -> bool:
    """Whether a line begins with a field that says whose note it is (`MRN: 4711`)."""
    return _IDENTITY.match(line) is not None


def is_signed(line: str) -> bool:
    """Whether a line is the field of a signature (`Therapist's signature: ___`)."""
    return _SIGNED.match(line) is not None
