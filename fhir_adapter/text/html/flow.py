"""Lines of text out of a document's blocks, as HTML and FHIR narratives have them.

A `Flow` takes text, breaks, blocks and list markers in document order and keeps `Line`s. White space inside a
line is collapsed as a browser does it, unless it is said to be preformatted.
"""

import re
from dataclasses import replace

from fhir_adapter.text.lines import Line, LineKind
from fhir_adapter.text.notation import STRUCK, STRUCK_END, lowered, parts_from, raised

_INVISIBLE = re.compile("[\u00ad\u200b\ufeff]")
_SPACE = re.compile("[ \t\n\r\f\u00a0]+")
_INDENT = 2
_MAX_INDENT = 8 * _INDENT
_LONGEST_SCRIPT = 24
_HOLDS = frozenset("([{/-–—'\"“‘ ")
"""Behind these a word stands without a blank."""


class Flow:
    """Collects the lines of one run of blocks: a document, or one cell of a table.

    Attributes:
        indent: levels by which lines are set in.
        struck: what follows is struck out.
        bold: what follows is set in bold.
    """

    def __init__(self, struck: bool = False, bold: bool = False) -> None:
        self.lines: list[Line] = []
        self.indent = 0
        self.struck = struck
        self.bold = bold
        self._parts: list[str] = []
        self._space = False
        self._marker = ""
        self._kind = LineKind.TEXT
        self._level = 0
        self._code: str | None = None
        self._fixed = False
        self._struck_open = False
        self._plain = False
        self._script: list[str] | None = None
        self._script_end = ""
        self._boxed = False

    def text(self, characters: str) -> None:
        """Adds inline text; runs of white space (no-break spaces too) count as one space."""
        if self._script is not None:
            self._script.append(characters)
            return
        characters = _SPACE.sub(" ", characters)
        if not characters.isascii():
            characters = _INVISIBLE.sub("", characters)
        if not characters or (characters == " " and not self._parts):
            return
        if characters[0] == " ":
            self._space = True
        body = characters.strip(" ")
        if not body:
            return
        self._put(body)
        self._space = characters[-1] == " "

    def start_script(self) -> None:
        """What follows, up to `end_script`, is raised or lowered."""
        if self._script is None:
            self._script = []

    def end_script(self, is_raised: bool) -> None:
        """Writes a superscript or subscript so that 10⁹ is not read as 109."""
        if self._script is None:
            return
        pieces, self._script = self._script, None
        whole = "".join(pieces)
        words = _SPACE.sub(" ", _INVISIBLE.sub("", whole)).strip(" ")
        if not words or len(words) > _LONGEST_SCRIPT:
            self.text(whole)
            return
        before = "".join(self._parts[-4:])[-_LONGEST_SCRIPT:] + (" " if self._space else "")
        self._put((raised if is_raised else lowered)(before, words))
        self._script_end = words if is_raised else words[-1:]
        if self._parts[-1][-1:] == "]":
            self._script_end = "]"

    def _put(self, body: str) -> None:
        """Adds words behind the space, if any, that parts them from those before."""
        apart = self._space or parts_from(self._script_end, body)
        apart = apart or (self._boxed and (body[0].isalnum() or body[0] in "[("))
        self._space, self._script_end, self._boxed = False, "", False
        if not self.struck:
            self.end_struck()
        if apart and self._parts:
            self._parts.append(" ")
        if self.struck and not self._struck_open:
            self._struck_open = True
            self._parts.append(STRUCK)
        self._plain |= not self.bold
        self._parts.append(body)

    def part_words(self) -> None:
        """A label or a field begins or ends: words on both sides of it are two."""
        self._boxed = bool(self._parts) and self._parts[-1][-1:] not in _HOLDS

    def end_struck(self) -> None:
        """Ends the struck-out words of this line."""
        if self._struck_open:
            self._struck_open = False
            self._parts.append(STRUCK_END)

    def preformatted(self, characters: str) -> None:
        """Adds text whose spaces and line breaks stand."""
        if self._script is not None:
            self._script.append(characters)
            return
        self._fixed = True
        first, *others = characters.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._preformatted(first)
        for line in others:
            self.break_line()
            self._fixed = True
            self._preformatted(line)

    def _preformatted(self, line: str) -> None:
        if not line:
            return
        if line.isspace():
            self._parts.append(line)
            return
        indent = len(line) - len(line.lstrip())
        if indent:
            self._parts.append(line[:indent])
        self._put(line[indent:])

    def break_line(self) -> None:
        """Ends the line, even an empty one."""
        if self._parts:
            self.block()
        else:
            self.gap()

    def block(self) -> None:
        """Ends the line if anything is on it."""
        if self._script:
            pieces, self._script = self._script, None
            self.text("".join(pieces))
        self._space, self._script_end = False, ""
        if not self._parts:
            self._fixed = self._plain = False
            return
        self.end_struck()
        text = "".join(self._parts).rstrip()
        self._parts.clear()
        plain, self._plain = self._plain, False
        if not text.strip():
            self.gap()
            return
        margin, _ = self._margins()
        self.lines.append(
            Line(
                margin + text,
                self._kind,
                fixed=self._fixed,
                bold=not plain,
                lead=len(margin),
                code=self._code,
                level=self._level if self._kind is LineKind.HEADING else 0,
            )
        )
        self._fixed = False

    def gap(self) -> None:
        """Ends the line and leaves one empty line, however often it is called."""
        self.block()
        if self.lines and self.lines[-1].text:
            self.lines.append(Line(""))

    def marker(self, marker: str) -> None:
        """Puts a list marker in front of the next line that has text."""
        self.block()
        self._marker = marker

    def no_marker(self) -> None:
        """Forgets a marker that no text followed."""
        self._marker = ""

    def start_kind(self, kind: LineKind, level: int = 0) -> None:
        """What follows, up to `end_kind`, is a caption, or a heading of this level."""
        self.gap() if kind is LineKind.HEADING else self.block()
        self._kind, self._level = kind, level

    def end_kind(self) -> None:
        """Ends the heading's or caption's line."""
        self.block()
        self._kind = LineKind.TEXT

    def extend(self, lines: list[Line]) -> None:
        """Adds finished lines under the present indent."""
        self.block()
        if lines and not lines[0].text and self.lines and not self.lines[-1].text:
            lines = lines[1:]
        if lines and (self.indent or self._marker):
            first, margin = self._margins()
            lines = [
                line.behind(margin if at else first) if line.text else line for at, line in enumerate(lines)
            ]
        self.lines += lines

    def set_kind(self, at: int, kind: LineKind) -> None:
        """Changes what the line of that number is."""
        self.lines[at] = replace(self.lines[at], kind=kind)

    def _margins(self) -> tuple[str, str]:
        """What stands in front of the next line (its marker is used up by this), and of those after it."""
        margin = " " * min(self.indent * _INDENT, _MAX_INDENT)
        if not self._marker:
            return margin, margin
        outer = " " * min(max(self.indent - 1, 0) * _INDENT, _MAX_INDENT)
        first, self._marker = outer + self._marker, ""
        return first, margin

    def finish(self) -> list[Line]:
        """Ends the last line and gives all of them, without empty ones at either end."""
        self.block()
        while self.lines and not self.lines[-1].text:
            self.lines.pop()
        return self.lines
