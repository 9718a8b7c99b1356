"""Figures as a picture: for each thing that others stand beside, a bar of its own ratio for each of them."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from jobs.bench.figures import Figure

_ROW, _NAMES, _BARS, _VALUES = 22, 330, 360, 170  # pixels: height of a row, widths of the three columns
_INK, _BAR, _OWN = "#222", "#9db4c8", "#2f6690"


def picture(figures: Sequence[Figure]) -> str:
    """An SVG; neighbours that stand beside the same figure share a scale, which begins at 0."""
    parts: list[str] = []
    y = _ROW
    for beside, group in groupby(figures, key=lambda figure: figure.beside):
        rows = list(group)
        most = max((row.ratio or 0.0 for row in rows), default=0.0) or 1.0
        parts.append(_text(0, y, f"times {beside}", "bold"))
        for row in rows:
            y += _ROW
            parts += _bar(row, y, most)
        y += 2 * _ROW
    width, height = _NAMES + _BARS + _VALUES, y - _ROW
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
    head += f'height="{height}" font-family="sans-serif" font-size="13" fill="{_INK}">'
    ground = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([head, "<title>Speeds, each as a ratio</title>", ground, *parts, "</svg>\n"])


def _bar(figure: Figure, y: int, most: float) -> list[str]:
    name = _text(_NAMES - 10, y, figure.name, anchor="end")
    if figure.value is None or figure.ratio is None:
        return [name, _text(_NAMES, y, "not installed")]
    length = max(1.0, _BARS * figure.ratio / most)
    colour = _OWN if figure.name == figure.beside else _BAR
    bar = f'<rect x="{_NAMES}" y="{y - 14}" width="{length:.1f}" height="{_ROW - 4}" fill="{colour}"/>'
    told = f"{figure.ratio:.2f} ({figure.value:,.1f} {figure.unit})"
    return [name, bar, _text(_NAMES + round(length) + 8, y, told)]


def _text(x: int, y: int, words: str, weight: str = "normal", anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" font-weight="{weight}" text-anchor="{anchor}">{escape(words)}</text>'
