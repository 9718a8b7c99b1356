"""What the page of a timeline shows, as plain data for its template."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.standing import ended_words
from fhir_adapter.narrative import displayed
from fhir_adapter.timeline.bare import NOT_YET
from fhir_adapter.timeline.building import woven
from fhir_adapter.timeline.clinical_time import Precision, precision, readable
from fhir_adapter.timeline.pieces import Context, Place
from fhir_adapter.timeline.timeline import (
    BareNote,
    LeftOut,
    Remark,
    Timeline,
    TimelineEntry,
    TimelineSentence,
)
from fhir_adapter.writing.sections import left_out_words, notice_words
from jobs.web.views.links import audit_page, on_server

# Of an element's name, the last part that tells what its time means.
_KINDS = (
    ("effective", "study"),
    ("period.start", "start of the visit"),
    ("period.end", "end of the visit"),
    ("issued", "released"),
    ("creation", "written"),
    ("date", "written"),
    ("created", "written"),
    ("indexed", "written"),
)
_BARE = {
    "entered-in-error": "Its summary was withdrawn.",
    "replaced": "Its summary was replaced.",
    NOT_YET: "It has not been summarised yet.",
    "source-changed": "Its summary is of an earlier version; the next pass makes a new one.",
}
_LEFT_OUT = {
    "entered-in-error": "Entered in error.",
    "replaced": "Another summary of the same note replaces it.",
    "outside-window": "Outside the dates asked for.",
    "source-gone": "The note, as it was summarised, is no longer on the server.",
    "source-changed": "The note has changed since it was summarised.",
    "source-unreadable": "The note's text could not be read again.",
}


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where a sentence stands, and the note it is in.

    Attributes:
        url: of the note's audit, at these offsets; "" where there is none.
        words: what stands there, where that is not what is shown; else "".
    """

    title: str
    time: str
    offsets: str
    url: str
    words: str


