"""Sentence ends inside a block of running text."""

import re
from collections.abc import Collection, Iterator

from summarizer.segmentation.answers import answer_end, mere_value
from summarizer.segmentation.decimals import is_decimal
from summarizer.segmentation.vocabulary import words

NEVER_ENDS = words("abbreviations", "never_end")
MAY_END = words("abbreviations", "may_end")
_UNITS = words("abbreviations", "units")
_COUNTED = words("abbreviations", "counted")
_ROUTES = words("abbreviations", "routes")
_ENDS_A_DOSE = words("abbreviations", "ends_a_dose")
_CALENDAR = words("abbreviations", "calendar")
_SUBJECTS = words("abbreviations", "subjects")
_STARTERS = words("abbreviations", "starters")
_CONTINUES = words("abbreviations", "continues")
_LETTERED = words("abbreviations", "lettered")
_CLIPPED = words("abbreviations", "clipped")
_ATTRIBUTIVE = words("abbreviations", "attributive")
_LEADING = words("abbreviations", "leading")
_BEFORE_ORDINALS = words("abbreviations", "before_ordinals")
_MONTHS = words("abbreviations", "months")
_DETERMINERS = words("line_ends", "determiners")
_NEGATIONS = words("abbreviations", "negations")
_ELSEWHERE = words("line_ends", "open_elsewhere")
_QUALIFIERS = words("line_ends", "qualifiers")
_MEASURED = words("line_ends", "measured")
_COPULAS = frozenset({"is", "was", "as"})
"""Behind these an abbreviation is a predicate and may end its sentence, but for `there is sig. stenosis`."""

# A run of terminators, what closes with it, and stray marks that were typed after it.
_END = re.compile(
    r"[.!?…。！？｡।॥؟۔။።։]"
    r"(?:[.!?…。！？｡।,;]*[\"'”’)\]}»]{0,4}[.!?,;]{0,3}(?:[ \t]+(?:\.++(?!\S)|,(?![^A-Z\d\s])))?)"
)
_STOPS_OF_THEIR_OWN = "。！？｡।॥؟۔။។։"
"""Stops of scripts without capitals: they end a sentence, with white space behind them or not."""
_TOKEN = re.compile(r"\S+")
_BEGIN_WORDS = frozenset('([{"“,;:')
_WHOLE_WORD = re.compile(rf"[^\s{re.escape(''.join(sorted(_BEGIN_WORDS)))}]*")
_CITATION = re.compile(r"\[\d[\d,;\s–-]{0,24}\]")
_OPENERS = "([{\"'“‘«<*"
_STRAY_DATE = re.compile(r"(?:(?:19|20)\d\d|\d{1,2}[/-]\d{1,2}(?:[/-]\d{2,4})?)(?=\s*(?:[.,;)]|$))")
_PAREN = re.compile(r"\([^()\n]{1,160}\)")
_YEAR = re.compile(r"(?:19|20)\d\d(?!\d)")
_DAY_AND_MONTH = re.compile(r"(?<!\d)(?:\d{1,2}\.\s\d{1,2}|(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2]))\.\Z")
_DATED = re.compile(
    r"(?<!\d)(?:0?[1-9]|[12]\d|3[01])\.\s(?:0?[1-9]|1[0-2])\.\Z"
    r"|(?<!\S)(?:am|ab|vom|bis|seit|zum|dem|den|der)\s(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.\Z"
)
"""A day and a month, behind which a line in small letters goes on: `ab dem 2. 11. geplant`, `am 3.4. um`."""
_ELIDED = re.compile(r"^(?:d|l|qu|n|s)['’]")
_NO_VOWEL = re.compile(r"[b-df-hj-np-tv-xzß]{3,}", re.I)
_DEIDENTIFIED = re.compile(r"\[\*\*[^\]]{0,200}\*\*\]")
_EVERY_HOURS = re.compile(r"q\.?\d{1,2}(?:-\d{1,2})?(?:h|hr|hrs|d|days?|hours)?")
_GENUS = re.compile(r"(?<!\S)\(?[A-Z]\. ?\Z")
"""Before a species cut short: `C. diff. toxin`."""
_LETTERS = re.compile(r"(?<![\w/])[A-Za-z](?:/[A-Za-z])+\Z")
"""Symptoms and the like by their letters, which end a sentence as words do: `Denies n/v. He eats.`"""
_NEXT = re.compile(r"[A-Za-z][\w.'’-]*")
_DOSE_BEFORE = 48  # characters in which the number of a dose stands before its route


