"""The runs of one line: words with the look that changes what they say."""

from fhir_adapter.text.notation import STRUCK, STRUCK_END, lowered, parts_from, raised, visible, without_signs

_LONGEST_SCRIPT = 24


class Runs:
    """Collects the runs of a line and writes strike-out, superscripts and subscripts into it.

    Neighbours of one look are one, however many runs a program made of them.

    Attributes:
        worded: the line holds more than white space.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._script: list[str] = []
        self._raised = False
        self._struck = False
        self._bold = True
        self._end = ""
        self.worded = False

    def __bool__(self) -> bool:
        """Whether anything was added, white space too."""
        return bool(self._parts or self._script)

    def add(self, text: str, struck: bool = False, bold: bool = False, script: int = 0) -> None:
        """Adds a run.

        Args:
            text: characters of one line.
            struck: a line goes through it.
            bold: it is set in bold.
            script: above 0 for a superscript, below for a subscript.
        """
        text = without_signs(text)
        if not text:
            return
        if self._script and (not script or self._raised != (script > 0)):
            self._end_script()
        if not text.isspace():
            self._strike(struck)
            self._bold &= bold
            self.worded = True
        if script:
            self._raised = script > 0
            self._script.append(text)
        else:
            self._put(text)

    def tail(self, characters: int) -> str:
        """The last characters of the line so far, without signs."""
        self._end_script()
        return visible("".join(self._parts[-6:]))[-characters:]

    def take(self) -> tuple[str, bool]:
        """The line, and whether all of it is bold; begins a new one."""
        self._end_script()
        self._strike(struck=False)
        text = "".join(self._parts)
        bold = self._bold and self.worded
        self._parts, self._bold, self._end, self.worded = [], True, "", False
        return text, bold

    def _strike(self, struck: bool) -> None:
        if struck != self._struck:
            self._end_script()
            self._struck = struck
            self._parts.append(STRUCK if struck else STRUCK_END)

    def _put(self, text: str) -> None:
        if self._end:
            if parts_from(self._end, text):
                self._parts.append(" ")
            self._end = ""
        self._parts.append(text)

    def _end_script(self) -> None:
        if not self._script:
            return
        whole = "".join(self._script)
        self._script = []
        words = " ".join(whole.split())
        if not words or len(words) > _LONGEST_SCRIPT:
            self._put(whole)
            return
        before = "".join(self._parts[-6:])[-_LONGEST_SCRIPT:]
        written = (raised if self._raised else lowered)(before, words)
        margin = len(whole) - len(whole.lstrip())
        self._put(whole[:margin] + written + (" " if whole[-1].isspace() else ""))
        self._end = written
