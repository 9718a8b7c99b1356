"""What PDFium knows of the words of one page and their places.

Coordinates are points in the upright page, y growing downwards. A word's height is its font size and its
place the baseline, so that nothing depends on which substitute font PDFium finds on a machine.
"""

import ctypes
import math
import re
from dataclasses import dataclass, field
from typing import NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason
from fhir_adapter.text.notation import without_signs
from fhir_adapter.text.pdf.place import Turn
from fhir_adapter.text.symbols import from_symbol_font, symbol_font

MAX_CHARACTERS = 200_000
_SPOT = 4.0
_TIGHT = 0.03
"""Of the size; a gap up to this needs no closer look."""
_OVERHANG = 0.25
"""Of the size; no letter hangs farther over its own width."""
_HYPHENS = frozenset({0x02, 0xAD, 0xFFFE})
_LIGATURES = {
    0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st",
}  # fmt: skip
_BOLD = re.compile(r"bold|black|heavy|[,-](?:bd|b)\b", re.IGNORECASE)


class Gap(NamedTuple):
    """Between the characters `at - 1` and `at` of a word, from the end of one to where the other begins."""

    at: int
    left: float
    right: float


@dataclass(slots=True)
class Word:
    """Characters without white space.

    Attributes:
        y: the baseline.
        spaced: white space of the file stands before it.
        guessed: PDFium sees a space before it, by the widths of the font.
        bold: its font is a bold one.
        struck: a line goes through it.
        gaps: between its characters, in their order.
    """

    text: str
    x0: float
    x1: float
    y: float
    size: float
    spaced: bool = True
    guessed: bool = False
    bold: bool = False
    struck: bool = False
    gaps: list[Gap] = field(default_factory=list)


@dataclass(slots=True)
class PageContent:
    """The words of one page as read; `sideways` are lines of text at an angle."""

    width: float
    height: float
    words: list[Word] = field(default_factory=list)
    sideways: list[str] = field(default_factory=list)

    @property
    def characters(self) -> int:
        """Characters of text."""
        return sum(len(word.text) for word in self.words) + sum(len(line) for line in self.sideways)


def read_words(page: pdfium.PdfPage, turn: Turn) -> PageContent:
    """The words of a page, turned upright.

    Raises:
        NoteError: `too-large` for a page of more than `MAX_CHARACTERS` characters.
    """
    text = page.get_textpage()
    try:
        return _Reader(text, turn).read()
    finally:
        text.close()


