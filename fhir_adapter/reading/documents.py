"""Several documents in one resource: which are different ones, and the one text that holds them all.

R4 (DocumentReference.content) says that contents are the same document in several formats. Servers also file
the pages of a document so, an addendum, or a report's conclusion that its form does not repeat. These are
joined into one text, which is written beside the source as any extracted text is, so that there is one
summary for each source and each offset points into one text of one hash.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fhir_adapter.note import Attachment, Heading, NoteText
from fhir_adapter.reading.media import family
from fhir_adapter.text.recipe import joined_recipe
from summarizer.types import Mark

MEDIA_TYPE = "multipart/mixed"
_WORD = re.compile(r"\w+")
_PIECE = re.compile(r"[.!?;\n\r]+")
_WHITE = re.compile(r"[\s\[\]]+")
_ALIKE = 0.5  # of the words of one format in another, which may lack a letterhead or a table
_LONGEST_TITLE = 100


@dataclass(frozen=True, slots=True)
class Document:
    """One attachment with the text found in it."""

    attachment: Attachment
    text: NoteText


def may_differ(one: Attachment, other: Attachment) -> bool:
    """Whether two attachments may be two documents, by their labels alone: one format, or two titles."""
    if _is_conclusion(one) or _is_conclusion(other) or family(one.content_type) == family(other.content_type):
        return True
    return bool(one.title and other.title) and one.title != other.title


def different(documents: Sequence[Document]) -> list[Document]:
    """Those that say something of their own, in the order given.

    Args:
        documents: of one resource, the preferred ones first.
    """
    kept: list[Document] = []
    for document in documents:
        if kept and holds(kept, document):
            continue
        kept = [before for before in kept if not _whole(document, before)]
        kept.append(document)
    return kept


def holds(others: Sequence[Document], document: Document) -> bool:
    """Whether other documents of a resource hold what this one says.

    Another format may differ in a letterhead or a table, so half of its words are enough. Of two texts in one
    format, and of a conclusion, every sentence and line must be there word by word: an addendum repeats its
    note, and one word turns a finding.
    """
    texts = [f" {' '.join(_words(other.text.text))} " for other in others]
    kinds = {family(other.attachment.content_type) for other in others}
    strict = _is_conclusion(document.attachment) or family(document.attachment.content_type) in kinds
    if strict:
        pieces = [" ".join(_words(piece)) for piece in _PIECE.split(document.text.text)]
        return all(any(f" {piece} " in text for text in texts) for piece in pieces if piece)
    found = _shingles(_words(document.text.text))
    known = {shingle for text in texts for shingle in _shingles(text.split())}
    return len(found & known) >= len(found) * _ALIKE


def joined(documents: Sequence[Document]) -> NoteText:
    """One text of several documents, each under a line that says which one it is.

    Args:
        documents: two or more, in the order of the resource.
    """
    pieces: list[str] = []
    starts: list[int] = []
    headings: list[Heading] = []
    marks: list[Mark] = []
    length = 0
    for number, (attachment, text) in enumerate(((d.attachment, d.text) for d in documents), 1):
        line = _line(number, len(documents), attachment)
        starts.append(length)
        headings.append(Heading(length, length + len(line)))
        start = length + len(line) + 1
        headings += [replace(h, start=h.start + start, end=h.end + start) for h in text.headings]
        marks += [replace(m, start=m.start + start, end=m.end + start) for m in text.marks]
        piece = f"{line}\n{text.text}" + ("" if number == len(documents) else "\n\n")
        pieces.append(piece)
        length += len(piece)
    texts = [document.text for document in documents]
    notices = dict.fromkeys(notice for text in texts for notice in text.notices)
    return NoteText(
        text="".join(pieces),
        normalization=joined_recipe(text.normalization for text in texts),
        media_type=MEDIA_TYPE,
        declared_type=texts[0].declared_type,
        headings=tuple(headings),
        marks=tuple(marks),
        notice="; ".join(notices),
        parts=tuple(starts),
    )


def _line(number: int, of: int, attachment: Attachment) -> str:
    """`[Document 2 of 2: Addendum]`, or `... Conclusion]`."""
    title = "Conclusion" if _is_conclusion(attachment) else attachment.title or ""
    title = _WHITE.sub(" ", title).strip()[:_LONGEST_TITLE].rstrip()
    return f"[Document {number} of {of}{': ' if title else ''}{title}]"


def _is_conclusion(attachment: Attachment) -> bool:
    return attachment.path.endswith(".conclusion")


def _whole(document: Document, before: Document) -> bool:
    """A later document repeats an earlier one of its format word by word, and goes on."""
    same = family(document.attachment.content_type) == family(before.attachment.content_type)
    inner, outer = (" ".join(_words(one.text.text)) for one in (before, document))
    return same and not _is_conclusion(document.attachment) and f" {inner} " in f" {outer} "


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    """Words three at a time."""
    return set(zip(words, words[1:], words[2:], strict=False)) or {tuple(words)}
