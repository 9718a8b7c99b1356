"""What the page of a patient shows, as plain data for its template."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from urllib.parse import urlencode

from fhir_adapter.audit.findings import Finding
from fhir_adapter.reading.persons import Person
from fhir_adapter.reasons import Reason
from fhir_adapter.timeline.bare import NOT_YET
from fhir_adapter.timeline.building import inside, woven
from fhir_adapter.timeline.clinical_time import Calendar, Precision, precision
from fhir_adapter.timeline.timeline import BareNote, LeftOut, Remark, Timeline, TimelineEntry
from jobs.web.views.links import note_page, patient_page
from jobs.web.views.note_blocks import (
    Blocks,
    NoteBlock,
    day_and_clock,
    heading_of,
    kind_of,
    left_out_because,
    month_of,
    month_words,
    readable_note,
)

ON_A_PAGE = 20
_MOST_CHOICES = 60

# What findings come to for whoever reads the notes; each by its own words stands on the page of the note.
_WORDS = "What it shows does not stand in its note word for word."
_WHOSE = "It is filed under somebody else than its note."
_NOTE = "Its note cannot be read as it was summarised."
_PROTECTED = "It is less protected than its note, or not marked as made by a machine."
_OTHERWISE = "What made it, or what it says of itself, is not as it was written."
_SAID = (_WORDS, _WHOSE, _NOTE, _PROTECTED, _OTHERWISE)
_PLAIN = {
    **dict.fromkeys(
        (
            Finding.OFFSET_OUTSIDE,
            Finding.SENTENCE_ALTERED,
            Finding.SENTENCE_ADDED,
            Finding.SENTENCE_REMOVED,
            Finding.SENTENCE_CUT,
            Finding.CONTEXT_ALTERED,
            Finding.CONTEXT_ADDED,
            Finding.CONTEXT_MISSING,
            Finding.CONTEXT_DIFFERS,
            Finding.PINNED_MISSING,
            Finding.PINNED_DIFFERS,
            Finding.SPAN_MISSING,
            Finding.WRONG_ORDER,
            Finding.NARRATIVE_CHANGED,
            Finding.NARRATIVE_UNREADABLE,
            Finding.SECTION_ADDED,
        ),
        _WORDS,
    ),
    Finding.SUBJECT_DIFFERS: _WHOSE,
    **dict.fromkeys(
        (
            Finding.SOURCE_GONE,
            Finding.SOURCE_UNREADABLE,
            Finding.SOURCE_MISMATCH,
            Finding.TEXT_DIFFERS,
            Finding.EXTRACTOR_DIFFERS,
            Finding.EXTRACTED_TEXT_DIFFERS,
            Finding.WRONG_PLACE,
        ),
        _NOTE,
    ),
    Finding.LABEL_REMOVED: _PROTECTED,
    Finding.PROTECTION_LOWERED: _PROTECTED,
}
_RECENT = (7, 30)  # days
_ASIDE = {Reason.NOT_FINAL.value: "not final", NOT_YET: "waiting", "source-changed": "waiting"}
_LONGEST_DATE = len("2024-05-31")


@dataclass(frozen=True, slots=True)
class PatientQuery:
    """What of whom: ids, dates and a place in the order, nothing that a note says.

    Attributes:
        subject: `Patient/id` or `Encounter/id`.
        since, until: as they were typed.
        oldest: the oldest note stands first.
        start: how many notes of that order come before the first one shown.
        whole: all notes on one page.
    """

    subject: str
    since: str = ""
    until: str = ""
    oldest: bool = False
    start: int = 0
    whole: bool = False

    @property
    def url(self) -> str:
        """Its address."""
        query = {
            "since": self.since,
            "until": self.until,
            "order": "oldest" if self.oldest else "",
            "from": str(self.start) if self.start and not self.whole else "",
            "all": "1" if self.whole else "",
        }
        written = urlencode({name: value for name, value in query.items() if value})
        return patient_page(self.subject) + (f"?{written}" if written else "")

    @property
    def fault(self) -> str:
        """What is wrong with the dates, in a sentence; "" where nothing is."""
        return fault(self.since, self.until)

    def between(self, since: str, until: str = "") -> str:
        """The address with other dates, from the first note on."""
        return replace(self, since=since, until=until, start=0, whole=False).url

    @property
    def turned(self) -> str:
        """The address with the other order."""
        return replace(self, oldest=not self.oldest, start=0).url


@dataclass(frozen=True, slots=True)
class Span:
    """A choice of dates; `chosen` where it is the one that is shown."""

    words: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month with its notes.

    Attributes:
        url: of its first note in the order that is shown.
        dots: one for each note; whether it has a summary.
    """

    words: str
    url: str
    dots: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Summaries that are left out for one reason; `urls` are of those that have a page."""

    words: str
    code: str
    count: int
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A summary over which the audit found something, in sentences for a reader of the note."""

    url: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PatientPage:
    """Everything on the page.

    Attributes:
        person: whose notes; None where the server has no such patient, or the encounter names none.
        stay: it shows one visit or stay alone.
        merged: sentences about patients who were merged.
        notes, summarised, unreadable: how many notes there are, have a summary shown, could not be read.
        aside: how many others have no summary, and why in a word or two.
        dated: how many of them lie within the dates asked for.
        blocks: of this page, in the order that is shown.
        before, after: addresses of what stands before and after these; "" where nothing does.
        left: how many notes come after these.
        kinds, headings: what there is to filter by, each with in how many notes.
    """

    person: Person | None
    stay: bool
    merged: tuple[str, ...]
    notes: int
    summarised: int
    unreadable: int
    aside: tuple[tuple[int, str], ...]
    dated: int
    blocks: tuple[NoteBlock, ...]
    before: str
    after: str
    left: int
    whole: str
    spans: tuple[Span, ...]
    months: tuple[Month, ...]
    kinds: tuple[tuple[str, int], ...]
    headings: tuple[tuple[str, int], ...]
    missing: tuple[Missing, ...]
    wrong: tuple[Wrong, ...]