class _WordBuilder:
    """Characters in PDFium's order become words; one drawn twice on a spot (bold, tiles) counts once."""

    def __init__(self, words: list[Word]) -> None:
        self._words = words
        self._word: Word | None = None
        self._space: tuple[float, float] | None = None
        self._guessed = False
        self._drawn: dict[tuple[str, int, int], list[tuple[float, float]]] = {}

    def end_word(self, space: tuple[float, float] | None = None) -> None:
        """Ends the word; `space` is the place of a space that the file itself holds."""
        self._word = None
        self._space = space or self._space
        self._guessed = True

    def end_at(self, x1: float | None) -> None:
        """Where the word's last character ends by its width: a slanted letter hangs over it."""
        word = self._word
        if word is not None and x1 is not None and word.x1 - x1 <= _OVERHANG * word.size:
            word.x1 = min(word.x1, x1)

    def leaves_gap(self, x0: float, size: float) -> bool:
        """Whether a character at `x0` would stand apart from the last one."""
        return self._word is not None and x0 - self._word.x1 > _TIGHT * size

    def add(self, text: str, x0: float, x1: float, y: float, size: float) -> bool:
        """Adds a character; True where it begins a word."""
        if self._is_drawn(text, x0, y, 0.12 * size):
            return False
        word = self._word
        if word is not None:
            near = -0.4 * size <= x0 - word.x1 <= 0.25 * size and abs(y - word.y) <= 0.1 * size
            if near and 0.8 <= size / word.size <= 1.25:
                word.gaps.append(Gap(len(word.text), word.x1, x0))
                word.text += text
                word.x1 = max(x1, word.x1)
                return False
        space = self._space
        spaced = space is not None and abs(space[1] - y) <= 0.1 * size and abs(space[0] - x0) <= 0.7 * size
        self._word = Word(text, x0, x1, y, size, spaced, self._guessed)
        self._words.append(self._word)
        self._space, self._guessed = None, False
        return True

    def _is_drawn(self, text: str, x: float, y: float, near: float) -> bool:
        column, row = int(x // _SPOT), int(y // _SPOT)
        for beside in (column, column - 1, column + 1):
            for above in (row, row - 1, row + 1):
                for other_x, other_y in self._drawn.get((text, beside, above), ()):
                    if abs(other_x - x) <= near and abs(other_y - y) <= near:
                        return True
        self._drawn.setdefault((text, column, row), []).append((x, y))
        return False


class _Reader:
    """Walks the characters of a page in PDFium's order."""

    def __init__(self, text: pdfium.PdfTextPage, turn: Turn) -> None:
        self._handle = text.raw
        self._count = text.count_chars()
        if self._count > MAX_CHARACTERS:
            raise NoteError(Reason.TOO_LARGE, f"more than {MAX_CHARACTERS} characters on a page")
        self._turn = turn
        self._box, self._x, self._y = raw.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
        self._matrix = raw.FS_MATRIX()

    def read(self) -> PageContent:
        content = PageContent(self._turn.width, self._turn.height)
        builder = _WordBuilder(content.words)
        slanted: list[str] = []
        for at in range(self._count):
            code = raw.FPDFText_GetUnicode(self._handle, at)
            generated = raw.FPDFText_IsGenerated(self._handle, at) == 1
            if code in _HYPHENS:
                code = 0x2D
            elif code <= 0x20 or code == 0xA0 or generated:
                x0, _, baseline, _ = self._place(at)
                if generated:
                    builder.end_at(self._advance_end(at - 1))
                builder.end_word(None if generated else (x0, baseline))
                slanted.append("\n" if code in (0x0A, 0x0D) else " ")
                continue
            characters = self._characters(at, code)
            if not self._is_upright(at):
                builder.end_word()
                slanted.append(characters)
                continue
            slanted.append("")
            x0, x1, baseline, size = self._place(at)
            if builder.leaves_gap(x0, size):
                builder.end_at(self._advance_end(at - 1))
            if builder.add(characters, x0, x1, baseline, size):
                content.words[-1].bold = bool(_BOLD.search(self._font(at)))
        lines = (" ".join(part.split()) for part in "".join(slanted).split("\n"))
        content.sideways = [line for line in lines if line]
        return content

    def _place(self, at: int) -> tuple[float, float, float, float]:
        """Left and right end, baseline, and size of a character."""
        box, x, y = self._box, self._x, self._y
        raw.FPDFText_GetLooseCharBox(self._handle, at, box)
        raw.FPDFText_GetCharOrigin(self._handle, at, x, y)
        origin, baseline = self._turn.point(x.value, y.value)
        x0, y0, x1, y1 = self._turn.area(box.left, box.bottom, box.right, box.top)
        size = max(abs(y1 - y0), 1.0)
        if 0 < origin - x0 <= _OVERHANG * size:  # a slanted letter hangs back over the blank before it
            x0 = origin
        return x0, x1, baseline, size

    def _advance_end(self, at: int) -> float | None:
        """Where the next character would stand behind this one; None where PDFium cannot tell."""
        if at < 0 or self._turn.rotation:
            return None
        shown = raw.FPDFText_GetTextObject(self._handle, at)
        font = raw.FPDFTextObj_GetFont(shown) if shown else None
        width = ctypes.c_float()
        code = raw.FPDFText_GetUnicode(self._handle, at)
        if not font or not raw.FPDFFont_GetGlyphWidth(font, code, 1.0, width) or width.value <= 0:
            return None
        if not raw.FPDFText_GetMatrix(self._handle, at, self._matrix):
            return None
        raw.FPDFText_GetCharOrigin(self._handle, at, self._x, self._y)
        size = raw.FPDFText_GetFontSize(self._handle, at) * float(self._matrix.a)
        return self._turn.point(self._x.value + size * width.value, self._y.value)[0]

    def _is_upright(self, at: int) -> bool:
        """Whether a character stands on a level line; slanted letters (italics by the matrix) do."""
        angle = raw.FPDFText_GetCharAngle(self._handle, at)
        if angle < 0 or self._turn.upright(angle):
            return True
        # PDFium's angle is that of the letters' stems; a line of text runs where the matrix sends (1, 0).
        if not raw.FPDFText_GetMatrix(self._handle, at, self._matrix):
            return False
        a, b, c, d = (
            float(each) for each in (self._matrix.a, self._matrix.b, self._matrix.c, self._matrix.d)
        )
        mirrored = a * d - b * c <= 0
        return not mirrored and self._turn.upright(math.atan2(b, a))

    def _characters(self, at: int, code: int) -> str:
        if code in _LIGATURES:
            return _LIGATURES[code]
        if 0xF000 <= code <= 0xF0FF:
            font = symbol_font(self._font(at))
            shown = from_symbol_font(font, code)
            return shown if font or shown != "\ufffd" else from_symbol_font("symbol", code)
        return without_signs(chr(code)) if code <= 0x10FFFF else "\ufffd"

    def _font(self, at: int) -> str:
        name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
        raw.FPDFText_GetFontInfo(self._handle, at, name, 128, flags)
        return name.value.decode("utf-8", "replace").rpartition("+")[2]
