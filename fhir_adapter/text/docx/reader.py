"""DOCX (Office Open XML word processing documents), read from its XML.

The recipe `docx|1`: a paragraph is a line, a long one parted from its neighbours by blank lines; headings by
style or outline level; list markers as Word counts them, bullets as `- `, two spaces a level; a table row is
one line, cells joined by ` | ` (`lines.row_lines`); text boxes follow their paragraph; headers come first,
footnotes and footers last, each text once. Insertions are kept; deletions, hidden text, comments and
instructions of fields are left out. A check box of a form is `[x]` or `[ ]`.

Elements are known by their local names, so that transitional and strict documents are read alike.
Source: ECMA-376 Part 1 section 17 (WordprocessingML).
"""

from dataclasses import dataclass, replace

from lxml import etree

from fhir_adapter.errors import NoteError
from fhir_adapter.note import NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text.docx.package import DocxPackage
from fhir_adapter.text.docx.styles import Numbering, Style, Styles, child, switched_on, value
from fhir_adapter.text.lines import Line, TextBuilder, clean, row_lines
from fhir_adapter.text.recipe import recipe
from fhir_adapter.text.symbols import from_symbol_font, symbol_font
from fhir_adapter.text.xmltree import attribute, local_name

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MAX_DEPTH = 60
_LONG = 100
_MAX_COLUMNS = 200
_MARGINS = frozenset({"header", "footer"})
_NOTES = frozenset({"footnotes", "endnotes"})
_SKIPPED = frozenset({
    "del", "movefrom", "deltext", "instrtext", "delinstrtext", "ppr", "rpr", "sdtpr", "sdtendpr", "tblpr",
    "tblgrid", "trpr", "tcpr", "sectpr", "rt", "fallback", "object",
})  # fmt: skip
_BLOCKS = frozenset({"p", "tbl"})


def docx_text(data: bytes) -> NoteText:
    """The text of a DOCX file.

    Raises:
        NoteError: `malformed`, `encrypted`, `unsupported-type` (another Office format), `too-large`,
            `empty-text`.
    """
    package = DocxPackage(data)
    root = package.root(package.main)
    body = child(root, "body")
    if body is None:
        raise NoteError(Reason.MALFORMED, "DOCX without a body")
    return _Reader(package).text(body)


@dataclass(frozen=True, slots=True)
class _HeadingLine(Line):
    """A line that its style declares to be a heading."""


class _Reader:
    """Walks the body, then what the body refers to."""

    def __init__(self, package: DocxPackage) -> None:
        self._package = package
        parts = {kind: name for _, kind, name in package.related(frozenset({"styles", "numbering"}))}
        self.styles = Styles(package.root(parts["styles"]) if "styles" in parts else None)
        self.numbering = Numbering(package.root(parts["numbering"]) if "numbering" in parts else None)
        self.notes: list[tuple[str, str]] = []

    def text(self, body: etree._Element) -> NoteText:
        margins = self._margins()
        lines = self.blocks(body, 0)
        builder = TextBuilder()
        for block in margins["header"]:
            _write(block, builder)
            builder.blank()
        _write(lines, builder)
        self._write_notes(builder)
        for block in margins["footer"]:
            builder.blank()
            _write(block, builder)
        return builder.build(recipe("docx"), MEDIA_TYPE)

    def blocks(self, container: etree._Element, depth: int) -> list[Line]:
        """The lines of the paragraphs and tables in a container, those wrapped in anything else too."""
        if depth > _MAX_DEPTH:
            raise NoteError(Reason.MALFORMED, f"nested deeper than {_MAX_DEPTH}")
        lines: list[Line] = []
        for block in container:
            name = local_name(block)
            if name == "p":
                lines += _Paragraph(self, depth).lines(block)
            elif name == "tbl":
                lines += self._table(block, depth + 1)
            elif name not in _SKIPPED:
                lines += self.blocks(block, depth + 1)
        return lines

    def note(self, kind: str, number: str) -> str:
        """The mark of a footnote or endnote."""
        self.notes.append((kind, number))
        return f"[{len(self.notes)}]"

    def _table(self, table: etree._Element, depth: int) -> list[Line]:
        lines: list[Line] = []
        for row in _inside(table, "tr", depth):
            if child(row, "trPr", "del") is not None:
                continue
            cells: list[list[Line]] = []
            for cell in _inside(row, "tc", depth):
                properties = child(cell, "tcPr")
                merged = child(properties, "vMerge")
                goes_on = merged is not None and attribute(merged, "val").lower() != "restart"
                inner = [] if goes_on else self.blocks(cell, depth + 1)
                cells.append(
                    [
                        Line(line.text.strip(), soft=line.soft, row=line.row)
                        for line in inner
                        if line.text.strip()
                    ]
                )
                span = value(properties, "gridSpan")
                wide = int(span) if span.isdecimal() and len(span) < 4 else 1
                cells += [[] for _ in range(min(wide, _MAX_COLUMNS - len(cells)) - 1)]
            lines += row_lines(cells)
        return [replace(line, spaced=not at) for at, line in enumerate(lines)] + ([Line("")] if lines else [])

    def _margins(self) -> dict[str, list[list[Line]]]:
        """Headers and footers that say something, each text once."""
        found: dict[str, list[list[Line]]] = {"header": [], "footer": []}
        seen: set[tuple[str, ...]] = set()
        for _, kind, name in self._package.related(_MARGINS):
            root = self._package.root(name)
            lines = self.blocks(root, 0) if root is not None else []
            words = tuple(line.text.strip() for line in lines if line.text.strip())
            if words and words not in seen:
                seen.add(words)
                found[kind].append(lines)
        return found

    def _write_notes(self, builder: TextBuilder) -> None:
        if not self.notes:
            return
        texts: dict[tuple[str, str], etree._Element] = {}
        for _, kind, name in self._package.related(_NOTES):
            root = self._package.root(name)
            for note in root if root is not None else ():
                texts[kind, attribute(note, "id")] = note
        builder.blank()
        written = 0
        while written < len(self.notes):
            key = self.notes[written]
            written += 1
            element = texts.pop(key, None)
            if element is not None:
                words = " ".join(line.text.strip() for line in self.blocks(element, 0)).strip()
                builder.line(f"[{written}] {words}")


