r"""Escape sequences of HL7 version 2 that were left in a text when it was taken out of its message.

`\.br\` ends a line, `\T\` is an ampersand, `\H\` begins highlighted words. A backslash is also a letter of
paths and of what people type (`II\XII`), so escapes are read only where the text proves that it has them: a
formatting command, a pair of highlights, or the escape of a delimiter in a text without any path.
Source: HL7 version 2.5.1, section 2.7 (Use of escape sequences in text fields).
"""

import re
from collections.abc import Callable

_COMMAND = re.compile(r"\\\.(?:br|sp|ce|fi|nf|in|ti|sk)[ ]?[+-]?\d{0,3}\\", re.IGNORECASE)
_HIGHLIGHT = re.compile(r"\\H\\[^\\]{1,2000}\\N\\")
_DELIMITER = re.compile(r"\\[FSTR]\\")
_PATH = re.compile(r":\\|\\\\")
_ESCAPE = re.compile(
    r"\\(?:\.(br|sp|ce|fi|nf|in|ti|sk)[ ]?([+-]?\d{0,3})|([FSTREHN])|X((?:[0-9A-F]{2}){1,200})"
    r"|[CM][0-9A-F]{4,6})\\(\r?\n)?",
    re.IGNORECASE,
)
_LETTERS = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\", "H": "", "N": ""}
_LINE_ENDS = frozenset(("br", "ce", "sp"))
_MOST_LINES = 5


def has_escapes(text: str) -> bool:
    """Whether a text proves that it holds escape sequences."""
    if "\\" not in text:
        return False
    if _COMMAND.search(text) or _HIGHLIGHT.search(text):
        return True
    return _DELIMITER.search(text) is not None and _PATH.search(text) is None


def unescaped(text: str, put: Callable[[str], str] = str) -> str:
    """`text` with its escape sequences as what they stand for; `put` writes what comes in (as HTML, say)."""

    def written(found: re.Match[str]) -> str:
        command, size, letter, codes, following = found.groups()
        if command:
            return put(_line_ends(command.lower(), size)) or put(following or "")
        if letter:
            return put(_LETTERS[letter.upper()] + (following or ""))
        return put(_characters(codes or "") + (following or ""))

    return _ESCAPE.sub(written, text)


def _line_ends(command: str, size: str) -> str:
    """What a formatting command leaves: line ends, or blanks for a skip to the right."""
    number = int(size) if size.isdecimal() else 1
    if command == "sk":
        return " " * min(number, 40)
    return "\n" * (min(number, _MOST_LINES) if command == "sp" else 1) if command in _LINE_ENDS else ""


def _characters(codes: str) -> str:
    data = bytes.fromhex(codes)
    for encoding in ("utf-8", "cp1252", "latin-1"):
        try:
            return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    return ""
