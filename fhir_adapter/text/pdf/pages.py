"""Pages become one text: a sentence that a page's end breaks goes on, whatever stands above or below it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

from fhir_adapter.text.lines import Line, clean
from fhir_adapter.text.notation import visible
from fhir_adapter.text.pdf.layout import PageLine
from fhir_adapter.text.pdf.lines import begins_item, mend_hyphens, words_of
from fhir_adapter.text.pdf.margins import MARGIN

_MOST_FURNITURE = 6
"""Lines of a letterhead, or of the foot of a page."""


def joined(pages: list[list[PageLine]], heights: list[float]) -> list[Line]:
    """The lines of all pages; a page that breaks a sentence does not break the paragraph.

    Args:
        pages: the lines of each page, without those that run through the document.
        heights: of the pages, in points.
    """
    lines: list[Line] = []
    last: PageLine | None = None
    for page in _with_whole_paragraphs(pages, heights):
        for at, line in enumerate(page):
            if line.blank and (at or not _goes_on(last, line)):
                lines.append(Line(""))
            lines.append(Line(clean(line.text), line.kind))
        last = page[-1] if page else last
    vocabulary = set().union(*(words_of(line.text) for line in lines)) if lines else set()
    return mend_hyphens(lines, vocabulary)


def _with_whole_paragraphs(pages: list[list[PageLine]], heights: list[float]) -> list[list[PageLine]]:
    """The pages; the foot of one and the head of the next stand behind a paragraph that they would part."""
    result = [list(page) for page in pages]
    for number in range(1, len(result)):
        above, below = result[number - 1], result[number]
        if not above or not below:
            continue
        found = next(
            (
                (foot, head)
                for foot in _feet(above, heights[number - 1])
                for head in _heads(below, heights[number])
                if _is_broken(above[foot - 1], below[head])
            ),
            None,
        )
        if found is not None and found != (len(above), 0):
            foot, head = found
            end = next((at for at in range(head + 1, len(below)) if below[at].blank), len(below))
            moved = [*_apart(above[foot:]), *_apart(below[:head])]
            result[number - 1] = above[:foot]
            result[number] = [*below[head:end], *moved, *_apart(below[end:])]
    return result


def _heads(page: list[PageLine], height: float) -> Iterator[int]:
    """How many lines may be a letterhead: those in the upper margin down to a blank line, or none.

    None comes first unless they look like names, addresses and numbers.
    """
    found = []
    for at, line in enumerate(page[1 : _MOST_FURNITURE + 1], start=1):
        if page[at - 1].y > MARGIN * height:
            break
        if line.blank:
            found.append(at)
    named = [at for at in reversed(found) if all(map(_names, page[:at]))]
    yield from [*named, 0, *found]


def _names(line: PageLine) -> bool:
    """Whether a line is of words with a capital and of numbers, as in a letterhead."""
    words = line.text.split()
    return line.text[-1:] not in ".;," and sum(not word[0].islower() for word in words) >= 0.7 * len(words)


def _feet(page: list[PageLine], height: float) -> Iterator[int]:
    """Where the foot of a page may begin: behind it, or at a blank line in the lower margin."""
    yield len(page)
    for at in range(len(page) - 1, max(0, len(page) - _MOST_FURNITURE - 1), -1):
        if page[at].y < (1 - MARGIN) * height:
            return
        if page[at].blank:
            yield at


def _apart(lines: list[PageLine]) -> list[PageLine]:
    """Lines with a blank line before the first."""
    return [replace(line, blank=line.blank or not at) for at, line in enumerate(lines)]


def _is_broken(last: PageLine, first: PageLine) -> bool:
    """Whether a line ends where no sentence can, so that another, which is no item, must go on with it."""
    end = visible(last.text).rstrip()
    return not begins_item(first.text) and (end.endswith((",", "(", "/")) or _is_open(end))


def _is_open(end: str) -> bool:
    """Whether a line ends in a word behind which no sentence ends; `May` is a month."""
    word = end.rpartition(" ")[2]
    return (word.islower() or end.isupper()) and word.lower() in _open_ends()


def _goes_on(last: PageLine | None, first: PageLine) -> bool:
    """Whether the first line of a page goes on with the last one of the page before.

    It does where that one ends in the middle of a sentence and either this one begins so, or that one had no
    room left for its first word, or ended in a word that no sentence ends in.
    """
    if last is None or begins_item(first.text):
        return False
    end, start = visible(last.text).rstrip(), visible(first.text)
    if not (end[-1:].isalnum() or end.endswith((",", "-", "(", "/"))):
        return False
    return start[:1].islower() or last.full_for(first) or _is_open(end)


@lru_cache(maxsize=1)
def _open_ends() -> frozenset[str]:
    """The words of `open_ends.txt`."""
    lines = files("fhir_adapter.text.pdf").joinpath("open_ends.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
