"""From lines to the text: tidy by construction, so that offsets of headings and marks are right at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Heading, NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text.lines import Line, LineKind
from fhir_adapter.text.notation import resolved
from summarizer.types import Mark, MarkKind

MAX_CHARACTERS = 20_000_000
"""More text than this from one file is no note."""

_KINDS = {
    LineKind.ROW: MarkKind.ROW,
    LineKind.COLUMNS: MarkKind.COLUMNS,
    LineKind.CAPTION: MarkKind.CAPTION,
}


@dataclass(slots=True)
class _Section:
    """A heading whose section is open; `divided` says that it holds other headings."""

    start: int
    level: int
    divided: bool = False


class TextBuilder:
    """Collects lines; no trailing white space, never two blank lines in a row, none first or last.

    Args:
        tight: what comes after a heading stands right under it.
    """

    def __init__(self, tight: bool = True) -> None:
        self._tight = tight
        self._lines: list[str] = []
        self._headings: list[Heading] = []
        self._marks: list[Mark] = []
        self._length = 0
        self._blank = False
        self._under_heading = False
        self._open: list[_Section] = []

    def __len__(self) -> int:
        """Code points so far."""
        return self._length

    def add(self, lines: Iterable[Line]) -> None:
        """Appends lines (already clean, no line end inside)."""
        for line in lines:
            if line.spaced or not line.text:
                self.blank()
                self._blank |= line.kind is LineKind.HEADING
            text, marks = resolved(line.text.rstrip())
            text = text.rstrip()
            body = text[line.lead :].lstrip()
            if not text:
                continue
            if not body and line.kind is LineKind.HEADING:
                continue
            start = self._line(text)
            end, begin = start + len(text), start + len(text) - len(body)
            if line.kind is LineKind.HEADING:
                self._headings.append(Heading(begin, end, line.code))
                self._open_section(begin, line.level)
                self._under_heading = self._tight
            elif line.kind in _KINDS:
                self._marks.append(Mark(begin, end, _KINDS[line.kind]))
            self._marks += [Mark(start + mark.start, start + mark.end, mark.kind) for mark in marks]

    def line(self, text: str) -> None:
        """Appends one line; an empty one asks for a blank line."""
        self.add((Line(text),))

    def blank(self) -> None:
        """A blank line before whatever comes next, unless a heading has just been written."""
        self._blank = not self._under_heading

    def heading(self, text: str, code: str | None = None, level: int = 0) -> None:
        """A line that the format declares to be a heading, a blank line before it."""
        self._blank = True
        self.add((Line(text.strip(), LineKind.HEADING, code=code, level=level),))

    @property
    def text(self) -> str:
        """The text so far."""
        return "\n".join(self._lines)

    @property
    def headings(self) -> tuple[Heading, ...]:
        """The headings so far."""
        return tuple(self._headings)

    def build(self, normalization: str, media_type: str, notice: str = "") -> NoteText:
        """The text.

        Raises:
            NoteError: `empty-text` where no line holds anything.
        """
        if not self._lines:
            raise NoteError(Reason.EMPTY_TEXT, media_type)
        self._end_sections(0, self._length - 1)
        return NoteText(
            text=self.text,
            normalization=normalization,
            media_type=media_type,
            headings=self.headings,
            marks=tuple(sorted(self._marks, key=lambda mark: (mark.start, -mark.end))),
            notice=notice,
        )

    def _open_section(self, start: int, level: int) -> None:
        """A heading begins at `start`; it ends the sections that it does not stand in."""
        self._end_sections(level, start)
        if level and self._open:
            self._open[-1].divided = True
        if level:
            self._open.append(_Section(start, level))

    def _end_sections(self, level: int, end: int) -> None:
        """The sections of this level and deeper ones end; those that hold headings are marked."""
        while self._open and self._open[-1].level >= level:
            section = self._open.pop()
            if section.divided:
                self._marks.append(Mark(section.start, end, MarkKind.SECTION))

    def _line(self, text: str) -> int:
        """Appends a line that holds something and gives its offset."""
        self._under_heading = False
        if self._blank and self._lines:
            self._append("")
        self._blank = False
        start = self._length
        self._append(text)
        return start

    def _append(self, text: str) -> None:
        self._lines.append(text)
        self._length += len(text) + 1
        if self._length > MAX_CHARACTERS:
            raise NoteError(Reason.TOO_LARGE, f"more than {MAX_CHARACTERS} characters of text")
