"""Declared media types, as people write them."""

import re

_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)

# The first word found in the type decides; `plain/text`, `PDF` and `application/xhtml` occur.
_ORDER = (
    ("plain", 0),
    ("markdown", 1),
    ("html", 2),
    ("cda", 3),
    ("hl7-v3", 3),
    ("wordprocessingml", 5),
    ("docx", 5),
    ("rtf", 6),
    ("pdf", 7),
    ("xml", 4),
    ("json", 8),
    ("image", 11),
    ("audio", 11),
    ("video", 11),
    ("text", 1),
)
_FAMILIES = {
    0: "text",
    1: "text",
    2: "html",
    3: "xml",
    4: "xml",
    5: "docx",
    6: "rtf",
    7: "pdf",
    8: "json",
    11: "media",
}
_UNKNOWN = 9
_NONE = 10


def declared(content_type: str | None) -> tuple[str, str | None]:
    """Media type in lower case without parameters ("" where none), and its charset in lower case."""
    if not content_type:
        return "", None
    charset = _CHARSET.search(content_type)
    return content_type.partition(";")[0].strip().lower(), charset.group(1).lower() if charset else None


def family(content_type: str | None) -> str:
    """`text`, `html`, `xml`, `docx`, `rtf`, `pdf`, `json`, `media` (pictures, sound), or "" for any other.

    HTML is told from other text by its own name, however it is called besides (`text/html`).
    """
    return _FAMILIES.get(rank(content_type), "")


def rank(content_type: str | None) -> int:
    """The lower, the better a source of text: plain, HTML, C-CDA and other XML, DOCX, RTF, PDF, others."""
    media_type, _ = declared(content_type)
    if not media_type:
        return _NONE
    return next((place for word, place in _ORDER if word in media_type), _UNKNOWN)
