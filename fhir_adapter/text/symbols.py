"""What the characters of symbol fonts stand for.

Symbol whole (Adobe's Symbol encoding); Wingdings, Wingdings 2, Webdings and Zapf Dingbats where a clinical
document uses them (bullets, check boxes, arrows). Unknown ones become U+FFFD, never a guess.

Programs write these characters as ASCII, as Latin-1 or in the private-use area U+F000 to U+F0FF. Where such a
private character comes without the name of its font, it is read only if one reading makes sense in a note.
"""

import re

_SYMBOL_LOW = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
)
_SYMBOL_HIGH = (
    "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪\ufffd〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"
)
SYMBOL: dict[int, str] = {
    **{0x20 + at: character for at, character in enumerate(_SYMBOL_LOW)},
    **{0xA0 + at: character for at, character in enumerate(_SYMBOL_HIGH)},
}
WINGDINGS: dict[int, str] = {
    0x20: " ", 0x22: "✂", 0x28: "☎", 0x2A: "✉", 0x36: "⌛", 0x46: "☞", 0x4A: "☺", 0x4B: "😐", 0x4C: "☹",
    0x6C: "●", 0x6D: "❍", 0x6E: "■", 0x6F: "□", 0x70: "□", 0x71: "❑", 0x72: "❒", 0x73: "⬧", 0x74: "⧫",
    0x75: "◆", 0x76: "❖", 0x77: "⬥", 0x78: "⌧", 0x9E: "·", 0x9F: "•", 0xA0: "▪", 0xA1: "○", 0xA7: "▪",
    0xA8: "☐", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE7: "←", 0xE8: "→", 0xE9: "↑",
    0xEA: "↓", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
}  # fmt: skip
_WINGDINGS_2: dict[int, str] = {
    0x20: " ", 0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0x95: "•", 0x96: "•",
    0x97: "●", 0x98: "●", 0x99: "○", 0x9A: "○", 0xA0: "■", 0xA1: "■", 0xA2: "□", 0xA3: "☐", 0xA4: "☐",
}  # fmt: skip
_WEBDINGS: dict[int, str] = {
    0x20: " ", 0x33: "◀", 0x34: "▶", 0x35: "▲", 0x36: "▼", 0x61: "✓", 0x63: "☐", 0x67: "■", 0x6E: "●",
    0x72: "✗", 0x3D: "→",
}  # fmt: skip
_DINGBATS: dict[int, str] = {
    0x20: " ", 0x33: "✓", 0x34: "✔", 0x35: "✕", 0x36: "✖", 0x37: "✗", 0x38: "✘", 0x6C: "●", 0x6D: "❍",
    0x6E: "■", 0x6F: "❏", 0x70: "❐", 0x71: "❑", 0x72: "❒", 0x75: "◆", 0xD5: "→", 0xE4: "➤",
}  # fmt: skip
# Private characters without a font: signs of Symbol that measure and compare, boxes and ticks of Wingdings.
_UNNAMED: dict[int, str] = {
    **{code: SYMBOL[code] for code in (0x6D, 0xA3, 0xA5, 0xAC, 0xAD, 0xAE, 0xAF, 0xB0, 0xB1, 0xB3, 0xB4)},
    **{code: SYMBOL[code] for code in (0xB7, 0xB8, 0xB9, 0xBA, 0xBB, 0xC6, 0xD7)},
    **{code: WINGDINGS[code] for code in (0x6F, 0x71, 0x72, 0xA7, 0xA8, 0xD8, 0xE0, 0xFB, 0xFC, 0xFD, 0xFE)},
    0x2D: "−",
    0x3C: "<",
    0x3D: "=",
    0x3E: ">",
}
_TABLES = {
    "symbol": SYMBOL,
    "wingdings": WINGDINGS,
    "wingdings 2": _WINGDINGS_2,
    "webdings": _WEBDINGS,
    "dingbats": _DINGBATS,
    "": _UNNAMED,
}
_NAME = re.compile(
    r"(?:[A-Z]{6}\+)?\W{0,20}(symbol|wingdings ?[23]?|webdings|(?:itc ?)?zapf ?dingbats)", re.I
)
_PRIVATE = re.compile("[\uf000-\uf0ff]")
_WORD = re.compile("[A-Za-z]{4}")


def symbol_font(name: str) -> str:
    """Which symbol font a font's name means, as `from_symbol_font` takes it; "" for any other.

    `Segoe UI Symbol` and its like hold the characters that they are asked for, and are none.
    """
    found = _NAME.match(name.strip())
    if found is None:
        return ""
    lower = found[1].lower()
    if lower.startswith("wingdings"):
        return "wingdings" if lower == "wingdings" else f"wingdings {lower[-1]}"
    return "dingbats" if "zapf" in lower else lower


def from_symbol_font(font: str, code: int) -> str:
    """The character of `code` (0-255, or U+F000-F0FF) in a font as named by `symbol_font`."""
    table = _TABLES.get(font, {})
    return table.get(code & 0xFF if code >= 0xF000 else code, "\ufffd")


def plain_symbols(text: str, font: str) -> str:
    """`text` set in a symbol font, with every character of the font replaced by what it stands for."""
    return "".join(
        from_symbol_font(font, ord(character))
        if ord(character) < 0x100 or 0xF000 <= ord(character) <= 0xF0FF
        else character
        for character in text
    )


def shown_symbols(text: str, font: str) -> str:
    """Text of a document that names fonts: as `plain_symbols`, but words stay words.

    Four letters in a row are no Greek: somebody chose a symbol font for a bullet and the words went along.
    """
    if font and not _WORD.search(text):
        return plain_symbols(text, font)
    return without_private(text)


def without_private(text: str) -> str:
    """`text` with private-use characters of symbol fonts read as far as that is certain, U+FFFD else."""
    if text.isascii():
        return text
    return _PRIVATE.sub(lambda found: from_symbol_font("", ord(found[0])), text)