def patient_view(
    found: Timeline, person: Person | None, visit: str, asked: PatientQuery, today: date
) -> PatientPage:
    """Puts the page together; pure, but slow enough for many notes to be done beside the event loop.

    Args:
        found: all that is known, whatever the dates.
        person: whose notes they are.
        visit: the day on which the latest visit began, or "".
        asked: what of it is shown.
        today: where the last days end.
    """
    notes = woven(found)
    blocks = Blocks(notes)
    calendar = Calendar([*(note.time for note in notes), asked.since, asked.until])
    dated = [
        (number, note)
        for number, note in enumerate(notes, 1)
        if inside(calendar, asked.since, asked.until, note.time)
    ]
    ordered = dated if asked.oldest else dated[::-1]
    start = 0 if asked.whole else min(asked.start, max(0, len(ordered) - 1))
    end = len(ordered) if asked.whole else start + ON_A_PAGE
    shown = [note for _, note in dated]
    aside = Counter(_ASIDE.get(one.reason, "left aside") for one in found.bare if readable_note(one.reason))
    return PatientPage(
        person=person,
        stay=asked.subject.startswith("Encounter/"),
        merged=found.scope.told,
        notes=len(notes),
        summarised=len(found.entries),
        unreadable=len(found.bare) - aside.total(),
        aside=tuple((count, words) for words, count in sorted(aside.items())),
        dated=len(dated),
        blocks=tuple(blocks.block(note, number) for number, note in ordered[start:end]),
        before=replace(asked, start=max(0, start - ON_A_PAGE)).url if start else "",
        after=replace(asked, start=end).url if end < len(ordered) else "",
        left=max(0, len(ordered) - end),
        whole=replace(asked, whole=True, start=0).url,
        spans=tuple(_spans(asked, visit, today)),
        months=tuple(_months(ordered, asked, range(start, end))),
        kinds=choices(kind_of(note) for note in shown),
        headings=choices(name for note in shown for name in _headings(note)),
        missing=tuple(_missing(found.left_out)),
        wrong=tuple(_wrong(found.remarks)),
    )


def _spans(asked: PatientQuery, visit: str, today: date) -> Iterator[Span]:
    choices = [(f"Since the last visit, {day_and_clock(visit)[0]}", visit)] if visit else []
    choices += [(f"Last {days} days", (today - timedelta(days=days)).isoformat()) for days in _RECENT]
    for words, since in [*choices, ("All", "")]:
        yield Span(words, asked.between(since), (asked.since, asked.until) == (since, ""))


def _months(
    ordered: Sequence[tuple[int, TimelineEntry | BareNote]], asked: PatientQuery, shown: range
) -> Iterator[Month]:
    placed = enumerate(ordered)
    for month, group in groupby(placed, lambda one: month_of(one[1][1].time)):
        notes = list(group)
        place, (number, _) = notes[0]
        there = "" if place in shown else replace(asked, start=place - place % ON_A_PAGE).url
        dots = tuple(isinstance(note, TimelineEntry) for _, (_, note) in notes)
        yield Month(month_words(month), f"{there}#n{number}", dots)


def _headings(note: TimelineEntry | BareNote) -> set[str]:
    if isinstance(note, BareNote):
        return set()
    return {heading_of(place.context) for place in note.note.sentences} - {""}


def choices(names: Iterator[str]) -> tuple[tuple[str, int], ...]:
    """The most frequent names, in the order of the alphabet; in whatever case, one name."""
    written = Counter(names)
    same: dict[str, list[tuple[str, int]]] = {}
    for name, count in written.most_common():
        same.setdefault(name.casefold(), []).append((name, count))
    found = Counter({forms[0][0]: sum(count for _, count in forms) for forms in same.values()})
    return tuple(sorted(found.most_common(_MOST_CHOICES), key=lambda one: one[0].casefold()))


def _wrong(remarks: tuple[Remark, ...]) -> Iterator[Wrong]:
    for composition, group in groupby(remarks, lambda remark: remark.composition):
        found = list(group)
        if all(one.finding is Finding.SOURCE_CHANGED for one in found):
            continue  # no forgery: the note stands there with that as its reason
        said = {_PLAIN.get(one.finding, _OTHERWISE) for one in found}
        yield Wrong(note_page(composition), tuple(words for words in _SAID if words in said))


def _missing(left_out: tuple[LeftOut, ...]) -> Iterator[Missing]:
    for reason, group in groupby(sorted(left_out, key=lambda left: left.reason), lambda left: left.reason):
        items = list(group)
        urls = tuple(filter(None, (note_page(left.composition) for left in items)))
        yield Missing(left_out_because(reason), reason, len(items), urls)


def fault(since: str, until: str) -> str:
    """What is wrong with the dates asked for, in a sentence; "" where nothing is."""
    for bound in (since, until):
        if bound and (precision(bound) is Precision.UNKNOWN or len(bound) > _LONGEST_DATE):
            return "A date is a year, a month or a day: 2024, 2024-05 or 2024-05-31."
    calendar = Calendar((since, until))
    first, last = calendar.span(since), calendar.span(until)
    if first and last and first[0] >= last[1]:
        return "The first date is after the last one."
    return ""
