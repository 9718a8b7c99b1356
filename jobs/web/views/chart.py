"""Bars for an inline SVG that stretches to its place: attributes only, as the policy asks."""

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 100
_STEP, _GAP = 10, 2
_LEAST = 3  # of the height, so that one failed note among thousands is seen


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle in the chart's own units, and what it says."""

    x: int
    y: int
    width: int
    height: int
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side from the left.

    Attributes:
        width: of the chart, in its units; it is `HEIGHT` high.
        most: the largest value, which fills the height.
        total: sum of all values.
    """

    bars: tuple[Bar, ...]
    width: int
    most: int
    total: int


def bars(values: Sequence[tuple[str, int]]) -> Chart:
    """A chart of (words, value); a value of zero has no bar, any other one is high enough to be seen."""
    most = max((value for _, value in values), default=0)
    drawn = []
    for index, (words, value) in enumerate(values):
        if value:
            height = max(_LEAST, round(HEIGHT * value / most))
            drawn.append(Bar(index * _STEP, HEIGHT - height, _STEP - _GAP, height, f"{words}: {value:,}"))
    return Chart(tuple(drawn), len(values) * _STEP - _GAP, most, sum(value for _, value in values))
