"""DOCX (Office Open XML word processing documents), read from its XML.

The recipe `docx|3`: a paragraph is a line, a long one parted from its neighbours by blank lines; headings by
style or outline level; list markers as Word counts them, bullets as `- `, two spaces a level; a table row is
one line, cells joined by ` | ` (`lines.row_lines`); text boxes follow their paragraph; headers come first,
footnotes and footers last, each text once. Insertions are kept; deletions, hidden text, comments and
instructions of fields are left out. Form fields, content controls, strike-out, superscripts and subscripts
are written as `notation` has them.

Elements are known by their local names, so that transitional and strict documents are read alike.
Source: ECMA-376 Part 1 section 17 (WordprocessingML).
"""

from collections.abc import Sequence
from dataclasses import replace

from lxml import etree

from fhir_adapter.errors import NoteError
from fhir_adapter.note import NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text.builder import TextBuilder
from fhir_adapter.text.docx.package import DocxPackage
from fhir_adapter.text.docx.paragraph import SKIPPED, Paragraph
from fhir_adapter.text.docx.styles import Numbering, Styles, child, switched_on, value
from fhir_adapter.text.lines import Cell, Line, LineKind, row_lines, table_rows
from fhir_adapter.text.recipe import recipe
from fhir_adapter.text.xmltree import attribute, local_name

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MAX_DEPTH = 60
_MAX_COLUMNS = 200
_MARGINS = frozenset({"header", "footer"})
_NOTES = frozenset({"footnotes", "endnotes"})
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


class _Reader:
    """Walks the body, then what the body refers to."""

    def __init__(self, package: DocxPackage) -> None:
        self._package = package
        parts = {kind: name for _, kind, name in package.related(frozenset({"styles", "numbering"}))}
        self.styles = Styles(package.root(parts["styles"]) if "styles" in parts else None)
        self.numbering = Numbering(package.root(parts["numbering"]) if "numbering" in parts else None)
        self.notes: list[tuple[str, str]] = []
        self.lacking = 0

    def text(self, body: etree._Element) -> NoteText:
        margins = self._margins()
        lines = self.blocks(body, 0)
        builder = TextBuilder()
        for block in margins["header"]:
            builder.add([*block, Line("")])
        builder.add(lines)
        self._write_notes(builder)
        for block in margins["footer"]:
            builder.add([Line(""), *block])
        notice = f"{self.lacking} fields without a result" if self.lacking else ""
        return builder.build(recipe("docx", "3"), MEDIA_TYPE, notice)

    def blocks(self, container: etree._Element, depth: int, unfilled: bool = False) -> list[Line]:
        """The lines of the paragraphs and tables in a container, those wrapped in anything else too.

        `unfilled`: they are the prompt of a content control that nobody has filled in.
        """
        if depth > _MAX_DEPTH:
            raise NoteError(Reason.MALFORMED, f"nested deeper than {_MAX_DEPTH}")
        lines: list[Line] = []
        for block in container:
            name = local_name(block)
            if name == "p":
                lines += Paragraph(self, depth, unfilled).lines(block)
            elif name == "tbl":
                lines = _captioned(lines) + self._table(block, depth + 1)
            elif name not in SKIPPED:
                prompt = unfilled or switched_on(child(block, "sdtPr"), "showingPlcHdr")
                lines += self.blocks(block, depth + 1, prompt)
        return lines

    def note(self, kind: str, number: str) -> str:
        """The mark of a footnote or endnote."""
        self.notes.append((kind, number))
        return f"[{len(self.notes)}]"

    def _table(self, table: etree._Element, depth: int) -> list[Line]:
        properties = child(table, "tblPr")
        style = self.styles.get(value(properties, "tblStyle"))
        look = child(properties, "tblLook")
        heads_columns = style.heads_columns and _conditional(look, "firstRow", 0x20)
        heads_rows = style.heads_rows and _conditional(look, "firstColumn", 0x80)
        rows: list[list[Line]] = []
        bold: list[bool] = []
        for row in _inside(table, "tr", depth):
            if child(row, "trPr", "del") is not None:
                continue
            cells = self._cells(row, depth)
            if heads_rows and cells:
                cells[0] = replace(cells[0], header=True)
            heads = switched_on(row, "trPr", "tblHeader")
            headed = heads_columns or any(line.kind is LineKind.COLUMNS for line in (rows[0] if rows else ()))
            rows.append(row_lines(cells, names_columns=heads, under_heads=headed))
            first = heads_columns and len(rows) == 1
            bold.append(first or all(cell.bold for cell in cells if cell.lines))
        lines = table_rows(rows, bold)
        return [replace(line, spaced=not at) for at, line in enumerate(lines)] + ([Line("")] if lines else [])

    def _cells(self, row: etree._Element, depth: int) -> list[Cell]:
        cells: list[Cell] = []
        for cell in _inside(row, "tc", depth):
            properties = child(cell, "tcPr")
            merged = child(properties, "vMerge")
            goes_on = merged is not None and attribute(merged, "val").lower() != "restart"
            inner = [] if goes_on else self.blocks(cell, depth + 1)
            cells.append(Cell([_in_cell(line) for line in inner if line.text.strip()]))
            span = value(properties, "gridSpan")
            wide = int(span) if span.isdecimal() and len(span) < 4 else 1
            cells += [Cell([]) for _ in range(min(wide, _MAX_COLUMNS - len(cells)) - 1)]
        return cells

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


def _inside(container: etree._Element, wanted: str, depth: int) -> list[etree._Element]:
    """Rows of a table or cells of a row, those wrapped in content controls or revisions too."""
    if depth > _MAX_DEPTH:
        raise NoteError(Reason.MALFORMED, f"nested deeper than {_MAX_DEPTH}")
    found: list[etree._Element] = []
    for element in container:
        name = local_name(element)
        if name == wanted:
            found.append(element)
        elif name and name not in SKIPPED and name not in _BLOCKS:
            found += _inside(element, wanted, depth + 1)
    return found


def _in_cell(line: Line) -> Line:
    """A line as part of a cell: what its style makes a heading is a heading of the cell at most."""
    text = line.text.strip()
    kind = line.kind if line.is_row else LineKind.TEXT
    return replace(line, text=text, kind=kind, spaced=False, lead=0)


def _captioned(lines: Sequence[Line]) -> list[Line]:
    """The lines before a table, of which the last, where its style is that of captions, is the table's."""
    at = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].text), None)
    if at is None or not lines[at].caption:
        return list(lines)
    return [*lines[:at], replace(lines[at], kind=LineKind.CAPTION), *lines[at + 1 :]]


def _conditional(look: etree._Element | None, name: str, bit: int) -> bool:
    """Whether a table asks its style for a special first row or column (`tblLook`, both of its forms)."""
    if look is None:
        return False
    said = attribute(look, name)
    if said:
        return said.lower() not in ("0", "false", "off")
    flags = attribute(look, "val")
    return (
        len(flags) == 4
        and all(digit in "0123456789abcdefABCDEF" for digit in flags)
        and bool(int(flags, 16) & bit)
    )