def sentence_ends(text: str, start: int, end: int, numbers: Collection[int] = ()) -> Iterator[int]:
    """Offsets just past each sentence in `text[start:end]`, the last one (`end`) left out.

    `numbers` are the ends of list numbers that stand inside a sentence; their full stops do not count.

    Linear in the length: each terminator looks at one word on either side of it.
    """
    pos = start
    hole = _DEIDENTIFIED.search(text, start, end) if text.find("[**", start, end) >= 0 else None
    while True:
        found = _END.search(text, pos, end)
        if found is None:
            return
        while hole is not None and hole.end() <= found.start():
            hole = _DEIDENTIFIED.search(text, hole.end(), end)
        pos = found.end()
        if hole is not None and hole.start() < found.start():
            pos = hole.end()
            continue
        if pos >= end:
            return
        mark = found.start()
        if (
            pos in numbers
            or start == mark
            or (text[start].isspace() and text[mark - 1].isspace() and text[start:mark].isspace())
        ):
            continue
        cut = None
        if text[mark] in "?？؟" and text[pos].isspace():
            cut = answer_end(text, start, pos, end)
            if cut is not None and cut >= end:
                return
        if cut is None:
            cut = _cut_after(text, start, mark, pos, end)
        if cut is not None:
            cut = _with_parenthesis(text, cut, end)
            if cut >= end:
                return
            yield cut
            start = pos = cut


def _cut_after(text: str, start: int, mark: int, stop: int, end: int) -> int | None:
    """Where the sentence ends whose terminator is `text[mark:stop]`, None if it goes on."""
    if text[mark] in _STOPS_OF_THEIR_OWN:
        return stop
    if not text[stop].isspace():
        return stop if _cited(text, stop, end) else _glued(text, start, mark, stop, end)
    token = _TOKEN.search(text, stop, min(end, stop + 400))
    if token is None:
        return stop
    ahead = token[0].lstrip(_OPENERS)
    junk = text[mark + 1 : stop].strip(".")
    if ahead[:1].islower() and (text[mark] == "?" or junk):
        return None
    if text[mark] not in ".…":
        return stop
    return _after_full_stop(text, start, token, ahead, mark, stop, end)


def _after_full_stop(
    text: str, start: int, token: re.Match[str], ahead: str, mark: int, stop: int, end: int
) -> int | None:
    """Decide a full stop (or dots) followed by white space."""
    single = text[mark] == "." and (stop == mark + 1 or not text[mark + 1 : stop].strip("\"'”’)]}»,;"))
    whole = _whole_word(text, start, mark)
    if single and ahead[:1].isalpha() and _needs_its_noun(text, start, mark, whole, ahead):
        return None
    word = whole.rpartition("/")[2]
    if single and "/" in whole and ahead[:1].isupper():
        letters = _LETTERS.search(text, max(start, mark - 12), mark)
        if letters and (letters[0].islower() or ahead.rstrip(".,;:)").lower() in _SUBJECTS):
            return stop
    lower = word.lower().strip("()[]'\"")
    first = ahead[:1]
    abbreviated = lower in MAY_END or (("." in lower or lower[:1] == "q") and _is_dotted(lower))
    if single and lower in _ENDS_A_DOSE and _dose_is_over(text, start, word, token, ahead, mark):
        return stop
    if single and (lower in NEVER_ENDS or (text[stop - 1] in ",;" and (abbreviated or len(lower) == 1))):
        return None
    if not single and text[mark - 1] in " \t" and mere_value(text, token.start(), end):
        return None  # leader dots: `Contrast reaction .. No`
    if first.islower():
        if not single:
            return None if text[mark : mark + 3] == "..." or text[mark] == "…" else stop
        if lower[-1:].isdigit() and len(lower) < 6 and _DATED.search(text, max(start, stop - 12), stop):
            return None
        bare = not lower.isdigit() and (
            len(lower) < 2 or (len(lower) < 4 and word[0].isupper() and not word.isupper())
        )
        species = len(lower) < 6 and _GENUS.search(text, max(start, mark - 12), mark - len(word)) is not None
        cut_short = _NO_VOWEL.fullmatch(lower) is not None and not word.isupper()  # `keine Bltg. nachweisbar`
        shortened = _ELIDED.sub("", lower) in _ATTRIBUTIVE and ahead.rstrip(".,;:)") not in _SUBJECTS
        return (
            None
            if abbreviated or shortened or bare or cut_short or species or ahead.rstrip(".,;:") in _CONTINUES
            else stop
        )
    if first.isdigit():
        return _before_digit(text, lower, token, start, stop, end, single)
    if not first.isalpha():
        return None if single and (abbreviated or (lower == "no" and first == "#")) else stop
    return _before_capital(text, word, ahead, mark, stop) if single else stop


