"""Lines that no heading of a note stands over: whose note it is, a page's head or foot, who signed it."""

import re

from summarizer.segmentation.vocabulary import alternatives, read

_HINTS = tuple(read("apart")["hints"])
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


def may_stand_apart(text: str) -> bool:
    """Whether a note has a word of such a line."""
    return any(hint in text for hint in _HINTS)


def is_of_page(line: str) -> bool:
    """Whether a line is a page's head or foot: one of its cells is the page's number."""
    return _PAGE.search(line) is not None


def is_identity(line: str) -> bool:
    """Whether a line begins with a field that says whose note it is (`MRN: 4711`)."""
    return _IDENTITY.match(line) is not None


def is_signed(line: str) -> bool:
    """Whether a line is the field of a signature (`Therapist's signature: ___`)."""
    return _SIGNED.match(line) is not None
