r"""Fields of an RTF file that are open: form fields as they are filled in, others by their instruction.

Source: Word 2007 RTF Specification 1.9.1, "Fields" and "Form Fields".
"""

from dataclasses import dataclass, field

from fhir_adapter.text.fields import field_words
from fhir_adapter.text.notation import box, no_choice

HEARD = frozenset({"fldinst", "ffl"})
"""Destinations whose text is not shown but says what a field shows."""

FORM_WORDS = {"fftype": 0, "ffres": 1, "ffdefres": 2}
_CHECK_BOX, _DROP_DOWN, _UNSET = 1, 2, 25  # values of \fftype; \ffres25 says that nobody has chosen
_MAX_FIELDS = 1_000
_MAX_INSTRUCTION = 4_000


@dataclass(slots=True)
class _Field:
    """A field: how deep its group lies, what was shown before it, its instruction and choices.

    `form` holds the type, the result and the default of a form field, `choices` what it offers.
    """

    depth: int
    shown: int
    instruction: str = ""
    form: list[int] = field(default_factory=lambda: [-1, _UNSET, 0])
    choices: list[str] = field(default_factory=list)


class OpenFields:
    """The fields around the place that is being read, the innermost last.

    Attributes:
        lacking: fields whose words are not in the document.
    """

    def __init__(self) -> None:
        self.lacking = 0
        self._open: list[_Field] = []

    def begin(self, depth: int, shown: int) -> None:
        r"""A group of that depth says `\field`; `shown` counts the pieces of text before it."""
        if len(self._open) < _MAX_FIELDS:
            self._open.append(_Field(depth, shown))

    def form_word(self, word: str, number: int) -> None:
        """One of `FORM_WORDS`."""
        if self._open:
            self._open[-1].form[FORM_WORDS[word]] = number

    def choice(self) -> None:
        """The next entry of a drop-down list begins."""
        if self._open:
            self._open[-1].choices.append("")

    def hear(self, destination: str, text: str) -> None:
        """Text inside one of the destinations of `HEARD`."""
        if not self._open:
            return
        heard = self._open[-1]
        if destination == "fldinst" and len(heard.instruction) < _MAX_INSTRUCTION:
            heard.instruction += text
        elif destination == "ffl" and heard.choices:
            heard.choices[-1] = (heard.choices[-1] + text)[:_MAX_INSTRUCTION]

    def end(self, depth: int, shown: int, hidden: bool) -> str:
        """What has to be written where the group of that depth ends; "" unless it is that of a field."""
        if not self._open or self._open[-1].depth <= depth:
            return ""
        ended = self._open.pop()
        return "" if hidden else self._words(ended, shown)

    def _words(self, ended: _Field, shown: int) -> str:
        kind, result, default = ended.form
        result = default if result == _UNSET else result
        if kind == _CHECK_BOX:
            return box(bool(result)) + " "
        if shown > ended.shown:
            return ""
        if kind == _DROP_DOWN:
            made = 0 <= result < len(ended.choices)
            return ended.choices[result] if made else no_choice(ended.choices)
        words = field_words(ended.instruction) if ended.instruction.strip() else ""
        self.lacking += words is None
        return words or ""
