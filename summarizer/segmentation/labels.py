"""Whether `Label:` is a heading or the beginning of a value that belongs to the sentence."""

import re
from enum import Enum, auto
from functools import lru_cache

from summarizer.segmentation.regions import EXAM_REGIONS, STUDIES, is_region, is_study
from summarizer.segmentation.section_titles import TITLE_KINDS, names_section, normalise
from summarizer.segmentation.vocabulary import alternatives, read, words
from summarizer.types import SectionKind

LISTING_KINDS = frozenset({SectionKind.EXAM, SectionKind.REVIEW_OF_SYSTEMS, SectionKind.FINDINGS})
"""Sections whose short labels are regions and domains, known by name or not."""

_HISTORY_KINDS = frozenset(
    {
        SectionKind.CHIEF_COMPLAINT,
        SectionKind.HISTORY,
        SectionKind.PAST_HISTORY,
        SectionKind.FAMILY_HISTORY,
        SectionKind.SOCIAL_HISTORY,
        SectionKind.MEDICATIONS,
    }
)
ABBREVIATED = frozenset({"All", "ALL"})
"""What allergies are called for short."""
_LEUKAEMIA = re.compile(r"\s*(?:in|s/p|dx|diagnosed|treated|relapsed?|remission|of|with)\b", re.I)
"""What stands behind `ALL:` where that is the leukaemia."""

LABEL = re.compile(
    r"(?:\*\*|__)?(?P<words>(?:Gen\. (?=E))?[A-Za-z][\w \t/&,'’#()+\-]{0,70}+)"
    r"(?:\*\*)?(?:(?<!\d):|:(?!\d))(?:\*\*|__)?(?=[\s,;.:A-Za-z(\[\"*+\-~<>\d]|$)"
)
LONGEST_LABEL = 90
"""Within so many characters a label has its colon."""
AFTER_COLON = re.compile(r"[:,;]*(?:[ \t]{1,80}[,;]+)?(?:[-–—][ \t]{1,80})?")

_VALUE_LABELS = words("labels", "values")
APART = words("labels", "apart")
FIELDS_ALONE = words("labels", "apart", "alone")
"""Values that head what is below where they stand alone on a line."""
REMARKS = words("labels", "remarks")
_PROBLEMS = words("labels", "problems")
OPERATION = words("labels", "operation")
_GOVERNS = words("labels", "governs")
_GOVERNS_ORDERS = words("labels", "governs_orders")
_GOVERNING_WORDS = 7
_VALUE_TAIL = words("labels", "value_last_words")
_VALUE_HEAD = re.compile(rf"(?:{alternatives('labels', 'value_first_words')})\b")
_PROSE = re.compile(rf"(?<!-)\b(?:{alternatives('labels', 'prose')})\b")
_LEAD_IN_HEAD = re.compile(rf"(?:{'|'.join(read('labels')['lead_in_first_words'])})\b")
_OPEN_ENDS = tuple(f" {word}" for word in read("labels")["lead_in_last_words"])
_NARRATIVE = re.compile(r"(?:The|This|There|Patient|He|She|They|We)\s+\w+\s")
_GAP = re.compile(r"\t| {3}")
"""In a label it parts the value of one field from the label of the next: `latex     Isolation:`."""
_SUFFIXES = re.compile(r"\S+")


class Role(Enum):
    """What a label is by its words."""

    SECTION = auto()
    EITHER = auto()
    VALUE = auto()
    LEAD_IN = auto()
    UNKNOWN = auto()


_SECTION, _EITHER, _VALUE, _LEAD_IN, _UNKNOWN = Role


@lru_cache(maxsize=8192)
def role(label: str) -> Role:
    """The role of the words before a colon, whatever follows it."""
    name = normalise(label)
    if not name:
        return _UNKNOWN
    known = name in TITLE_KINDS or name in EXAM_REGIONS or name in STUDIES
    if name.endswith(_OPEN_ENDS):
        return _LEAD_IN
    if name in _VALUE_LABELS:
        return _EITHER if known else _VALUE
    if known:
        return _SECTION
    if (
        (len(name.split()) > 9 and not (label.isupper() and names_section(name)))
        or _LEAD_IN_HEAD.match(name)
        or _PROSE.search(name)
    ):
        return _LEAD_IN
    if is_region(name) or (is_study(name) and not re.search(r"\d[/-]\d", name)):
        return _SECTION
    if _VALUE_HEAD.match(name) or any(map(str.isdigit, name)) or name.rpartition(" ")[2] in _VALUE_TAIL:
        return _VALUE
    return _SECTION if "," not in name and names_section(name) else _UNKNOWN


def known_heading(label: str, rest: str = "") -> bool:
    """Whether a label (as written, without colon) names a section, region, domain or study."""
    found = role(label)
    return found is _SECTION or (found is _EITHER and not rest[:1].isdigit())


@lru_cache(maxsize=4096)
def governs(label: str) -> bool:
    """Whether a label in a sentence speaks of what follows that too (`Held: Lasix 20 mg. Coreg 5 mg.`)."""
    said = normalise(label).split()
    return len(said) <= _GOVERNING_WORDS and not _GOVERNS.isdisjoint(said)


def governs_orders(label: str) -> bool:
    """Whether orders stand under such a label too."""
    return label.split(None, 1)[0].lower() in _GOVERNS_ORDERS


def names_problem(label: str) -> bool:
    """Whether a label names one of the problems of a plan, with its number or without (`Problem #2`)."""
    return normalise(label).rstrip(" 0123456789") in _PROBLEMS


def opens_section(label: str, rest: str, context: SectionKind | None = None, *, nested: bool = False) -> bool:
    """Whether `label:` before `rest` (the remainder of its line) is a heading.

    Args:
        label: the words before the colon.
        rest: what follows on the line, stripped; "" when the label stands alone.
        context: the kind of the section it stands in.
        nested: whether it follows another heading on its line.
    """
    found = role(label)
    if found is _SECTION or abbreviates_allergies(label, rest, context):
        return True
    if found is _EITHER:
        return not rest[:1].isdigit()
    if found is _LEAD_IN or _GAP.search(label):
        return False
    if not rest:
        return True
    if found is _VALUE and label.isupper() and _NARRATIVE.match(rest):
        return normalise(label) not in _VALUE_LABELS
    if found is _VALUE or len(label) < 3 or (nested and _ends_in_region(label)):
        return False
    if label.isupper():
        return len(rest.split()) >= 4 or rest[-1] in ".,"
    return (
        context in LISTING_KINDS and label[0].isupper() and len(label.split()) <= 3 and not rest[0].isdigit()
    )


def abbreviates_allergies(label: str, rest: str, context: SectionKind | None) -> bool:
    """Whether a label is `All` among labels of a history (`PMH: asthma. Meds: none. All: penicillin.`)."""
    return label in ABBREVIATED and context in _HISTORY_KINDS and not _LEUKAEMIA.match(rest)


@lru_cache(maxsize=4096)
def _ends_in_region(label: str) -> bool:
    """Whether a label is other text and then a region (`WNL LUNGS`)."""
    return any(role(label[word.start() :]) is _SECTION for word in list(_SUFFIXES.finditer(label))[1:])
