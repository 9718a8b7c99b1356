"""What the end of one line and the beginning of the next tell of whether a sentence goes on."""

import re
from functools import lru_cache

from summarizer.segmentation.vocabulary import read, words

_TERMINATORS = frozenset(".!?…。！？｡।॥؟۔။።։")
_CLOSERS = frozenset("\"'”’)]»\n")
TERMINATED = re.compile(r"[.!?…。！？｡।॥؟۔။።։]{1,200}[\"'”’)\]»]{0,200}$")
_OPEN = words("line_ends", "open", "open_verbs")
_DONE = words("line_ends", "done")
_BEFORE_OPEN_DONE = words("line_ends", "before_open_done")
_OPEN_ELSEWHERE = words("line_ends", "open_elsewhere")
_ENGLISH_TOO = frozenset({"met", "con", "dos", "des", "los", "das", "est", "son", "sur", "sept"})
"""Of these, what may be a word of an English note alone on a line or behind a stop (`Criteria: Met`)."""
_OPEN_ENDINGS = tuple(read("line_ends")["open_endings"])
_NAMED = frozenset({"dr", "dr.", "mr", "mr.", "mrs.", "ms.", "prof."})
_DENIED_VERBS = words("line_ends", "denied_verbs")
_SUBJECTS_VERBS = words("line_ends", "open_behind_subject")
_SUBJECTS = words("line_ends", "subjects")
_OPEN_ALONE = words("line_ends", "open_alone")
_INFINITIVES = words("line_ends", "infinitives")
_PREDICATES = words("line_ends", "predicates")
_SIDE_END = re.compile(r"\b(?:on|to|from) the (?:left|right)$", re.I)
"""A side that is no qualifier: `stenosis on the right`."""
_EXCLUDES = frozenset({"rule", "ruling"})
_DENIALS = frozenset({"not", "cannot", "can't", "never", "don't", "doesn't", "didn't"})
_QUALIFIERS = words("line_ends", "qualifiers")
_DETERMINERS = words("line_ends", "determiners")
_BEFORE_OPEN_NO = words("line_ends", "before_open_no")
_SAYS = frozenset({"said", "says", "say", "stated", "states", "told"})
_GOES_ON = words("line_ends", "goes_on")
_GOES_ON_IN_CAPITALS = frozenset(word.upper() for word in read("line_ends")["goes_on_in_capitals"])
_PRESENTS = words("line_ends", "presents")
_FINITE = words("line_ends", "finite")
_RUNNING = words("line_ends", "running")
_CAPITAL_NOUNS = words("line_ends", "capital_nouns")
_UNITS = words("line_ends", "units")
_CLIPPED = frozenset(read("abbreviations")["never_end"] + read("abbreviations")["clipped"])
_ATTRIBUTIVE = words("abbreviations", "attributive")
_ANSWERS = words("answers", "answers") - words("answers", "only_after_questions")
_ANSWER_WORDS = "|".join(sorted(map(re.escape, _ANSWERS), key=len, reverse=True))
_ANSWERED = re.compile(rf"(?:[:?=]|\.{{3}}|\s[-–—])\s*(?:{_ANSWER_WORDS})[.;]?$", re.I)
_YES_OR_NO = re.compile(r"\b(?:no|yes|none|nil)[.;]?$", re.I)
_ORDERS = words("statements", "orders")
_BEGINNINGS = frozenset({"no", "the", "he", "she", "patient", "pt", "denies", "there"})
_AS_FAR_AS = frozenset({"if", "as", "when", "whenever", "where", "wherever", "soon", "much"})
"""Words before `possible` that it completes: `if possible` ends a statement, `possible` alone does not."""
_DRUG = re.compile(
    r"[A-Z][\w/-]{2,30}(?: [a-z][\w/-]{1,20}){0,2} \d[\d.,/]{0,8}"
    r" ?(?:mg|mcg|µg|g|ml|mL|units?|iu|IU|mEq|meq|%|puffs?)?\b"
)
_SMALL_DRUG = re.compile(
    r"[a-z][a-z-]{4,30}(?: \([\w -]{2,30}\))?(?: [a-z][a-z-]{1,20}){0,2} \d[\d.,/]{0,8}"
    r" ?(?:mg|mcg|µg|g|ml|units?|iu|meq|puffs?)\b",
    re.I,
)
_DOSE = re.compile(
    r"\d[\d.,/]{0,24}\s?(?:mg|mcg|µg|ug|g|gm|ml|cc|units?|u|meq|mmol|iu|tab(?:let)?s?|cap(?:sule)?s?|puffs?|%)\b",
    re.I,
)
_NUMBER_END = re.compile(r"(?:^|\s)[\d.,]*\d$")
_RANGE_END = re.compile(r"\d ?(?:-|–|to)$|\d (?:[cm]m )?(?:[x×]|by)$", re.I)
"""The lower end of a range, or one side of what was measured: `3.4 x` / `2.1 cm`."""
_FLAG = re.compile(r"\((?:H|L|HH|LL|A|C|high|low|abnormal|critical)\)(?=[,;.]|$)")
"""What a laboratory says of a value."""
_ASIDE = re.compile(r"\([A-Za-z][A-Za-z ,/-]{3,40}\)[,;] ")
"""What is said of the last thing named, before the next: `penicillin, codeine` / `(nausea), latex`."""
_VALUE_AND_MORE = re.compile(r"\d[\d.,/]{0,8}%?[.,;]?\s(?!(?:[A-Z]|\d))")
_SHARE = re.compile(r"\d{1,3} (?:of|out of) \d{1,3}(?: \([\w %.]{1,20}\))?\.?")
_FEW_WORDS = 6
_MEASURED = words("line_ends", "measured")
_WORD = re.compile(r"[\w/'’.%µ]+")
_CAMEL = re.compile(r"[a-z]{1,3}[A-Z][A-Za-z]*")
_SHORT = 16
_LONG = 40
"""A shorter line that ends in `no` is an answer: `Seizures no`."""
_DASHES = ("- ", "– ", "— ")
_PUNCTUATION = "()[]{}\"'“”‘’,;:*_"


