"""The narrative block of CDA (and what EHRs write into it of HTML) as lines.

Blocks become lines with a blank line between them, `<br/>` a line end. A list item is one line with a
marker. A table row is one line, cells joined by ` | `; a cell that spans columns or rows is written once and
keeps the columns of the others in place. Line ends inside a cell become a space, blocks inside it are joined
by `; `; but a row that is really a page (a single cell, or long cells of several lines) keeps its lines.
Deleted revisions are left out, inserted ones kept. Footnotes follow their block. What only the look of a
document says is written as `notation` has it. Adjacent `content` elements are separate words.

Source: HL7 CDA R2 section 4.3.5 (Section Narrative Block), Narrative Block schema.
"""

import re
from dataclasses import dataclass, replace

from lxml import etree

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason
from fhir_adapter.text.builder import TextBuilder
from fhir_adapter.text.hl7 import has_escapes, unescaped
from fhir_adapter.text.lines import Cell, Line, LineKind, collapse, is_named, row_lines, table_rows
from fhir_adapter.text.notation import box, radio
from fhir_adapter.text.runs import Runs
from fhir_adapter.text.symbols import without_private
from fhir_adapter.text.xmltree import attribute, local_name

_MAX_DEPTH = 120
_MAX_COLUMNS = 200

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SPACED = frozenset({"paragraph", "p", "pre", "blockquote", "div"})
_BLOCKS = _SPACED | _HEADINGS | {"caption", "section", "center", "address", "dl", "dt", "dd"}
_LISTS = frozenset({"list", "ul", "ol"})
_SKIPPED = frozenset({"colgroup", "col", "script", "style", "thumbnail"})
# A line end at column 0 of the next line was typed, not made by indenting the XML.
_TYPED_LINE_END = re.compile(r"(?<=\S)[ \t\r]*\n(?=[^\s])")
_STRUCK = frozenset({"del", "s", "strike"})
_STRUCK_STYLES = frozenset({"strikethrough", "strike", "line-through", "linethrough", "xstrike"})
_BOLD = frozenset({"b", "strong", "th"})


