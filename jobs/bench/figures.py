"""One speed beside another, as a table, a picture and a history show it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One speed.

    Attributes:
        name: what was measured.
        value: how fast, in `unit`; None for what is not installed.
        ratio: to the figure named `beside`; None likewise.
    """

    name: str
    value: float | None
    unit: str
    ratio: float | None
    beside: str

    def to_json(self) -> dict[str, Any]:
        """The line that `--json` prints."""
        return asdict(self)

    def cells(self) -> tuple[str, str, str, str, str]:
        """The row of a table: name, value, unit, ratio, and what it is a ratio to."""
        if self.value is None or self.ratio is None:
            return (self.name, "not installed", "", "", "")
        return (self.name, f"{self.value:.1f}", self.unit, f"{self.ratio:.2f}", self.beside)
