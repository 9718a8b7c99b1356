"""Sentences of many notes in the order in which things happened: verified summaries in, a Timeline out.

Between notes the order is their clinical time (`timeline.clinical_time`), then the time they were written,
then their reference; inside a note it is the note's own. A sentence that later notes copy forward is shown
once, where it was written first, with every place where it stands.
"""

from dataclasses import dataclass, field

from fhir_adapter.audit.findings import Finding
from fhir_adapter.elements import concept
from fhir_adapter.errors import FhirAdapterError
from fhir_adapter.lenient import JsonObject
from fhir_adapter.note import SourceNote
from fhir_adapter.timeline.clinical_time import NoteTimes, Precision, precision
from fhir_adapter.timeline.pieces import Context, PinnedLine, Place
from summarizer.types import LeftOut as LeftOutOf


class TimelineError(FhirAdapterError):
    """The timeline asked for cannot be made; the message is one sentence without any identifier."""


@dataclass(frozen=True, slots=True)
class TimelineNote:
    """One note with the sentences of its summary that were verified against it.

    Attributes:
        note: the version of the source that was summarised, without its attachments.
        composition: `Composition/id` of the summary.
        authors: `Device/id` of what chose the sentences.
        pipeline: software, model and settings of that, by name.
        url: address of the version of the source.
        path, media_type, normalization, sha256, length: of its text, as the summary states them.
        sentences: in the order of the note.
        notice: what was remarkable in reading it, or "".
        pinned: what rules found in it, by rule.
        left_out: what its summary does not show.
        copies: `Type/id` of further resources that hold the same text, and have no entry of their own.
        total: how many sentences the note has; 0 where that is not known.
    """

    note: SourceNote
    times: NoteTimes
    composition: str
    authors: tuple[str, ...]
    pipeline: str
    url: str
    path: str
    media_type: str
    normalization: str
    sha256: str
    length: int
    sentences: tuple[Place, ...]
    notice: str = ""
    pinned: tuple[PinnedLine, ...] = ()
    left_out: LeftOutOf = field(default_factory=LeftOutOf)
    copies: tuple[str, ...] = ()
    total: int = 0

    @property
    def copies_words(self) -> str:
        """Under which other names the note is filed, in a sentence; "" where it is under none."""
        return f"Filed as {', '.join(self.copies)} too." if self.copies else ""


@dataclass(frozen=True, slots=True)
class TimelineSentence:
    """A sentence shown once.

    Attributes:
        places: where it stands; it is shown in the words of the first. Later ones may hold a near repeat.
    """

    places: tuple[Place, ...]

    @property
    def text(self) -> str:
        """As the first note has it."""
        return self.places[0].text

    @property
    def context(self) -> tuple[Context, ...]:
        """What stands around it there, in the order of the note; a later place has the like."""
        return self.places[0].context

    @property
    def before(self) -> tuple[Context, ...]:
        """The context that the note has before it."""
        return tuple(piece for piece in self.context if piece.start < self.places[0].start)

    @property
    def after(self) -> tuple[Context, ...]:
        """The context that the note has after it."""
        return tuple(piece for piece in self.context if piece.start >= self.places[0].start)

    @property
    def repeats(self) -> tuple[Place, ...]:
        """The other places."""
        return self.places[1:]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One note in the timeline.

    Attributes:
        sentences: those that no earlier note has; maybe none.
        repeated: how many further sentences of its summary are shown with an earlier note.
    """

    note: TimelineNote
    sentences: tuple[TimelineSentence, ...]
    repeated: int = 0

    @property
    def time(self) -> str:
        """The clinical time as the source states it; "" where unknown."""
        return self.note.times.clinical.value

    @property
    def time_element(self) -> str:
        """The element that states it."""
        return self.note.times.clinical.element

    @property
    def precision(self) -> Precision:
        """How exactly it is stated."""
        return self.note.times.clinical.precision

    @property
    def source(self) -> str:
        """`Type/id` of the note."""
        return self.note.note.reference

    @property
    def title(self) -> str:
        """What kind of note it is."""
        return title_of(self.note.note)


@dataclass(frozen=True, slots=True)
class BareNote:
    """A note that no summary is shown of.

    Attributes:
        note: its newest version, without its attachments.
        reason: a code: `not-yet`, a `Reason`, or that of a finding for which its summary is not shown.
    """

    note: SourceNote
    times: NoteTimes
    reason: str

    @property
    def time(self) -> str:
        """The clinical time as the source states it; "" where unknown."""
        return self.times.clinical.value

    @property
    def source(self) -> str:
        """`Type/id`."""
        return self.note.reference

    @property
    def title(self) -> str:
        """What kind of note it is."""
        return title_of(self.note)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A summary that is not in the timeline.

    Attributes:
        reason: a code: `entered-in-error`, `replaced`, `outside-window`, or that of a finding.
        detail: a short hint without any text of a note.
    """

    composition: str
    source: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding of the audit over a summary, whether its note is shown or not."""

    composition: str
    source: str
    finding: Finding
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TimelineScope:
    """Whose timeline it is.

    Attributes:
        reference: `Patient/id` (the surviving one of a merge) or `Encounter/id`.
        patients: `Patient/id` of all whose notes are in it, the surviving one first; empty where the
            encounter names no patient.
        asked: what was asked for, where that is a patient merged into another one; else "".
        since, until: FHIR dates, inclusive to their last moment; "" for no bound.
        one_way: the server could not be asked which patients say that they were merged into these.
    """

    reference: str
    patients: tuple[str, ...]
    asked: str = ""
    since: str = ""
    until: str = ""
    one_way: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        for bound in (self.since, self.until):
            if bound and precision(bound) is Precision.UNKNOWN:
                raise ValueError("a bound of a timeline is a date such as 2024, 2024-05 or 2024-05-31")

    @property
    def merged(self) -> tuple[str, ...]:
        """The patients that were merged into the first."""
        return self.patients[1:]

    @property
    def told(self) -> tuple[str, ...]:
        """What people must know of whose notes it shows, a sentence each."""
        found = []
        if self.asked:
            found.append(
                f"{self.asked} was merged into {self.patients[0]}; this is the timeline of the latter."
            )
        if self.merged:
            found.append(f"With the notes of {', '.join(self.merged)}, merged into {self.patients[0]}.")
        if self.one_way:
            found.append(
                "This server cannot be searched for patients by link: notes of patients who were merged into "
                "this one are missing unless the patient itself names them."
            )
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is shown, and what is not and why.

    Attributes:
        bare: notes that no summary is shown of, in the order of the entries.
    """

    scope: TimelineScope
    entries: tuple[TimelineEntry, ...]
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[Remark, ...] = ()
    bare: tuple[BareNote, ...] = ()

    @property
    def ok(self) -> bool:
        """True where the audit found nothing wrong with any summary."""
        return not self.remarks

    @property
    def sentences(self) -> int:
        """How many are shown."""
        return sum(len(entry.sentences) for entry in self.entries)

    @property
    def places(self) -> int:
        """How many places the shown ones stand in."""
        return sum(len(sentence.places) for entry in self.entries for sentence in entry.sentences)

    def to_json(self) -> JsonObject:
        """The document that `clinsum timeline --json` prints."""
        return {
            "subject": self.scope.reference,
            "patients": list(self.scope.patients),
            "merged": list(self.scope.merged),
            "merges_searched": not self.scope.one_way,
            "since": self.scope.since or None,
            "until": self.scope.until or None,
            "notes": len(self.entries),
            "sentences": self.sentences,
            "places": self.places,
            "entries": [_entry_json(entry) for entry in self.entries],
            "without_summary": [_bare_json(bare) for bare in self.bare],
            "left_out": [_left_out_json(left) for left in self.left_out],
            "findings": [_remark_json(remark) for remark in self.remarks],
        }


