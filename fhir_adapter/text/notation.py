"""How a text says what only the look of a document shows: one notation for every format.

| shown | written |
|---|---|
| struck-out words | `[struck out: Warfarin 5 mg]` |
| a box, ticked or not | `[x]`, `[ ]`; a round one `(x)`, `( )`; `[?]` where its state cannot be told |
| a power or a raised sign | `10^9`, `m^2`, `Ca^2+`; ordinals as they are (`1st`) |
| a raised number behind a word | `[1]`, the mark of a note |
| an index | as it is (`H2O`, `SpO2`); behind a number `5_2` |
| a list to choose from, with a choice | the choice |
| a list to choose from, without | `[no choice recorded: mild / severe]` |
| a prompt of an empty field | `[not filled in: Enter text]` |
| a formula | `[formula: 1/2]` |
| cells of a row | `Na | 140 | | ok` |

While lines are put together, struck-out words and the cell that names a row lie between noncharacters of
Unicode, which no input can bring along (`without_signs`); `resolved` writes the notation in their place and
says where it stands.
"""

import re

from summarizer.types import Mark, MarkKind

STRUCK, STRUCK_END = "\ufdd0", "\ufdd1"
HEAD, HEAD_END = "\ufdd2", "\ufdd3"
_STRUCK_WORDS = "[struck out: "

_SIGNS = re.compile("[\ufdd0-\ufdef]")
_ANY = re.compile("[\ufdd0-\ufdd3]")
_SPACE_BEHIND = re.compile("(?<![ \t])([ \t]*)([\ufdd0\ufdd2])[ \t]+")
_SPACE_BEFORE = re.compile("(?<![ \t])[ \t]+([\ufdd1\ufdd3])([ \t]*)")
_NOTHING = re.compile("\ufdd0([ \t]*)\ufdd1|\ufdd2([ \t]*)\ufdd3")
_GOES_ON = re.compile("\ufdd1([ \t]*)\ufdd0")

_RAISED_NUMBER = re.compile(r"[+\-\u2212\u2013]?\d{1,3}[+\-\u2212]?")
_RAISED_LETTER = re.compile(r"[A-Za-z]")
_BASE = re.compile(r"(?:\d|(?<![^\W_])[^\W\d_]{1,2})$")
_MAX_CHOICES = 20


def without_signs(text: str) -> str:
    """`text` of a document without the noncharacters that mean something here."""
    return text if text.isascii() else _SIGNS.sub("", text)


def visible(text: str) -> str:
    """A line in the making without the signs in it: for questions about its words."""
    return text if text.isascii() else _ANY.sub("", text)


def struck(text: str) -> str:
    """Struck-out words on their way into a line."""
    return f"{STRUCK}{text}{STRUCK_END}" if text.strip() else text


def head(text: str) -> str:
    """The cell that names its row, on its way into a line."""
    return f"{HEAD}{text}{HEAD_END}" if text else text


def resolved(text: str) -> tuple[str, list[Mark]]:
    """A line with its notation written out, and the marks in it with offsets into the line.

    Signs without a partner, or around nothing, are dropped; struck-out pieces that only white space parts are
    one.
    """
    if text.isascii() or _ANY.search(text) is None:
        return text, []
    text = _tidy(text)
    pieces: list[str] = []
    marks: list[Mark] = []
    opened: dict[str, int] = {}
    length = at = 0
    for sign in _ANY.finditer(text):
        piece = text[at : sign.start()]
        at = sign.end()
        length += len(piece)
        pieces.append(piece)
        match sign.group():
            case "\ufdd0" if STRUCK not in opened and STRUCK_END in text[at:]:
                opened[STRUCK] = length
                pieces.append(_STRUCK_WORDS)
                length += len(_STRUCK_WORDS)
            case "\ufdd1" if STRUCK in opened:
                pieces.append("]")
                length += 1
                marks.append(Mark(opened.pop(STRUCK), length, MarkKind.STRIKE))
            case "\ufdd2":
                opened[HEAD] = length
            case "\ufdd3" if HEAD in opened:
                marks.append(Mark(opened.pop(HEAD), length, MarkKind.ROW_HEAD))
    pieces.append(text[at:])
    return "".join(pieces), sorted(marks, key=lambda mark: (mark.start, -mark.end))


def _tidy(text: str) -> str:
    """White space out of the signs, nothing between them that is nothing."""
    text = _GOES_ON.sub(r"\1", text)
    text = _SPACE_BEHIND.sub(lambda found: (found[1] or (" " if found.start() else "")) + found[2], text)
    text = _SPACE_BEFORE.sub(lambda found: found[1] + (found[2] or " "), text)
    return _NOTHING.sub(lambda found: found[1] or found[2] or "", text)


def raised(before: str, words: str) -> str:
    """What a superscript is written as.

    Args:
        before: what stands on the line in front of it (its last characters are enough).
        words: the superscript, white space folded.
    """
    base = visible(before).rstrip()
    if _RAISED_NUMBER.fullmatch(words):
        return f"^{words}" if _BASE.search(base) else f"[{words}]"
    if _RAISED_LETTER.fullmatch(words) and base[-1:].isdigit():
        return f"^{words}"
    return words


def lowered(before: str, words: str) -> str:
    """What a subscript is written as; arguments as for `raised`."""
    return f"_{words}" if words[:1].isdigit() and visible(before)[-1:].isdigit() else words


def parts_from(script: str, following: str) -> bool:
    """Whether a space keeps a super- or subscript, as written, from becoming one with what follows it."""
    if script[-1:].isdigit():
        return following[:1].isdigit()
    return script[-1:] == "]" and following[:1].isalnum()


def box(ticked: bool | None) -> str:
    """A check box; None where its state cannot be told."""
    return "[?]" if ticked is None else "[x]" if ticked else "[ ]"


def radio(chosen: bool | None) -> str:
    """A radio button; None where its state cannot be told."""
    return "(?)" if chosen is None else "(x)" if chosen else "( )"


def no_choice(choices: list[str]) -> str:
    """A list of choices of which the document does not say which was made."""
    shown = " / ".join(choices[:_MAX_CHOICES]) + (" / …" if len(choices) > _MAX_CHOICES else "")
    return f"[no choice recorded: {shown}]" if choices else "[no choice recorded]"


def not_filled_in(prompt: str) -> str:
    """The prompt that stands in a field while nobody has filled it in."""
    return f"[not filled in: {prompt}]"


def formula(words: str) -> str:
    """A formula that a document holds as an instruction."""
    return f"[formula: {words}]" if words else ""
