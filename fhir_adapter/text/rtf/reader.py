r"""RTF as word processors, EHRs and mail programs write it.

The recipe `rtf|3`: `\par`, `\line`, `\sect` and `\page` end a line; a table row is one line, cells joined by
` | ` (`lines.row_lines`); list markers are kept as text, bullets as `- `; headers come where they are,
footers and footnotes at the end, each once; text boxes are lines of their own. Hidden and deleted text,
pictures, objects, comments, and instructions of fields are left out. HTML in RTF (`\fromhtml`) is read by its
RTF side. Form fields, strike-out, superscripts and subscripts are written as `notation` has them, and so is
what a field without a result shows (`fields`).

Bytes are decoded by the code page of their font, `\u` by itself with its fallback skipped. Braces that do not
match never cost text: a closing one too many is passed over, and a destination that never ends is read again
from where text begins in it. Bytes after the last brace that hold no markup are no part of the file.
Source: Word 2007 RTF Specification 1.9.1.
"""

import re
from dataclasses import replace

from fhir_adapter.errors import NoteError
from fhir_adapter.note import NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text.builder import TextBuilder
from fhir_adapter.text.recipe import recipe
from fhir_adapter.text.rtf.flow import RtfFlow, RtfMargins
from fhir_adapter.text.rtf.fonts import RtfFonts, is_raw_utf8
from fhir_adapter.text.rtf.form import FORM_WORDS, HEARD, OpenFields
from fhir_adapter.text.rtf.groups import LOOKS, Group
from fhir_adapter.text.rtf.words import (
    APART,
    BREAKS,
    CHARACTERS,
    HOLDS_PARAGRAPHS,
    READ_DESPITE_STAR,
    SKIPPED,
    STRUCTURE,
    SYMBOLS,
    code_page,
)

MEDIA_TYPE = "application/rtf"
_MAX_DEPTH = 5_000
_MAX_READINGS = 6
_MAX_NESTED_TABLES = 30
_DESTINATIONS = frozenset({"upr", "nesttableprops"})
_PROPERTIES = frozenset({
    "f", "uc", "plain", "pard", "intbl", "itap", "v", "deleted", "deff", "ansicpg", "mac", "pc", "pca",
    "ansi", "trhdr", *LOOKS,
})  # fmt: skip
_CONTROL_WORD = re.compile(r"\\[A-Za-z]")
_HEADER = re.compile(r"\{\s*\\rtf")
_TOKEN = re.compile(
    r"\\(?:([A-Za-z]{1,40})(-?[0-9]{1,10})?[ ]?|'([0-9A-Fa-f]{2})|([^A-Za-z]))|([{}])|([^\\{}]+)|\\",
    re.DOTALL,
)


def rtf_text(data: bytes) -> NoteText:
    """The text of an RTF file.

    Raises:
        NoteError: `malformed` (no RTF header, groups nested too deep), `empty-text`, `too-large`.
    """
    characters = data.decode("latin-1")
    header = _HEADER.search(characters, 0, 4096)
    if header is None:
        raise NoteError(Reason.MALFORMED, "no RTF header")
    raw = "utf-8" if is_raw_utf8(data) else ""
    ended: frozenset[int] = frozenset()
    for _ in range(_MAX_READINGS):
        reader = _Reader(characters, header.start(), raw, ended)
        reader.read()
        if reader.unended <= ended:
            break
        ended |= reader.unended
    return reader.text("braces do not match" if reader.unbalanced else "")


