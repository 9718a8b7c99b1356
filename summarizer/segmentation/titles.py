"""Headings without a label's colon: known by their words, their mark-up, their number or their date."""

import re

from summarizer.segmentation.boilerplate import is_rule
from summarizer.segmentation.labels import FIELDS_ALONE, known_heading
from summarizer.segmentation.line_ends import goes_on
from summarizer.segmentation.lines import Line
from summarizer.segmentation.markers import is_fracture
from summarizer.segmentation.section_titles import TITLE_KINDS, names_section, normalise
from summarizer.segmentation.vocabulary import alternatives, read, words
from summarizer.types import SectionKind

_MARKDOWN = re.compile(r"#{1,6}\s{1,8}\S")
_BOLD = re.compile(r"(\*\*|__)[^*_]{1,80}\1:?$")
_DATED_LABEL = re.compile(r"\d{1,2}/\d{1,4}(?:/\d{2,4})?,? [A-Z][^:.;]{2,60}:$")
_DATE_TITLE = re.compile(
    r"(?:\w{3,9},?\s{1,20})?(?:\d{1,4}[/-]\d{1,2}[/-]\d{1,4}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|"
    r"dec)[a-z]{0,6}\.?\s{1,20}\d{1,2},?\s{1,20}\d{4}"
    r"|\[\*\*[\d-]+\*\*\])?,?\s{0,20}(?:(?:at\s{1,20})?\d{1,2}:?\d{2}(?::\d{2})?\s{0,20}(?:[ap]\.?m\.?|h|hrs|"
    r"hours)?)?\s{0,20}:?$",
    re.I,
)
_LATER = r"(?:[^:.\n]|[.:](?=\d)|(?<=\bDr)\.|(?<=\b[A-Z])\.){0,60}:(?=\s|\Z)"
ADDED = re.compile(
    rf"(?:addendum|late entry|nachtrag)\b(?! to\b){_LATER}|(?:amendment|correction)(?: by\b|,? ?\d){_LATER}",
    re.I,
)
"""What was written later, with its date or writer (`ADDENDUM 11/06/2025 09:12:`)."""
ADDED_BEGINS = frozenset("ALNC")
"""With what that begins, where it is a capital."""
_LISTED = re.compile(r"[-•*–+>]|\(?\w{1,3}[.)]\s")
_STATEMENT = re.compile(rf"(?:^|[\s(])(?:{alternatives('statements', 'anywhere')})(?=$|[\s,;)/])", re.I)
_ORDERS = words("statements", "orders")
ACTIONS = words("section_titles", "actions")
_STATES = words("section_titles", "states")
_DRAWN_TITLE = re.compile(
    r"([=~*#<>_\u2013\u2014\u2500\u2501\u250c-\u2513\u2550\u2552-\u2554\u256d\u2574-\u257b-]"
    r"[=~*#<>_\u2013\u2014\u2500\u2501\u2550\u2574-\u257b-]{1,200}) ?(?P<words>[A-Z][\w /&,'()-]{1,60}?) ?"
    r"[=~*#<>_\u2013\u2014\u2500\u2501\u2550\u2574-\u257b-]{1,200}[\u2510-\u2513\u2555-\u2557\u256e=~*#<>_\u2013\u2014\u2500\u2501\u2550\u2574-\u257b-]"
)
"""Words between two runs of drawn signs, of box-drawing characters too."""
DRAWN = frozenset("=~*#<>_-–—─━┌┏═╒╔╭╴╸")
"""With what such a line begins."""
DRAWN_ENDS = DRAWN - frozenset("┌┏╒╔╭") | frozenset("┐┓╕╗╮")
_UNDERLINES = frozenset("=-~_*─━═")
_TITLE_WORDS = 7
_PLAIN_TITLES = frozenset(read("section_titles")["alone"])


def is_statement(text: str) -> bool:
    """Whether a line says something: a negation, a verb, a judgment or an order."""
    first = text.split(None, 1)[0].lower().strip(".,;:")
    return first in _ORDERS or _STATEMENT.search(text) is not None


def is_known_title(text: str) -> bool:
    """Whether a line is the title of a section, word for word."""
    return normalise(text) in TITLE_KINDS


def is_action(text: str) -> bool:
    """Whether a line in capitals says what to do with the things below it, and nothing else (`STOP`)."""
    return text.isupper() and normalise(text) in ACTIONS


def drawn_title(body: str) -> str:
    """The words of a line between two runs of drawn signs (`=== Allergies ===`), "" where it is none."""
    found = _DRAWN_TITLE.fullmatch(body)
    return "" if found is None or _says_something(found["words"]) else found["words"]


def is_underlined(line: Line, before: Line | None, following: Line | None) -> bool:
    """Whether a rule stands right under a few words that say nothing by themselves.

    It is about as long as they are, or they are set off from what is above: else it parts two matters.
    """
    if following is None or following.after_blank or following.text[0] not in _UNDERLINES:
        return False
    body, rule = line.text, following.text
    if not is_rule(rule) or not body[0].isupper() or not (body[-1].isalnum() or body[-1] == ")"):
        return False
    apart = line.after_blank or before is None or is_rule(before.text)
    if not apart and not -3 < len(rule) - len(body) < 5:
        return False
    return len(body.split()) <= _TITLE_WORDS and ": " not in body and not _says_something(body)