class Narrative:
    """One narrative block on its way to lines.

    `ids` maps the document's ID attributes to elements, for references to footnotes.
    """

    def __init__(self, ids: dict[str, etree._Element]) -> None:
        self._ids = ids
        self._footnotes: list[etree._Element] = []
        self._numbers: dict[str, int] = {}

    def write(self, block: etree._Element, builder: TextBuilder) -> None:
        """Appends the lines of a `text` element."""
        builder.add(self._lines(block, 0))
        written = 0
        while written < len(self._footnotes):
            note = self._footnotes[written]
            written += 1
            words = " ".join(line.text for line in self._lines(note, 0))
            if words:
                builder.line(f"[{written}] {words}")

    def _lines(self, element: etree._Element, depth: int, look: "_Look | None" = None) -> list[Line]:
        if depth > _MAX_DEPTH:
            raise NoteError(Reason.MALFORMED, f"narrative nested deeper than {_MAX_DEPTH}")
        flow = _Flow(look or _Look())
        self._flow(element, flow, depth)
        flow.end_line(soft=False)
        return flow.lines

    def _flow(self, element: etree._Element, flow: "_Flow", depth: int) -> None:
        """Text and children of one element."""
        if depth > _MAX_DEPTH:
            raise NoteError(Reason.MALFORMED, f"narrative nested deeper than {_MAX_DEPTH}")
        flow.add(element.text)
        for child in element:
            self._child(child, flow, depth)
            flow.add(child.tail)

    def _child(self, child: etree._Element, flow: "_Flow", depth: int) -> None:
        name = local_name(child)
        if name in _SKIPPED or attribute(child, "revised").lower() == "delete":
            return
        if name == "br":
            flow.end_line(soft=True)
        elif name == "hr":
            flow.end_line(soft=False)
        elif name in ("footnote", "footnoteref"):
            self._footnote(child, name, flow)
        else:
            outer, flow.look = flow.look, flow.look.inside(child, name)
            self._shown(child, name, flow, depth + 1)
            flow.look = outer

    def _shown(self, child: etree._Element, name: str, flow: "_Flow", depth: int) -> None:
        """An element that holds text."""
        if name in _LISTS:
            flow.block(self._list(child, depth, flow.look))
        elif name == "table":
            flow.block(self._table(child, depth, flow.look))
        elif name == "rendermultimedia":
            flow.block(_spaced(self._lines(child, depth, flow.look)))
        elif name in _BLOCKS or "xdiv" in attribute(child, "styleCode").split():
            lines = self._lines(child, depth, flow.look)
            flow.block(_spaced(lines) if name in _SPACED else lines)
        elif name == "input":
            flow.add(_input(child))
        else:
            if name == "content":
                flow.part_words(child)
            self._flow(child, flow, depth)

    def _list(self, element: etree._Element, depth: int, look: "_Look") -> list[Line]:
        ordered = local_name(element) == "ol" or attribute(element, "listType").lower() == "ordered"
        lines: list[Line] = []
        number = 0
        for child in element:
            name = local_name(child)
            if attribute(child, "revised").lower() == "delete":
                continue
            inner = self._lines(child, depth + 1, look.inside(child, name))
            if name not in ("item", "li"):
                lines += inner
            elif inner:
                number += 1
                marker = f"{number}. " if ordered else "- "
                lines += self._item(child, inner, marker)
        return _spaced(lines)

    @staticmethod
    def _item(element: etree._Element, inner: list[Line], marker: str) -> list[Line]:
        """The lines of one item; an item that only holds a table is no item to a reader."""
        names = {local_name(child) for child in element}
        if names == {"table"} and not (element.text or "").strip():
            return inner
        indent = " " * min(len(marker), 4)
        return [
            replace(line, text=(indent if at else marker) + line.text, spaced=False)
            for at, line in enumerate(inner)
        ]

    def _table(self, element: etree._Element, depth: int, look: "_Look") -> list[Line]:
        rows: list[list[Line]] = []
        bold: list[bool] = []
        hanging: dict[int, int] = {}
        read: list[tuple[list[Cell], bool] | None] = []
        for row, in_head in _rows(element):
            name = local_name(row)
            if name != "tr":
                lines = self._lines(row, depth + 1, look)
                if name == "caption":
                    lines = [replace(line, kind=LineKind.CAPTION) for line in lines]
                rows.append(lines)
                read.append(None)
            elif attribute(row, "revised").lower() != "delete":
                read.append((self._cells(row, hanging, depth + 1, look.inside(row, name)), in_head))
                rows.append([])
        named = any(is_named(found[0]) for found in read if found is not None)
        headed = False
        for at, found in enumerate(read):
            bold.append(found is not None and all(cell.bold for cell in found[0] if cell.lines))
            if found is not None:
                rows[at] = row_lines(found[0], names_columns=found[1], under_heads=headed, named=named)
                headed = headed or any(line.kind is LineKind.COLUMNS for line in rows[at])
        return _spaced(table_rows(rows, bold))

    def _cells(self, row: etree._Element, hanging: dict[int, int], depth: int, look: "_Look") -> list[Cell]:
        """The cells of a row by column; `hanging`: for how many more rows a column is taken from above."""
        cells: list[Cell] = []
        started: dict[int, int] = {}

        def skip_taken() -> None:
            while hanging.get(len(cells), 0) > 0:
                hanging[len(cells)] -= 1
                cells.append(Cell([]))

        for cell in row:
            name = local_name(cell)
            if name not in ("td", "th"):
                continue
            skip_taken()
            deleted = attribute(cell, "revised").lower() == "delete"
            columns = _span(cell, "colspan", _MAX_COLUMNS)
            down = _span(cell, "rowspan", 10_000) - 1
            for at in range(columns):
                if down and len(cells) < _MAX_COLUMNS:
                    started[len(cells)] = down
                if at == 0:
                    lines = [] if deleted else self._lines(cell, depth + 1, look.inside(cell, name))
                    names = name == "th" or attribute(cell, "scope").lower() == "row"
                    cells.append(Cell(lines, names))
                elif len(cells) < _MAX_COLUMNS:
                    cells.append(Cell([]))
        skip_taken()
        hanging.update(started)
        return cells

    def _footnote(self, element: etree._Element, name: str, flow: "_Flow") -> None:
        key = attribute(element, "IDREF") if name == "footnoteref" else attribute(element, "ID")
        target = self._ids.get(key) if name == "footnoteref" else element
        if target is None:
            return
        number = self._numbers.get(key) if key else None
        if number is None:
            self._footnotes.append(target)
            number = len(self._footnotes)
            if key:
                self._numbers[key] = number
        flow.add(f"[{number}]")


