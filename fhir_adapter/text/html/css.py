"""As much of style sheets as changes what a reader takes from words: strike-out, bold, symbols, rows.

Rules of a `style` element count where their selector is a class, an id, an element, or an element with one of
both, behind other elements or alone (`td .old`): what struck-out text, bold heads and symbol fonts of
exported notes are written with. What a style sheet hides is shown all the same: a script may have meant to
open it.
"""

import re
from dataclasses import dataclass, replace

from fhir_adapter.text.html import elements
from fhir_adapter.text.html.tokens import Tag
from fhir_adapter.text.symbols import symbol_font

_MAX_CHARACTERS = 200_000
_MAX_RULES = 5_000
_SELECTOR = re.compile(
    r"(?:[a-zA-Z][a-zA-Z0-9]{0,20}[ >]{1,3}){0,5}([a-zA-Z][a-zA-Z0-9]{0,20})?([.#][\w-]{1,80})?"
)
_DISPLAY = re.compile(r"(?:^|;)\s*display\s*:\s*((?!none)[a-z-]{1,20})", re.I)
_STRUCK = re.compile(r"(?:^|;)\s*text-decoration(?:-line)?\s*:[^;]*line-through", re.I)
_BOLD = re.compile(r"(?:^|;)\s*(?:font-weight\s*:\s*(?:bold|[6-9]00)|font\s*:[^;]*\bbold\b)", re.I)
_NOT_BOLD = re.compile(r"(?:^|;)\s*font-weight\s*:\s*(?:normal|[1-5]00)", re.I)
_RAISED = re.compile(r"(?:^|;)\s*vertical-align\s*:\s*(super|sub)\b", re.I)
_HIDING_STYLE = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all)", re.I
)
_PRE_STYLE = re.compile(r"(?:^|;)\s*white-space\s*:\s*(?:pre|break-spaces)", re.I)
_FAMILY = re.compile(r"(?:^|;)\s*font(-family)?\s*:([^;]*)", re.I)


@dataclass(frozen=True, slots=True)
class Look:
    """What a declaration block says; None where it says nothing of it.

    Attributes:
        struck: a line goes through the words.
        font: as `symbols.symbol_font` names it, "" for a font of letters.
        raised: True for a superscript, False for a subscript.
        display: how a rule lays it out, "" where none says so.
    """

    struck: bool = False
    bold: bool | None = None
    font: str | None = None
    raised: bool | None = None
    display: str = ""

    def over(self, other: "Look") -> "Look":
        """This one where it says something, else the other."""
        return Look(
            self.struck or other.struck,
            other.bold if self.bold is None else self.bold,
            other.font if self.font is None else self.font,
            other.raised if self.raised is None else self.raised,
            self.display or other.display,
        )


NOTHING = Look()


def look(style: str) -> Look:
    """What a `style` attribute or the body of a rule says."""
    if not style:
        return NOTHING
    bold = True if _BOLD.search(style) else False if _NOT_BOLD.search(style) else None
    family, raised = _FAMILY.search(style), _RAISED.search(style)
    return Look(
        _STRUCK.search(style) is not None,
        bold,
        _font(family) if family else None,
        raised[1].lower() == "super" if raised else None,
    )


def display_of(style: str) -> str:
    """How a `style` attribute or the body of a rule lays an element out, "" where it does not say."""
    found = _DISPLAY.search(style) if "display" in style.lower() else None
    return found[1].lower() if found else ""


def _font(declaration: re.Match[str]) -> str | None:
    """The symbol font that a `font` or `font-family` names first."""
    names = declaration[2]
    if not declaration[1]:
        # The shorthand: the family is what follows the size.
        names = re.split(r"\d(?:\.\d+)?(?:pt|px|em|rem|%|ex)(?:/\S+)?\s", names, maxsplit=1)[-1]
    first = names.partition(",")[0].strip().strip("\"'")
    return symbol_font(first) if first else None


class StyleSheet:
    """The rules of a document's `style` elements as far as they matter here."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str, str], Look] = {}
        self._left = _MAX_CHARACTERS

    def __bool__(self) -> bool:
        """Whether any rule says something."""
        return bool(self._rules)

    def add(self, css: str) -> None:
        """Takes the content of a `style` element."""
        css, self._left = css[: self._left], max(self._left - len(css), 0)
        first, *others = css.split("/*")
        css = first + "".join(other.partition("*/")[2] for other in others)
        for rule in css.split("}")[:_MAX_RULES]:
            selectors, _, body = rule.rpartition("{")
            found = replace(look(body), display=display_of(body))
            if found == NOTHING:
                continue
            for selector in selectors.rpartition("{")[2].split(","):
                match = _SELECTOR.fullmatch(selector.strip())
                if match and match[0]:
                    key = (match[1] or "").lower(), match[2] or ""
                    self._rules[key] = found.over(self._rules.get(key, NOTHING))

    def look(self, tag: Tag) -> Look:
        """What the rules say of an element, by its name, its classes and its id."""
        if not self._rules:
            return NOTHING
        found = self._rules.get((tag.name, ""), NOTHING)
        marks = [f".{each}" for each in tag.attributes.get("class", "").split()[:20]]
        for mark in (*marks, f"#{tag.attributes.get('id', '')}"):
            for key in (("", mark), (tag.name, mark)):
                if key in self._rules:
                    found = self._rules[key].over(found)
        return found


def keeps_space(style: str) -> bool:
    """Whether a `style` attribute keeps white space as it stands."""
    return bool(style) and _PRE_STYLE.search(style) is not None


def is_hidden(tag: Tag) -> bool:
    """Whether a browser shows nothing of an element."""
    if tag.name in elements.HIDDEN or "hidden" in tag.attributes:
        return True
    if tag.name == "option":
        return "selected" not in tag.attributes
    style = tag.attributes.get("style")
    return style is not None and _HIDING_STYLE.search(style) is not None
