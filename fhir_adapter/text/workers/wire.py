"""How a note goes to a worker and its text comes back: length-prefixed JSON heads and raw bytes.

Not pickle: a worker that a hostile file has taken over must not be able to make its parent run anything.
"""

import json
import struct
from collections.abc import Mapping

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Content, Heading, NoteText
from fhir_adapter.reasons import Reason
from summarizer.types import Mark, MarkKind

HEAD = struct.Struct("!IQ")  # bytes of the JSON head, bytes of the body
MAX_HEAD = 1 << 26


def request(content: Content) -> bytes:
    """A note as bytes for a worker's standard input."""
    head = {"path": content.path, "media_type": content.media_type, "charset": content.charset}
    return _frame(head, content.data)


def content_of(head: bytes, body: bytes) -> Content:
    """The note in a request."""
    fields = json.loads(head)
    return Content(fields["path"], body, fields["media_type"], fields["charset"])


def answer(note: NoteText) -> bytes:
    """A text as bytes for the parent."""
    head = {
        "normalization": note.normalization,
        "media_type": note.media_type,
        "declared_type": note.declared_type,
        "headings": [[each.start, each.end, each.code] for each in note.headings],
        "marks": [[each.start, each.end, each.kind.value] for each in note.marks],
        "notice": note.notice,
        "verbatim": note.verbatim,
    }
    return _frame(head, note.text.encode())


def refusal(error: NoteError) -> bytes:
    """A reason as bytes for the parent."""
    return _frame({"reason": error.reason.value, "detail": error.detail}, b"")


def outcome(head: bytes, body: bytes) -> NoteText:
    """The text in an answer.

    Raises:
        NoteError: the reason that came instead.
        ValueError: the answer makes no sense, so whoever sent it is not to be trusted with another note.
    """
    try:
        fields = json.loads(head)
        if "reason" in fields:
            raise NoteError(Reason(fields["reason"]), str(fields["detail"]))
        return NoteText(
            body.decode(),
            fields["normalization"],
            fields["media_type"],
            fields["declared_type"],
            tuple(Heading(start, end, code) for start, end, code in fields["headings"]),
            tuple(Mark(start, end, MarkKind(kind)) for start, end, kind in fields["marks"]),
            fields["notice"],
            fields["verbatim"],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("no sensible answer") from None


def _frame(head: Mapping[str, object], body: bytes) -> bytes:
    packed = json.dumps(head).encode()
    return HEAD.pack(len(packed), len(body)) + packed + body
