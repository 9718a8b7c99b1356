"""HTML and XHTML: the recipe `html|5`, what a browser shows, as lines.

Blocks become lines, paragraphs and headings stand between empty lines (one at most), list items carry their
markers, table rows are one line with ` | ` between the cells. Hidden elements, scripts, styles, comments and
the head are left out. White space is collapsed as a browser does it, except where it is preformatted.

Written for people who decide on it, so what only the rendering shows is written out as `notation` has it:
`10<sup>9</sup>` is `10^9`, struck-out text `[struck out: …]`, a ticked box `[x]`; a picture is its
alternative text.
"""

import html
import re
from collections import Counter

from fhir_adapter.note import Heading, NoteText
from fhir_adapter.text.builder import TextBuilder
from fhir_adapter.text.hl7 import has_escapes, unescaped
from fhir_adapter.text.html import elements
from fhir_adapter.text.html.blocks import Definitions, Items, Open, Table, list_items
from fhir_adapter.text.html.css import StyleSheet, is_hidden, keeps_space, look
from fhir_adapter.text.html.display import displayed
from fhir_adapter.text.html.flow import Flow
from fhir_adapter.text.html.forms import Choices, box_of_role, input_words
from fhir_adapter.text.html.tokens import Tag, Tokenizer
from fhir_adapter.text.lines import Line, LineKind
from fhir_adapter.text.plain import decode
from fhir_adapter.text.recipe import recipe
from fhir_adapter.text.symbols import shown_symbols

_META_CHARSET = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]+)", re.I
)
_MAX_DEPTH = 512  # as browsers: deeper elements are read as if they were siblings
_MAX_TABLES = 16  # tables in tables; deeper ones are read as blocks, so that no line is moved too often
_PARAGRAPH = frozenset(("p",))


def html_text(data: bytes, charset: str | None = None, media_type: str = "text/html") -> NoteText:
    """Reads an HTML or XHTML note.

    Args:
        data: the attachment's bytes.
        charset: the declared charset; without one the document's own declaration counts.
        media_type: what to call it: `text/html` or `application/xhtml+xml`.

    Raises:
        NoteError: BAD_ENCODING where the bytes are not text.
    """
    if charset is None and (stated := _META_CHARSET.search(data[:2048])):
        charset = stated[1].decode("ascii")
    decoded = decode(data, charset)
    builder, unread, unstated = _built(decoded.text)
    notices = [
        decoded.notice,
        f"{unread} characters after an unclosed script or comment" if unread else "",
        f"{unstated} lists to choose from without a recorded choice" if unstated else "",
    ]
    return builder.build(recipe("html", "5"), media_type, "; ".join(each for each in notices if each))


def render(markup: str) -> tuple[str, tuple[Heading, ...], int]:
    """The text of HTML markup and its headings.

    The last value counts the characters that an unclosed script or comment swallowed.
    """
    builder, unread, _ = _built(markup)
    return builder.text, builder.headings, unread


def narrative_lines(markup: str) -> list[Line]:
    """The lines of an XHTML fragment (a FHIR narrative's `div`), for a document made of several."""
    return _Renderer().run(Tokenizer(markup))


def _built(markup: str) -> tuple[TextBuilder, int, int]:
    """The text, the characters that nothing closed, and the lists of which no choice is recorded."""
    if has_escapes(markup):
        markup = unescaped(markup, lambda put: html.escape(put).replace("\n", "<br>"))
    tokens, renderer, builder = Tokenizer(markup), _Renderer(), TextBuilder(tight=False)
    builder.add(renderer.run(tokens))
    return builder, tokens.unread, renderer.choices.unstated