def is_terminated(text: str) -> bool:
    """Whether a line ends in a stop."""
    last = text[-1:]
    return last in _TERMINATORS or (last in _CLOSERS and TERMINATED.search(text[-8:]) is not None)


_ADJECTIVE = re.compile(
    r"(?<![^\s(])(?:(?:der|den|dem|des|eine[mnrs])\s[a-zäöüß]{3,}e[nmrs]|k?eine[mnrs]?\s[a-zäöüß]{3,}e[nmrs]?)\Z"
)
"""A German article and an adjective, which need their noun: `kein Anhalt für eine frische`."""


@lru_cache(maxsize=4096)
def is_open(tail: str) -> bool:
    """Whether a line, given by its last sixty characters, ends where no statement can end.

    Behind a comma, an open parenthesis, a hyphen; a negation, a preposition, an article, a verb that needs
    its object; an abbreviation that needs its noun; a qualifier behind a negation or an article.
    """
    # A plus right behind a word says positive: `BRCA1+`.
    if tail[-1] in ",(/&[" or tail.endswith(" +") or (tail[-1] == "-" and tail[-2:-1].isalpha()):
        return True
    if (tail[-1] > "\u0dff" and tail.endswith(_OPEN_ENDINGS)) or _ADJECTIVE.search(tail):
        return True
    opening = tail.rfind("(")
    if opening >= 0 and ")" not in tail[opening:] and len(tail) - opening > 2:
        return True
    tokens = tail.lower().split()[-4:]
    last = tokens[-1].strip(_PUNCTUATION)
    before = tokens[-2].strip(_PUNCTUATION) if len(tokens) > 1 else ""
    if tail[-1] == ".":
        last = last.rstrip(".")
        if len(last) == 1 and before in _NAMED:
            return True
        return last in _CLIPPED or (last in _ATTRIBUTIVE and before in _DETERMINERS)
    if last == "no":
        stopped = len(tokens) > 1 and tokens[-2][-1] in ".,;"
        return bool(before) and (
            before in _BEFORE_OPEN_NO
            or before.endswith("ly")
            or _opens_clause(tail)
            or (stopped and len(tail) >= _LONG)
        )
    if (_awaits_object(tokens, last, before) if len(tokens) > 1 else last in _OPEN_ALONE) or (
        len(tail) < _SHORT and tail.lower() in _OPEN_ALONE
    ):
        return True
    if last in _OPEN and tail[-1] not in ")]":
        return _needs_object(tail, last, before)
    if (
        last in _OPEN_ELSEWHERE
        and (tail.endswith(last) or _begins_elsewhere(tokens, last))
        and before != "et"
    ):
        return True
    if last in _QUALIFIERS and before not in _AS_FAR_AS and not _SIDE_END.search(tail):
        return _qualifies(tail, tokens, before)
    return False