class _Paragraph:
    """The runs of one paragraph."""

    def __init__(self, reader: _Reader, depth: int) -> None:
        self._reader = reader
        self._depth = depth
        self._parts: list[str] = []
        self._boxes: list[Line] = []
        # One entry an open field: whether its instruction is still going on.
        self._fields: list[bool] = []

    def lines(self, paragraph: etree._Element) -> list[Line]:
        properties = child(paragraph, "pPr")
        style = self._reader.styles.get(value(properties, "pStyle"))
        for element in paragraph:
            self._inline(element, style.hidden, self._depth)
        pieces = [clean(piece).rstrip() for piece in "".join(self._parts).split("\n")]
        marker = self._marker(properties, style) if any(pieces) else ""
        outline = value(properties, "outlineLvl")
        if any(pieces) and (style.heading or (outline.isdecimal() and outline != "9")):
            return [
                _HeadingLine(marker.lstrip() + " ".join(piece.strip() for piece in pieces if piece)),
                *self._boxes,
            ]
        pieces[0] = marker + pieces[0]
        long = len(pieces) == 1 and len(pieces[0]) > _LONG
        lines = [Line(piece, soft=at + 1 < len(pieces), spaced=long) for at, piece in enumerate(pieces)]
        return [*lines, *self._boxes, *([Line("")] if long else [])]

    def _marker(self, properties: etree._Element | None, style: Style) -> str:
        own = child(properties, "numPr")
        list_id = value(own, "numId") or style.list_id
        level = value(own, "ilvl") or style.level or "0"
        marker = self._reader.numbering.marker(list_id, level)
        if marker is None:
            return ""
        return "  " * (int(level) if level.isdecimal() and len(level) < 2 else 0) + marker

    def _inline(self, element: etree._Element, hidden: bool, depth: int) -> None:
        name = local_name(element)
        if not name or name in _SKIPPED:
            return
        if depth > _MAX_DEPTH * 3:
            raise NoteError(Reason.MALFORMED, f"nested deeper than {_MAX_DEPTH * 3}")
        if name == "fldchar":
            self._field(element)
        elif name == "txbxcontent":
            self._boxes += [] if hidden else self._reader.blocks(element, self._depth + 1)
        elif name in _LEAVES:
            if not hidden and not any(self._fields):
                self._parts.append(self._leaf(name, element))
        else:
            hidden = hidden or (name == "r" and self._hides(element))
            for inner in _shown_children(name, element):
                self._inline(inner, hidden, depth + 1)

    def _hides(self, run: etree._Element) -> bool:
        style = self._reader.styles.get(value(run, "rPr", "rStyle"))
        return style.hidden or switched_on(run, "rPr", "vanish")

    def _leaf(self, name: str, element: etree._Element) -> str:
        if name == "t":
            return str(element.text or "").replace("\n", " ")
        if name == "sym":
            return _symbol(element)
        if name in ("footnotereference", "endnotereference"):
            return self._reader.note(name.removesuffix("reference") + "s", attribute(element, "id"))
        return _LEAVES[name]

    def _field(self, element: etree._Element) -> None:
        kind = attribute(element, "fldCharType").lower()
        if kind == "begin":
            box = child(element, "ffData", "checkBox")
            if box is not None and not any(self._fields):
                state = "checked" if child(box, "checked") is not None else "default"
                self._parts.append("[x] " if switched_on(box, state) else "[ ] ")
            self._fields.append(True)
        elif kind == "separate" and self._fields:
            self._fields[-1] = False
        elif kind == "end" and self._fields:
            self._fields.pop()


_LEAVES = {
    "t": "", "sym": "", "footnotereference": "", "endnotereference": "",
    "tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "nobreakhyphen": "-", "softhyphen": "",
}  # fmt: skip


def _symbol(element: etree._Element) -> str:
    code = attribute(element, "char")
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    font = symbol_font(attribute(element, "font"))
    if font:
        return from_symbol_font(font, number)
    return chr(number) if 0x20 <= number < 0xD800 else "\ufffd"


def _shown_children(name: str, element: etree._Element) -> list[etree._Element]:
    """Children of an inline element; of alternatives for readers of several ages, one."""
    if name == "alternatecontent" and child(element, "Choice") is None:
        return [inner for fallback in element for inner in fallback]
    return list(element)


def _inside(container: etree._Element, wanted: str, depth: int) -> list[etree._Element]:
    """Rows of a table or cells of a row, those wrapped in content controls or revisions too."""
    if depth > _MAX_DEPTH:
        raise NoteError(Reason.MALFORMED, f"nested deeper than {_MAX_DEPTH}")
    found: list[etree._Element] = []
    for element in container:
        name = local_name(element)
        if name == wanted:
            found.append(element)
        elif name and name not in _SKIPPED and name not in _BLOCKS:
            found += _inside(element, wanted, depth + 1)
    return found


def _write(lines: list[Line], builder: TextBuilder) -> None:
    for line in lines:
        if line.spaced:
            builder.blank()
        if isinstance(line, _HeadingLine):
            builder.heading(line.text)
        else:
            builder.line(line.text)
