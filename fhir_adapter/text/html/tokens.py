"""HTML tokens by the rules of the HTML standard (section 13.2.5, Tokenization), from our own code.

Why not a library: the text that offsets point into must be the same everywhere and for years, and parsers
change what they make of broken markup between releases; some also stop at a zero byte or at a depth, and lose
the rest. This one reads every character once, so that time and memory are linear in the input, whatever the
input.

It departs from the standard where that would lose what a person wrote: `<` in front of something that is no
tag (`WBC <normal`) stays text, and a CDATA section is text.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from fhir_adapter.text.html import elements
from fhir_adapter.text.notation import without_signs

_NAME = re.compile(r"<(/?)([A-Za-z][^\s/<>]*)")
_BARE_END = re.compile(r"\s*/?>")
_GAP = re.compile(r"[\s/]*")
_ATTRIBUTE = re.compile(r"([^\s/>][^\s/>=]*)(\s*=\s*)?")
_UNQUOTED = re.compile(r"[^\s>]*")
_END_NAMES = re.compile(r"</([A-Za-z][^\s/<>]*)")
_LONG_REFERENCE = re.compile(r"&#(?:[xX]0*([0-9a-fA-F]{7,})|0*([0-9]{8,}));?")


@dataclass(slots=True)
class Tag:
    """A start or end tag; names in lower case without a namespace prefix that means XHTML."""

    name: str
    end: bool = False
    attributes: dict[str, str] = field(default_factory=dict)
    closed: bool = False


class Tokenizer:
    """Gives text (character references resolved) and tags in document order.

    Attributes:
        unread: characters of a script, style or comment that is never closed: a browser shows none of them.
    """

    def __init__(self, markup: str) -> None:
        self.unread = 0
        self._markup = without_signs(markup.replace("\0", ""))
        self._position = 0
        self._end_names: frozenset[str] | None = None
        self._unclosed: set[str] = set()
        self._quotes = self._subsets = True
        self._no_more_tags = False

    def mentions(self, word: str) -> bool:
        """Whether a word stands anywhere in the markup."""
        return word in self._markup or word in self._markup.lower()

    def __iter__(self) -> Iterator[str | Tag]:
        markup, length = self._markup, len(self._markup)
        while self._position < length:
            start = self._position
            less = markup.find("<", start)
            if less < 0 or self._no_more_tags:
                yield resolved(markup[start:])
                return
            if less > start:
                yield resolved(markup[start:less])
            self._position = less
            yield from self._at_less_than()

    def _at_less_than(self) -> Iterator[str | Tag]:
        markup, at = self._markup, self._position
        match = _NAME.match(markup, at)
        if match:
            tag = self._tag(match)
            if tag is None:
                self._position = at + 1
                yield "<"
                return
            if tag.end or tag.closed or tag.name not in elements.OPAQUE:
                yield tag
            else:
                yield from self._opaque(tag)
        elif markup.startswith("<!--", at):
            self._skip_comment()
        elif markup.startswith("<![CDATA[", at):
            end = markup.find("]]>", at)
            yield markup[at + 9 : end if end >= 0 else None]
            self._position = end + 3 if end >= 0 else len(markup)
        elif markup.startswith(("<!", "<?", "</"), at):
            yield from self._bogus_comment()
        else:
            self._position = at + 1
            yield "<"

    def _tag(self, match: re.Match[str]) -> Tag | None:
        """The tag at a `<` and a letter, moving behind it; None where it is text after all."""
        markup, name = self._markup, match[2].lower()
        if name.startswith(("html:", "xhtml:")):
            name = name.partition(":")[2]
        tag = Tag(name, end=bool(match[1]))
        bare = _BARE_END.match(markup, match.end())
        tag.closed = bare is not None and markup[bare.end() - 2] == "/"
        if not (tag.end or tag.closed or self._is_element(name)):
            return None
        end = bare.end() if bare else self._attributes(match.end(), tag)
        if end == 0:
            return None
        self._position = end
        return tag

    def _attributes(self, at: int, tag: Tag) -> int:
        """Reads attributes into the tag; gives the position behind `>`, or 0 where none follows."""
        markup = self._markup
        while self._quotes:
            gap = _GAP.match(markup, at)
            at = gap.end() if gap else at
            attribute = _ATTRIBUTE.match(markup, at)
            if attribute is None:
                if at < len(markup):
                    tag.closed = gap is not None and gap[0].endswith("/")
                    return at + 1
                self._quotes = False
                break
            at, value = attribute.end(), ""
            if attribute[2]:
                quote = markup[at : at + 1]
                stop = markup.find(quote, at + 1) if quote in ('"', "'") else -1
                if stop >= 0:
                    value, at = markup[at + 1 : stop], stop + 1
                elif quote in ('"', "'"):
                    # A quote that never closes would swallow the rest: from here on quotes mean nothing.
                    self._quotes = False
                    break
                else:
                    unquoted = _UNQUOTED.match(markup, at)
                    value, at = (unquoted[0], unquoted.end()) if unquoted else ("", at)
            tag.attributes.setdefault(attribute[1].lower(), resolved(value))
        end = markup.find(">", at)
        self._no_more_tags = end < 0
        return end + 1

    def _is_element(self, name: str) -> bool:
        """False for `<` before an ordinary word, as in `K <normal range`: unknown, and never closed."""
        if name in elements.KNOWN or ":" in name or "-" in name:
            return True
        if self._end_names is None:
            self._end_names = frozenset(found.lower() for found in _END_NAMES.findall(self._markup))
        return name in self._end_names

    def _opaque(self, tag: Tag) -> Iterator[str | Tag]:
        """An element in which tags mean nothing: its start and content, up to its end tag."""
        name, start = tag.name, self._position
        if name == "plaintext":
            yield tag
            yield self._markup[start:]
            self._position = len(self._markup)
            return
        close = None
        if name not in self._unclosed:
            close = re.compile(rf"</{name}(?=[\s/>])", re.I).search(self._markup, start)
        if close is not None:
            yield tag
            if close.start() > start:
                content = self._markup[start : close.start()]
                yield content if name in elements.RAW else resolved(content)
            self._position = close.start()
            return
        self._unclosed.add(name)
        if name in ("script", "style"):
            self.unread += len(self._markup) - start
            self._position = len(self._markup)
        # Any other that is never closed (a title, a text area) would swallow the note: its tag is passed
        # over.

    def _skip_comment(self) -> None:
        markup, at = self._markup, self._position + 4
        for short in (">", "->"):
            if markup.startswith(short, at):
                self._position = at + len(short)
                return
        end = re.compile(r"--!?>").search(markup, at)
        if end is None:
            self.unread += len(markup) - self._position
        self._position = end.end() if end else len(markup)

    def _bogus_comment(self) -> Iterator[str]:
        """Declarations, processing instructions, conditional comments, end tags of nothing."""
        markup, at = self._markup, self._position
        end = markup.find(">", at)
        subset = markup.find("[", at, end if end >= 0 else at)
        if subset >= 0 and self._subsets and markup[at : at + 9].lower() == "<!doctype":
            close = re.compile(r"\]\s*>").search(markup, subset)
            self._subsets = close is not None
            end = close.end() - 1 if close else end
        if end < 0:
            self._no_more_tags = True
            self._position = at + 1
            yield "<"
        else:
            self._position = end + 1


def resolved(text: str) -> str:
    """The text with its character references replaced; gives no surrogate, whatever the number."""
    if "&" not in text:
        return text
    if "&#" in text:
        text = _LONG_REFERENCE.sub("\ufffd", text)
    return html.unescape(text)
