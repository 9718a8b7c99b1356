"""Lines that certainly hold no fact of the patient: signatures, page numbers, heads of letters, rules."""

import re
from collections.abc import Iterable
from functools import lru_cache

from summarizer.segmentation.vocabulary import read, words

_DRAWN = r"\-_=*~#.:|–—\u2500-\u259f\u25ac-\u25af"
_BULLETS = "•·∙◦●"
RULE = re.compile(rf"[\s{_BULLETS}+{_DRAWN}]{{3,}}$")
_RULE_MARKS = re.compile(
    rf"[{_DRAWN}](?:[+{_DRAWN}]|\s[*~#=_-]\s)|[{_BULLETS}]\s?[{_BULLETS}]\s?[{_BULLETS}]"
)
"""Two beside each other, or three with blanks between; not signs of plus alone, which tell a degree."""
LONGEST = 240
"""Longer lines are never boilerplate; what a pattern works on is bounded by it."""

_PARTS: dict[str, str] = read("boilerplate")["parts"]
_PART = re.compile(r"\{([a-z]+)\}")


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of the data file with its named parts put in."""
    while _PART.search(pattern):
        pattern = _PART.sub(lambda part: f"(?:{_PARTS[part[1]]})", pattern)
    return re.compile(rf"(?:{pattern})\s?[.,;]?\s{{0,4}}\Z", re.X)


PATTERNS = tuple(_compiled(entry["pattern"]) for entry in read("boilerplate")["lines"])
"""One for each entry of `lines` in `vocabulary/boilerplate.toml`, in its order; each matches a whole line."""

_LETTERS = read("boilerplate")["letters"]
_REFERENCE = _compiled(
    _LETTERS["references"] + r"\s?[:.]\s{0,4}(?:{person}|{date}|[\w\ /.#()+-]{0,24}\d[\w\ /.-]{0,12})?"
)
_LETTERHEAD = _compiled(
    rf"{_LETTERS['address']}|{_LETTERS['institution']}|(?:(?i:typed|clinic|date)[:\ ]{{0,2}})?{{date}}"
    rf"|{{signer}}|(?:{{person}},\s?)?{_LETTERS['post']}|{_LETTERS['initials']}"
)
_ADDRESS = _compiled(_LETTERS["address"])
_INSTITUTION = _compiled(_LETTERS["institution"])
_DEPARTMENT = _compiled(_LETTERS["department"])
_PLACE = _compiled(r"{word}(?:,?\ {word}){0,3}")
_NOT_NAMES = words("boilerplate", "not_names")
_NOT_NAME_ENDINGS = tuple(read("boilerplate")["not_names_endings"])
_DEAR = re.compile(
    rf"(?:{_PARTS['greeting']}|{_PARTS['salutation']}|(?i:to\ whom\ it\ may\ concern)\b.{{0,5}})$", re.X
)
"""A greeting names people: `Dear denies pain.` is a statement about someone of that name."""
VALEDICTION = re.compile(
    r"(?:(?:yours )?(?:sincerely|respectfully|faithfully|truly)|(?:\w{1,12} ){0,2}regards|cordially|"
    r"very truly|best wishes|with (?:best|kind|warm) wishes)\b[\w ]{0,20}[,.]?$"
    rf"|{_PARTS['farewell']}[,.]?$".replace("\\ ", " "),
    re.I,
)
_GREETING = re.compile(r"(?:[^,\n]{1,45},){0,8}[ \t]{0,8}Dear\b[^,:\n]{1,50}[:,]+(?=[ \t]*[A-Z])")
_CLOSE = re.compile(
    r"(?<=[.,])[ \t]*(?:sincerely(?: yours)?|respectfully(?: yours| submitted)?|"
    r"(?:best |kind |warm )?regards|yours (?:truly|sincerely)|very truly yours|cordially),[^:;]{0,80}$",
    re.I,
)
# How every pattern but that of a bare name begins; far quicker than to try them all.
_BEGINS = re.compile(
    r"[-(*_/]|this\b|the\b|electr|digit|e-?sign|dictat|transcri|sign|review|authent|verif|appro|co-?sign"
    r"|attest|final|job|mt|doc|complet|page|pg|cont|b?cc|cop|carbon|dear|to wh|sincer|respect|best|kind"
    r"|warm|person|with|regard|cordial|yours|very|encl?\b|enclos|end|prelim|strict|priv|confid|portions"
    r"|privacy|(?:patient|physician|doctor|provider|clinician|surgeon|nurse|witness|guardian|parent|interpreter)\b"
    r"|sehr|lieb|wert|geacht|beste|ch[eè]r|mada|mons|estim|apreci|disting|genti|egreg|car[oi]\b|prezad|k[äæ]r[ae]"
    r"|hej|mit\b|hoch|viele|herz|met\b|hoog|bien|tr[eè]s|avec|conf|amic|amit|salu|aten|un\b|atent|distin|med\b"
    r"|parts|print|date|fax|generat|[drt][drt/]{0,4}\s?:|rd\s?:|dr\b|prof",
)
_BEGINNING = 16
"""`_BEGINS` looks at so many characters, in lower case: so it finds its branch by one letter."""


def is_rule(line: str) -> bool:
    """Whether a stripped line is a rule of dashes, or of the like."""
    return len(line) >= 3 and RULE.match(line) is not None and _RULE_MARKS.search(line) is not None


def is_greeting(line: str) -> bool:
    """Whether a stripped line greets the reader of a letter."""
    may_be = line[0] in "DdTt" or (line[-1] in ",!" and len(line) < 90)
    return may_be and _DEAR.match(line) is not None


def is_boilerplate(line: str) -> bool:
    """Whether a stripped line is a footer, dictation, signature or letter line and nothing more."""
    if len(line) > LONGEST or not (
        _BEGINS.match(line[:_BEGINNING].lower()) or ("," in line and len(line) < 90)
    ):
        return False
    return _is_boilerplate(line)


@lru_cache(maxsize=4096)
def _is_boilerplate(line: str) -> bool:
    for entry, pattern in zip(read("boilerplate")["lines"], PATTERNS, strict=True):
        if pattern.match(line):
            return not entry.get("names", True) or _may_be_names(line)
    return False


@lru_cache(maxsize=4096)
def is_letterhead(line: str) -> bool:
    """Whether a line of a letter's head or foot is a date, an address, a name, a post or a reference."""
    if len(line) > 100:
        return False
    if _DEPARTMENT.match(line):
        return True
    return (_LETTERHEAD.match(line) or _REFERENCE.match(line)) is not None and _may_be_names(line)


