"""Words become lines: those on one baseline, parted where the gap is wider than a space."""

import re
from dataclasses import dataclass, replace

from fhir_adapter.text.lines import Line
from fhir_adapter.text.notation import lowered, parts_from, raised, struck, visible
from fhir_adapter.text.pdf.page import Word

_WIDE = 1.3
_HIGHEST = 0.55
"""How far a power is raised at most, in sizes of its base."""
_MOST_POWERS = 12
_NO_SPACE = 0.15
_GUESSED_SPACE = 0.08
_NUMBER = r"\(?[0-9]{1,3}[.)]|\(?[A-Za-z][.)]|\(?[ivxIVX]{1,5}[.)]"
_MARKER = re.compile(rf"(?:{_NUMBER}|\[[x ?]\]|\([x ?]\)|[•▪●○■□◻☐☑☒❑➢✓·*\-–—o])")
_ITEM = re.compile(rf"{_MARKER.pattern}(?:\s|$)")
_LABEL = re.compile(r"[^\W\d_][^:|]{0,40}:(?:\s|$)")
_BROKEN_WORD = re.compile(r"(?<![^\W_])([^\W_]+)-$")
_FIRST_WORD = re.compile(r"[^\W_]\S*")


@dataclass(slots=True)
class Segment:
    """Words of one line that stand together."""

    text: str
    x0: float
    x1: float
    y: float
    first_width: float


@dataclass(slots=True)
class TextLine:
    """Segments on one baseline, from the left.

    Attributes:
        bottom: the baseline of the last piece, where cells of a row go on below it; 0 where none does.
    """

    segments: list[Segment]
    y: float
    size: float
    bold: bool = False
    bottom: float = 0.0

    @property
    def x0(self) -> float:
        """Its left end."""
        return self.segments[0].x0

    @property
    def x1(self) -> float:
        """Its right end."""
        return self.segments[-1].x1

    @property
    def first_width(self) -> float:
        """The width of its first word, in proportion to the segment that it stands in."""
        first = self.segments[0]
        word = first.text.split(" ", 1)[0]
        return (
            first.first_width if word == first.text else (first.x1 - first.x0) * len(word) / len(first.text)
        )

    @property
    def text(self) -> str:
        """All of it; a gap is ` | `, but a space after a list marker or a label.

        A label behind a label is the next field's, and the first one's field is empty.
        """
        parts = [self.segments[0].text]
        for segment in self.segments[1:]:
            before = visible(parts[-1])
            labelled = before.endswith(":") and not _LABEL.match(visible(segment.text))
            parts += [" " if labelled or _MARKER.fullmatch(before) else " | ", segment.text]
        return "".join(parts)


