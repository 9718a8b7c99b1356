"""Elements that a style shows as others: rows and cells of spans and blocks, spans on lines of their own."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fhir_adapter.text.html.css import StyleSheet, display_of
from fhir_adapter.text.html.tokens import Tag, Tokenizer

_CHANGED = frozenset("span div p label a section".split())
"""What has no meaning of its own beside its style."""
_BLOCKS = frozenset("div p section".split())
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


def displayed(tokens: Tokenizer, styles: StyleSheet) -> Iterable[str | Tag]:
    """The tokens of a document with such elements under the names of what they are shown as.

    `styles` are those of the document, as far as it has been read.
    """
    return _Displayed(styles).of(tokens) if tokens.mentions("display") else tokens


class _Displayed:
    """The open elements of a document that are shown as others, by their own names."""

    def __init__(self, styles: StyleSheet) -> None:
        self._styles = styles
        self._open: dict[str, list[str]] = {}

    def of(self, tokens: Iterable[str | Tag]) -> Iterator[str | Tag]:
        for token in tokens:
            if isinstance(token, Tag) and token.name in _CHANGED:
                yield self._end(token) if token.end else self._start(token)
            else:
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
        display = display_of(tag.attributes.get("style", "")) or self._styles.look(tag).display
        name = _SHOWN_AS.get(display, tag.name)
        # A block stays what it is, unless it is a part of a table or stands in a line.
        return tag.name if tag.name in _BLOCKS and name == "div" else name
