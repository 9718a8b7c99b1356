"""Running headers, footers and page numbers: known by standing at the same place on page after page."""

import re
from collections import defaultdict
from dataclasses import replace

from fhir_adapter.text.pdf.layout import PageLine

MARGIN = 0.14
"""The share of a page's height that its margin takes, above and below."""
_NEAR = 6.0
_EDGE_LINES = 5
_NUMBER = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"[-–—\s|]{0,200}(?:page|seite|pagina|página|p\.|pg\.?)?\s{0,20}#\s{0,20}(?:(?:of|von|de|di|/)\s{0,20}#)?[-–—\s|]{0,200}",
    re.IGNORECASE,
)


def without_repeats(pages: list[list[PageLine]], heights: list[float]) -> list[list[PageLine]]:
    """The pages with every running line kept once, and page numbers left out.

    A header stays where it comes first and a footer where it comes last, so that neither parts a sentence.
    A line runs when it stands in the margin of at least half of the pages (and two) at the same height, with
    the same words; a number in it may differ from page to page only as the pages' own numbers do.
    """
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, (lines, height) in enumerate(zip(pages, heights, strict=True)):
        for at in _edges(lines, height):
            places[_NUMBER.sub("#", lines[at].text)].append((number, at))
    dropped: dict[int, set[int]] = defaultdict(set)
    least = max(2, (sum(1 for lines in pages if lines) + 1) // 2)
    for template, found in places.items():
        for running in _running(pages, found):
            if len(running) >= least:
                number, at = running[0]
                foot = pages[number][at].y > heights[number] / 2
                others = running[:-1] if foot else running[1:]
                for number, at in running if _PAGE_NUMBER.fullmatch(template) else others:
                    dropped[number].add(at)
    return [_without(lines, dropped.get(number, set())) for number, lines in enumerate(pages)]


def _edges(lines: list[PageLine], height: float) -> list[int]:
    """Lines in the upper or lower margin of a page, the outermost few."""
    upper = [at for at, line in enumerate(lines) if line.y < MARGIN * height]
    lower = [at for at, line in enumerate(lines) if line.y > (1 - MARGIN) * height]
    upper.sort(key=lambda at: lines[at].y)
    lower.sort(key=lambda at: -lines[at].y)
    return upper[:_EDGE_LINES] + lower[:_EDGE_LINES]


def _running(pages: list[list[PageLine]], found: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Lines of one template grouped by height; in a group every number is constant or counts the pages."""
    groups: list[list[tuple[int, int]]] = []
    for number, at in found:
        line = pages[number][at]
        for group in groups[-20:]:
            first_number, first_at = group[0]
            first = pages[first_number][first_at]
            near = abs(first.y - line.y) <= _NEAR and group[-1][0] != number
            if near and _counts(first.text, line.text, number - first_number):
                group.append((number, at))
                break
        else:
            groups.append([(number, at)])
    return groups


def _counts(first: str, text: str, pages_on: int) -> bool:
    pairs = zip(_NUMBER.findall(first), _NUMBER.findall(text), strict=True)
    return all(one == two or _number(two) - _number(one) == pages_on for one, two in pairs)


def _number(digits: str) -> int:
    """Its value; page numbers have few digits."""
    return int(digits) if len(digits) < 6 else 0


def _without(lines: list[PageLine], dropped: set[int]) -> list[PageLine]:
    """The other lines; a blank line before a dropped one goes to the line after it."""
    kept: list[PageLine] = []
    blank = False
    for at, line in enumerate(lines):
        blank = blank or line.blank
        if at not in dropped:
            kept.append(replace(line, blank=blank))
            blank = False
    return kept
