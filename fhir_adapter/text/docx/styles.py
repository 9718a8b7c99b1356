"""Styles and list numbering of a DOCX: how paragraphs and runs look, and what marker an item carries."""

import re
from dataclasses import dataclass, field

from lxml import etree

from fhir_adapter.text.symbols import symbol_font
from fhir_adapter.text.xmltree import attribute, local_name

_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo)\s*([1-9])|title|subtitle", re.IGNORECASE)
_PLACE = re.compile(r"%([1-9])")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
          (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_MAX_CHAIN = 20
_NO_OUTLINE = 9  # the `outlineLvl` of body text


def child(element: etree._Element | None, *names: str) -> etree._Element | None:
    """The element at a path of local names; None where one is missing."""
    for name in names:
        if element is None:
            return None
        element = next((each for each in element if local_name(each) == name.lower()), None)
    return element


def value(element: etree._Element | None, *names: str) -> str:
    """The `val` attribute of the element at a path of local names; "" where there is none."""
    found = child(element, *names)
    return attribute(found, "val") if found is not None else ""


def switched_on(element: etree._Element | None, *names: str) -> bool:
    """An on/off property: present, and not set to false."""
    found = child(element, *names)
    return found is not None and attribute(found, "val").lower() not in ("0", "false", "off")


@dataclass(frozen=True, slots=True)
class Look:
    """What run properties say; None where they say nothing of it.

    Attributes:
        font: as `symbols.symbol_font` names it, "" for a font of letters.
        script: above 0 for a superscript, below for a subscript.
    """

    hidden: bool | None = None
    struck: bool | None = None
    bold: bool | None = None
    script: int | None = None
    font: str | None = None

    def over(self, other: "Look") -> "Look":
        """This one where it says something, else the other."""
        return Look(
            other.hidden if self.hidden is None else self.hidden,
            other.struck if self.struck is None else self.struck,
            other.bold if self.bold is None else self.bold,
            other.script if self.script is None else self.script,
            other.font if self.font is None else self.font,
        )


def look_of(properties: etree._Element | None) -> Look:
    """What an `rPr` says (ECMA-376 Part 1 section 17.3.2)."""
    if properties is None:
        return Look()
    struck = [_switch(properties, name) for name in ("strike", "dstrike")]
    align, position = value(properties, "vertAlign").lower(), value(properties, "position")
    script = {"superscript": 1, "subscript": -1, "baseline": 0}.get(align)
    if script is None and re.fullmatch(r"-?\d{1,4}", position):
        script = (int(position) > 0) - (int(position) < 0)
    fonts = child(properties, "rFonts")
    names = [attribute(fonts, name) for name in ("ascii", "hAnsi")] if fonts is not None else []
    name = next((name for name in names if name), None)
    return Look(
        _switch(properties, "vanish"),
        None if struck == [None, None] else any(struck),
        _switch(properties, "b"),
        script,
        None if name is None else symbol_font(name),
    )


def _switch(properties: etree._Element, name: str) -> bool | None:
    found = child(properties, name)
    return None if found is None else switched_on(properties, name)


def outline_level(said: str) -> int:
    """The level of a heading, from 1, by its `outlineLvl`; 0 where that makes it none."""
    return int(said) + 1 if said.isdecimal() and int(said) < _NO_OUTLINE else 0


@dataclass(frozen=True, slots=True)
class Style:
    """What of a style, with those it is based on, matters to text."""

    heading: bool = False
    outline: int = 0
    caption: bool = False
    list_id: str = ""
    level: str = ""
    look: Look = field(default_factory=Look)
    heads_columns: bool = False
    heads_rows: bool = False


class Styles:
    """The styles part."""

    def __init__(self, root: etree._Element | None) -> None:
        self._elements: dict[str, etree._Element] = {}
        for style in root if root is not None else ():
            if local_name(style) == "style":
                self._elements[attribute(style, "styleId")] = style
        self._known: dict[str, Style] = {"": Style()}

    def get(self, style_id: str) -> Style:
        """The style of an id; the plain one for unknown ids."""
        if style_id not in self._known:
            self._known[style_id] = self._resolve(style_id)
        return self._known[style_id]

    def _resolve(self, style_id: str) -> Style:
        heading = caption = heads_columns = heads_rows = False
        rank = 0
        list_id = level = ""
        look = Look()
        for _ in range(_MAX_CHAIN):
            element = self._elements.get(style_id)
            if element is None:
                break
            outline = value(element, "pPr", "outlineLvl")
            name = value(element, "name").strip()
            titled = _HEADING.fullmatch(name)
            heading = heading or titled is not None or outline_level(outline) > 0
            rank = rank or outline_level(outline) or int((titled and titled[1]) or 0)
            caption = caption or name.lower() == "caption"
            look = look.over(look_of(child(element, "rPr")))
            bold = {
                attribute(part, "type")
                for part in element
                if local_name(part) == "tblstylepr" and switched_on(part, "rPr", "b")
            }
            heads_columns, heads_rows = heads_columns or "firstRow" in bold, heads_rows or "firstCol" in bold
            list_id = list_id or value(element, "pPr", "numPr", "numId")
            level = level or value(element, "pPr", "numPr", "ilvl")
            style_id = value(element, "basedOn")
        return Style(heading, rank, caption, list_id, level, look, heads_columns, heads_rows)


@dataclass(frozen=True, slots=True)
class _Level:
    form: str
    pattern: str
    start: int


@dataclass(slots=True)
class _List:
    """A list: its levels, and the counters that it shares with other uses of the same definition."""

    levels: dict[int, _Level]
    counters: dict[int, int] = field(default_factory=dict)


class Numbering:
    """The numbering part, counting as paragraphs ask for their markers in order."""

    def __init__(self, root: etree._Element | None) -> None:
        self._lists: dict[str, _List] = {}
        if root is None:
            return
        shared: dict[str, _List] = {}
        for definition in root:
            if local_name(definition) == "abstractnum":
                levels = dict(map(_level, (each for each in definition if local_name(each) == "lvl")))
                shared[attribute(definition, "abstractNumId")] = _List(levels)
        for number in root:
            if local_name(number) != "num":
                continue
            base = shared.get(value(number, "abstractNumId"), _List({}))
            overrides = [each for each in number if local_name(each) == "lvloverride"]
            self._lists[attribute(number, "numId")] = _overridden(base, overrides) if overrides else base

    def marker(self, list_id: str, level: str) -> str | None:
        """The marker of the next item of a list, `- ` for a bullet; None where the paragraph is no item."""
        at = int(level) if level.isdecimal() and len(level) < 2 else 0
        found = self._lists.get(list_id)
        if list_id in ("", "0") or found is None:
            return None
        own = found.levels.get(at, _Level("decimal", f"%{at + 1}.", 1))
        if own.form == "bullet":
            return "- "
        found.counters[at] = found.counters.get(at, own.start - 1) + 1
        for deeper in [each for each in found.counters if each > at]:
            del found.counters[deeper]

        def place(match: re.Match[str]) -> str:
            outer = int(match[1]) - 1
            definition = found.levels.get(outer, own)
            return _formatted(found.counters.get(outer, definition.start), definition.form)

        marker = _PLACE.sub(place, own.pattern)
        return f"{marker} " if marker else ""


def _level(element: etree._Element) -> tuple[int, _Level]:
    number, start = attribute(element, "ilvl"), value(element, "start")
    return int(number) if number.isdecimal() and len(number) < 3 else 0, _Level(
        value(element, "numFmt") or "decimal",
        value(element, "lvlText")[:50],
        int(start) if start.isdecimal() and len(start) < 7 else 1,
    )


def _overridden(base: _List, overrides: list[etree._Element]) -> _List:
    levels = dict(base.levels)
    for override in overrides:
        number, start = attribute(override, "ilvl"), value(override, "startOverride")
        at = int(number) if number.isdecimal() and len(number) < 3 else 0
        definition = child(override, "lvl")
        if definition is not None:
            levels[at] = _level(definition)[1]
        if start.isdecimal() and len(start) < 7:
            old = levels.get(at, _Level("decimal", f"%{at + 1}.", 1))
            levels[at] = _Level(old.form, old.pattern, int(start))
    return _List(levels)


def _formatted(number: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter"):
        text = chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 5) if number > 0 else "0"
    elif form in ("lowerRoman", "upperRoman"):
        text = _roman(number)
    elif form == "none":
        text = ""
    elif form == "decimalZero":
        text = f"{number:02d}"
    else:
        text = str(number)
    return text.upper() if form.startswith("upper") else text


def _roman(number: int) -> str:
    if not 0 < number < 4000:
        return str(number)
    parts: list[str] = []
    for size, letters in _ROMAN:
        parts.append(letters * (number // size))
        number %= size
    return "".join(parts)
