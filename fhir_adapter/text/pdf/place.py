"""From a page's own coordinates to the upright page's: points, y growing downwards."""

import math

import pypdfium2 as pdfium

_UPRIGHT = math.radians(4)
_FARTHEST = 1e6
Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class Turn:
    """How a page is turned before anybody reads it."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        left, bottom, right, top = (finite(place) for place in page.get_bbox())
        self._left, self._bottom, self._right, self._top = left, bottom, right, top
        self.rotation = page.get_rotation() % 360
        wide, high = right - left, top - bottom
        self.width, self.height = (high, wide) if self.rotation in (90, 270) else (wide, high)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the page as the reader sees it."""
        x, y = finite(x), finite(y)
        if self.rotation == 90:
            return y - self._bottom, x - self._left
        if self.rotation == 180:
            return self._right - x, y - self._bottom
        if self.rotation == 270:
            return self._top - y, self._right - x
        return x - self._left, self._top - y

    def area(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """A rectangle of the page as the reader sees it: left, upper, right and lower end."""
        (x0, y0), (x1, y1) = self.point(left, bottom), self.point(right, top)
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    def upright(self, angle: float) -> bool:
        """Whether text at this angle (radians, counter-clockwise) runs left to right for the reader."""
        turned = (angle - math.radians(self.rotation)) % (2 * math.pi)
        return turned < _UPRIGHT or turned > 2 * math.pi - _UPRIGHT


def finite(place: float) -> float:
    """Damaged files place things nowhere, or light years away."""
    return min(max(place, -_FARTHEST), _FARTHEST) if math.isfinite(place) else 0.0


def product(first: Matrix, then: Matrix) -> Matrix:
    """What two transformations, one after the other, do together."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (
        a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m,
    )  # fmt: skip
