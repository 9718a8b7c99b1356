"""Elements that a style shows as others: rows and cells of spans and blocks, spans on lines of their own."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from fhir_adapter.text.html.css import StyleSheet
from fhir_adapter.text.html.tokens import Tag

_CHANGED = frozenset("span div p label a section".split())
"""What has no meaning of its own beside its style."""
_BLOCKS = frozenset("div p section".split())
_DISPLAY = re.compile(r"(?:^|;)\s*display\s*:\s*([a-z-]{1,20})", re.I)
_SHOWN_AS = {
    "table": "table",
    "table-row": "tr",
    "table-cell": "td",
    "table-header-group": "thead",
    "table-row-group": "tbody",
    "table-caption": "caption",
    "block": "div",
    "flex": "div",
    "grid": "div",
    "list-item": "div",
    "inline-block": "output",
}
"""`output` is an element whose words stand apart from those beside it."""


class Displayed:
    """The tokens of a document with such elements under the names of what they are shown as.

    The rules of `style` elements are taken up as they are passed.
    """

    def __init__(self, tokens: Iterable[str | Tag], styles: StyleSheet) -> None:
        self._tokens, self._styles = tokens, styles
        self._open: dict[str, list[str]] = {}
        self._in_style = False

    def __iter__(self) -> Iterator[str | Tag]:
        for token in self._tokens:
            if isinstance(token, str):
                if self._in_style:
                    self._styles.add(token)
                yield token
                continue
            if token.name == "style":
                self._in_style = not token.end
            if token.name in _CHANGED:
                token = self._end(token) if token.end else self._start(token)
            yield token

    def _start(self, tag: Tag) -> Tag:
        name = self._shown_as(tag)
        if tag.closed:
            return replace(tag, name=name)
        if name != tag.name or self._open.get(tag.name):
            self._open.setdefault(tag.name, []).append(name)
        return replace(tag, name=name) if name != tag.name else tag

    def _end(self, tag: Tag) -> Tag:
        names = self._open.get(tag.name)
        return replace(tag, name=names.pop()) if names else tag

    def _shown_as(self, tag: Tag) -> str:
        style = tag.attributes.get("style", "")
        found = _DISPLAY.search(style) if "display" in style.lower() else None
        display = found[1].lower() if found else self._styles.display(tag) if self._styles else ""
        name = _SHOWN_AS.get(display, tag.name)
        # A block stays what it is, unless it is a part of a table or stands in a line.
        return tag.name if tag.name in _BLOCKS and name == "div" else name
