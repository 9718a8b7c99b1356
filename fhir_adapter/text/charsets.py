"""Which encoding the name of a charset means: IANA's names, those of browsers and databases, HL7's.

Only encodings that a clinical system may well use: Python's own oddities (`unicode_escape`, `punycode`,
`utf_7`) are not charsets of notes and would let bytes say what they do not show.
"""

import codecs
import re
from functools import cache
from importlib.resources import files

_PAGES = (437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869, 874, 1125)
_EBCDIC_PAGES = (37, 273, 424, 500, 875, 1026, 1140)
_NUMBERED = re.compile(r"(?:windows|win|cp|ms|ibm|ccsid|dos|oem|cspc|csibm|cswindows|pc)[-_]?0*(\d{2,5})")
_DOUBLE_BYTE_PAGES = {932: "cp932", 936: "gb18030", 949: "cp949", 950: "cp950", 1361: "johab", 65001: "utf-8"}
_MACINTOSH = ("mac-roman", "mac-cyrillic", "mac-greek", "mac-turkish", "mac-latin2", "mac-iceland")

EBCDIC = frozenset(codecs.lookup(f"cp{page:03}").name for page in _EBCDIC_PAGES)
"""Encodings in which not even digits stand where ASCII has them."""

SINGLE_BYTE = {
    **{f"cp{page}": f"cp{page}" for page in (*_PAGES, *range(1250, 1259))},
    **{f"iso8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{codecs.lookup(name).name: name for name in ("koi8-r", "koi8-u", "hp-roman8", "kz1048", *_MACINTOSH)},
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
}
"""Names as Python has them, and what is meant (WHATWG Encoding Standard, section 4.2)."""

_UNICODE = frozenset(("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"))
_JAPANESE_KOREAN = frozenset(
    ("shift_jis", "cp932", "euc_jp", "iso2022_jp", "euc_kr", "cp949", "iso2022_kr", "johab")
)
_CHINESE = frozenset(("gb2312", "gbk", "gb18030", "big5", "big5hkscs", "cp950", "hz"))
MULTI_BYTE = _UNICODE | _JAPANESE_KOREAN | _CHINESE


def encoding_of(label: str) -> str | None:
    """Python's name of the encoding that a charset's name means; None where it means none we know."""
    name = label.strip().strip("\"'").lower()
    for candidate in (name, name.removeprefix("x-")):
        found = _known(_names().get(candidate, candidate))
        if found:
            return found
    numbered = _NUMBERED.fullmatch(name.removeprefix("x-"))
    if numbered is None:
        return None
    page = int(numbered[1])
    return _known(_DOUBLE_BYTE_PAGES.get(page, f"cp{page:03}"))


def _known(name: str) -> str | None:
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    if found in SINGLE_BYTE:
        return SINGLE_BYTE[found]
    return found if found in MULTI_BYTE or found in EBCDIC else None


@cache
def _names() -> dict[str, str]:
    """The table of `charsets.txt`."""
    lines = files("fhir_adapter.text").joinpath("charsets.txt").read_text("utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return dict(row[:2] for row in rows)
