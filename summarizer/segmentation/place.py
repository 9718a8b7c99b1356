"""A block of lines among those beside it: whether it titles them, what heads a table that it begins."""

import re
from collections.abc import Sequence

from summarizer.segmentation import tables
from summarizer.segmentation.boilerplate import is_rule
from summarizer.segmentation.forms import TITLE_WORDS, capitalised, names_below
from summarizer.segmentation.line_ends import is_terminated
from summarizer.segmentation.lines import BOILERPLATE, ITEM, ROW, TEXT, Line
from summarizer.segmentation.section_titles import normalise
from summarizer.segmentation.spans import Spans
from summarizer.segmentation.titles import ACTIONS, is_statement
from summarizer.types import ContextKind, ContextSpan

_CAPTION_WORDS = 8
_TITLE = 48
_LONGEST_NAME = 80
_CAPTION = re.compile(r"table\s{1,4}[\w.]{1,6}\b", re.I)


def names_table(text: str, start: int, end: int, at: int) -> bool:
    """Whether the line `text[start:end]` above a table at `at` names what its rows are of (`Mother`)."""
    own = text[start:end]
    if text[end:at].count("\n") > 2 or len(own) > _LONGEST_NAME or not own[0].isupper() or is_terminated(own):
        return False
    if ": " in own:  # a field with its value
        return False
    return len(own.split()) < _CAPTION_WORDS and _names(normalise(own))


def _names(words: str) -> bool:
    """Whether words say what to do with things, or only name them; what stands in parentheses is left out."""
    return words in ACTIONS or (bool(words) and not is_statement(words))


class Place:
    """One block of lines, and those beside it.

    Attributes:
        spans: those of the text.
        block, before, following: its lines, those of the blocks above and below; None where there is none.
        first: its first line.
        start, end: where it stands in the note.
    """

    __slots__ = tuple("_blocks _index _titled before block end first following spans start".split())

    def __init__(self, spans: Spans, blocks: Sequence[list[Line]], index: int) -> None:
        self.spans, self._blocks, self._index = spans, blocks, index
        self._titled = False
        self.block = blocks[index]
        self.before = blocks[index - 1] if index else None
        self.following = blocks[index + 1] if index + 1 < len(blocks) else None
        self.first = self.block[0]
        self.start, self.end = self.first.start, self.block[-1].end

    def beside(self, step: int) -> list[Line] | None:
        """The block that stands so many blocks below, or above where `step` is negative."""
        at = self._index + step
        return self._blocks[at] if 0 <= at < len(self._blocks) else None

    def table_head(self) -> list[ContextSpan]:
        """The column heads and the caption of the table that begins with this block."""
        rows = self.following
        if rows is not None and rows[0].kind is BOILERPLATE and is_rule(rows[0].text):
            rows = self.beside(2)
        if rows is None or rows[0].kind is not ROW or (rows is self.following and rows[0].after_blank):
            return []
        head: list[ContextSpan] = []
        above = self.before[0] if self.before and len(self.before) == 1 else None
        if above is not None and above.kind is TEXT:
            named = len(above.text) < 80 and not is_terminated(above.text)
            close = named and (not self.first.after_blank or self._stands_alone(above))
            if close or _CAPTION.match(above.text):
                head.append(ContextSpan(above.start, above.end, ContextKind.CAPTION))
        if tables.heads(self.first, rows[0]):
            head.append(ContextSpan(self.start, self.end, ContextKind.COLUMN))
        return head

    def _stands_alone(self, line: Line) -> bool:
        """Whether a line above is a paragraph of a few words with a capital: it names what is below."""
        above = self.beside(-2)
        alone = line.after_blank or above is None or above[0].kind is BOILERPLATE
        return alone and line.text[0].isupper() and len(line.text.split()) < _CAPTION_WORDS

    def names_list(self) -> bool:
        """Whether a paragraph of a few words without a verb names many things: those of the list below it."""
        own = self.first.text
        if len(self.block) > 1 or not own[0].isupper() or not own.replace(" ", "").isalpha():
            return False
        words = own.split()
        return 1 < len(words) < TITLE_WORDS and words[-1][-1] in "sS" and not is_statement(own)

    def row_below(self) -> str | None:
        """The first row of the table right below a line of text; None where there is none."""
        below = self.following[0] if self.following else None
        if below is None or below.kind is not ROW or below.after_blank or self.first.kind is not TEXT:
            return None
        return below.text

    def is_title(self) -> bool:
        """Whether a block of text titles the lines below: they stand in from it, or it looks like a title."""
        first, own = self.first, self.first.text
        below = self.following[0] if self.following else None
        if first.titled:
            return below is not None
        if len(self.block) > 1 or below is None or below.after_blank:
            return False
        if below.kind is ITEM or len(own) > _TITLE or not own[0].isupper():
            return False
        if is_terminated(own[-8:]) or own[-1] in ",;:":
            return False
        if names_below(first, below):
            return True
        if below.indent > first.indent + 1:
            return below.text[0].isupper() and len(own.split()) <= TITLE_WORDS
        return first.after_blank and self._index > 0 and capitalised(own) and below.indent == first.indent