def _says_something(title: str) -> bool:
    """Whether what looks like a title is a statement, and not what to do with what is below (`Stop`)."""
    return is_statement(title) and normalise(title) not in ACTIONS


def is_title_by_words(words: str) -> bool:
    """Whether words that look like a title name a section, or what to do with the things of one."""
    name = normalise(words)
    return name in TITLE_KINDS or name in ACTIONS or names_section(name) or _is_state_of(name)


def _is_state_of(name: str) -> bool:
    """Whether words name what became of the things of a section (`medications stopped`)."""
    state, _, title = name.partition(" ")
    if state in _STATES and title in TITLE_KINDS:
        return True
    title, _, state = name.rpartition(" ")
    # Of other things such words say something: `Consent given`.
    return state in _STATES and TITLE_KINDS.get(title) is SectionKind.MEDICATIONS


def _is_state_of_drugs(body: str, name: str) -> bool:
    """Whether mere words name what became of drugs (`Discontinued medications`)."""
    state, _, title = name.partition(" ")
    last, _, ended = name.rpartition(" ")
    named = (state in _STATES and title) or (ended in _STATES and last) or ""
    return (
        body[0].isupper()
        and body.replace(" ", "").isalpha()
        and TITLE_KINDS.get(named) is SectionKind.MEDICATIONS
    )


def is_title(line: Line, following: Line | None, *, capitals: bool) -> bool:
    """Whether a line without a colon is a heading; `capitals` says that the whole note is written so."""
    body = line.text
    if body[-1] in ".,;?!" or ":" in body:
        return False
    name = normalise(body)
    if name in ACTIONS and body.isupper() and line.after_blank and _stands_right_over(following):
        return True
    if name in TITLE_KINDS and len(name) > 2 and body[0].isupper():
        stands_out = following is not None and not following.after_blank and following.indent > line.indent
        alone = line.after_blank or stands_out or name in _PLAIN_TITLES
        return len(name.split()) > 1 or body.isupper() or alone
    if line.after_blank and name in FIELDS_ALONE and body[0].isupper() and following is not None:
        return normalise(following.text) not in FIELDS_ALONE and not _LISTED.match(following.text)
    if line.after_blank and _stands_right_over(following) and _is_state_of_drugs(body, name):
        return following is not None and not (goes_on(following.text) or _heads_list(following))
    if not body.isupper():
        return _is_state_of_section(body, name) and _stands_apart(line, following)
    if len(body.split()) > 9 or any(map(str.isdigit, body)):
        return False
    if _stands_right_over(following) and _is_state_of(name):
        return True
    if _heads_list(following) and not _STATEMENT.search(body):
        return names_section(name) or "medications" in name or not capitals
    return names_section(name) and not is_statement(body)


def _stands_apart(line: Line, following: Line | None) -> bool:
    """Whether blank lines part a line from those above and below, or it stands out over what is below it."""
    if following is None or not (line.after_blank or line.indent < following.indent):
        return False
    return following.after_blank or following.indent > line.indent + 1


def _is_state_of_section(body: str, name: str) -> bool:
    """Whether a line names what became of the things of a section (`Discontinued Medications`)."""
    return _is_state_of(name) and all(word[0].isupper() for word in body.split())


def _stands_right_over(following: Line | None) -> bool:
    return following is not None and not following.after_blank


def _heads_list(following: Line | None) -> bool:
    """Whether a list stands right under a line."""
    return following is not None and not following.after_blank and following.text[0] in "-•*–"


def is_titled_by_markup(body: str, following: Line | None) -> bool:
    """Whether a line is a heading by Markdown."""
    if body[0] == "#":
        return _MARKDOWN.match(body) is not None and _titles_markdown(body, following)
    return body[0] in "*_" and _BOLD.match(body) is not None and not is_statement(body.strip("*_"))


def _titles_markdown(body: str, following: Line | None) -> bool:
    """Whether `# words` is a heading and not a problem with its text."""
    title = body.lstrip("# ")
    if body[1] != "#" and is_fracture(title):
        return False
    if normalise(title) in TITLE_KINDS or body.startswith("##"):
        return True
    return (
        len(title.split()) <= 8
        and title[-1:] not in ".,;"
        and ":" not in title
        and (following is None or following.after_blank or not following.text.startswith("#"))
    )


def is_titled_by_number(body: str, marker: int) -> bool:
    """Whether a number belongs to a heading that stands alone (`1. CURRENT MEDICATIONS:`)."""
    rest = body[marker:].strip()
    if not body[0].isalnum() or len(rest) >= 70:
        return False
    name = rest.rstrip(":")
    if rest.endswith(":") and (name.isupper() or known_heading(name)) and ":" not in name:
        return True
    return name.isupper() and len(name) > 3 and normalise(name) in TITLE_KINDS


def is_titled_by_date(body: str) -> bool:
    """Whether a line is the date of an entry, with or without words, and heads it."""
    if body[0].isdigit() and body[-1] == ":" and _DATED_LABEL.match(body):
        return True
    return (
        len(body) < 40
        and any(map(str.isdigit, body))
        and ("/" in body or "-" in body or ":" in body)
        and _DATE_TITLE.match(body) is not None
    )
