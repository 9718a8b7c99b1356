"""The notes of a patient as the page shows them: each a block, its sentences under their own headings."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.standing import ended_words
from fhir_adapter.audit.verdict import AuditedSentence
from fhir_adapter.narrative import displayed
from fhir_adapter.reasons import Reason
from fhir_adapter.timeline.bare import NOT_YET
from fhir_adapter.timeline.clinical_time import Precision, precision, readable
from fhir_adapter.timeline.pieces import Context, Place
from fhir_adapter.timeline.timeline import BareNote, TimelineEntry
from fhir_adapter.writing.sections import notice_words
from jobs.web.views.links import note_page
from summarizer.types import ContextKind, LeftOut

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
    "source-gone": "The note, as it was summarised, is no longer on the server.",
    "source-changed": "The note has changed since it was summarised.",
    "source-unreadable": "The note's text could not be read again.",
}
_NOT_READABLE = frozenset(
    {
        "source-unreadable",
        *(reason.value for reason in Reason if reason.failure),
        Reason.NO_ATTACHMENT.value,
        Reason.UNSUPPORTED_TYPE.value,
        Reason.EMPTY_TEXT.value,
        Reason.SCANNED_IMAGE.value,
        Reason.ENCRYPTED.value,
        Reason.FOREIGN_HOST.value,
        Reason.TOO_LARGE.value,
    }
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HEADING = ContextKind.HEADING.value
_LEAD_IN = ContextKind.LEAD_IN.value
_LEAD_IN_LENGTH = 80  # characters
_MOST_NAMED = 4  # other notes that say the same, one by one; of more the first and the last
_MOST_SECTIONS = 4
_LONGEST_ABBREVIATION = 4

Around = tuple[tuple[str, str], ...]
"""What stands around a sentence, each with why."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another note that says a sentence too; `words` are its own where they are not the same."""

    day: str
    kind: str
    url: str
    words: str


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence of a note.

    Attributes:
        number: that of the list which it is an item of; "" where it is of none.
        url: its place in the note.
        new: no earlier note says it, while others of its note were said before.
        also: in how many other notes it stands; `others` are some of these, at least the first and the last.
        before, after: what stands around it.
        again: what stands before it as well, and in or with the sentence above: shown where that one is not.
    """

    text: str
    number: str
    url: str
    new: bool
    also: int
    others: tuple[Elsewhere, ...]
    before: Around = ()
    after: Around = ()
    again: Around = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Sentences under one heading, as the note has it; "" where they stand under none.

    Attributes:
        title: the heading, and what leads in to the sentences.
    """

    heading: str
    title: str
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class ByRule:
    """What a rule found in a note; `words` are the rule's."""

    words: str
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class NoteBlock:
    """One note.

    Attributes:
        anchor: names it on the page: by its place in the order of time, the same on every page.
        day, clock: its time, as people write it; `clock` is "" where only the day is stated.
        stated: what its time means (`study`, `written`); "" where it is unknown.
        month: `2026-11`, or "" where its time is vaguer or unknown.
        author: who wrote it, or "".
        url: of its own page; "" where it has no summary.
        why: it has no summary that is shown, in a sentence; else "".
        not_shown: what of the note is not there, in a sentence, or "".
        reading: what was remarkable in reading it, in a sentence, or "".
        all_new: nothing in it is in an earlier note, there is an earlier one, and its time is known.
    """

    anchor: str
    day: str
    clock: str
    stated: str
    month: str
    kind: str
    author: str
    url: str = ""
    sections: tuple[Section, ...] = ()
    ruled: tuple[ByRule, ...] = ()
    why: str = ""
    not_shown: str = ""
    reading: str = ""
    all_new: bool = False


