"""Offsets in the units that Azure AI Language counts in (`stringIndexType`)."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache


class StringIndexType(StrEnum):
    """In what offset and length are counted."""

    TEXT_ELEMENTS = "TextElements_v8"
    CODE_POINTS = "UnicodeCodePoint"
    UTF16 = "Utf16CodeUnit"


def in_units(text: str, places: Sequence[int], unit: StringIndexType) -> dict[int, int]:
    """Each place in a text, counted in code points, as the number of units before it.

    Args:
        text: the whole.
        places: offsets in code points, in any order; each at most the text's length.
        unit: to count in.

    Returns:
        By place. One that lies inside of a text element counts as the begin of that element.
    """
    wanted = sorted(set(places))
    count = {
        StringIndexType.CODE_POINTS: _code_points,
        StringIndexType.UTF16: _utf16,
        StringIndexType.TEXT_ELEMENTS: _elements,
    }[unit]
    return count(text, wanted)


def _code_points(text: str, places: Sequence[int]) -> dict[int, int]:
    return {place: place for place in places}


def _utf16(text: str, places: Sequence[int]) -> dict[int, int]:
    return _summed(text, places, lambda part: len(part.encode("utf-16-le", "surrogatepass")) // 2)


def _summed(text: str, places: Sequence[int], size: Callable[[str], int]) -> dict[int, int]:
    found, last, total = {}, 0, 0
    for place in places:
        total += size(text[last:place])
        found[place], last = total, place
    return found


def _elements(text: str, places: Sequence[int]) -> dict[int, int]:
    if text.isascii():  # each character by itself, but that CR LF is one
        return {
            place: place - text.count("\r\n", 0, place) - (text[place - 1 : place + 1] == "\r\n")
            for place in places
        }
    found: dict[int, int] = {}
    waiting = iter(places)
    place = next(waiting, None)
    number = 0
    for number, (start, end) in enumerate(text_elements(text)):
        while place is not None and start <= place < end:
            found[place] = number
            place = next(waiting, None)
    while place is not None:
        found[place] = number + 1 if text else 0
        place = next(waiting, None)
    return found


def text_elements(text: str) -> Iterator[tuple[int, int]]:
    """The extended grapheme clusters of a text, as (start, end), by the rules of Unicode 8.0 (UAX #29).

    These rules know no sequences of emoji, and join all regional indicators that stand together. Classes of
    characters are those of this Python's tables.
    """
    start = 0
    before = ""
    for place, character in enumerate(text):
        now = _kind(character)
        if place and _parts(before, now):
            yield start, place
            start = place
        before = now
    if text:
        yield start, len(text)


# Which kinds hold together with the one after them; GB3, GB6 to GB8a.
_TOGETHER = {
    "CR": {"LF"},
    "L": {"L", "V", "LV", "LVT"},
    "LV": {"V", "T"},
    "V": {"V", "T"},
    "LVT": {"T"},
    "T": {"T"},
    "RI": {"RI"},
}
_ALONE = {"CR", "LF", "Control"}
_ATTACHED = {"Extend", "SpacingMark"}  # GB9, GB9a


def _parts(before: str, now: str) -> bool:
    if now in _TOGETHER.get(before, ()):
        return False
    if before in _ALONE or now in _ALONE:  # GB4, GB5
        return True
    return now not in _ATTACHED


_OTHER_EXTEND = frozenset(
    "\u09be\u09d7\u0b3e\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u200c\u200d\uff9e\uff9f"
    "\u302e\u302f\U0001133e\U00011357\U000114b0\U000114bd\U000115af\U0001d165"
    "\U0001d16e\U0001d16f\U0001d170\U0001d171\U0001d172"
)  # Other_Grapheme_Extend
_NO_SPACING_MARK = frozenset("\u102b\u102c\u1038\u19b0\u1a61\u1a63\u1a64\uaa7b\uaa7d\U00011720\U00011721")
_ALSO_SPACING_MARK = frozenset("\u0e33\u0eb3")


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    if character == "\r":
        return "CR"
    if character == "\n":
        return "LF"
    code = ord(character)
    if 0x1F1E6 <= code <= 0x1F1FF:
        return "RI"
    category = unicodedata.category(character)
    if category in ("Mn", "Me") or character in _OTHER_EXTEND:
        return "Extend"
    if character in _ALSO_SPACING_MARK or (category == "Mc" and character not in _NO_SPACING_MARK):
        return "SpacingMark"
    if category in ("Zl", "Zp", "Cc", "Cf", "Cs"):
        return "Control"
    return _hangul(code)


def _hangul(code: int) -> str:
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return "L"
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return "V"
    if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB:
        return "T"
    if 0xAC00 <= code <= 0xD7A3:
        return "LV" if (code - 0xAC00) % 28 == 0 else "LVT"
    return ""
