"""One form of text for every corpus: numbers in, citations out, one spacing, one case.

Corpora come as printed ("Fever [3] fell by 2.5%-points (P<0.05)."), lower-cased and spaced as in the PubMed
summarisation benchmark of Cohan et al. 2018 ("fever [ 3 ] fell by 2.5% - points ( p < 0.05 ) ."), or
lower-cased with `<dig>` and `<cit>` for numbers and citations as in SumPubMed. Each function here is pure,
takes one sentence and gives one sentence back, and changes nothing when applied again.
"""

import re
from typing import Literal

__all__ = [
    "FORMS",
    "Form",
    "benchmark_spacing",
    "fill_numbers",
    "natural_spacing",
    "remove_citations",
    "to_form",
]

Form = Literal["as-is", "natural", "benchmark"]
FORMS: tuple[Form, ...] = ("as-is", "natural", "benchmark")

NUMBER = "2"
"""What stands for a number that the corpus took out: one numeral everywhere, so that what matched before
(`<dig> patients` in article and abstract) matches after."""

_DIG_JOINED = re.compile(r"(?<=[\w)][-–−/_])\s*<dig>")
_DIG = re.compile(r"<dig>(?=\w)|<dig>")
_PERCENT = re.compile(r"(?<=\d)\s+%")
_SPACES = re.compile(r"\s+")

_NUMBERS = r"\d{1,4}(?:\s*(?:[,;–—-]|to)\s*\d{1,4})*"
_CIT = re.compile(r"\s*<cit>")
_BRACKETED = re.compile(rf"\s*\[\s*{_NUMBERS}\s*\]")
_NUMBERED = re.compile(r"(?<=[a-z])\s*\(\s*\d{1,3}(?:\s*[,–-]\s*\d{1,3})*\s*\)(?=\s*[.,;])")
_PARENTHESES = re.compile(r"\s*\(([^()]*)\)")
_YEAR = r"(?:19|20)\d\d[a-z]?"
_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December|Spring|Summer"
    "|Autumn|Fall|Winter"
)
_NAME = rf"(?!(?:{_MONTHS})\b)[A-Z][\w'’-]+"
_AUTHORS = (
    rf"(?:(?:see|e\.g\.,?|cf\.|reviewed (?:in|by))\s+)?(?:(?:von|van|de|der|la|di)\s+)*{_NAME}"
    rf"(?:(?:,?\s+(?:and|&|et al\.?|von|van|de|der|la|di)|,?\s+{_NAME}))*,?\s+{_YEAR}(?:\s*,\s*{_YEAR})*"
)
_AUTHOR_YEAR = re.compile(rf"\s*{_AUTHORS}(?:\s*;\s*{_AUTHORS})*\s*")
_LOWER_AUTHOR_YEAR = re.compile(rf"\s*[a-z][^()\d]*\bet\s+al\b[^()]*\b{_YEAR}\s*")
_EMPTY = re.compile(r"\s*(?:\(\s*[,;–-]?\s*\)|\[\s*[,;–-]?\s*\])")


def fill_numbers(text: str) -> str:
    """Puts a numeral where the corpus took a number out.

    >>> fill_numbers("il- <dig> fell in <dig>  of 10 ( <dig> %)")
    'il-2 fell in 2  of 10 ( 2%)'
    """
    if "<dig>" not in text:
        return text
    return _PERCENT.sub("%", _DIG.sub(NUMBER, _DIG_JOINED.sub(NUMBER, text)))


def _without_authors(found: re.Match[str]) -> str:
    inside = found[1]
    cites = _AUTHOR_YEAR.fullmatch(inside) or _LOWER_AUTHOR_YEAR.fullmatch(inside)
    return "" if cites else found[0]


def remove_citations(text: str) -> str:
    """Takes out `<cit>`, numbers in brackets, and authors with years in parentheses.

    Numbers in parentheses go only where they end a clause after a word ("as shown (3, 4)."); a count given
    there as a bare number is lost with them. Parentheses that this or the corpus left empty go too.

    >>> remove_citations("Pain is common [1-3] (Smith et al., 2010; Roe and Doe 2011) in adults (12%) (4).")
    'Pain is common in adults (12%) (4).'
    >>> remove_citations("pain is common [ 13 ] , as shown ( 4 ) .")
    'pain is common , as shown .'
    """
    before = None
    while before != text:  # what a removal leaves may be one more
        before = text
        for pattern in (_CIT, _BRACKETED, _NUMBERED):
            text = pattern.sub("", text)
        text = _EMPTY.sub("", _PARENTHESES.sub(_without_authors, text))
    return text


_PLAIN = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "‐": "-", "‑": "-"}
)
_SPACED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\s*([()\[\]{};?!\"])\s*"), r" \1 "),
    (re.compile(r"\s*(?:(?<!\d),|,(?!\d))\s*"), " , "),
    (re.compile(r"\s*(?:(?<!\d):|:(?!\d))\s*"), " : "),
    (re.compile(r"\s*([=<>])\s*"), r" \1 "),
    (re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])"), " - "),
    (re.compile(r"(?<=[a-z]{3})/(?=[a-z]{3})"), " / "),
    (re.compile(r"(?<=\w)'s(?!\w)"), " 's"),
    (re.compile(r"(?<=[^\s.])\.(?=[\s\"')\]]*$)"), " ."),
)
_TIGHT: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\s+([.,;:?!)\]}])"), r"\1"),
    (re.compile(r"([(\[{])\s+"), r"\1"),
    (re.compile(r"(?<=[^\W_]) - (?=[^\W_])"), "-"),
    (re.compile(r"(?<=[^\W\d_]) / (?=[^\W\d_])"), "/"),
    (re.compile(r"(?<=\w) 's(?!\w)"), "'s"),
)


def benchmark_spacing(text: str) -> str:
    """Lower case and the spacing of the benchmark.

    Punctuation and brackets stand apart, hyphens between letters too; numbers (1,000; 0.05; 1:10), names with
    digits (il-6) and abbreviations stay whole; typographic quotes and dashes become plain. Greek letters and
    signs stay, although the benchmark lost them.

    >>> benchmark_spacing("Long-term use (n=12), IL-6 and the patient’s 1,000 mg/d.")
    "long - term use ( n = 12 ) , il-6 and the patient 's 1,000 mg/d ."
    """
    text = text.lower().translate(_PLAIN)
    for pattern, by in _SPACED:
        text = pattern.sub(by, text)
    return _SPACES.sub(" ", text).strip()


def natural_spacing(text: str) -> str:
    """The spacing of print for text spaced like the benchmark; case stays as it is.

    >>> natural_spacing("long - term use ( n = 12 ) , and the patient 's dose .")
    "long-term use (n = 12), and the patient's dose."
    """
    text = _SPACES.sub(" ", text).strip()
    for pattern, by in _TIGHT:
        text = pattern.sub(by, text)
    return text


def to_form(text: str, form: Form) -> str:
    """A sentence in one of the forms; may be empty where it held citations alone.

    `as-is` folds white space and nothing else; the other two fill in numbers, take out citations, and space
    the text as their names say.
    """
    if form != "as-is":
        text = remove_citations(fill_numbers(text))
        text = benchmark_spacing(text) if form == "benchmark" else natural_spacing(text)
    return _SPACES.sub(" ", text).strip()