@dataclass(frozen=True, slots=True)
class SentenceInContext:
    """A sentence with what must be read with it: its own place, then the others.

    Attributes:
        before: of its context, what the sentence before does not have too.
    """

    text: str
    spot: Spot
    also: tuple[Spot, ...]
    before: tuple[tuple[str, str], ...] = ()
    after: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ByRule:
    """What a rule found in a note; `words` are the rule's."""

    words: str
    lines: tuple[SentenceInContext, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """One note.

    Attributes:
        stated: what its time means (`study`, `written`); "" where it is unknown.
        url: of its audit.
        why: it has no summary that is shown, in a sentence; else "".
        source_url: of the version of the note on the server.
        ruled: what rules found, apart from the sentences.
        left_out: how much is not shown, in a sentence, or "".
        reading: what was remarkable in reading it, in a sentence, or "".
    """

    time: str
    stated: str
    element: str
    title: str
    source: str
    version: str
    url: str
    source_url: str
    sentences: tuple[SentenceInContext, ...]
    repeated: int
    why: str = ""
    ruled: tuple[ByRule, ...] = ()
    left_out: str = ""
    reading: str = ""


@dataclass(frozen=True, slots=True)
class Year:
    """The notes of one year; `name` is "Time unknown" for those without."""

    name: str
    anchor: str
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Summaries that are left out for one reason."""

    words: str
    code: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A summary over which the audit found something, and each finding as (words, detail)."""

    composition: str
    url: str
    findings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Everything on the page.

    Attributes:
        merged: sentences about patients who were merged.
        bare: how many notes stand there without a summary.
    """

    subject: str
    subject_url: str
    merged: tuple[str, ...]
    notes: int
    bare: int
    sentences: int
    places: int
    years: tuple[Year, ...]
    missing: tuple[Missing, ...]
    wrong: tuple[Wrong, ...]


def timeline_view(found: Timeline, server: str) -> TimelinePage:
    """Puts the page together; pure, but slow enough for many notes to be done beside the event loop."""
    scope = found.scope
    # Of two notes with one source none is lost: the reader keeps one summary for each.
    by_source = {entry.source: entry for entry in found.entries}
    return TimelinePage(
        subject=scope.reference,
        subject_url=on_server(server, scope.reference),
        merged=scope.told,
        notes=len(found.entries),
        sentences=found.sentences,
        places=found.places,
        years=tuple(_years(woven(found), by_source, server)),
        bare=len(found.bare),
        missing=tuple(_missing(found.left_out)),
        wrong=tuple(_wrong(found.remarks)),
    )


def _years(
    entries: list[TimelineEntry | BareNote], by_source: dict[str, TimelineEntry], server: str
) -> Iterator[Year]:
    def year(entry: TimelineEntry | BareNote) -> str:
        return "" if precision(entry.time) is Precision.UNKNOWN else entry.time[:4]

    for number, (name, group) in enumerate(groupby(entries, year), 1):
        notes = tuple(
            _bare(entry, server) if isinstance(entry, BareNote) else _note(entry, by_source, server)
            for entry in group
        )
        # Times of different zones may lead back and forth between two years: the anchor stays one of its own.
        yield Year(name or "Time unknown", f"y{number}", notes)


def _note(entry: TimelineEntry, by_source: dict[str, TimelineEntry], server: str) -> Note:
    note = entry.note.note
    return Note(
        time=readable(entry.time),
        stated=kind_of_time(entry.time_element),
        element=entry.time_element,
        title=_title(entry),
        source=entry.source,
        version=note.version_id,
        url=audit_page(entry.note.composition),
        source_url=on_server(server, entry.source, note.version_id),
        sentences=tuple(_sentences(entry, by_source)),
        repeated=entry.repeated,
        ruled=tuple(_by_rule(entry, by_source)),
        left_out=left_out_words(entry.note.left_out),
        reading=notice_words(entry.note.notice),
    )


def _by_rule(entry: TimelineEntry, by_source: dict[str, TimelineEntry]) -> Iterator[ByRule]:
    for words, group in groupby(entry.note.pinned, lambda line: line.head):
        lines = []
        for line in group:
            around = (
                tuple((c.kind.replace("-", " "), displayed(c.text)) for c in pieces)
                for pieces in (line.before, line.after)
            )
            spot = _spot(line.place, line.place.text, by_source)
            lines.append(SentenceInContext(displayed(line.place.text), spot, (), *around))
        yield ByRule(words, tuple(lines))


def _bare(bare: BareNote, server: str) -> Note:
    reason = bare.reason
    return Note(
        time=readable(bare.time),
        stated=kind_of_time(bare.times.clinical.element),
        element=bare.times.clinical.element,
        title=" ".join(bare.title.split()),
        source=bare.source,
        version=bare.note.version_id,
        url="",
        source_url=on_server(server, bare.source, bare.note.version_id),
        sentences=(),
        repeated=0,
        why=_BARE.get(reason) or _LEFT_OUT.get(reason) or ended_words(reason),
    )


def _sentences(entry: TimelineEntry, by_source: dict[str, TimelineEntry]) -> Iterator[SentenceInContext]:
    known: set[tuple[int, int]] = set()
    for sentence in entry.sentences:
        new = tuple(piece for piece in sentence.before if (piece.start, piece.end) not in known)
        known = {(piece.start, piece.end) for piece in sentence.before}
        yield _told(sentence, new, by_source)


def _title(entry: TimelineEntry) -> str:
    return " ".join(entry.title.split())


def kind_of_time(element: str) -> str:
    """What the time in an element means, in a word or two; "" where there is no time."""
    return (
        next((words for part, words in _KINDS if part in element.partition(".")[2]), "stated")
        if element
        else ""
    )


def _told(
    sentence: TimelineSentence, before: tuple[Context, ...], by_source: dict[str, TimelineEntry]
) -> SentenceInContext:
    first, *others = (_spot(place, sentence.text, by_source) for place in sentence.places)
    around = (
        tuple((c.kind.replace("-", " "), displayed(c.text)) for c in pieces)
        for pieces in (before, sentence.after)
    )
    return SentenceInContext(displayed(sentence.text), first, tuple(others), *around)


def _spot(place: Place, shown: str, by_source: dict[str, TimelineEntry]) -> Spot:
    entry = by_source.get(place.source)
    return Spot(
        title=_title(entry) if entry else place.source,
        time=readable(entry.time) if entry else "",
        offsets=f"{place.start}–{place.end}",
        url=audit_page(place.composition, f"c{place.start}-{place.end}"),
        words="" if place.text == shown else " ".join(place.text.split()),
    )


def _wrong(remarks: tuple[Remark, ...]) -> Iterator[Wrong]:
    for composition, group in groupby(remarks, lambda remark: remark.composition):
        found = list(group)
        if all(one.finding is Finding.SOURCE_CHANGED for one in found):
            continue  # no forgery: the note stands there with that as its reason
        findings = tuple((one.finding.words, one.detail) for one in found)
        yield Wrong(composition, audit_page(composition), findings)


def _missing(left_out: tuple[LeftOut, ...]) -> Iterator[Missing]:
    for reason, group in groupby(sorted(left_out, key=lambda left: left.reason), lambda left: left.reason):
        items = tuple((left.source or left.composition, audit_page(left.composition)) for left in group)
        yield Missing(_LEFT_OUT.get(reason) or ended_words(reason), reason, items)