def _needs_its_noun(text: str, start: int, mark: int, whole: str, ahead: str) -> bool:
    """Whether the word before a full stop is an abbreviation or an ordinal that what follows belongs to."""
    word = whole.lower()
    if "'" in word or "’" in word:
        word = _ELIDED.sub("", word)  # `pas d'ant. Allergiques`
    if word in _CLIPPED:
        return ahead.rstrip(".,;:)").lower() not in _SUBJECTS
    leads = word in _LEADING
    if not word or not (leads or word in _ATTRIBUTIVE or (word.isdigit() and len(word) < 3)):
        return False
    name = ahead.rstrip(".,;:)").lower()
    before = text[max(start, mark - 40) : mark - len(word)].split()
    last = before[-1].lower() if before else ""
    if word.isdigit():
        if last == "a" and (len(before) == 1 or before[-1] == "a"):  # `A 2. stent`, not `hepatitis A 2.`
            return ahead[:1].islower()
        return name in _MONTHS or (last.rstrip(".") in _BEFORE_ORDINALS and name not in _SUBJECTS)
    if not ahead[:1].isupper() or name in _SUBJECTS:
        return False
    return _is_bound(before, word, leads)


def _is_bound(before: list[str], word: str, leads: bool) -> bool:
    """Whether an abbreviation that may end its sentence cannot do so here, by the words before it."""
    words_before = len(before)
    while before and word in _ATTRIBUTIVE and _qualifies(before[-1].lower()):  # `Bilat. Lower ext. Edema`
        before = before[:-1]
    exact = before[-1] if before else ""
    last = exact.lower()
    if not last or last[-1] in ",;:'’":
        return True
    if last[-1] == "." and (last[:-1] in _CLIPPED or word == "diff"):  # `S/p. Lap. Cholecystectomy`
        return True
    if len(before) < words_before:  # `of the lower ext. Pulses intact`, `No left ext. Edema`
        return last == "no" or last in _NEGATIONS
    if last in _COPULAS:
        return len(before) > 1 and before[-2].lower() == "there"
    # Articles and prepositions of other languages are written in small letters: `Pas de sd. Méningé`.
    bound = last in _DETERMINERS or last in _NEGATIONS or exact in _ELSEWHERE
    return bound and (word in _ATTRIBUTIVE or not leads)


def _qualifies(word: str) -> bool:
    """Whether a word before an abbreviation tells more of the same noun, written out or cut short."""
    return word in _QUALIFIERS or (word[-1:] == "." and word[:-1] in _ATTRIBUTIVE)


def _dose_is_over(text: str, start: int, word: str, token: re.Match[str], ahead: str, mark: int) -> bool:
    """Whether a sentence ends with a dose's route (`81 mg p.o. She`); mostly it goes on (`p.o. intake`)."""
    if not ahead[:1].isupper():
        return False
    name = ahead.rstrip(".,;:)").lower()
    dosed = any(c.isdigit() for c in text[max(start, mark - _DOSE_BEFORE) : mark])
    if "\n" not in text[mark : token.start()]:
        return dosed and name in _SUBJECTS
    shouted = word.isupper() and ahead[:2].isupper()
    return name in _SUBJECTS or (not shouted and (dosed or name in _STARTERS))


def _before_capital(text: str, word: str, ahead: str, mark: int, stop: int) -> int | None:
    """Decide a full stop followed by a capitalised word."""
    lower = word.lower().strip("()[]'\"")
    name = ahead.rstrip(".,;:)").lower()
    shouted = len(word) > 1 and word.isupper() and ahead[:2].isupper()
    starter = name in _SUBJECTS or (name in _STARTERS and not shouted)
    if (
        lower in _COUNTED
        and not starter
        and text[max(0, mark - len(word) - 3) : mark - len(word)].rstrip()[-1:].isdigit()
    ):
        return None
    if len(word) == 1 and word.isalpha() and word.isupper():
        spaced = len(name) == 1 and ahead[1:2] == "."  # `Z. A. Pneumonie`
        return stop if (starter and not spaced) or _lettered(text, mark - 1) else None
    if len(word) == 1 and word.isalpha() and name not in _SUBJECTS and lower not in _UNITS:
        return stop if text[max(0, mark - 3) : mark - 1].strip().isdigit() else None
    if lower not in MAY_END and not _is_dotted(lower):
        return stop
    if starter:
        return stop
    if name in _CALENDAR and _is_dotted(lower):
        return None
    if len(ahead) > 1 and ahead[1].islower():
        return stop
    return stop if lower in _UNITS and ahead[:2].isupper() and name not in _ROUTES and not shouted else None