def _begins_elsewhere(tokens: list[str], last: str) -> bool:
    """Whether a word of another language has a capital because a sentence begins (`Leber frei. Kein`)."""
    return last not in _ENGLISH_TOO and (len(tokens) == 1 or tokens[-2][-1] in ".:")


def _qualifies(tail: str, tokens: list[str], before: str) -> bool:
    """Whether a qualifier stands last whose noun must follow; `4 - not significant` is a predicate."""
    if before == "not" and len(tail) < _LONG and len(tokens) > 2:
        return False
    while len(tokens) > 1 and before in _QUALIFIERS:
        tokens.pop()
        before = tokens[-2].strip(_PUNCTUATION) if len(tokens) > 1 else ""
    return before in _DETERMINERS or (not before and len(tail) < 30)


def _needs_object(tail: str, last: str, before: str) -> bool:
    """Whether a verb or noun stands last without its object: `He was given`, not `MMR given`."""
    if tail[: -len(last)].endswith(_DASHES):  # a state, not a verb: `Aspirin 81 mg - given`
        return False
    if last in _DONE:
        return not before.isalnum() or before in _BEFORE_OPEN_DONE or before.endswith("ly")
    return last != "history" or before in _DETERMINERS or before == "any"


def _awaits_object(tokens: list[str], last: str, before: str) -> bool:
    """Whether a verb stands last whose object must follow, by what stands before it."""
    if last == "out" and before in _EXCLUDES:
        return True
    if last in _DENIED_VERBS and before in _DENIALS and len(tokens) > 2:
        return True
    if before == "to" and last in _INFINITIVES:
        return True
    return last in _SUBJECTS_VERBS and (tokens[-2][-1] == "," or before in _SUBJECTS)


def _opens_clause(tail: str) -> bool:
    """Whether `no` stands behind a clause and a comma (`Tolerated the procedure well, no`)."""
    clause, comma, rest = tail.rpartition(",")
    if not comma or rest.strip().lower() != "no" or "," in clause or ":" in clause:
        return False
    said = clause.lower().split()
    return len(said) > 3 or (
        len(said) > 1 and (said[-1] in _PREDICATES or said[-1].endswith("ed") or said[0].endswith("ed"))
    )


def is_answered(text: str) -> bool:
    """Whether a line ends in an answer or in a value that is one: nothing may be added to it."""
    tail = text[-32:]
    marked = ":" in tail or "?" in tail or "=" in tail or "..." in tail or _has_dash(tail)
    return (marked and _ANSWERED.search(tail) is not None) or _answers_words(text)


def _has_dash(text: str) -> bool:
    return "-" in text or "–" in text or "—" in text


def _answers_words(text: str) -> bool:
    """Whether a line is a few words and then `no` (`Seizures no`)."""
    if len(text) >= _LONG or _YES_OR_NO.search(text[-6:]) is None:
        return False
    tokens = text[-60:].lower().rstrip(".;").split()
    if (
        len(tokens) < 2 or tokens[-2][-1] == "."
    ):  # behind a stop it begins a sentence: `Stable. No` / `bleeding.`
        return False
    # A clause with its verb goes on: `The nurse was asked and said no` / `heparin should be given.`
    spoken = not _FINITE.isdisjoint(tokens[1:-1]) and tokens[-2] in _SAYS
    return not (
        spoken or tokens[-2] in _BEFORE_OPEN_NO or tokens[-2].endswith("ly") or _opens_clause(text[-60:])
    )


def begins_lower(text: str) -> bool:
    """Whether a line begins with a small letter, in parentheses or not; `eGFR` begins as a name does."""
    if begins_camel(text):
        return False
    return text[0].islower() or (text[0] == "(" and text[1:2].islower())


def begins_camel(text: str) -> bool:
    """Whether a line begins with a name of a small letter and capitals that is no unit (`eGFR`, `pTNM`)."""
    found = _CAMEL.match(text)
    return found is not None and found[0].lower() not in _UNITS


def goes_on(text: str) -> bool:
    """Whether a line begins with a small word that only goes on with a sentence."""
    first = text.split(None, 1)[0].strip(_PUNCTUATION)
    if text[0].islower():
        return first in _GOES_ON or first in _PRESENTS
    return text.isupper() and (first in _GOES_ON_IN_CAPITALS or first.lower() in _PRESENTS)