def title_of(note: SourceNote) -> str:
    """What kind of note it is, as the source names it."""
    kind = concept(note.type) or {}
    names = [kind.get("text"), *(coding.get("display") for coding in kind.get("coding", []))]
    return str(next((name for name in names if name), "Clinical note"))


def _entry_json(entry: TimelineEntry) -> JsonObject:
    return {
        "time": entry.time or None,
        "time_element": entry.time_element or None,
        "precision": entry.precision.value,
        "source": entry.source,
        "version": entry.note.note.version_id,
        "composition": entry.note.composition,
        "title": entry.title,
        "repeated": entry.repeated,
        "reading": entry.note.notice or None,
        "pinned": [_pinned_json(line) for line in entry.note.pinned],
        "left_out": entry.note.left_out.to_json(),
        "copies": list(entry.note.copies),
        "sentences": [
            {
                "text": sentence.text,
                "context": [_context_json(piece) for piece in sentence.context],
                "places": [_place_json(place) for place in sentence.places],
            }
            for sentence in entry.sentences
        ],
    }


def _pinned_json(line: PinnedLine) -> JsonObject:
    context = [_context_json(piece) for piece in line.place.context]
    return {"rule": line.rule, "version": line.version, "words": line.head, "context": context} | _place_json(
        line.place
    )


def _context_json(piece: Context) -> JsonObject:
    return {"start": piece.start, "end": piece.end, "kind": piece.kind, "text": piece.text}


def _place_json(place: Place) -> JsonObject:
    return {
        "source": place.source,
        "version": place.version,
        "composition": place.composition,
        "reference": place.reference,
        "path": place.path,
        "start": place.start,
        "end": place.end,
        "text": place.text,
        "score": place.score,
    }


def _bare_json(bare: BareNote) -> JsonObject:
    return {
        "time": bare.time or None,
        "time_element": bare.times.clinical.element or None,
        "source": bare.source,
        "version": bare.note.version_id,
        "title": bare.title,
        "reason": bare.reason,
    }


def _left_out_json(left: LeftOut) -> JsonObject:
    return {
        "composition": left.composition,
        "source": left.source,
        "reason": left.reason,
        "detail": left.detail or None,
    }


def _remark_json(remark: Remark) -> JsonObject:
    return {
        "composition": remark.composition,
        "source": remark.source,
        "code": remark.finding.value,
        "detail": remark.detail or None,
        "message": remark.finding.words,
    }