def _before_digit(
    text: str, lower: str, token: re.Match[str], start: int, stop: int, end: int, single: bool
) -> int | None:
    """Decide a full stop followed by white space and a digit."""
    if not single:
        return stop
    lower = lower.lstrip("-+−")  # of a number: `excess -8. 5`
    if _YEAR.match(token[0]) and _DAY_AND_MONTH.search(text, max(start, stop - 9), stop):
        return None
    if lower in MAY_END or lower in ("no", "x") or (len(lower) == 1 and lower.isalpha()) or _is_dotted(lower):
        return None
    if lower in _MEASURED and text[max(start, stop - 1 - len(lower) - 2) : stop - 1 - len(lower)].strip() in (
        "",
        ",",
    ):
        return None  # where it begins its clause: `Hb. 6,1 g/dl, Thrombo. 22 G/l`
    if is_decimal(text, start, stop, lower, token, end):
        return None
    return None if _STRAY_DATE.match(text, token.start(), end) else stop


def _whole_word(text: str, start: int, mark: int) -> str:
    """The word that ends at `mark`, with slashes in it, at most forty characters of it."""
    if mark <= start or text[mark - 1].isspace():
        return ""
    word = text[max(start, mark - 40) : mark].rsplit(None, 1)[-1]
    if _BEGIN_WORDS.isdisjoint(word):
        return word
    found = _WHOLE_WORD.match(word[::-1])
    return found[0][::-1] if found else ""


def _word_before(text: str, start: int, mark: int) -> str:
    """The word that ends at `mark`, at most forty characters of it; a slash is none of it."""
    return _whole_word(text, start, mark).rpartition("/")[2]


def _is_dotted(word: str) -> bool:
    """Whether a word is letters with inner full stops (`q.a.m`, `q.4-6h`)."""
    if word[:1] == "q" and _EVERY_HOURS.fullmatch(word):
        return True
    return (
        "." in word
        and word[0].isalpha()
        and all(len(part) <= 3 for part in word.split("."))
        and not word.replace(".", "").isdigit()
    )


def _lettered(text: str, letter: int) -> bool:
    """Whether the capital letter at `letter` belongs to a noun before it (`hepatitis B`)."""
    return letter > 1 and _word_before(text, max(0, letter - 20), letter - 1).lower() in _LETTERED


def _glued(text: str, start: int, mark: int, stop: int, end: int) -> int | None:
    """Decide a terminator with no white space after it (`2.5mg.Next`)."""
    if (stop - mark == 1 and text[mark] == ".") or text[mark] + text[stop - 1] in (".,", ".;"):
        ahead = _NEXT.match(text, stop, min(end, stop + 30))
        if ahead is None or not ahead[0][0].isupper():
            return None
        before = _word_before(text, start, mark)
        if text[stop - 1] in ",;":
            return stop if before.lower() not in NEVER_ENDS else None
        if (
            before.lower() in NEVER_ENDS
            or "@" in before
            or before.lower().startswith(("www", "http"))
            or "." in before.strip("0123456789.")
        ):
            return None
        return stop if _long_enough(before, ahead[0]) else None
    ahead = _NEXT.match(text, stop, min(end, stop + 30))
    if ahead is not None and ahead[0][0].isupper() and text[mark] in "!?.":
        return stop
    return None


def _cited(text: str, stop: int, end: int) -> bool:
    """Whether a reference in brackets is glued to a stop (`closed.[4] It`)."""
    cited = _CITATION.match(text, stop, end) if text[stop] == "[" else None
    return cited is not None and (cited.end() >= end or text[cited.end()].isspace())


def _long_enough(before: str, ahead: str) -> bool:
    """Whether two words that touch at a full stop are words and not initials."""
    if before.isupper() and ahead.isupper():
        return len(before) >= 3 and len(ahead) >= 2
    tail = before.rstrip(")]%")
    return (len(tail) >= 2 and (tail[-1].islower() or tail[-1].isdigit() or tail.isupper())) and len(
        ahead.rstrip(".'’-_")  # `Ph.D.`
    ) >= 2


def _with_parenthesis(text: str, cut: int, end: int) -> int:
    """Extend a sentence by a parenthesis after its stop that has no stop of its own."""
    at = cut
    while at < end and text[at].isspace():
        at += 1
    if at >= end or text[at] not in "([":
        return cut
    if text[at] == "[":
        found = _CITATION.match(text, at, end)
        if found is None or "\n" in text[cut:at]:
            return cut
        following = _TOKEN.search(text, found.end(), end)
        return cut if following is not None and following[0][0].islower() else found.end()
    found = _PAREN.match(text, at, end)
    if found is None or found[0][-2] in ".!?" or len(found[0]) < 4:
        return cut
    after = found.end()
    if after >= end:
        return after
    if not text[after].isspace():
        return cut
    rest = _TOKEN.search(text, after, end)
    return after if rest is None or not rest[0][0].islower() else cut