def letterhead_lines(lines: Iterable[str]) -> int:
    """How many lines at the top of a text are a letterhead, with two lines or more of its address."""
    count = addresses = 0
    for line in lines:
        address = len(line) <= 100 and _ADDRESS.match(line) is not None
        if not (address or (len(line) <= 100 and _INSTITUTION.match(line))) or not _may_be_names(line):
            break
        count += 1
        addresses += address
    return count if addresses > 1 else 0


def may_be_place(line: str) -> bool:
    """Whether a line can be the rest of an address: a few capitalised words that name no condition."""
    return len(line) < 40 and _PLACE.match(line) is not None and _may_be_names(line)


def _may_be_names(line: str) -> bool:
    """Whether no word of a line is a condition, a drug or an order."""
    for word in re.split(r"[^A-Za-z'’]+", line.lower()):
        if word in _NOT_NAMES or (len(word) > 5 and word.endswith(_NOT_NAME_ENDINGS)):
            return False
    return True


def letter_body(text: str, start: int, end: int) -> tuple[int, int]:
    """The part of `text[start:end]` between greeting and close, of a letter whose newlines became commas."""
    opening = _GREETING.match(text, start, end) if text.find("Dear", start, start + 400) >= 0 else None
    closing = (
        _CLOSE.search(text, max(start, end - 120), end) if text.find(",,", end - 120, end) >= 0 else None
    )
    return opening.end() if opening else start, closing.start() if closing else end
