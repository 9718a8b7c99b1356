"""From bytes to text, in this process and without protection: what workers run, and small notes directly.

What the bytes are decides which reader is called; the label is kept beside it. Wrappers (gzip, a ZIP of one
file, a document embedded in a C-CDA) are opened layer by layer, to a bounded depth and size.
"""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Content, NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text.cda.reader import cda_text
from fhir_adapter.text.fhir import binary_content, fhir_json_text, fhir_xml_text
from fhir_adapter.text.guard import Limits
from fhir_adapter.text.html.reader import html_text
from fhir_adapter.text.language import language_notice
from fhir_adapter.text.plain import plain_text
from fhir_adapter.text.recipe import wrapped
from fhir_adapter.text.sniff import Kind, Sniffed, sniff
from fhir_adapter.text.unpack import gunzip, unzip_one

# Loaded when first met: their libraries are heavy, and most workers see few of them.
_READERS = {
    Kind.RTF: ("fhir_adapter.text.rtf.reader", "rtf_text"),
    Kind.PDF: ("fhir_adapter.text.pdf.reader", "pdf_text"),
    Kind.DOCX: ("fhir_adapter.text.docx.reader", "docx_text"),
}


@dataclass
class _Budget:
    """What is left for the note in hand: layers and unpacked bytes."""

    limits: Limits
    depth: int = 0
    unpacked: int = 0


_budget: ContextVar[_Budget | None] = ContextVar("note_budget", default=None)


def read(content: Content, limits: Limits) -> NoteText:
    """The text of a note's bytes.

    Raises:
        NoteError: the reason why there is none.
    """
    limits.check_size(len(content.data))
    token = _budget.set(_Budget(limits))
    try:
        note = _read(content.data, content.media_type, content.charset)
    finally:
        _budget.reset(token)
    limits.check_characters(len(note.text))
    notice = "; ".join(filter(None, (note.notice, language_notice(note.text))))
    return replace(note, declared_type=content.media_type, notice=notice)


def embedded(data: bytes, media_type: str = "", charset: str | None = None) -> NoteText:
    """The text of a document inside the one being read, as in a C-CDA's nonXMLBody, under the same limits.

    Raises:
        NoteError: as `read`; TOO_LARGE also for too many layers.
    """
    with _layer(len(data)):
        return _read(data, media_type, charset)


@contextmanager
def _layer(size: int) -> Iterator[None]:
    """Counts one more layer and its bytes while it is read."""
    budget = _budget.get() or _Budget(Limits())
    token = _budget.set(budget)
    budget.depth += 1
    budget.unpacked += size
    try:
        if budget.depth > budget.limits.max_depth:
            raise NoteError(Reason.TOO_LARGE, f"over {budget.limits.max_depth} layers of wrapping")
        if budget.unpacked > budget.limits.max_unpacked:
            raise NoteError(Reason.TOO_LARGE, f"over {budget.limits.max_unpacked} bytes unpacked")
        yield
    finally:
        budget.depth -= 1
        _budget.reset(token)


def _left() -> int:
    budget = _budget.get() or _Budget(Limits())
    return max(budget.limits.max_unpacked - budget.unpacked, 0)


def _read(data: bytes, label: str, charset: str | None) -> NoteText:
    found = sniff(data, label, charset)
    match found.kind:
        case Kind.PLAIN:
            return plain_text(data, charset, found.media_type)
        case Kind.HTML:
            return html_text(data, charset, found.media_type)
        case Kind.GZIP:
            return _wrapped("gzip", gunzip(data, _left()), label, charset)
        case Kind.ZIP:
            return _wrapped("zip", unzip_one(data, _left()), label, charset)
        case Kind.NONE:
            raise NoteError(Reason.UNSUPPORTED_TYPE, found.media_type)
        case Kind.FHIR_JSON if binary := binary_content(data):
            return _wrapped("fhir", binary[0], binary[1], None)
        case Kind.FHIR_JSON:
            return fhir_json_text(data)
        case Kind.FHIR_XML:
            return fhir_xml_text(data)
        case Kind.CDA:
            return _cda(data)
        case _:
            return _reader(found)(data)


def _wrapped(wrapper: str, inner: bytes, label: str, charset: str | None) -> NoteText:
    """The note in a wrapper; its text is not what decoding the attachment alone gives."""
    names_wrapper = "zip" in label
    note = embedded(inner, "" if names_wrapper else label, None if names_wrapper else charset)
    return replace(note, normalization=wrapped(wrapper, note.normalization), verbatim=False)


def _cda(data: bytes) -> NoteText:
    found = cda_text(data)
    if isinstance(found, NoteText):
        return found
    return found.wrap(embedded(found.data, found.media_type, found.charset))


def _reader(found: Sniffed) -> Callable[[bytes], NoteText]:
    module, function = _READERS[found.kind]
    reader: Callable[[bytes], NoteText] = getattr(importlib.import_module(module), function)
    return reader
