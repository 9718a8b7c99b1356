"""The font table of an RTF file, as far as it says how bytes become characters."""

from fhir_adapter.text.rtf.words import CHARSETS, code_page
from fhir_adapter.text.symbols import plain_symbols, symbol_font


class RtfFonts:
    """Code pages by font; fonts without one, and text without a font, use the document's `page`."""

    def __init__(self) -> None:
        self.page = "cp1252"
        self.default: int | None = None
        self._codecs: dict[int, str] = {}
        self._symbols: dict[int, str] = {}
        self._defined: int | None = None
        self._name = ""

    def word(self, word: str, number: int) -> None:
        """A control word inside the font table."""
        if word == "f":
            self._defined, self._name = number, ""
        elif self._defined is None:
            return
        elif word == "fcharset":
            self._codecs.setdefault(self._defined, CHARSETS.get(number, ""))
        elif word == "cpg":
            self._codecs[self._defined] = code_page(number) or ""

    def name(self, text: str) -> None:
        """Text inside the font table: a piece of the font's name."""
        if self._defined is None or len(self._name) > 100:
            return
        self._name += text[:100]
        symbols = symbol_font(self._name)
        if symbols:
            self._symbols[self._defined] = symbols

    def decode(self, data: bytes, font: int | None, codec: str) -> str:
        """The characters of `data` in a font; `codec`, if any, is stronger than the font's."""
        font = self.default if font is None else font
        symbols = self._symbols.get(font) if font is not None else None
        if symbols and not codec:
            return plain_symbols(data.decode("latin-1"), symbols)
        own = self._codecs.get(font) if font is not None else None
        return data.decode(codec or own or self.page, "replace")

    def character(self, code: int, font: int | None) -> str:
        r"""The character of `\uN`; "" for numbers that are none."""
        font = self.default if font is None else font
        symbols = self._symbols.get(font) if font is not None else None
        if symbols and 0xF000 <= code <= 0xF0FF:
            return plain_symbols(chr(code), symbols)
        return chr(code) if 0 <= code <= 0x10FFFF else ""


def is_raw_utf8(data: bytes) -> bool:
    """Raw bytes above 127 that are valid UTF-8: written so by programs that know nothing of code pages."""
    if data.isascii():
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
