"""One paragraph of a DOCX: its runs, fields and content controls as lines."""

from dataclasses import dataclass, field, replace
from typing import Protocol

from lxml import etree

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason
from fhir_adapter.text.docx.styles import (
    Look,
    Numbering,
    Style,
    Styles,
    child,
    look_of,
    outline_level,
    switched_on,
    value,
)
from fhir_adapter.text.fields import field_words
from fhir_adapter.text.lines import Line, LineKind, clean
from fhir_adapter.text.notation import box, no_choice, not_filled_in
from fhir_adapter.text.runs import Runs
from fhir_adapter.text.symbols import from_symbol_font, shown_symbols, symbol_font
from fhir_adapter.text.xmltree import attribute, local_name

SKIPPED = frozenset({
    "del", "movefrom", "deltext", "instrtext", "delinstrtext", "ppr", "rpr", "sdtpr", "sdtendpr", "tblpr",
    "tblgrid", "trpr", "tcpr", "sectpr", "rt", "fallback", "object",
})  # fmt: skip
"""Elements that hold no text of the note."""

_MAX_DEPTH = 180
_LONG = 100
_LEAVES = {
    "t": "", "sym": "", "footnotereference": "", "endnotereference": "",
    "tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "nobreakhyphen": "-", "softhyphen": "",
}  # fmt: skip


class Document(Protocol):
    """What a paragraph needs of the document around it."""

    styles: Styles
    numbering: Numbering
    lacking: int

    def blocks(self, container: etree._Element, depth: int, unfilled: bool = False) -> list[Line]:
        """The lines of a text box."""

    def note(self, kind: str, number: str) -> str:
        """The mark of a footnote or endnote."""


@dataclass(slots=True)
class _Field:
    """An open field: its instruction so far, what was shown before it, and whether its result has begun."""

    shown: int
    form: etree._Element | None = None
    instruction: list[str] = field(default_factory=list)
    in_result: bool = False


