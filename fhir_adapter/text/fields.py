"""What a field of a word processor shows when the document holds no result for it.

Source: ECMA-376 Part 1 section 17.16 (Fields and Hyperlinks); RTF has the same instructions.
"""

import re

from fhir_adapter.text.notation import formula
from fhir_adapter.text.symbols import from_symbol_font, symbol_font

_PIECE = re.compile(r"\"([^\"]{0,2000})\"?|(\S{1,2000})")
_ARGUMENTS = re.compile(r"\\([a-z])(?:\s*\\[a-z]{2}\s?[0-9A-Za-z]{0,3})*\s*\(([^()]{0,200})\)", re.I)
_SWITCH = re.compile(r"\\[a-z]{1,2}\d*", re.I)
_SHOWS_NOTHING = frozenset({
    "advance", "ask", "bookmark", "data", "fillin", "formcheckbox", "formdropdown", "formtext", "goto",
    "hyperlink", "link", "next", "nextif", "page", "pageref", "print", "private", "rd", "section",
    "sectionpages", "set", "skipif", "ta", "tc", "toa", "toc", "xe", "index", "autonum", "autonumlgl",
    "autonumout", "listnum", "numpages", "embed", "includepicture", "shape", "date", "time", "",
})  # fmt: skip


def field_words(instruction: str) -> str | None:
    """The words of a field without a result, by its instruction; None where they are not in the document.

    "" for fields that show nothing of the note: page numbers, marks of an index, empty form fields.
    """
    pieces = [found[1] or found[2] or "" for found in _PIECE.finditer(instruction[:4000])]
    name = pieces[0].lower() if pieces else ""
    if name == "symbol" and len(pieces) > 1:
        return _symbol(pieces[1:])
    if name in ("macrobutton", "gotobutton"):
        return " ".join(pieces[2:])
    if name == "quote":
        return " ".join(piece for piece in pieces[1:] if not piece.startswith("\\"))
    if name == "eq":
        return formula(_equation(instruction.strip()[2:]))
    return "" if name in _SHOWS_NOTHING else None


def _symbol(pieces: list[str]) -> str:
    r"""`SYMBOL 179 \f "Symbol"`: one character by its number, of a font where one is named."""
    number = pieces[0]
    try:
        code = int(number, 16) if number.lower().startswith("0x") else int(number)
    except ValueError:
        return number[:1]
    switches = [piece.lower() for piece in pieces]
    at = switches.index("\\f") + 1 if "\\f" in switches else len(pieces)
    font = symbol_font(pieces[at]) if at < len(pieces) else ""
    if font:
        return from_symbol_font(font, code)
    if "\\u" in switches or code > 0xFF:
        return chr(code) if 0x20 <= code < 0xD800 or 0xE000 <= code < 0x110000 else "\ufffd"
    return bytes((code,)).decode("cp1252", "replace") if 0x20 <= code <= 0xFF else "\ufffd"


def _equation(words: str) -> str:
    r"""`\f(1,2)` as `1/2`, powers with a caret; of all else the arguments, one after the other."""
    for _ in range(20):
        found = _ARGUMENTS.search(words)
        if found is None:
            break
        arguments = [each.strip() for each in re.split(r"[,;]", found[2])]
        kind = found[1].lower()
        if kind == "f" and len(arguments) == 2:
            put = "/".join(arguments)
        elif kind == "s":
            put = (
                f"^{arguments[0]}" if "\\up" in found[0] or "\\s(" in found[0].lower() else f"_{arguments[0]}"
            )
        elif kind == "r":
            put = "√" + arguments[-1]
        else:
            put = ", ".join(argument for argument in arguments if argument)
        words = words[: found.start()] + put + words[found.end() :]
    return " ".join(_SWITCH.sub("", words).split())
