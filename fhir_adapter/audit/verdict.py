"""What an audit gives: sentence by sentence, section by section, and over the whole Composition.

A summary and a timeline are one thing here: a Composition with a section for each note, a summary with one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from fhir_adapter.audit.claims import Claims
from fhir_adapter.audit.copies import AuditedCopy
from fhir_adapter.audit.findings import Finding, Found
from fhir_adapter.audit.record import Maker, Record
from fhir_adapter.audit.sources import SourceRead
from fhir_adapter.audit.standing import CURRENT, State
from fhir_adapter.audit.witnesses import Devices
from fhir_adapter.lenient import JsonObject
from fhir_adapter.writing.sections import shown_words
from summarizer.types import LeftOut


class Kind(StrEnum):
    """What a Composition of ours is; the value is what people call it."""

    SUMMARY = "summary"
    TIMELINE = "timeline"


@dataclass(frozen=True, slots=True)
class AuditedContext:
    """A piece of what is shown with a sentence, as claimed.

    Attributes:
        kind: code of why it is shown (`summarizer.types.ContextKind`).
        text, shown: as of `AuditedSentence`.
    """

    kind: str
    start: int
    end: int
    text: str
    ok: bool
    shown: str = ""


@dataclass(frozen=True, slots=True)
class AuditedSentence:
    """One sentence as claimed.

    Attributes:
        text: what the source holds at the offsets; "" where that could not be read.
        ok: it stands in the source as it is shown, and so does all of its context.
        shown: what the narrative shows under the sentence's id; "" where it shows nothing.
        source: `Type/id` of the note, in a timeline, which has many; else "".
        context: what is shown with it, in the order of the note.
    """

    start: int
    end: int
    text: str
    score: float | None
    ok: bool
    shown: str = ""
    source: str = ""
    context: tuple[AuditedContext, ...] = ()

    @property
    def before(self) -> tuple[AuditedContext, ...]:
        """The context that the note has before it."""
        return tuple(piece for piece in self.context if piece.start < self.start)

    @property
    def after(self) -> tuple[AuditedContext, ...]:
        """The context that the note has after it."""
        return tuple(piece for piece in self.context if piece.start >= self.start)


@dataclass(frozen=True, slots=True)
class StatedRule:
    """A rule as a summary states it.

    Attributes:
        address: with its version, `.../rules/allergies|1`; "" where it is not stated as it should be.
        title: in words.
        shown, found: how many of its lines are shown, of how many; -1 where that is not stated.
    """

    address: str
    title: str
    shown: int
    found: int

    @property
    def rule(self) -> str:
        """Its id."""
        return self.address.rpartition("/")[2].partition("|")[0]

    @property
    def version(self) -> str:
        """Its version."""
        return self.address.rpartition("|")[2]

    @property
    def name(self) -> str:
        """Id and version: `allergies|1`."""
        return self.address.rpartition("/")[2]

    @property
    def whole(self) -> bool:
        """It is stated as it should be."""
        return bool(self.address and self.title) and 0 < self.shown <= self.found

    @property
    def head(self) -> str:
        """Title and, where more was found than is shown, how many: `Allergies (3 of 5 shown)`."""
        return shown_words(self.title, self.shown, self.found)

    @property
    def words(self) -> str:
        """What stands before each of its lines."""
        return f"{self.head}:"


@dataclass(frozen=True, slots=True)
class PinnedAudit:
    """The section of what rules found.

    Attributes:
        claims: of that section, its lines as sentences.
        lines: what was found at each of `claims.spans`.
        rules: as stated, in their order.
        named: each line with its rule; None where it names none that is stated.
        ruled: the rules are those of this version and could be applied again.
    """

    claims: Claims
    lines: tuple[AuditedSentence, ...]
    rules: tuple[StatedRule, ...]
    named: tuple[tuple[StatedRule | None, AuditedSentence], ...]
    ruled: bool

    @property
    def by_rule(self) -> list[tuple[str, list[AuditedSentence]]]:
        """The lines under the words of their rules, in the order stated."""
        found: dict[str, list[AuditedSentence]] = {}
        for rule, line in self.named:
            found.setdefault(rule.head if rule else "No rule is stated", []).append(line)
        return list(found.items())


@dataclass(frozen=True, slots=True)
class SectionAudit:
    """One note of a Composition: what the section claims, and what the server has.

    Attributes:
        sentences: what was found at each of `claims.spans`; empty where none was looked at.
        source: the note; of a timeline without its text, since the notes of a life would fill the memory.
        read: the note's text could be read again.
        ruled: the rules that a sentence and its context follow could be applied again.
        title: in a timeline, what kind of note it is, and its time; else "".
        pinned: of a summary, what rules found; None where there is no such section.
        copies: of a summary, the further resources that it names.
        total: how many sentences the note has; 0 where the rules could not be applied again.
    """

    claims: Claims
    sentences: tuple[AuditedSentence, ...] = ()
    source: SourceRead = field(default_factory=SourceRead)
    read: bool = False
    title: str = ""
    ruled: bool = False
    pinned: PinnedAudit | None = None
    copies: tuple[AuditedCopy, ...] = ()
    total: int = 0

    @property
    def unproven(self) -> tuple[str, ...]:
        """Sentences shown that no offsets vouch for."""
        linked = {span.link for span in self.claims.spans}
        return tuple(text for anchor, text in self.claims.items if anchor not in linked)


@dataclass(frozen=True, slots=True)
class Filed:
    """How a Composition stands in the record, as stated.

    Attributes:
        title: of the Composition.
        patient: `Patient/id`, or whatever it is about; "" where it does not say.
        status: of the Composition, such as `preliminary`.
    """

    title: str = ""
    patient: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """The verdict over one Composition.

    Attributes:
        source: `Type/id` of the note; for a timeline, of the patient or encounter.
        findings: each with a short hint (a number, a version), never note text.
        unproven: sentences shown that no offsets vouch for.
        version: of the source, as stated.
        author: `Device/id`, as stated.
        state: whether it still counts, and why not.
        notices: what a reader should know beside that, a sentence each.
        pinned: of a summary, what rules found.
        left_out: of a summary, what it says that it does not show.
        reading: what was remarkable in reading the note, as stated.
        filed: how it stands in the record.
        copies: of a summary, the further resources that hold its text.
    """

    composition: str
    source: str
    sentences: tuple[AuditedSentence, ...]
    findings: tuple[Found, ...]
    unproven: tuple[str, ...] = ()
    version: str = ""
    author: str = ""
    state: State = CURRENT
    notices: tuple[str, ...] = ()
    kind: Kind = Kind.SUMMARY
    pinned: PinnedAudit | None = None
    left_out: LeftOut = field(default_factory=LeftOut)
    reading: str = ""
    filed: Filed = field(default_factory=Filed)
    copies: tuple[AuditedCopy, ...] = ()

    @property
    def ok(self) -> bool:
        """True where nothing was found."""
        return not self.findings

    @property
    def sound(self) -> bool:
        """Nothing was found but that a note has a newer version: out of date, and no forgery."""
        newer = (Finding.SOURCE_CHANGED, Finding.COPY_CHANGED)
        return all(finding in newer for finding, _ in self.findings)

    def to_json(self) -> JsonObject:
        """The line that `clinsum audit --json` prints."""
        return {
            "composition": self.composition,
            "ok": self.ok,
            "source": self.source,
            "version": self.version,
            "author": self.author,
            "title": self.filed.title,
            "patient": self.filed.patient,
            "status": self.filed.status,
            "sentences": [_sentence_json(sentence) for sentence in self.sentences],
            "pinned": [
                {"rule": rule.rule if rule else None, "version": rule.version if rule else None}
                | _sentence_json(line)
                for rule, line in (self.pinned.named if self.pinned else ())
            ],
            "pinned_rules": [
                {
                    "rule": rule.rule,
                    "version": rule.version,
                    "title": rule.title,
                    "shown": rule.shown,
                    "found": rule.found,
                }
                for rule in (self.pinned.rules if self.pinned else ())
            ],
            "left_out": self.left_out.to_json(),
            "reading": self.reading or None,
            "copies": [copy.to_json() for copy in self.copies],
            "unproven": list(self.unproven),
            "standing": self.state.standing.value,
            "standing_words": self.state.words,
            "notices": list(self.notices),
            "problems": [
                {"code": finding.value, "detail": detail, "message": finding.words}
                for finding, detail in self.findings
            ],
        }


def _sentence_json(sentence: AuditedSentence) -> JsonObject:
    return {
        "start": sentence.start,
        "end": sentence.end,
        "text": sentence.text,
        "shown": sentence.shown,
        "score": sentence.score,
        "ok": sentence.ok,
        **({"source": sentence.source} if sentence.source else {}),
        "context": [
            {
                "kind": piece.kind,
                "start": piece.start,
                "end": piece.end,
                "text": piece.text,
                "shown": piece.shown,
                "ok": piece.ok,
            }
            for piece in sentence.context
        ],
    }


@dataclass(frozen=True, slots=True)
class Examined:
    """An audit with what was read for it.

    Attributes:
        sections: one for each note, in the order of the Composition; a summary has exactly one.
        record: the Composition apart from its sentences.
        makers: the Devices among its authors that are on the server.
        provenances: `Provenance/id` of those that point at it.
    """

    kind: Kind
    audit: Audit
    sections: tuple[SectionAudit, ...]
    record: Record
    makers: tuple[Maker, ...] = ()
    provenances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """A Composition just read, what points at it, and the Devices of its batch.

    Attributes:
        known: resources that were read just now as well, by `Type/id`; others are read when they are needed.
    """

    resource: JsonObject
    provenances: list[JsonObject]
    devices: Devices
    known: Mapping[str, JsonObject] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proof:
    """What an auditor of one kind of Composition found.

    Attributes:
        about: `Type/id` of the note, or of the patient or encounter.
        sections: as in `Examined`.
        found: everything that is wrong.
    """

    kind: Kind
    about: str
    sections: tuple[SectionAudit, ...]
    found: tuple[Found, ...]


class Examining(Protocol):
    """Proves Compositions; `fhir_adapter.auditing.Auditor` does."""

    async def subjects(
        self, compositions: Sequence[JsonObject], known: Mapping[str, JsonObject]
    ) -> list[Subject]:
        """Compositions just read, each with what points at it."""
        ...

    async def proven(self, subject: Subject) -> Examined:
        """The audit of one."""
        ...
