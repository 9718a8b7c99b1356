"""Sentences of many notes in the order in which things happened: verified summaries in, a Timeline out.

Between notes the order is their clinical time (`timeline.clinical_time`), then the time they were written,
then their reference; inside a note it is the note's own. A sentence that later notes copy forward is shown
once, where it was written first, with every place where it stands.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_adapter.audit.findings import Finding
from fhir_adapter.elements import concept
from fhir_adapter.errors import FhirAdapterError
from fhir_adapter.lenient import JsonObject
from fhir_adapter.note import SourceNote
from fhir_adapter.timeline.clinical_time import Calendar, ClinicalTime, NoteTimes, Precision, precision
from summarizer.selection.repeats import RepeatFinder


class TimelineError(FhirAdapterError):
    """The timeline asked for cannot be made; the message is one sentence without any identifier."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sentence stands: `text[start:end]` at `path` of `reference`, in code points.

    Attributes:
        composition: `Composition/id` of the note's summary, which chose the sentence there.
        source: `Type/id` of the note.
        version: of the note; "" where the server has none.
        reference: `Type/id` of what holds the text: the note, or the extracted text beside it.
        text: what stands there, word for word.
    """

    composition: str
    source: str
    version: str
    reference: str
    path: str
    start: int
    end: int
    text: str
    score: float | None = None


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
    def repeats(self) -> tuple[Place, ...]:
        """The other places."""
        return self.places[1:]


@dataclass(frozen=True, slots=True)
class Entry:
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
class Scope:
    """Whose timeline it is.

    Attributes:
        reference: `Patient/id` (the surviving one of a merge) or `Encounter/id`.
        patients: `Patient/id` of all whose notes are in it, the surviving one first; empty where the
            encounter names no patient.
        asked: what was asked for, where that is a patient merged into another one; else "".
        since, until: FHIR dates, inclusive to their last moment; "" for no bound.
    """

    reference: str
    patients: tuple[str, ...]
    asked: str = ""
    since: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        for bound in (self.since, self.until):
            if bound and precision(bound) is Precision.UNKNOWN:
                raise ValueError("a bound of a timeline is a date such as 2024, 2024-05 or 2024-05-31")

    @property
    def merged(self) -> tuple[str, ...]:
        """The patients that were merged into the first."""
        return self.patients[1:]


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is shown, and what is not and why."""

    scope: Scope
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[Remark, ...] = ()

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
            "since": self.scope.since or None,
            "until": self.scope.until or None,
            "notes": len(self.entries),
            "sentences": self.sentences,
            "places": self.places,
            "entries": [_entry_json(entry) for entry in self.entries],
            "left_out": [_left_out_json(left) for left in self.left_out],
            "findings": [_remark_json(remark) for remark in self.remarks],
        }


def build(
    scope: Scope,
    notes: Iterable[TimelineNote],
    left_out: Sequence[LeftOut] = (),
    remarks: Sequence[Remark] = (),
) -> Timeline:
    """Orders notes, keeps those inside the window of the scope, and tells each sentence once.

    A note whose time is unknown, or stated so vaguely that it may lie inside the window, is kept.

    Args:
        scope: whose timeline, and from when to when.
        notes: one for each source.
        left_out: what the reader left out already.
        remarks: what the audit found.
    """
    ordered = in_order(notes)
    calendar = Calendar([*_values(ordered), scope.since, scope.until])
    inside, outside = [], list(left_out)
    for note in ordered:
        if _inside(calendar, scope, note.times.clinical):
            inside.append(note)
        else:
            outside.append(LeftOut(note.composition, note.note.reference, "outside-window"))
    return Timeline(scope, tuple(_told_once(inside)), tuple(outside), tuple(remarks))


def in_order(notes: Iterable[TimelineNote]) -> list[TimelineNote]:
    """The notes by clinical time, then by the time they were written, then by reference."""
    found = list(notes)
    calendar = Calendar(_values(found))

    def key(note: TimelineNote) -> tuple[Any, ...]:
        times = note.times
        written = calendar.key(times.written.value)
        return calendar.key(times.clinical.value), written, note.note.reference, note.composition

    return sorted(found, key=key)


def _values(notes: Iterable[TimelineNote]) -> list[str]:
    return [time.value for note in notes for time in (note.times.clinical, note.times.written)]


def _inside(calendar: Calendar, scope: Scope, time: ClinicalTime) -> bool:
    span, since, until = (calendar.span(value) for value in (time.value, scope.since, scope.until))
    if span is None:
        return True
    return (since is None or span[1] > since[0]) and (until is None or span[0] < until[1])


def _told_once(notes: Iterable[TimelineNote]) -> list[Entry]:
    told = RepeatFinder()
    sentences: list[list[Place]] = []
    shown: list[tuple[TimelineNote, list[int], int]] = []
    for note in notes:
        new: list[int] = []
        repeated = 0
        for place in note.sentences:
            number = told.find(place.text)
            # Two sentences of one note are two sentences, however alike: the summary chose both.
            if number is None or number in new:
                new.append(len(sentences))
                told.add(place.text)
                sentences.append([place])
            else:
                sentences[number].append(place)
                repeated += 1
        shown.append((note, new, repeated))
    return [
        Entry(note, tuple(TimelineSentence(tuple(sentences[i])) for i in new), repeated)
        for note, new, repeated in shown
    ]


def title_of(note: SourceNote) -> str:
    """What kind of note it is, as the source names it."""
    kind = concept(note.type) or {}
    names = [kind.get("text"), *(coding.get("display") for coding in kind.get("coding", []))]
    return str(next((name for name in names if name), "Clinical note"))


def _entry_json(entry: Entry) -> JsonObject:
    return {
        "time": entry.time or None,
        "time_element": entry.time_element or None,
        "precision": entry.precision.value,
        "source": entry.source,
        "version": entry.note.note.version_id,
        "composition": entry.note.composition,
        "title": entry.title,
        "repeated": entry.repeated,
        "sentences": [
            {"text": sentence.text, "places": [_place_json(place) for place in sentence.places]}
            for sentence in entry.sentences
        ],
    }


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