def text_lines(words: list[Word]) -> list[TextLine]:
    """The lines that `words` stand on, from the top."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.y, word.x0)):
        row = next((row for row in reversed(rows[-4:]) if _same_line(row, word)), None)
        if row is None:
            rows.append([word])
        else:
            row.append(word)
    rows = _with_powers(rows)
    lines = [_line(sorted(row, key=lambda word: word.x0)) for row in rows]
    return sorted(lines, key=lambda line: line.y)


def cell_lines(words: list[Word], right: float) -> list[Line]:
    """The lines of a table cell; a wrap is joined, a line that ended before it had to stays a line."""
    joined: list[Line] = []
    before: TextLine | None = None
    for line in text_lines(words):
        if before is not None and _wrapped(before, line, right):
            whole = join_wrapped(joined[-1].text, line.text)
            joined[-1] = replace(joined[-1], text=whole, bold=joined[-1].bold and line.bold)
        else:
            joined.append(Line(line.text, bold=line.bold))
        before = line
    return joined


def join_wrapped(first: str, second: str) -> str:
    """Two lines of one paragraph; a hyphen at the end of the first keeps its word together."""
    if _BROKEN_WORD.search(first) and second[:1].isalnum():
        return first + second
    return f"{first} {second}"


def mend_hyphens(lines: list[Line], vocabulary: set[str]) -> list[Line]:
    """Brings words that a line end parted back together, on the first of the two lines.

    The hyphen stays (`follow-up`, `C-CDA`) unless the word stands without it elsewhere in the document and
    with it nowhere (`hypertension`). "" entries are blank lines and part nothing.
    """
    mended = list(lines)
    for at in range(len(mended) - 1):
        first, second = mended[at].text, mended[at + 1].text
        broken, following = _BROKEN_WORD.search(first), _FIRST_WORD.match(second)
        if broken is None or following is None or " | " in first + second:
            continue
        start, rest = broken[1].lower(), following[0]
        bare = re.match(r"[^\W\d_]+", rest)
        whole = start + bare[0].lower() if bare else ""
        if whole in vocabulary and f"{start}-{bare[0].lower() if bare else ''}" not in vocabulary:
            first = first[:-1]
        mended[at] = replace(mended[at], text=first + rest)
        mended[at + 1] = replace(mended[at + 1], text=second[following.end() :].lstrip())
    return [line for at, line in enumerate(mended) if line.text or not lines[at].text]


def begins_item(text: str) -> bool:
    """Whether a line begins with a list marker or a box."""
    return _ITEM.match(visible(text)) is not None


def words_of(text: str) -> set[str]:
    """Words and hyphenated words of a text in lower case, as `mend_hyphens` asks for them."""
    return {word.lower() for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text)}


def _same_line(row: list[Word], word: Word) -> bool:
    """Baselines within a third of the larger size (so that powers and indices belong), and no overlap."""
    last = row[-1]
    largest = max(row, key=lambda each: each.size) if len(row) < 8 else last
    near = abs(largest.y - word.y) <= 0.35 * max(largest.size, word.size)
    return near and (abs(largest.y - word.y) <= 0.15 * max(largest.size, word.size) or not _above(row, word))


def _with_powers(rows: list[list[Word]]) -> list[list[Word]]:
    """The same rows; those of small words that each stand close behind a word of the row below join it.

    Some producers raise a power by half the size of its base: farther than words of one line are apart.
    """
    kept: list[list[Word]] = []
    for at, row in enumerate(rows):
        host = next((each for each in rows[at + 1 : at + 3] if _raises(row, each)), None)
        if host is None:
            kept.append(row)
        else:
            host.extend(row)
    return kept


def _raises(row: list[Word], host: list[Word]) -> bool:
    """Whether each word of a row is a power of a larger word of another."""
    return len(row) <= _MOST_POWERS and all(
        any(
            word.size < 0.8 * base.size
            and 0 < base.y - word.y <= _HIGHEST * base.size
            and -0.1 * base.size <= word.x0 - base.x1 < 0.3 * base.size
            for base in host
        )
        for word in row
    )


def _above(row: list[Word], word: Word) -> bool:
    return any(min(word.x1, each.x1) - max(word.x0, each.x0) > 0.3 * word.size for each in row[-30:])


def _line(words: list[Word]) -> TextLine:
    size = max(word.size for word in words)
    segments: list[Segment] = []
    before: Word | None = None
    script = ""
    for word in words:
        gap = word.x0 - before.x1 if before else 0.0
        shown = struck(word.text) if word.struck else word.text
        if before is None or gap > _WIDE * min(size, max(before.size, word.size)):
            segments.append(Segment(shown, word.x0, word.x1, word.y, word.x1 - word.x0))
            script = ""
        else:
            segment = segments[-1]
            written = _script(before, word, gap)
            glue = "" if written else _glue(before, word, gap) or " " * parts_from(script, word.text)
            segment.text += glue + (written or shown)
            segment.x1 = max(segment.x1, word.x1)
            script = written
        before = word
    weights: dict[float, int] = {}
    for word in words:
        weights[word.y] = weights.get(word.y, 0) + len(word.text)
    bold = all(word.bold for word in words)
    return TextLine(segments, max(weights, key=lambda y: weights[y]), size, bold)


def _script(before: Word, word: Word, gap: float) -> str:
    """What a small word above or below the line is written as; "" for any other."""
    if word.size >= 0.8 * before.size or gap >= 0.3 * before.size or word.spaced:
        return ""
    if word.y < before.y - 0.2 * before.size:
        return raised(before.text, word.text)
    if word.y > before.y + 0.05 * before.size and word.text[0].isdigit():
        return lowered(before.text, word.text)
    return ""


def _glue(before: Word, word: Word, gap: float) -> str:
    size = min(before.size, word.size)
    apart = word.spaced or gap > (_GUESSED_SPACE if word.guessed else _NO_SPACE) * size
    return " " if apart else ""


def _wrapped(before: TextLine, line: TextLine, right: float) -> bool:
    """Whether `line` goes on with the paragraph of `before`: its first word had no room there."""
    if _ITEM.match(visible(line.segments[0].text)) or line.y - before.y > 2 * line.size:
        return False
    return right - before.x1 < line.first_width + 1.2 * line.size