def presents(text: str) -> bool:
    """Whether a line begins with a verb of what was found, as one can that goes on with the line above."""
    first = text.split(None, 1)[0]
    return (text[0].islower() or text.isupper()) and first.lower() in _PRESENTS


def completes(before: str, text: str) -> bool:
    """Whether a line brings the unit or the upper end of the number above it, or the dose of the drug."""
    if text[0] == "(":
        if _ASIDE.match(text) is not None:
            return True
        return _FLAG.match(text) is not None and _NUMBER_END.search(before[-16:]) is not None
    first = _WORD.match(text)
    if first is None:
        return False
    if first[0].lower() == "post" and before[-6:].lower() == "status":
        return True
    if text[0].isdigit() and (_RANGE_END.search(before[-16:]) or _is_share_of(before, text)):
        return True
    if _NUMBER_END.search(before[-16:]):
        return first[0].lower().rstrip(".,;") in _UNITS
    if text[0].isdigit() and _brings_value(before, text):
        return True
    return text[0].isdigit() and _DOSE.match(text) is not None and not _DOSE.search(before[-40:])


def _is_share_of(before: str, text: str) -> bool:
    """Whether a line is how many of what a few words above it name (`Nodes involved` / `2 of 6`)."""
    return (
        _SHARE.fullmatch(text) is not None
        and before[:1].isupper()
        and 1 < len(before.split()) < _FEW_WORDS
        and before.replace(" ", "").replace("-", "").isalpha()
    )


def _brings_value(before: str, text: str) -> bool:
    """Whether a line begins with the value of what the line above ends with (`held, INR` / `6.2 now.`)."""
    said = before.split()
    return len(said) > 2 and said[-1].lower() in _MEASURED and _VALUE_AND_MORE.match(text) is not None


def has_dose(text: str) -> bool:
    """Whether a line gives the dose of a drug."""
    return any(map(str.isdigit, text)) and _DOSE.search(text) is not None


def begins_with_drug(text: str) -> bool:
    """Whether a line begins with a name and a dose, as each line of a list of drugs does (`Zocor 20 mg`)."""
    return _DRUG.match(text) is not None


def begins_with_small_drug(text: str) -> bool:
    """Whether a line begins with a drug in small letters and its dose (`ondansetron injection 4 mg`)."""
    return text[0].islower() and any(map(str.isdigit, text[:60])) and _SMALL_DRUG.match(text) is not None


def begins_order(text: str) -> bool:
    """Whether a line begins with an order by its capital (`Return in two weeks.`)."""
    first = text.split(None, 1)[0].rstrip(".,;:")
    return first[:1].isupper() and first[1:].islower() and first.lower() in _ORDERS


def stands_alone(text: str) -> bool:
    """Whether the first clause of a line has a finite verb, or begins as a statement does."""
    clause = re.split(r"(?<=[^\W\d_]{2})[.!?]\s", text[:120], maxsplit=1)[0]
    tokens = [token.strip(".,;:()") for token in clause.lower().split()]
    return tokens[0] in _BEGINNINGS or tokens[0] in _ORDERS or not _FINITE.isdisjoint(tokens)


def is_prose(text: str) -> bool:
    """Whether a line is running text: two words of its grammar, or a finite verb in a longer line."""
    titled = [token[0].isupper() for token in text.split() if len(token) > 3]
    if not text.isupper() and 3 * sum(titled) > 2 * len(titled):
        return False
    tokens = text.lower().split()
    count = sum(token.strip(".,;:()") in _RUNNING for token in tokens)
    return count > 1 or (len(tokens) > 5 and not _FINITE.isdisjoint(tokens))


def may_bring_noun(before: str, text: str) -> bool:
    """Whether a line with a capital may begin with a noun of the clause above it.

    It begins with an acronym, or nouns have capitals in the language of the line above. Elsewhere a capital
    behind small letters begins a statement (`No signs of bleeding` / `Heparin restarted.`).
    """
    if before.isupper():
        return text.isupper()
    first = _WORD.match(text)
    if first is not None and sum(letter.isupper() or letter.isdigit() for letter in first[0]) > 1:
        return True
    tokens = {token.strip(_PUNCTUATION) for token in before.lower().split()}
    return len(_CAPITAL_NOUNS & tokens) > 1


def is_caseless(text: str) -> bool:
    """Whether a line is of a script that knows no capitals (Han, Hebrew, Arabic, Devanagari, Thai)."""
    letter = next(filter(str.isalpha, text), "")
    return bool(letter) and letter.lower() == letter.upper() and ord(letter) > 0x500