class _Renderer:
    """Walks the tokens once, keeping the open elements, and fills a `Flow`."""

    def __init__(self) -> None:
        self._flow = Flow()
        self._open: list[Open] = []
        self._count: Counter[str] = Counter()
        self._lists: list[Items] = []
        self._tables: list[Table] = []
        self._definitions: list[Definitions] = []
        self._hidden = self._pre = self._struck = self._skipped_tables = 0
        self._first_in_pre = False
        self._styles = StyleSheet()
        self._bold = [False]
        self._fonts = [""]
        self.choices = Choices()

    def run(self, tokens: Tokenizer) -> list[Line]:
        for token in displayed(tokens, self._styles):
            if isinstance(token, str):
                self._text(token)
            elif token.end:
                self._end_tag(token.name)
            else:
                self._start_tag(token)
        while self._open:
            self._pop()
        return self._flow.finish()

    def _text(self, text: str) -> None:
        if self._open and self._open[-1].name == "head" and not text.isspace():
            self._pop()  # the standard: content ends a head that was never closed
        if self._hidden or not text:
            self._unshown(text)
            return
        if self._pre:
            if self._first_in_pre and text.startswith(("\n", "\r\n")):
                text = text.partition("\n")[2]
            self._first_in_pre = False
        if text.isspace() and not self._pre:
            self._flow.text(text)
            return
        if self._tables and self._tables[-1].cell is None:
            self._end_row()  # text between the rows of a table keeps its place
        self._end_definition()
        text = shown_symbols(text, self._fonts[-1])
        (self._flow.preformatted if self._pre else self._flow.text)(text)

    def _unshown(self, text: str) -> None:
        """Text that is not shown: rules of a style sheet, choices that were not made."""
        if self._open and self._open[-1].name == "style":
            self._styles.add(text)
        elif self._open and self._open[-1].name == "option":
            self.choices.offer(text)

    def _start_tag(self, tag: Tag) -> None:
        name = tag.name
        if self._open and self._open[-1].name == "head" and name not in elements.IN_HEAD:
            self._pop()
        if len(self._tables) >= _MAX_TABLES and (name == "table" or self._skipped_tables):
            self._skipped_tables += name == "table"
            if name in elements.TABLE_PARTS:
                self._flow.block()
                return
        if name in elements.IMPLIES_END:
            self._close(elements.IMPLIES_END[name], elements.BARRIERS.get(name, elements.CELL_BARRIER))
        elif name in elements.BLOCKS or name in elements.HEADINGS:
            self._close(_PARAGRAPH, elements.CELL_BARRIER)
            if name in elements.HEADINGS and self._open and self._open[-1].name in elements.HEADINGS:
                self._pop()
        if name in elements.VOID:
            if not self._hidden:
                self._void(tag)
        elif len(self._open) < _MAX_DEPTH:
            self._push(tag)
            if tag.closed:
                self._pop()
        elif name in elements.BLOCKS and not self._hidden:
            self._flow.block()

    def _void(self, tag: Tag) -> None:
        """Elements without content."""
        attributes = tag.attributes
        if tag.name == "br":
            self._flow.break_line()
        elif tag.name == "hr":
            self._flow.gap()
        elif tag.name in ("img", "area"):
            self._text(attributes.get("alt", ""))
        elif tag.name == "input" and not is_hidden(tag):
            self._flow.part_words()
            self._text(input_words(tag))
            self._flow.part_words()

    def _push(self, tag: Tag) -> None:
        name, style = tag.name, tag.attributes.get("style", "")
        entry = Open(name, hidden=self._hidden > 0 or is_hidden(tag), raised=elements.SCRIPTS.get(name))
        if not entry.hidden:
            entry.pre = name in elements.PREFORMATTED or keeps_space(style)
            self._dress(entry, tag, style)
            entry.defines = name in elements.DEFINITIONS and self._enter_definitions(name)
            if not entry.defines:
                self._enter(tag, style)
            if name in elements.FIELDS:
                self._flow.part_words()
            if entry.raised is not None:
                self._flow.start_script()
            elif name == "q":
                self._text('"')
            elif "role" in tag.attributes:
                self._text(box_of_role(tag))
        self._open.append(entry)
        self._count[name] += 1
        self._hidden += entry.hidden
        self._pre += entry.pre
        self._first_in_pre |= entry.pre

    def _dress(self, entry: Open, tag: Tag, style: str) -> None:
        """What the element's look says: strike-out, bold, a symbol font."""
        if not tag.attributes and tag.name not in elements.DRESSED and not self._styles:
            return
        own = look(style).over(self._styles.look(tag))
        entry.struck = own.struck or tag.name in elements.STRUCK
        entry.bold = True if tag.name in elements.BOLD and own.bold is None else own.bold
        entry.font = own.font
        if entry.raised is None and tag.name not in elements.BOXES:
            entry.raised = own.raised  # of a cell it says where its words stand
        if tag.name == "font" and "face" in tag.attributes:
            entry.font = look(f"font-family:{tag.attributes['face']}").font
        self._struck += entry.struck
        self._bold += [] if entry.bold is None else [entry.bold]
        self._fonts += [] if entry.font is None else [entry.font]
        self._dressed()

    def _undress(self, entry: Open) -> None:
        if not entry.struck and entry.bold is None and entry.font is None:
            return
        self._struck -= entry.struck
        if entry.bold is not None:
            self._bold.pop()
        if entry.font is not None:
            self._fonts.pop()
        self._dressed()

    def _dressed(self) -> None:
        self._flow.struck, self._flow.bold = self._struck > 0, self._bold[-1]
        if not self._struck:
            self._flow.end_struck()

    def _enter(self, tag: Tag, style: str) -> None:
        """What the start of a visible element does to the lines."""
        name, flow = tag.name, self._flow
        self._end_definition()
        if name in elements.HEADINGS:
            flow.start_kind(LineKind.HEADING, int(name[1]))
        elif name == "caption":
            flow.start_kind(LineKind.CAPTION)
        elif name in ("select", "option"):
            flow.text(self.choices.begin() if name == "select" else self.choices.make())
        elif name == "li":
            items = self._lists[-1] if self._lists else Items("-")
            flow.marker(items.marker(tag.attributes.get("value")))
            flow.indent += 1
        elif name in elements.LISTS:
            flow.block() if self._count["li"] else flow.gap()
            self._lists.append(list_items(tag, style))
        elif name == "table":
            flow.block() if self._tables else flow.gap()
            self._tables.append(Table(flow))
        elif name in ("td", "th"):
            if not self._tables:
                self._push(Tag("table"))  # a fragment cut out of a table
            self._tables[-1].start_cell(tag)
            self._flow = Flow(self._struck > 0, self._bold[-1])
        elif name == "tr":
            self._end_row()
        elif name in elements.PARAGRAPHS:
            flow.gap()
        elif name in elements.BLOCKS:
            flow.block()

    def _end_tag(self, name: str) -> None:
        if self._skipped_tables and name in elements.TABLE_PARTS:
            self._skipped_tables -= name == "table"
            self._flow.block()
            return
        if name in ("body", "html"):
            return  # what follows them is shown all the same
        if name == "br" and not self._hidden:
            self._flow.break_line()
        elif name == "p" and not self._count["p"] and not self._hidden:
            self._flow.gap()
        elif name in elements.HEADINGS:
            self._close(elements.HEADINGS, elements.CELL_BARRIER)
        elif name in ("table", "template"):
            self._close(frozenset((name,)), frozenset())
        elif name in elements.BLOCKS or name in elements.CELL_BARRIER:
            self._close(frozenset((name,)), elements.BARRIERS.get(name, elements.CELL_BARRIER))
        elif self._count[name]:
            self._close_inline(name)

    def _close(self, names: frozenset[str], barriers: frozenset[str]) -> None:
        """Pops up to the outermost open element of these names inside the nearest barrier."""
        if not any(self._count[name] for name in names):
            return
        single, found = len(names) == 1, -1
        for index in range(len(self._open) - 1, -1, -1):
            name = self._open[index].name
            if name in names:
                found = index
                if single:
                    break
            elif name in barriers:
                break
        if found >= 0:
            while len(self._open) > found:
                self._pop()

    def _close_inline(self, name: str) -> None:
        """Ends the innermost inline element of this name and leaves the blocks inside of it open."""
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index].name == name:
                self._pop(index)
                return
            if self._open[index].name in elements.CELL_BARRIER:
                return

    def _pop(self, index: int = -1) -> None:
        entry = self._open.pop(index)
        self._count[entry.name] -= 1
        self._hidden -= entry.hidden
        self._pre -= entry.pre
        if entry.hidden:
            return
        if entry.raised is not None:
            self._flow.end_script(entry.raised)
        if entry.name in elements.FIELDS:
            self._flow.part_words()
        if entry.defines:
            self._leave_definitions(entry.name)
        else:
            self._leave(entry.name)
        self._undress(entry)

    def _leave(self, name: str) -> None:
        """What the end of a visible element does to the lines."""
        flow = self._flow
        if name in elements.HEADINGS:
            flow.end_kind()
            flow.gap()
        elif name == "caption":
            flow.end_kind()
        elif name == "select":
            flow.text(self.choices.end())
        elif name == "li":
            flow.block()
            flow.no_marker()
            flow.indent -= 1
        elif name in elements.LISTS:
            self._lists.pop()
            flow.block() if self._count["li"] else flow.gap()
        elif name == "table":
            self._end_row()
            self._tables.pop().end()
            flow.gap()
        elif name in ("td", "th"):
            table = self._tables[-1]
            table.end_cell(flow.finish())
            self._flow = table.flow
            self._dressed()
        elif name in ("tr", "thead"):
            self._end_row(was_in_head=name == "thead")
        elif name == "q":
            self._text('"')
        elif name in elements.PARAGRAPHS:
            flow.gap()
        elif name in elements.BLOCKS:
            flow.block()

    def _enter_definitions(self, name: str) -> bool:
        """A list of definitions, a term or its detail begins; a detail that belongs to none is a block."""
        if name == "dl":
            self._end_definition()
            self._flow.block() if self._count["li"] else self._flow.gap()
            self._definitions.append(Definitions(self._flow, inside=bool(self._tables)))
            return True
        if name == "dt" and not self._in_definitions:
            self._push(Tag("dl"))  # a fragment cut out of a list
        if not self._in_definitions:
            return False
        self._definitions[-1].start(term=name == "dt")
        self._flow = Flow(self._struck > 0, self._bold[-1])
        return True

    def _leave_definitions(self, name: str) -> None:
        if name == "dl":
            self._definitions.pop().end_pair()
            self._flow.block() if self._count["li"] else self._flow.gap()
            return
        self._definitions[-1].end(self._flow.finish(), term=name == "dt")
        self._flow = self._definitions[-1].flow
        self._dressed()

    def _end_definition(self) -> None:
        """What stands in a list of definitions beside its terms and details keeps its place."""
        if self._in_definitions:
            self._definitions[-1].end_pair()

    @property
    def _in_definitions(self) -> bool:
        """Whether a list of definitions is open, and none of its terms or details."""
        return bool(self._definitions) and self._flow is self._definitions[-1].flow

    def _end_row(self, was_in_head: bool = False) -> None:
        if self._tables:
            self._tables[-1].end_row(names_columns=was_in_head or self._count["thead"] > 0)
