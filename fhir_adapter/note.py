"""The types a note travels in: as found on the server, as bytes, as text."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from fhir_adapter.lenient import JsonObject
from summarizer.types import Document, Mark


@dataclass(frozen=True, slots=True)
class Attachment:
    """One place where a note's text may lie, as the resource states it; nothing is checked yet.

    Attributes:
        path: FHIRPath of the element that holds it, e.g. `DocumentReference.content[0].attachment`,
            `DiagnosticReport.presentedForm[1]`, `DiagnosticReport.conclusion`, `DiagnosticReport.text.div`.
        content_type: the declared media type with its parameters, as found.
        data: inline base64 (for an attachment), as found.
        text: the string itself (for `conclusion` and `text.div`).
        url: where the bytes are, as found: relative, absolute or `urn:`; for externalized data the
            operation that hands them out.
        size: declared bytes of the decoded content.
        hash: declared base64 SHA-1 of the decoded content.
        externalized: the server keeps the data outside the resource (HAPI's Binary storage).
    """

    path: str
    content_type: str | None = None
    data: str | None = None
    text: str | None = None
    url: str | None = None
    size: int | None = None
    hash: str | None = None
    title: str | None = None
    language: str | None = None
    externalized: bool = False


@dataclass(frozen=True, slots=True)
class SourceNote:
    """A DocumentReference or DiagnosticReport read leniently. All but the first four may be missing.

    Attributes:
        resource_type: `DocumentReference` or `DiagnosticReport`.
        id: the logical id on the server.
        version_id: `meta.versionId`; "" where the server has none.
        last_updated: `meta.lastUpdated` as the server wrote it; "" where it has none.
        date: the clinical time, as found (period start, effective, date, issued), or None.
        written: when it was written, as found; of a report, when the study was made; or None.
        type: `type` or `code` as found (a CodeableConcept), or None.
        security: `meta.security` and `securityLabel` codings of the source, also those that are none.
        replaced_by: reference of the document that says it replaces this one, if known.
        modified: it carries a modifier extension, which may turn the meaning of all the rest.
        replaces: references, as found, of the documents that this one says it replaces.
        left_out: the settings ask for other notes.
        authors: names of who wrote it, as displayed; of a report, of who made or read the study.
        author_references: the references to them, as found.
        service: when what it tells of took place, and when its files were made; all that is stated, as found.
        filed: when it was filed or released, likewise.
    """

    resource_type: str
    id: str
    version_id: str
    last_updated: str
    status: str | None = None
    doc_status: str | None = None
    subject: JsonObject | None = None
    encounter: JsonObject | None = None
    custodian: JsonObject | None = None
    date: str | None = None
    written: str | None = None
    period: JsonObject | None = None
    type: JsonObject | None = None
    title: str | None = None
    language: str | None = None
    master_identifier: JsonObject | None = None
    security: tuple[Any, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    replaced_by: str | None = None
    replaces: tuple[str, ...] = ()
    modified: bool = False
    left_out: bool = False
    authors: tuple[str, ...] = ()
    author_references: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    filed: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """`Type/id`, relative to the server's base."""
        return f"{self.resource_type}/{self.id}"


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one attachment.

    Attributes:
        path: as in `Attachment.path`.
        media_type: the declared type, lower case, without parameters; "" where none is declared.
        charset: the declared charset parameter, or None.
        security: labels of the Binary that held the bytes, as found.
        notice: a remark for the ledger where the bytes were not simply there, or "".
        as_attached: they are the decoded attachment itself.
        version: of what held them behind an address, as its server names it, "" where it does not; None
            where they lay in the resource itself.
    """

    path: str
    data: bytes
    media_type: str
    charset: str | None = None
    security: tuple[Any, ...] = ()
    notice: str = ""
    as_attached: bool = True
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that the format itself declares (an HTML h2, a C-CDA section title).

    Attributes:
        start, end: code points of the title in `NoteText.text`.
        code: LOINC code of the section where the format states one.
    """

    start: int
    end: int
    code: str | None = None


@dataclass(frozen=True, slots=True)
class NoteText:
    """The text that offsets point into.

    Attributes:
        text: code points; never a lone surrogate.
        normalization: versioned URI of the recipe that made it from the bytes.
        media_type: what the bytes are, whatever was declared.
        declared_type: what the label said.
        headings: those that the format declares, in order, disjoint.
        marks: rows of tables, their heads, captions and struck-out words, as the format declares them, in the
            order of `Document.marks`.
        notice: short remarks for the ledger without note text, parted by `; ` (`text on 3 of 7 pages`).
        verbatim: True where the text is the decoded attachment itself, so that its offsets can be
            resolved on the attachment without this software; otherwise the text is written beside it.
        parts: where the text of each of several documents begins; empty where it is of one.
    """

    text: str
    normalization: str
    media_type: str
    declared_type: str = ""
    headings: tuple[Heading, ...] = ()
    marks: tuple[Mark, ...] = ()
    notice: str = ""
    verbatim: bool = False
    parts: tuple[int, ...] = ()
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", hashlib.sha256(self.text.encode("utf-8")).hexdigest())

    @property
    def notices(self) -> tuple[str, ...]:
        """The remarks of `notice` one by one."""
        return tuple(self.notice.split("; ")) if self.notice else ()

    def document(self) -> Document:
        """The text with what its format declares, as the summarizer takes it."""
        headings = [(each.start, each.end, each.code) for each in self.headings]
        return Document(self.text, headings, self.marks, self.parts)


@dataclass(frozen=True, slots=True)
class Reading:
    """A source together with what was read of it.

    Attributes:
        attachment: the one that was read; of several documents in the resource, the first.
        text: found in it; of several documents, all their texts one after the other.
        further: the other documents, in the order of the resource.
        versions: of each document in turn, as `Content.version`; empty where nobody asked for them.
    """

    note: SourceNote
    attachment: Attachment
    text: NoteText
    further: tuple[Attachment, ...] = ()
    versions: tuple[str | None, ...] = ()
