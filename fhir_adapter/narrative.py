"""XHTML narratives built from text by an XML library, never by string formatting.

XML 1.0 (section 2.2) cannot hold most control characters, and readers turn a carriage return into a line
feed. `displayed` maps each such character to one visible stand-in, so a sentence keeps its length and offsets
stay true; it is the identity on everything else.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from lxml import etree

XHTML = "http://www.w3.org/1999/xhtml"

_CONTROL_PICTURES = 0x2400
_STAND_INS: dict[int, int] = {
    **{code: _CONTROL_PICTURES + code for code in range(0x20) if code not in (0x09, 0x0A)},
    0xFFFE: 0xFFFD,
    0xFFFF: 0xFFFD,
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
}


_NSMAP: Any = {None: XHTML}
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def displayed(text: str) -> str:
    """Returns `text` as a narrative shows it: same length, XML-illegal characters and CR as stand-ins."""
    return text.translate(_STAND_INS)


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
    etree.SubElement(div, f"{{{XHTML}}}p", inner).text = displayed(text)
    return {"status": "generated", "div": etree.tostring(div, encoding="unicode")}


def ordered_list(items: Iterable[tuple[str, str]], language: str) -> dict[str, str]:
    """A generated Narrative with one list item per (id, text)."""
    div = _div(language)
    ol = etree.SubElement(div, f"{{{XHTML}}}ol")
    for anchor, text in items:
        li = etree.SubElement(ol, f"{{{XHTML}}}li", id=anchor)
        li.text = displayed(text)
    return {"status": "generated", "div": etree.tostring(div, encoding="unicode")}


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


def list_items(div: str) -> Sequence[tuple[str | None, str]]:
    """Reads back what a narrative shows: (id, text) of every item, in order.

    Raises:
        ValueError: the narrative is not well-formed XML, or holds a DOCTYPE.
    """
    return [(li.get("id"), "".join(map(str, li.itertext()))) for li in _parsed(div).iter(f"{{{XHTML}}}li")]


def visible(div: str) -> str:
    """All text of a narrative, white space folded, and the names of its elements, to tell two apart by.

    Raises:
        ValueError: as `list_items`.
    """
    root = _parsed(div)
    names = " ".join(etree.QName(element).localname for element in root.iter("*"))
    return f"{' '.join(''.join(map(str, root.itertext())).split())} <{names}>"


def is_plain_list(div: str) -> bool:
    """Whether a narrative is one ordered list of plain items, as `ordered_list` makes it, and nothing else.

    Markup and attributes can hide, strike out or renumber a sentence without touching its text.

    Raises:
        ValueError: as `list_items`.
    """
    root = _parsed(div)
    lists = list(root)
    if len(lists) != 1 or root.tag != f"{{{XHTML}}}div" or lists[0].tag != f"{{{XHTML}}}ol":
        return False
    items = list(lists[0])
    around = [root.text, lists[0].text, lists[0].tail, *(item.tail for item in items)]
    return (
        {etree.QName(name).localname for name in root.attrib} <= {"lang"}
        and not lists[0].attrib
        and not any(text and text.strip() for text in around)
        and all(i.tag == f"{{{XHTML}}}li" and list(i.attrib) == ["id"] and not len(i) for i in items)
    )


def same_narrative(one: str, other: str) -> bool:
    """Whether two narratives are the same canonical XML (C14N 1.0); False where one is not well-formed."""
    try:
        first, second = (etree.tostring(_parsed(div), method="c14n") for div in (one, other))
    except ValueError:
        return False
    return bool(first == second)