class Blocks:
    """Makes the blocks of one patient's notes.

    Args:
        notes: with and without a summary, in the order of time.
    """

    def __init__(self, notes: Sequence[TimelineEntry | BareNote]) -> None:
        entries = [note for note in notes if isinstance(note, TimelineEntry)]
        self._by_source = {entry.source: entry for entry in entries}
        self._first = entries[0].source if entries else ""
        # One sentence may stand in many notes: each of its places knows the others.
        self._same = {
            (place.source, place.start, place.end): sentence.places
            for entry in entries
            for sentence in entry.sentences
            for place in sentence.places
        }

    def block(self, note: TimelineEntry | BareNote, number: int) -> NoteBlock:
        """One of them; `number` is its place in the order of time, from 1."""
        element = note.time_element if isinstance(note, TimelineEntry) else note.times.clinical.element
        source = note.note.note if isinstance(note, TimelineEntry) else note.note
        day, clock = day_and_clock(note.time)
        block = NoteBlock(
            anchor=f"n{number}",
            day=day,
            clock=clock,
            stated=kind_of_time(element),
            month=month_of(note.time),
            kind=kind_of(note),
            author=", ".join(source.authors),
        )
        if isinstance(note, BareNote):
            return replace(block, why=why_bare(note.reason))
        return replace(
            block,
            url=note_page(note.note.composition),
            sections=tuple(self._sections(note)),
            ruled=tuple(self._ruled(note)),
            not_shown=_not_shown_of(note),
            reading=" ".join(filter(None, (notice_words(note.note.notice), note.note.copies_words))),
            all_new=bool(note.time and note.sentences) and not note.repeated and note.source != self._first,
        )

    def _sections(self, entry: TimelineEntry) -> Iterator[Section]:
        found: list[tuple[tuple[str, str], Told]] = []
        for place, before, again in told_once(entry.note.sentences):
            told = self._told(place, _around(before))
            new = told.new and entry.repeated > 0 and bool(entry.time)
            over = (heading_of(place.context), heading_of(place.context, leads=True))
            found.append((over, replace(told, new=new, again=_around(again))))
        for (heading, title), group in groupby(found, lambda pair: pair[0]):
            yield Section(heading, title, tuple(told for _, told in group))

    def _ruled(self, entry: TimelineEntry) -> Iterator[ByRule]:
        for words, group in groupby(entry.note.pinned, lambda line: line.head):
            lines = ((line, [p for p in line.before if _named(p) != words.casefold()]) for line in group)
            told = (self._told(line.place, _around(before), told_again=False) for line, before in lines)
            yield ByRule(words, tuple(told))

    def _told(self, place: Place, before: Around, *, told_again: bool = True) -> Told:
        same = self._same.get((place.source, place.start, place.end), (place,)) if told_again else (place,)
        others = [one for one in same if one.source != place.source]
        after = tuple(piece for piece in place.context if piece.start >= place.start)
        first = same[0].source == place.source
        named = others if len(others) <= _MOST_NAMED else [others[0], others[-1]]
        return Told(
            text=displayed(place.text),
            number=place.number,
            url=note_page(place.composition, f"c{place.start}-{place.end}"),
            new=told_again and first,
            also=len({one.source for one in others}),
            others=tuple(self._elsewhere(one, place.text) for one in named),
            before=before,
            after=_around(after),
        )

    def _elsewhere(self, place: Place, shown: str) -> Elsewhere:
        entry = self._by_source[place.source]
        return Elsewhere(
            day=day_and_clock(entry.time)[0],
            kind=kind_of(entry),
            url=note_page(place.composition, f"c{place.start}-{place.end}"),
            words="" if place.text == shown else displayed(place.text),
        )


def told_once(places: Iterable[Place]) -> Iterator[tuple[Place, list[Context], list[Context]]]:
    """Each sentence with what stands before it: what the one above has not said, and what it has.

    Headings and short lead-ins are left out; they stand over the sentences. A long lead-in is told each time.
    """
    above: set[tuple[int, int]] = set()
    for place in places:
        before = [p for p in place.context if p.start < place.start and not (_is_heading(p) or _leads(p))]
        fresh = [p for p in before if (p.start, p.end) not in above or p.kind == _LEAD_IN]
        yield place, fresh, [piece for piece in before if piece not in fresh]
        above = {(place.start, place.end), *((piece.start, piece.end) for piece in before)}


def _is_heading(piece: Context) -> bool:
    return piece.kind == _HEADING


def _around(pieces: Iterable[Context]) -> Around:
    return tuple((piece.kind.replace("-", " "), displayed(piece.text)) for piece in pieces)


def headings_over(places: Iterable[Place | AuditedSentence]) -> set[str]:
    """The headings right over sentences or lines, in small letters: `ecg` of `O › ECG`."""
    over = ([piece for piece in place.context if piece.kind == _HEADING] for place in places)
    return {_bare(pieces[-1].text).casefold() for pieces in over if pieces}


def _named(piece: Context) -> str:
    """A piece as it may say the same as a rule does: `ALLERGIES:` over what `Allergies` found."""
    return _bare(piece.text).casefold()