class Paragraph:
    """The runs of one paragraph."""

    def __init__(self, document: Document, depth: int, unfilled: bool = False) -> None:
        self._document = document
        self._depth = depth
        self._unfilled = unfilled
        self._lines: list[tuple[str, bool]] = []
        self._runs = Runs()
        self._boxes: list[Line] = []
        self._fields: list[_Field] = []
        self._shown = 0

    def lines(self, paragraph: etree._Element) -> list[Line]:
        """The lines of a `p` element."""
        properties = child(paragraph, "pPr")
        style = self._document.styles.get(value(properties, "pStyle"))
        for element in paragraph:
            self._inline(element, style.look, self._depth)
        self._lines.append(self._runs.take())
        pieces = [(clean(text).rstrip(), bold) for text, bold in self._lines]
        worded = any(text for text, _ in pieces)
        marker = self._marker(properties, style) if worded else ""
        if self._unfilled and worded:
            pieces = [(not_filled_in(" ".join(text.strip() for text, _ in pieces if text)), False)]
        outline = outline_level(value(properties, "outlineLvl"))
        if worded and (style.heading or outline):
            title = marker.lstrip() + " ".join(text.strip() for text, _ in pieces if text)
            return [Line(title, LineKind.HEADING, spaced=True, level=outline or style.outline), *self._boxes]
        long = len(pieces) == 1 and len(marker + pieces[0][0]) > _LONG
        lines = [
            Line(text, soft=at + 1 < len(pieces), spaced=long, bold=bold, caption=style.caption)
            for at, (text, bold) in enumerate(pieces)
        ]
        lines[0] = lines[0].behind(marker)
        return [*lines, *self._boxes, *([Line("")] if long else [])]

    def _marker(self, properties: etree._Element | None, style: Style) -> str:
        own = child(properties, "numPr")
        list_id = value(own, "numId") or style.list_id
        level = value(own, "ilvl") or style.level or "0"
        marker = self._document.numbering.marker(list_id, level)
        if marker is None:
            return ""
        return "  " * (int(level) if level.isdecimal() and len(level) < 2 else 0) + marker

    def _inline(self, element: etree._Element, look: Look, depth: int) -> None:
        name = local_name(element)
        if name == "instrtext":
            self._instruct(element)
        if not name or name in SKIPPED:
            return
        if depth > _MAX_DEPTH:
            raise NoteError(Reason.MALFORMED, f"nested deeper than {_MAX_DEPTH}")
        if name == "fldchar":
            self._field(element, look)
        elif name == "txbxcontent":
            self._boxes += [] if look.hidden else self._document.blocks(element, self._depth + 1)
        elif name in _LEAVES:
            if not look.hidden and all(each.in_result for each in self._fields):
                self._leaf(name, element, look)
        elif name == "sdt" and self._control(element, look, depth):
            return
        else:
            self._inner(name, element, look, depth)

    def _inner(self, name: str, element: etree._Element, look: Look, depth: int) -> None:
        """The children of a run, a link, an insertion or anything else that holds text."""
        if name == "r":
            properties = child(element, "rPr")
            style = self._document.styles.get(value(properties, "rStyle"))
            look = look_of(properties).over(style.look).over(look)
        elif name in ("sup", "sub"):  # of a formula
            look = replace(look, script=1 if name == "sup" else -1)
        simple = name == "fldsimple"
        if simple:
            self._fields.append(_Field(self._shown, None, [attribute(element, "instr")], in_result=True))
        for inner in _shown_children(name, element):
            self._inline(inner, look, depth + 1)
            if name == "f" and local_name(inner) == "num":
                self._add("/", look)
        if simple:
            self._end_field(look)

    def _control(self, element: etree._Element, look: Look, depth: int) -> bool:
        """A content control whose state its words do not say by themselves; False for any other."""
        properties = child(element, "sdtPr")
        ticks = child(properties, "checkbox")
        if look.hidden or not (ticks is not None or switched_on(properties, "showingPlcHdr")):
            return False
        content = child(element, "sdtContent")
        inner = Paragraph(self._document, self._depth)
        for each in content if content is not None else ():
            inner._inline(each, look, depth + 1)
        words, _ = inner._runs.take()
        words = clean(" ".join([*(text for text, _ in inner._lines), words])).strip()
        if ticks is None:
            self._add(not_filled_in(words) if words else "", look)
            return True
        state = child(ticks, "checked")
        self._add(box(None if state is None else switched_on(ticks, "checked")), look)
        # The box itself is drawn by a character of some font; more than one is a label.
        self._add(f" {words}" if len(words) > 1 else "", look)
        return True

    def _leaf(self, name: str, element: etree._Element, look: Look) -> None:
        if name == "t":
            text = str(element.text or "").replace("\n", " ")
            self._add(shown_symbols(text, look.font or ""), look)
        elif name == "sym":
            self._add(_symbol(element), look)
        elif name in ("footnotereference", "endnotereference"):
            kind = name.removesuffix("reference") + "s"
            self._add(self._document.note(kind, attribute(element, "id")), replace(look, script=0))
        elif _LEAVES[name] == "\n":
            self._lines.append(self._runs.take())
        else:
            self._add(_LEAVES[name], look)

    def _add(self, text: str, look: Look) -> None:
        self._shown += bool(text.strip())
        self._runs.add(text, bool(look.struck), bool(look.bold), look.script or 0)

    # Fields

    def _instruct(self, element: etree._Element) -> None:
        if self._fields and not self._fields[-1].in_result:
            self._fields[-1].instruction.append(str(element.text or ""))

    def _field(self, element: etree._Element, look: Look) -> None:
        kind = attribute(element, "fldCharType").lower()
        if kind == "begin":
            self._fields.append(_Field(self._shown, child(element, "ffData")))
        elif kind == "separate" and self._fields:
            self._fields[-1].in_result = True
        elif kind == "end" and self._fields:
            self._end_field(look)

    def _end_field(self, look: Look) -> None:
        """A form field as it is filled in; of another without a result, what its instruction shows."""
        ended = self._fields.pop()
        ticks, choices = child(ended.form, "checkBox"), child(ended.form, "ddList")
        if look.hidden or not all(each.in_result for each in self._fields):
            return
        if ticks is not None:
            state = "checked" if child(ticks, "checked") is not None else "default"
            self._add(box(switched_on(ticks, state)) + " ", look)
        elif self._shown > ended.shown:
            return
        elif choices is not None:
            offered = [attribute(each, "val") for each in choices if local_name(each) == "listentry"]
            chosen = value(choices, "result") or value(choices, "default") or "0"
            made = chosen.isdecimal() and len(chosen) < 4 and int(chosen) < len(offered)
            self._add(offered[int(chosen)] if made else no_choice(offered), look)
        elif ended.instruction:
            words = field_words("".join(ended.instruction))
            self._document.lacking += words is None
            self._add(words or "", look)


def _symbol(element: etree._Element) -> str:
    code = attribute(element, "char")
    try:
        number = int(code, 16)
    except ValueError:
        return ""
    font = symbol_font(attribute(element, "font"))
    if font:
        return from_symbol_font(font, number)
    if 0xF000 <= number <= 0xF0FF:
        return from_symbol_font("", number)
    return chr(number) if 0x20 <= number < 0xD800 else "\ufffd"


def _shown_children(name: str, element: etree._Element) -> list[etree._Element]:
    """Children of an inline element; of alternatives for readers of several ages, one."""
    if name == "alternatecontent" and child(element, "Choice") is None:
        return [inner for fallback in element for inner in fallback]
    return list(element)
