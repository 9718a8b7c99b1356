"""Forms in an HTML document: boxes, and lists to choose from."""

from dataclasses import dataclass, field

from fhir_adapter.text import notation
from fhir_adapter.text.html.tokens import Tag

BOX_ROLES = frozenset(("checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"))
_SHOWN_INPUTS = frozenset(
    ("text", "number", "date", "time", "datetime-local", "month", "week", "email", "tel", "url", "search")
)


def input_words(tag: Tag) -> str:
    """What an `input` shows: a box, or its value."""
    kind = tag.attributes.get("type", "text").lower()
    if kind in ("checkbox", "radio"):
        shown = notation.box if kind == "checkbox" else notation.radio
        return shown("checked" in tag.attributes) + " "
    return tag.attributes.get("value", "") if kind in _SHOWN_INPUTS else ""


def box_of_role(tag: Tag) -> str:
    """A box that a page draws for itself and describes to screen readers (WAI-ARIA 1.2, `aria-checked`)."""
    if tag.attributes.get("role", "") not in BOX_ROLES:
        return ""
    state = {"true": True, "false": False}.get(tag.attributes.get("aria-checked", "").lower())
    return (notation.radio if tag.attributes["role"].endswith("radio") else notation.box)(state) + " "


@dataclass(slots=True)
class Choices:
    """Lists to choose from that are open: what each offers, and whether the document says what was chosen.

    Attributes:
        unstated: lists of which no choice is recorded.
    """

    unstated: int = 0
    _offered: list[list[str]] = field(default_factory=list)
    _made: list[bool] = field(default_factory=list)

    def begin(self) -> str:
        """A list begins; gives what parts it from what stands before."""
        self._offered.append([])
        self._made.append(False)
        return " "

    def offer(self, words: str) -> None:
        """Words of a choice that is not made."""
        if self._offered:
            self._offered[-1].append(" ".join(words.split()))

    def make(self) -> str:
        """A choice that is made begins; gives what parts it from the one before."""
        if not self._made:
            return " "
        before, self._made[-1] = self._made[-1], True
        return ", " if before else " "

    def end(self) -> str:
        """A list ends; where no choice is recorded it names its choices (a browser would show the first)."""
        offered = [each for each in self._offered.pop() if each]
        if self._made.pop() or not offered:
            return " "
        self.unstated += 1
        return f" {notation.no_choice(offered)} "