@dataclass(frozen=True, slots=True)
class _Look:
    """What the elements around a piece of text say of it."""

    struck: bool = False
    bold: bool = False
    script: int = 0

    def inside(self, element: etree._Element, name: str) -> "_Look":
        """The look inside an element."""
        styles = attribute(element, "styleCode").lower().split()
        return _Look(
            self.struck or name in _STRUCK or not _STRUCK_STYLES.isdisjoint(styles),
            self.bold or name in _BOLD or "bold" in styles,
            {"sup": 1, "sub": -1}.get(name, self.script),
        )


class _Flow:
    """The current line and the lines before it."""

    def __init__(self, look: _Look) -> None:
        self.lines: list[Line] = []
        self.look = look
        self._runs = Runs()
        self._spaced = False

    def add(self, text: str | None) -> None:
        if not text:
            return
        if has_escapes(text):
            text = unescaped(text)
        pieces = _TYPED_LINE_END.split(text) if "\n" in text else [text]
        for at, piece in enumerate(pieces):
            if at:
                self.end_line(soft=True)
            look = self.look
            self._runs.add(without_private(piece), look.struck, look.bold, look.script)

    def part_words(self, element: etree._Element) -> None:
        """Two `content` elements without white space between them are two words to whoever wrote them."""
        before = element.getprevious()
        touching = before is not None and not before.tail and local_name(before) == "content"
        if touching and self._runs.tail(1).isalnum() and _first_words(element)[:1].isalnum():
            self._runs.add(" ")

    def end_line(self, soft: bool) -> None:
        text, bold = self._runs.take()
        text = collapse(text)
        if text:
            self.lines.append(Line(text, soft=soft, spaced=self._spaced, bold=bold))
            self._spaced = False
        elif self.lines and not soft:
            self.lines[-1] = replace(self.lines[-1], soft=False)

    def block(self, lines: list[Line]) -> None:
        self.end_line(soft=False)
        if not lines:
            return
        first = lines[0]
        self.lines.append(replace(first, spaced=first.spaced or self._spaced))
        self.lines += lines[1:]
        self._spaced = lines[0].spaced


def _input(element: etree._Element) -> str:
    """A box that an EHR wrote as HTML has it."""
    kind = attribute(element, "type").lower()
    if kind in ("checkbox", "radio"):
        ticked = any(str(name).lower() == "checked" for name in element.attrib)
        return (box if kind == "checkbox" else radio)(ticked) + " "
    return "" if kind == "hidden" else attribute(element, "value")


def _first_words(element: etree._Element | None) -> str:
    return "" if element is None else next((str(piece) for piece in element.itertext() if piece), "")


def _spaced(lines: list[Line]) -> list[Line]:
    return [replace(line, spaced=line.spaced or not at) for at, line in enumerate(lines)]


def _rows(table: etree._Element) -> list[tuple[etree._Element, bool]]:
    """Captions and rows in order, out of thead, tbody and tfoot, and whether they stand in a thead."""
    rows: list[tuple[etree._Element, bool]] = []
    for child in table:
        name = local_name(child)
        if name in ("thead", "tbody", "tfoot"):
            rows += [(row, name == "thead") for row in child if local_name(row)]
        elif name not in ("", "col", "colgroup"):
            rows.append((child, False))
    return rows


def _span(cell: etree._Element, name: str, most: int) -> int:
    value = attribute(cell, name).strip()
    return min(int(value), most) if value.isdecimal() and len(value) < 8 and int(value) > 0 else 1
