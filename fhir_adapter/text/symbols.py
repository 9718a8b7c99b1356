"""What the characters of symbol fonts stand for.

Symbol whole (Adobe's Symbol encoding); Wingdings where a clinical document uses it (bullets, check boxes,
arrows). Unknown ones become U+FFFD, never a guess.
"""

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
    0xA8: "◻", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE7: "←", 0xE8: "→", 0xE9: "↑",
    0xEA: "↓", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
}  # fmt: skip
_TABLES = {"symbol": SYMBOL, "wingdings": WINGDINGS}


def symbol_font(name: str) -> str:
    """`symbol` or `wingdings` for the name of such a font, "" for any other."""
    lower = name.strip().lower()
    if lower.startswith("symbol"):
        return "symbol"
    return "wingdings" if lower.startswith("wingdings") else ""


def from_symbol_font(font: str, code: int) -> str:
    """The character of `code` (0-255, or U+F000-F0FF) in a font as named by `symbol_font`."""
    table = _TABLES.get(font, {})
    return table.get(code & 0xFF if code >= 0xF000 else code, "\ufffd")


def plain_symbols(text: str, font: str) -> str:
    """`text` set in a symbol font, with every character of the font replaced by what it stands for."""
    return "".join(from_symbol_font(font, ord(character)) for character in text)
