"""Headings that are open, and which of them a new one stands under."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from summarizer.segmentation.line_ends import is_terminated
from summarizer.segmentation.regions import STUDIES, is_region, is_study
from summarizer.segmentation.section_titles import AXIS, TITLE_KINDS, names_section, normalise
from summarizer.segmentation.vocabulary import words
from summarizer.types import ContextSpan, SectionKind

_DOCUMENTS = words("section_titles", "documents")
_TOLD_APART = words("section_titles", "documents_told_apart")
_WORDS = re.compile(r"[a-z]+")
SURVEYS = frozenset(
    {
        SectionKind.EXAM,
        SectionKind.REVIEW_OF_SYSTEMS,
        SectionKind.FINDINGS,
        SectionKind.IMPRESSION,
        SectionKind.PROCEDURE,
    }
)
"""Sections that go through regions and body systems, or through studies."""
BY_SYSTEM = frozenset({SectionKind.ASSESSMENT, SectionKind.PLAN, SectionKind.HOSPITAL_COURSE})
"""Sections that may go through body systems."""
_DIVIDED = SURVEYS | BY_SYSTEM | {SectionKind.RESULTS}
"""Sections that are usually divided by labels."""
FIELDS = frozenset(
    {
        SectionKind.CHIEF_COMPLAINT,
        SectionKind.DIAGNOSIS,
        SectionKind.ALLERGIES,
        SectionKind.MEDICATIONS,
        SectionKind.SOCIAL_HISTORY,
        SectionKind.FAMILY_HISTORY,
        SectionKind.INDICATION,
        SectionKind.ADMINISTRATIVE,
        SectionKind.OTHER,
    }
)
"""Sections that a form asks for in a word or two."""
FIELD = 80
"""How long the value of a field may be, in characters."""
ANNOUNCES = re.compile(r"\b(?:following|follows|below|these)\b", re.I)
DEEPER = 2
"""By how many blanks a heading or text stands in from a heading that encloses it by that."""


@dataclass(slots=True)
class Head:
    """A heading that is open.

    Attributes:
        main: it names a section of a note; the others are regions, studies and labels within one.
        region, study, test: it names a region or a body system; a study; a study or a test.
        indent: white space before it on its line, in characters; that of its line where it stands within one.
        upper: it is in capitals.
        inline: text follows it on its line.
        depth: how many items it stands in; it is closed with them.
        listed: a list stands right under it, and it belongs to that list alone.
        tabled: a table stands right under it, and it belongs to that table alone.
        used: a sentence stands under it.
        body: how far the first line of the text under it is indented, None before there is any.
        within: it follows a sentence on its line, and is closed with the paragraph or item it stands in.
        declared: the format says that it is a heading.
        item: the indent and number of the counted item that it names a section in, which ends with the next.
        level: how deep it stands as the format or Markdown declares it, from 1; 0 if that is not known.
    """

    span: ContextSpan
    kind: SectionKind
    main: bool
    region: bool
    study: bool
    test: bool
    indent: int
    upper: bool
    inline: bool
    depth: int = 0
    listed: bool = False
    tabled: bool = False
    used: bool = False
    body: int | None = None
    within: bool = False
    declared: bool = False
    item: tuple[int, int] | None = None
    level: int = 0

    @property
    def names(self) -> bool:
        """Whether the format says that it is a heading, and it names what all below is of (`Twin A`)."""
        return self.declared and self.kind is SectionKind.OTHER


def alike(top: Head, head: Head) -> bool:
    """Whether two labels with their text on one line look alike (`DIET: Soft.` above `COUMADIN: Hold.`)."""
    return top.inline and head.inline and top.upper == head.upper


def markdown_level(title: str) -> int:
    """How deep a title stands by its signs (`## Heart`), 0 where it has none."""
    return len(title) - len(title.lstrip("#")) if title[0] == "#" else 0


def names_document(title: str, name: str) -> bool:
    """Whether a heading names the whole document and says nothing of the sentences under it."""
    return name.rpartition(" ")[2] in _DOCUMENTS and _TOLD_APART.isdisjoint(_WORDS.findall(title.lower()))


def encloses(top: Head, head: Head, *, beside: bool) -> bool:
    """Whether an open heading has a new label under it; `beside` says that a label of its look is open.

    A wrong heading above a statement misleads, so only what is seen to enclose does: a heading that stands
    alone right above the label or that the label is indented from; a section that is usually divided, if the
    label is of another form.
    """
    if head.indent < top.indent and not top.main:
        return False
    alone = not top.inline
    weaker = top.upper and not head.upper
    if top.main and (head.region or head.study):
        fits = top.kind in SURVEYS or (head.study and top.kind is SectionKind.RESULTS)
        fits = fits or (alone and top.kind in BY_SYSTEM)
        return fits and (alone or top.upper != head.upper)
    if alone and (not top.used or head.indent >= top.indent + DEEPER):
        return head.inline or top.main or weaker
    if not top.main:
        return alone and weaker and not beside
    return top.kind in _DIVIDED and (weaker or (alone and head.inline and beside))


def is_label(head: Head) -> bool:
    """Whether a heading has its text on its line, and is no section of running text."""
    return head.inline and (not head.main or head.kind in FIELDS)


def is_field(head: Head, text: str, at: int) -> bool:
    """Whether what a heading has on its line ends at a blank line above `at`, as the value of a field does.

    In capitals that is a few words that are no statement; other labels of such a kind have a paragraph.
    """
    if not (head.main and head.inline and (head.kind in FIELDS or head.kind is SectionKind.INSTRUCTIONS)):
        return False
    under = text[head.span.end : at]
    value = under.strip()
    if "\n" not in under[len(under.rstrip()) :] or not value:
        return False
    if not head.upper:
        return True
    return head.kind in FIELDS and "\n" not in value and len(value) < FIELD and not is_terminated(value)


class Look(NamedTuple):
    """What the words of a heading tell of it, wherever it stands.

    Attributes:
        name: normalised.
        upper, main, region, study, test: as of a `Head`.
    """

    name: str
    upper: bool
    main: bool
    region: bool
    study: bool
    test: bool


@lru_cache(maxsize=8192)
def look(title: str, *, declared: bool) -> Look:
    """What a heading is by its words; the same ones stand in many notes."""
    name = normalise(title)
    study = is_study(name)
    return Look(
        name,
        title.isupper(),
        is_main(name, declared=declared),
        is_region(name),
        study,
        study or name in STUDIES,
    )


@lru_cache(maxsize=8192)
def is_main(name: str, *, declared: bool) -> bool:
    """Whether a heading names a section of a note."""
    if AXIS.fullmatch(name):
        return False
    if name in TITLE_KINDS:
        return not is_region(name)
    if not any(map(str.isalpha, name)):
        return True  # a date that heads an entry
    if is_region(name) or is_study(name):
        return False
    return declared or names_section(name)
