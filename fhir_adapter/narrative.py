"""XHTML narratives built from text by an XML library, never by string formatting.

A sentence is shown with its white space folded: a line end of the note inside it is one blank, as browsers
show it anyway. XML 1.0 (section 2.2) cannot hold most control characters; `printable` maps each of them to
one visible stand-in, and is the identity on everything else.

A list of sentences has one item for each sentence, in which it stands with its context, in the order of the
note. Inside an item `i` is a piece of context, so that it looks like one where a style sheet is missing, and
`span` is the sentence. Where rules found the lines, `b` before them says which rule and how many of its lines
are shown: in our words, as nothing else in a list is.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

XHTML = "http://www.w3.org/1999/xhtml"
CAVEAT = "Word for word from the note; picked by a machine; not checked: whether these are the right ones."
"""What is said wherever sentences are shown: what an audit proves, and what it cannot."""

_CONTROL_PICTURES = 0x2400
_STAND_INS: dict[int, int] = {
    **{code: _CONTROL_PICTURES + code for code in range(0x20) if code not in (0x09, 0x0A)},
    0xFFFE: 0xFFFD,
    0xFFFF: 0xFFFD,
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
}


_NSMAP: Any = {None: XHTML}
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


_CONTEXT_CLASS = re.compile(r"context ([a-z-]+)", re.ASCII)
_XML_SPACE = " \t\r\n"
_XML_SPACES = re.compile(f"[{_XML_SPACE}]+")

FORM = 2
"""How lists of sentences are written now. In form 1, of versions before context was shown, an item is one
sentence with the white space of the note, and carries the id itself."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the note in an item of a list.

    Attributes:
        anchor: its id, as offsets link to it; "" where it has none.
        kind: of context; "" for the sentence itself.
    """

    anchor: str
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class SentenceList:
    """What a narrative shows, read back.

    Attributes:
        items: in the order shown, each with its pieces in their order.
        heads: our words before each item, where rules found the lines.
        form: 1 or 2; 0 where there is no item.
        plain: it is one list as `sentence_list` (or its predecessor) writes it, and nothing else. Markup and
            attributes can hide, strike out or renumber a sentence without touching its text.
    """

    items: tuple[tuple[Piece, ...], ...]
    form: int
    plain: bool
    heads: tuple[str, ...] = ()


def printable(text: str) -> str:
    """Returns `text` in the same length, with stand-ins for CR and the characters that XML cannot hold."""
    return text.translate(_STAND_INS)


def displayed(text: str) -> str:
    """Returns `text` as a narrative shows it: each run of white space as one blank, none at its ends."""
    return printable(" ".join(text.split()))


def folded(text: str) -> str:
    """What a narrative shows as a reader sees it: white space of XML folded; no-break spaces stay."""
    return _XML_SPACES.sub(" ", text).strip(_XML_SPACE)


def _div(language: str) -> Any:
    return etree.Element(
        f"{{{XHTML}}}div",
        {"lang": language, _XML_LANG: language},
        nsmap=_NSMAP,
    )


def paragraph(text: str, language: str = "en") -> dict[str, str]:
    """A generated Narrative of one paragraph in English.

    Args:
        text: in English, as all our own words are.
        language: of the resource, which R4 wants its narrative to share.
    """
    div = _div(language)
    inner = {} if language == "en" else {"lang": "en", _XML_LANG: "en"}
    etree.SubElement(div, f"{{{XHTML}}}p", inner).text = printable(text)
    return {"status": "generated", "div": etree.tostring(div, encoding="unicode")}


def sentence_list(items: Iterable[Sequence[Piece]], language: str) -> dict[str, str]:
    """A generated Narrative with one list item for each sentence and its context, in form 2."""
    div = _div(language)
    ol = etree.SubElement(div, f"{{{XHTML}}}ol")
    for pieces in items:
        li = etree.SubElement(ol, f"{{{XHTML}}}li")
        shown = [_element(li, piece) for piece in pieces]
        for element in shown[:-1]:
            element.tail = " "
    return {"status": "generated", "div": etree.tostring(div, encoding="unicode")}


def ruled_list(items: Iterable[tuple[str, Sequence[Piece]]], language: str) -> dict[str, str]:
    """As `sentence_list`, with our own words, in English, before each item."""
    narrative = sentence_list([], language)
    div = etree.fromstring(narrative["div"])
    for head, pieces in items:
        li = etree.SubElement(div[0], f"{{{XHTML}}}li")
        _labelled(li, head).tail = " "
        shown = [_element(li, piece) for piece in pieces]
        for element in shown[:-1]:
            element.tail = " "
    return {**narrative, "div": etree.tostring(div, encoding="unicode")}


def _labelled(li: Any, head: str) -> Any:
    element = etree.SubElement(li, f"{{{XHTML}}}b", {"class": "rule"})
    element.text = printable(head)
    return element


def single_list(items: Iterable[Sequence[Piece]], language: str) -> dict[str, str]:
    """As `sentence_list` in form 1, which knew no context: for an audit to compare with."""
    div = _div(language)
    ol = etree.SubElement(div, f"{{{XHTML}}}ol")
    for pieces in items:
        for piece in pieces:
            etree.SubElement(ol, f"{{{XHTML}}}li", id=piece.anchor).text = printable(piece.text)
    return {"status": "generated", "div": etree.tostring(div, encoding="unicode")}


def _element(li: Any, piece: Piece) -> Any:
    name, attributes = ("i", {"class": f"context {piece.kind}"}) if piece.kind else ("span", {})
    element = etree.SubElement(li, f"{{{XHTML}}}{name}", {"id": piece.anchor, **attributes})
    element.text = displayed(piece.text)
    return element


def _parsed(div: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(div.encode("utf-8", "surrogatepass"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ValueError("the narrative is not well-formed XML") from error
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise ValueError("the narrative holds a DOCTYPE")
    return root


def shown(div: str) -> tuple[str, list[tuple[str | None, str]]]:
    """What a narrative shows, to tell two apart by.

    Returns:
        All text, white space folded, and the names of its elements; and (id, text) of every item, in order.

    Raises:
        ValueError: the narrative is not well-formed XML, or holds a DOCTYPE.
    """
    root = _parsed(div)
    names = " ".join(etree.QName(element).localname for element in root.iter("*"))
    items = [(li.get("id"), "".join(map(str, li.itertext()))) for li in root.iter(f"{{{XHTML}}}li")]
    return f"{' '.join(''.join(map(str, root.itertext())).split())} <{names}>", items


def words_in(div: str) -> str:
    """All text of a narrative, white space folded.

    Raises:
        ValueError: as `shown`.
    """
    return folded(_all_text(_parsed(div)))


def read_list(div: str) -> SentenceList:
    """Reads back a list of sentences of either form, from whoever wrote it last.

    Raises:
        ValueError: as `shown`.
    """
    return _read(_parsed(div))


def read_ruled_list(div: str) -> SentenceList:
    """Reads back a list of lines that rules found, with our words before them.

    Raises:
        ValueError: as `shown`.
    """
    root = _parsed(div)
    heads, plain = [], True
    for li in root.iter(f"{{{XHTML}}}li"):
        head = li[0] if len(li) and li[0].tag == f"{{{XHTML}}}b" else None
        heads.append("" if head is None else folded(_all_text(head)))
        if head is None:
            continue
        plain = plain and dict(head.attrib) == {"class": "rule"} and not len(head) and not _says(head.tail)
        li.remove(head)
    read = _read(root)
    return replace(read, heads=tuple(heads), plain=read.plain and plain)


def _read(root: Any) -> SentenceList:
    found = [_item(li) for li in root.iter(f"{{{XHTML}}}li")]
    forms = {form for _, form in found}
    form = forms.pop() if len(forms) == 1 else (FORM if forms else 0)
    return SentenceList(tuple(pieces for pieces, _ in found), form, _is_plain(root, form))


def _item(li: Any) -> tuple[tuple[Piece, ...], int]:
    """The pieces of an item, and the form in which it is."""
    parts = [child for child in li if child.tag in (f"{{{XHTML}}}i", f"{{{XHTML}}}span")]
    if li.get("id") is not None or not parts:
        return (Piece(li.get("id", ""), _all_text(li)),), 1
    return tuple(_piece(part) for part in parts), FORM


def _piece(part: Any) -> Piece:
    text = folded(_all_text(part))
    if part.tag == f"{{{XHTML}}}span":
        return Piece(part.get("id", ""), text)
    kind = _CONTEXT_CLASS.fullmatch(part.get("class", ""))
    return Piece(part.get("id", ""), text, kind[1] if kind else "?")


def _all_text(element: Any) -> str:
    return "".join(map(str, element.itertext()))


def _is_plain(root: Any, form: int) -> bool:
    lists = list(root)
    if len(lists) != 1 or root.tag != f"{{{XHTML}}}div" or lists[0].tag != f"{{{XHTML}}}ol":
        return False
    items = list(lists[0])
    return (
        {etree.QName(name).localname for name in root.attrib} <= {"lang"}
        and not lists[0].attrib
        and not _says(root.text, lists[0].text, lists[0].tail, *(item.tail for item in items))
        and all(item.tag == f"{{{XHTML}}}li" for item in items)
        and all(_is_sentence(item) if form == 1 else _is_plain_item(item) for item in items)
    )


def _is_sentence(item: Any) -> bool:
    return list(item.attrib) == ["id"] and not len(item)


def _is_plain_item(item: Any) -> bool:
    """One sentence with the context before and after it."""
    parts = list(item)
    kinds = [_attributes(part) for part in parts]
    return (
        not item.attrib
        and not _says(item.text, *(part.tail for part in parts))
        and not any(len(part) for part in parts)
        and kinds.count("span id") == 1
        and set(kinds) <= {"span id", "i class id"}
        and all(_CONTEXT_CLASS.fullmatch(part.get("class", "context x")) for part in parts)
    )


def _attributes(part: Any) -> str:
    name = etree.QName(part).localname if isinstance(part.tag, str) else ""  # a comment has none
    return " ".join([name, *sorted(part.attrib)])


def _says(*texts: str | None) -> bool:
    return any(text and text.strip(_XML_SPACE) for text in texts)


def same_narrative(one: str, other: str) -> bool:
    """Whether two narratives are the same canonical XML (C14N 1.0); False where one is not well-formed."""
    try:
        first, second = (etree.tostring(_parsed(div), method="c14n") for div in (one, other))
    except ValueError:
        return False
    return bool(first == second)
