"""Numbers that a full stop and a blank cut in two, and numbers that count anew behind a value."""

import re

from summarizer.segmentation.vocabulary import alternatives, words

_SUBJECTS = words("abbreviations", "subjects")
_GIVES_VALUE = words("values", "before")
_COUNTING = re.compile(
    rf"\d{{1,2}}\s+(?:[^\W\d_][\w-]*\s+){{0,2}}?(?:{alternatives('values', 'things')})\b"
    rf"[^.;:!?]{{0,120}}?\b(?:{alternatives('values', 'done')})\b"
    rf"|\d{{1,2}}\s+(?:[a-z]+\s+)?(?!(?:{alternatives('values', 'measures')})\b)[a-z]{{3,}}s"
    r"\s+(?:were|are|have|had)\b",
    re.I,
)
_LATER = re.compile(
    r"\d{1,3}\s+(?:second|minute|hour|day|week|month|year)s?\s+(?:later|earlier|after|before|ago)\b", re.I
)
_DECIMALS = words("values", "decimals")


def is_decimal(text: str, start: int, stop: int, whole: str, token: re.Match[str], end: int) -> bool:
    """Whether a stop and a blank stand in one number, `whole` before and `token` behind (`Cr 1. 2 today`)."""
    if not (_parts_fit(whole, token) or _of_decimals(text, start, stop, whole, token)):
        return False
    return not _counts_anew(text, token.start(), end, mark=stop - 1, start=start)


def _parts_fit(whole: str, token: re.Match[str]) -> bool:
    """Whether a full stop and a blank stand in a number: `0. 04`, `Cr 1. 2 today`."""
    digits = token[0].rstrip(".,;:)")
    if not whole.isdigit() or len(whole) > 2 or not digits.isdigit() or len(digits) > 4:
        return False
    if len(digits) > 2:
        return whole == "0"
    # A mere number makes no sentence: `pH 7. 12.`
    return whole == "0" or len(digits) == 1 or digits[0] == "0" or token[0][len(digits) :] in (".", ";")


def _of_decimals(text: str, start: int, stop: int, whole: str, token: re.Match[str]) -> bool:
    """Whether two numbers are one decimal because what they measure has such: `pH 7. 31 on arrival`."""
    if not whole.isdigit() or len(whole) > 2 or not re.fullmatch(r"\d\d[.,;)]*", token[0]):
        return False
    said = text[max(start, stop - 40) : stop].lower().split()
    before = [word.strip("(:=") for word in said[:-1] if word not in _GIVES_VALUE]
    return bool(before) and before[-1] in _DECIMALS


def _counts_anew(text: str, begin: int, end: int, *, mark: int, start: int) -> bool:
    """Whether a number behind a value counts things anew: `Platelets were 40. 2 units were given`."""
    said = text[max(start, mark - 60) : mark].split()
    if len(said) < 2:
        return False
    if _LATER.match(text, begin, min(end, begin + 40)):
        return True
    named = len(said) < 4 and said[0].lower() not in _SUBJECTS
    value = named or said[-2].lower().rstrip(":=") in _GIVES_VALUE
    return value and _COUNTING.match(text, begin, min(end, begin + 160)) is not None
