"""Groups of an RTF file: what holds between a brace and its partner."""

from dataclasses import dataclass

_SCRIPTS = {"super": 1, "sub": -1, "nosupersub": 0, "up": 1, "dn": -1}
LOOKS = frozenset({"strike", "striked", "b", *_SCRIPTS})
"""Words that change the look of what follows."""


@dataclass(slots=True)
class Group:
    """What a group inherits from the one around it, and what it changes for itself.

    `skip`: nothing here is shown, because of the group that starts at `skipped_from`.
    `apart`: the destination whose flow ends with this group.
    `script`: above 0 for a superscript, below for a subscript.
    """

    start: int = -1
    destination: str = ""
    skip: bool = False
    skipped_from: int = -1
    skipped_as: str = ""
    hidden: bool = False
    font: int | None = None
    struck: bool = False
    bold: bool = False
    script: int = 0
    fallback: int = 1
    table: int = 0
    apart: str = ""

    def look(self, word: str, on: bool) -> None:
        """One of the words of `LOOKS`."""
        if word == "b":
            self.bold = on
        elif word in _SCRIPTS:
            self.script = _SCRIPTS[word] if on else 0
        else:
            self.struck = on

    def plain(self, font: int | None) -> None:
        r"""`\plain`: the look of the document's default."""
        self.hidden, self.font = False, font
        self.struck, self.bold, self.script = False, False, 0