class _Reader:
    """One reading of the file, token by token.

    Args:
        characters: the bytes as ISO-8859-1, so that positions are byte positions.
        raw: codec of unescaped bytes above 127 where it is not the font's.
        ended: starts of the groups whose destination ends where text begins in it.
    """

    def __init__(self, characters: str, start: int, raw: str, ended: frozenset[int]) -> None:
        self.unbalanced = False
        self.unended: set[int] = set()
        self._suspects: set[int] = set()
        self._characters = characters
        last = characters.rfind("}") + 1
        self._trailer = len(characters) if _CONTROL_WORD.search(characters, last) else last
        self._position = start
        self._raw = raw
        self._ended = ended
        self._fonts = RtfFonts()
        self._group = Group()
        self._stack: list[Group] = []
        self._bytes = bytearray()
        self._codec = ""
        self._to_skip = 0
        self._starred = False
        self._fields = OpenFields()
        self._shown = 0
        self._flow = RtfFlow()
        self._outer: list[RtfFlow] = []
        self._margins = RtfMargins()

    def read(self) -> None:
        characters, match = self._characters, _TOKEN.match
        while (token := match(characters, self._position)) is not None:
            self._position = token.end()
            word, number, code, symbol, brace, text = token.groups()
            if text is not None:
                self._text(text)
            elif word is not None:
                self._word(word, int(number) if number else None)
            elif code is not None:
                self._escaped(int(code, 16))
            elif brace is not None:
                self._open(token.start()) if brace == "{" else self._close()
            elif symbol is not None:
                self._symbol(symbol)
        self._end()

    def text(self, notice: str) -> NoteText:
        builder = TextBuilder()
        builder.add(self._flow.finish())
        self._margins.write(builder)
        if self._fields.lacking:
            more = f"{self._fields.lacking} fields without a result"
            notice = f"{notice}; {more}" if notice else more
        return builder.build(recipe("rtf", "3"), MEDIA_TYPE, notice)

    def _end(self) -> None:
        self._flush()
        if self._stack:
            self.unbalanced = True
            chain = [*self._stack[1:], self._group]
            self.unended = self._suspects | {group.skipped_from for group in chain if group.skip}
            while self._stack:
                self._close()

    # Groups

    def _open(self, position: int) -> None:
        self._flush()
        if len(self._stack) >= _MAX_DEPTH:
            raise NoteError(Reason.MALFORMED, f"groups nested deeper than {_MAX_DEPTH}")
        self._stack.append(self._group)
        self._group = replace(self._group, start=position, apart="")
        self._starred = False
        self._to_skip = 0

    def _close(self) -> None:
        self._flush()
        self._starred = False
        self._to_skip = 0
        if not self._stack:
            return
        group, self._group = self._group, self._stack.pop()
        around = self._group
        written = self._fields.end(len(self._stack), self._shown, around.skip or around.hidden)
        if written:
            self._show(written)
        if group.apart:
            self._end_apart(group.apart)

    def _end_apart(self, kind: str) -> None:
        flow, self._flow = self._flow, self._outer.pop()
        self._margins.add(kind, flow.finish(), self._flow, self._group.table)

    # Control words and symbols

    def _word(self, word: str, number: int | None) -> None:
        self._flush_for(word)
        if self._to_skip and word in CHARACTERS:
            self._to_skip -= 1
            return
        if word in BREAKS:
            self._to_skip = 0
        starred, self._starred = self._starred, False
        if word in STRUCTURE and self._group.skip:
            self._text_begins(word)
        if word == "bin":
            self._binary(number or 0)
        elif starred and word not in READ_DESPITE_STAR:
            self._skip(word)
        elif word in SKIPPED or word in APART or word in _DESTINATIONS:
            self._destination(word)
        elif self._group.destination == "fonttbl":
            self._fonts.word(word, number or 0)
        elif word in _PROPERTIES:
            self._property(word, number)
        elif self._group.skip or self._group.hidden or word == "nestrow":
            self._unshown_word(word, number)
        else:
            self._show_word(word, number)

    def _unshown_word(self, word: str, number: int | None) -> None:
        """Words inside of what is skipped that say something of what is shown."""
        if word in FORM_WORDS:
            self._fields.form_word(word, number or 0)
        elif word == "nestrow":
            self._flow.end_row(max([2, *self._flow.cells, *self._flow.cell]))

    def _destination(self, word: str) -> None:
        group = self._group
        kind = APART.get(word, "")
        if group.skip and word != "ud" and kind != "box":
            if word in HEARD or word == "fonttbl":
                self._skip(word)
            return
        if word == "ud" and any(outer.destination == "upr" for outer in self._stack[-2:]):
            group.skip = False
        elif word in SKIPPED or word in ("ud", "upr", "nesttableprops"):
            self._skip(word)
        elif kind and not group.apart:
            if kind == "footnote":
                self._flow.runs.add(f"[{len(self._margins.footnotes) + 1}]")
            group.skip, group.apart, group.table, group.destination = False, kind, 0, word
            self._outer.append(self._flow)
            self._flow = RtfFlow()

    def _property(self, word: str, number: int | None) -> None:
        """Words that change how what follows is read."""
        group = self._group
        on = number != 0
        if word == "f":
            group.font = number
        elif word == "uc":
            group.fallback = min(max(number or 0, 0), 100)
        elif word == "plain":
            group.plain(self._fonts.default)
        elif word in LOOKS:
            group.look(word, on)
        elif word == "trhdr":
            self._flow.heads.add(1)
        elif word == "pard":
            group.table = 0
        elif word == "intbl":
            group.table = max(group.table, 1) if on else 0
        elif word == "itap":
            group.table = min(max(number or 0, 0), _MAX_NESTED_TABLES)
        elif word in ("v", "deleted"):
            group.hidden = on
        elif word == "deff":
            self._fonts.default = group.font = number
        else:
            page = {"ansicpg": number or 1252, "mac": 10000, "pc": 437, "pca": 850, "ansi": 1252}[word]
            self._fonts.page = code_page(page) or self._fonts.page

    def _show_word(self, word: str, number: int | None) -> None:
        table = self._group.table
        if word == "u":
            self._unicode(number or 0)
        elif word == "field":
            self._fields.begin(len(self._stack), self._shown)
        elif word in CHARACTERS:
            self._show(CHARACTERS[word])
        elif word in ("par", "line", "sect", "page", "column", "softline"):
            self._flow.end_line(table, soft=word == "line")
            if word == "sect" or word == "page":
                self._flow.blank()
        elif word == "cell":
            self._flow.end_cell(1)
        elif word == "nestcell":
            self._flow.end_cell(max(table, 2))
        elif word == "row":
            self._flow.end_row(1)
        elif word == "rtf" and self._flow.runs:
            self._flow.end_line(table, soft=False)

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._starred = True
        elif self._to_skip and symbol not in "\r\n":
            self._to_skip -= 1
        elif self._group.skip or self._group.hidden:
            self._fields.hear(self._group.destination, SYMBOLS.get(symbol, ""))
        elif symbol in "\r\n":
            self._to_skip = 0
            self._flush()
            self._flow.end_line(self._group.table, soft=False)
        elif symbol == "\t":
            self._show("\t")
        elif symbol in SYMBOLS:
            self._show(SYMBOLS[symbol])

    def _text_begins(self, word: str) -> None:
        """Ends the destinations that were found never to end, and suspects those that hold paragraphs."""
        group = self._group
        if word in ("par", "pard") and group.skipped_as not in HOLDS_PARAGRAPHS:
            self._suspects.add(group.skipped_from)
        if group.skipped_from in self._ended:
            for outer in [group, *reversed(self._stack)]:
                if not outer.skip:
                    break
                outer.skip, outer.destination = False, ""

    def _skip(self, destination: str) -> None:
        group = self._group
        if not group.skip:
            group.skip, group.skipped_from, group.skipped_as = True, group.start, destination
        group.destination = destination
        if destination == "ffl":
            self._fields.choice()

    def _binary(self, size: int) -> None:
        r"""`\binN`: N bytes that are no RTF; a size that reaches past the end is not believed."""
        if 0 < size <= len(self._characters) - self._position:
            self._position += size

    # Characters

    def _text(self, text: str) -> None:
        if self._group.destination == "fonttbl":
            self._fonts.name(text)
        elif self._group.destination in HEARD:
            self._fields.hear(self._group.destination, text)
        if self._hides():
            return
        if "\n" in text or "\r" in text:
            text = text.replace("\r", "").replace("\n", "")
        if self._to_skip:
            skipped = min(self._to_skip, len(text))
            self._to_skip -= skipped
            text = text[skipped:]
        if text:
            self.unbalanced = self.unbalanced or (not self._stack and not text.isspace())
            self._put(text.encode("latin-1"), "" if text.isascii() else self._raw)

    def _escaped(self, byte: int) -> None:
        if self._to_skip:
            self._to_skip -= 1
        elif self._group.destination in HEARD:
            character = bytes((byte,)).decode(self._fonts.page, "replace")
            self._fields.hear(self._group.destination, character)
        elif not self._hides():
            self._put(bytes((byte,)), "")

    def _hides(self) -> bool:
        """Whether characters at this place are no text of the note."""
        return self._group.skip or self._group.hidden or (not self._stack and self._position > self._trailer)

    def _unicode(self, number: int) -> None:
        self._show(self._fonts.character(number + 0x10000 if number < 0 else number, self._group.font))
        self._to_skip = self._group.fallback

    def _put(self, data: bytes, codec: str) -> None:
        """Bytes wait until their codec ends, so that two-byte characters are whole."""
        if codec != self._codec:
            self._flush()
            self._codec = codec
        self._bytes += data

    def _show(self, text: str) -> None:
        self._flush()
        self._run(text)

    def _run(self, text: str) -> None:
        group = self._group
        self._shown += not text.isspace() and bool(text)
        self._flow.runs.add(text, group.struck, group.bold, group.script)

    def _flush_for(self, word: str) -> None:
        """Before any word but those that stand between the bytes of one character and do not change it."""
        if self._bytes and word not in ("loch", "hich", "dbch"):
            self._flush()

    def _flush(self) -> None:
        if not self._bytes:
            return
        text = self._fonts.decode(bytes(self._bytes), self._group.font, self._codec)
        self._bytes.clear()
        self._run(text)