def _bare(title: str) -> str:
    """A heading without what closes it."""
    return displayed(title).rstrip(" :")


def _leads(piece: Context) -> bool:
    """Whether a piece is a lead-in that is short enough to stand over sentences."""
    return piece.kind == _LEAD_IN and len(displayed(piece.text)) <= _LEAD_IN_LENGTH


def heading_of(context: Iterable[Context], *, leads: bool = False) -> str:
    """The headings over a sentence, the outermost first, in one line; "" where there is none.

    With `leads` what leads in to it stands there too (`Medicines › STOP taking`).
    """
    named = (_bare(piece.text) for piece in context if _is_heading(piece) or (leads and _leads(piece)))
    return " › ".join(dict.fromkeys(filter(None, named)))


def kind_of(note: TimelineEntry | BareNote) -> str:
    """What kind of note it is, in one line."""
    return " ".join(note.title.split())


def kind_of_time(element: str) -> str:
    """What the time in an element means, in a word or two; "" where there is no time."""
    return (
        next((words for part, words in _KINDS if part in element.partition(".")[2]), "stated")
        if element
        else ""
    )


def day_and_clock(time: str) -> tuple[str, str]:
    """A stated time as (`28 Nov 2026`, `07:30 UTC`); the second is "" where it states no more than a day."""
    exact = precision(time)
    if exact in (Precision.UNKNOWN, Precision.YEAR):
        return readable(time), ""
    year, month = time[:4], _MONTHS[int(time[5:7]) - 1]
    if exact is Precision.MONTH:
        return f"{month} {year}", ""
    return f"{int(time[8:10])} {month} {year}", readable(time)[11:] if exact is Precision.TIME else ""


def month_of(time: str) -> str:
    """`2026-11`; "" where no month is stated."""
    return "" if precision(time) in (Precision.UNKNOWN, Precision.YEAR) else time[:7]


def month_words(month: str) -> str:
    """`Nov 2026`; "No month stated" for ""."""
    return f"{_MONTHS[int(month[5:7]) - 1]} {month[:4]}" if month else "No month stated"


def why_bare(reason: str) -> str:
    """Why no summary of a note is shown, in a sentence."""
    return _BARE.get(reason) or left_out_because(reason)


def left_out_because(reason: str) -> str:
    """Why a summary is not shown, in a sentence."""
    finding = next((one for one in Finding if one.value == reason), None)
    return _LEFT_OUT.get(reason) or (finding.words if finding else ended_words(reason))


def readable_note(reason: str) -> bool:
    """Whether a note without a summary could be read, or need not be."""
    return reason not in _NOT_READABLE


def _not_shown_of(entry: TimelineEntry) -> str:
    note = entry.note
    places = [*note.sentences, *(line.place for line in note.pinned)]
    hidden = note.total - len({(place.start, place.end) for place in places}) if note.total else None
    return not_shown(note.left_out, hidden, headings_over(places))


def not_shown(left: LeftOut, hidden: int | None = None, told: Container[str] = ()) -> str:
    """What of a note is not there: `Not shown: allergies, medications, 31 more sentences.`; or "".

    Args:
        left: as its summary states it.
        hidden: how many sentences of the note are not shown; None where no more is known than the summary
            states: those that scored high enough and found no place.
        told: headings in small letters under which a line stands all the same, since a rule found it.
    """
    sections = [section for section in left.sections if _bare(section.title).casefold() not in told]
    titles = [_lowered(_bare(section.title)) for section in sections]
    named = titles if len(titles) <= _MOST_SECTIONS + 1 else titles[:_MOST_SECTIONS]
    parts = [title for title in named if title]
    if more := len(titles) - len(parts):
        parts.append(f"{more} more section{'' if more == 1 else 's'}")
    of_sections = sum(section.sentences for section in sections)
    rest = left.sentences if hidden is None else hidden - of_sections
    if rest > 0:
        parts.append(f"{rest:,} more sentence{'' if rest == 1 else 's'}")
    return f"Not shown: {', '.join(parts)}." if parts else ""


def _lowered(title: str) -> str:
    """A title inside a sentence; an abbreviation keeps its letters."""
    first = title.partition(" ")[0]
    if title.isupper() and len(title) > _LONGEST_ABBREVIATION:
        return title.lower()
    return title if first.isupper() else title[:1].lower() + title[1:]
