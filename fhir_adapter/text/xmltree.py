"""XML as found, read without ever expanding, fetching or believing more than it should.

Document types and entities are refused, the network is never used, and what libxml2 limits (depth, size of
one text) stays limited. Damaged XML is repaired where next to nothing is lost by it, and refused otherwise.
"""

import codecs
import re
from html.entities import html5

from lxml import etree

from fhir_adapter.errors import NoteError
from fhir_adapter.reasons import Reason
from fhir_adapter.text.charsets import encoding_of

_DECLARATION = re.compile(r"<\?xml\s[^>]{0,300}\?>")
_ENCODING = re.compile(rb"<\?xml\s[^>]{0,300}?\bencoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_REFERENCE = re.compile(r"&(?:(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{0,31}));|[&<]")
_ANY_REFERENCE = re.compile(r"&[#A-Za-z0-9]{1,32};")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_TAG_STARTS = re.compile(r"[A-Za-z_:/!?]|[^\x00-\x7f]")
_KEPT_BY_REPAIR = 0.98


def decode_xml(data: bytes) -> str:
    """The characters of an XML document: byte-order mark, then the declaration, then what decodes.

    A wrong declaration is common (UTF-8 declared, windows-1252 written, and the reverse), so a strict failure
    falls through to UTF-8, then to windows-1252, and for its five undefined bytes to ISO-8859-1.
    """
    marks = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
    guesses = [name for mark, name in marks if data.startswith(mark)]
    if not guesses:
        head = data[:200].lstrip(b" \t\r\n")
        if head.startswith(b"<\x00"):
            guesses = ["utf-16-le"]
        elif head.startswith(b"\x00<"):
            guesses = ["utf-16-be"]
    declared = _ENCODING.search(data[:1000])
    if declared and not declared[1].lower().startswith((b"utf-16", b"ucs", b"utf-32")):
        name = declared[1].decode("ascii")
        try:
            guesses.append(codecs.lookup(name).name)
        except (LookupError, ValueError):
            guesses.append(encoding_of(name) or name)
    for name in [*guesses, "utf-8", "cp1252"]:
        try:
            return data.decode(name).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return data.decode("latin-1")


def parse_xml(data: bytes) -> tuple[etree._Element, str]:
    """The root element and a notice ("" or what had to be repaired).

    Raises:
        NoteError: `malformed` for document types, entities, too deep nesting and what is no XML;
            `too-large` for one text of more than ten million characters.
    """
    text = decode_xml(data)
    start = text.find("<")
    if start < 0:
        raise NoteError(Reason.MALFORMED, "no XML element")
    text = _ILLEGAL.sub("", text[start:])
    declaration = _DECLARATION.match(text)
    if declaration:
        text = text[declaration.end() :]
    _refuse_doctype(text)
    encoded = text.encode("utf-8")
    try:
        root = etree.fromstring(encoded, _parser(recover=False))
        notice = ""
    except etree.XMLSyntaxError as error:
        if "Text node too long" in str(error.msg):
            raise NoteError(Reason.TOO_LARGE, "one text of more than 10 million characters") from None
        root, notice = _repaired(text, error.lineno or 0)
    return root, notice


def local_name(element: etree._Element) -> str:
    """The name without namespace or prefix, lower case; "" for entity references and the like."""
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    return tag.rpartition("}")[2].rpartition(":")[2].lower()


def attribute(element: etree._Element, name: str) -> str:
    """An attribute by its name without prefix, in any case; "" where there is none."""
    value = element.get(name)
    if value is not None:
        return str(value)
    wanted = name.lower()
    # Names alone: for names with values lxml takes a square of time; an element iterates over its children.
    for key in element.keys():  # noqa: SIM118
        if str(key).rpartition("}")[2].rpartition(":")[2].lower() == wanted:
            return str(element.get(key))
    return ""


def _parser(recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )


def _refuse_doctype(text: str) -> None:
    """Looks through comments and instructions before the first element."""
    position = 0
    while True:
        position = text.find("<", position)
        if position < 0:
            raise NoteError(Reason.MALFORMED, "no XML element")
        if text.startswith("<!--", position):
            position = text.find("-->", position)
        elif text.startswith("<?", position):
            position = text.find("?>", position)
        elif text.startswith("<!", position):
            raise NoteError(Reason.MALFORMED, "a document type is declared")
        else:
            return
        if position < 0:
            raise NoteError(Reason.MALFORMED, "no XML element")


def _repaired(text: str, line: int) -> tuple[etree._Element, str]:
    """What libxml2 makes of damaged XML, if it kept the characters between the tags."""
    text = _REFERENCE.sub(_escape_bare, text)
    try:
        root = etree.fromstring(text.encode("utf-8"), _parser(recover=True))
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        raise NoteError(Reason.MALFORMED, f"XML error in line {line}")
    kept = sum(len("".join(str(piece).split())) for piece in root.itertext())
    if kept < _KEPT_BY_REPAIR * _characters_between_tags(_ANY_REFERENCE.sub("x", text)):
        raise NoteError(Reason.MALFORMED, f"XML error in line {line}")
    return root, f"damaged XML repaired (line {line})"


def _escape_bare(found: re.Match[str]) -> str:
    """A bare `&` or `<` as the character it stands for, and HTML's entity names as their characters."""
    whole, _number, name = found[0], found[1], found[2]
    if whole == "<":
        return "<" if _TAG_STARTS.match(found.string, found.end()) else "&lt;"
    if name and name not in _XML_ENTITIES:
        character = html5.get(f"{name};")
        return f"&amp;{name};" if character is None else character.replace("&", "&amp;").replace("<", "&lt;")
    return "&amp;" if whole == "&" else whole


def _characters_between_tags(text: str) -> int:
    """Characters outside tags and comments that are not white space, found without a parser."""
    count = 0
    position = 0
    while position < len(text):
        start = text.find("<", position)
        if start < 0:
            start = len(text)
        count += len("".join(text[position:start].split()))
        if text.startswith("<!--", start):
            end, width = text.find("-->", start), 3
        elif text.startswith("<![CDATA[", start):
            end, width = text.find("]]>", start), 3
            stop = end if end >= 0 else len(text)
            count += len("".join(text[start + 9 : stop].split()))
        else:
            end, width = text.find(">", start), 1
        if end < 0:
            break
        position = end + width
    return count
