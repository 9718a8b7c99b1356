"""What the page of a note shows beside its audit: whose it is, how its summary stands, what is new."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fhir_adapter.audit.standing import Standing
from fhir_adapter.audit.verdict import Examined
from fhir_adapter.narrative import displayed
from fhir_adapter.note import Reading
from fhir_adapter.reading.persons import Person
from fhir_adapter.timeline.clinical_time import note_times, readable
from fhir_adapter.timeline.pieces import number_before
from fhir_adapter.timeline.timeline import title_of
from jobs.audits.checks import Outcome
from jobs.audits.shown import Around, AuditRow, Place, under
from jobs.audits.view import Segment, segments
from jobs.web.views.audit_page import AuditPage
from jobs.web.views.note_blocks import day_and_clock, headings_over, not_shown
from summarizer import SelectedSentence, Summary
from summarizer.segmentation.segment import segment

_MOST_NEWS = 6
_ROOM = 60  # characters
_LENGTHS = (("Shorter", "shorter"), ("Suggested", ""), ("Longer", "longer"))
_GONE = (Standing.WITHDRAWN, Standing.RECALLED)
_KEPT = ("holds", "over", "unknown")  # of these other lengths are picked, and it is said what is not shown
_HEADS = {
    Standing.WITHDRAWN: "Withdrawn",
    Standing.RECALLED: "Recalled",
    Standing.SUPERSEDED: "Superseded",
    Standing.OUTDATED: "The note has moved on",
}
_STATES = {
    Outcome.HOLDS: ("holds", "Word for word"),
    Outcome.FAILS: ("fails", "Does not hold"),
    Outcome.UNKNOWN: ("unknown", "Could not be checked"),
    Outcome.OVER: ("over", "The note has moved on"),
}


@dataclass(frozen=True, slots=True)
class Strip:
    """How a summary stands, in one line.

    Attributes:
        state: `holds`, `fails`, `over` (the note has moved on), `gone` (withdrawn) or `unknown`.
        head: in a few words.
        parts: what else belongs on the line.
        words: why, in a sentence; "" where it holds.
        altered: number of a sentence, and the words that differ as (summary, note).
    """

    state: str
    head: str
    parts: tuple[str, ...]
    words: str = ""
    altered: tuple[tuple[int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Picked:
    """What the model that runs now picks, of another length.

    Attributes:
        length: `shorter` or `longer` than what is kept.
        by: the model, by name.
    """

    length: str
    by: str
    sentences: tuple[SelectedSentence, ...]


@dataclass(frozen=True, slots=True)
class LengthChoice:
    """A length that the summary can be shown in; `chosen` where it is the one that is shown."""

    words: str
    url: str
    sentences: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class NotePage:
    """What stands around the text and its sentences.

    Attributes:
        news: sentences of the newest version of the note that the one summarised did not have.
        more_news: how many more there are.
        gone, more_gone: the same of sentences that the one summarised had and the newest has not.
        same: the newest version has the very sentences of the one summarised.
        rows: the sentences shown: those that are kept, or those picked now.
        numbers: by the number of a row, that of the list in the note which it is an item of, or "".
        length: "" for what is kept.
        not_shown: how many of the note's sentences are shown, and what is not.
        lengths: the choices; empty where there is none.
    """

    person: Person | None
    kind: str
    day: str
    clock: str
    author: str
    strip: Strip
    rows: tuple[AuditRow, ...]
    segments: tuple[Segment, ...] | None
    numbers: dict[int, str]
    not_shown: str
    news: tuple[str, ...] = ()
    more_news: int = 0
    gone: tuple[str, ...] = ()
    more_gone: int = 0
    same: bool = False
    length: str = ""
    picked_by: str = ""
    lengths: tuple[LengthChoice, ...] = ()


def note_view(
    examined: Examined,
    audit: AuditPage,
    person: Person | None,
    authors: Sequence[str],
    newest: str | None,
    picked: Picked | None = None,
) -> NotePage:
    """Puts the page together; pure, but slow enough for a long note to be done beside the event loop.

    Args:
        examined: a summary.
        audit: the same as its audit shows it.
        person: whose note it is.
        authors: names of who wrote it.
        newest: the text of the note now, where that is another version than was summarised.
        picked: shown in place of what is kept.
    """
    (section,) = examined.sections
    reading = section.source.reading
    text = reading.text.text if reading else ""
    day, clock = day_and_clock(note_times(section.source.stated or {}).clinical.value)
    rows = picked_rows(text, picked.sentences) if picked else audit.rows
    marks = segments(text, rows, audit.ruled) if picked else audit.segments
    total, strip = _count(reading), strip_of(examined, audit)
    kept = not picked and strip.state in _KEPT
    compared = newest is not None and reading is not None
    news = new_sentences(text, newest or "") if compared else []
    gone = new_sentences(newest or "", text) if compared else []
    return NotePage(
        person=person,
        kind=" ".join(title_of(reading.note).split()) if reading else "A note",
        day=day,
        clock=clock,
        author=", ".join(authors),
        strip=strip,
        rows=rows,
        segments=marks,
        numbers={row.number: _number(text, row) for row in rows},
        not_shown=_not_shown(examined, total, rows, kept=kept) if picked or kept else "",
        news=tuple(news[:_MOST_NEWS]),
        more_news=len(news[_MOST_NEWS:]),
        gone=tuple(gone[:_MOST_NEWS]),
        more_gone=len(gone[_MOST_NEWS:]),
        same=compared and not news and not gone,
        length=picked.length if picked else "",
        picked_by=picked.by if picked else "",
        lengths=_lengths(audit, picked, total) if total and audit.rows and strip.state in _KEPT else (),
    )


def _count(reading: Reading | None) -> int:
    """How many sentences the note has; 0 where it could not be read."""
    if reading is None:
        return 0
    document = reading.text.document()
    return len(segment(document.text, document.headings, document.marks).sentences)


def _not_shown(examined: Examined, total: int, rows: Sequence[AuditRow], *, kept: bool) -> str:
    """How many of the note's sentences are shown, and where the others stand; "" for a note not read."""
    if not total:
        return not_shown(examined.audit.left_out) if kept else ""
    share = f"{len(rows)} of {total:,} sentence{'' if total == 1 else 's'}."
    section = examined.sections[0]
    places = [*section.sentences, *(section.pinned.lines if section.pinned else ())]
    hidden = total - len({(place.start, place.end) for place in places})
    if not kept or not (left := examined.audit.left_out).sections:
        return share
    return f"{share} {not_shown(left, hidden, headings_over(places))}".rstrip()


def wanted_sentences(kept: int, length: str) -> int:
    """How many sentences a shorter or longer choice has than the one that is kept."""
    return max(1, kept // 2) if length == "shorter" else max(2, 2 * kept)


def strip_of(examined: Examined, audit: AuditPage) -> Strip:
    """How a summary stands."""
    state, head = _STATES[audit.verdict.outcome]
    standing = examined.audit.state.standing
    words = "" if state == "holds" else audit.verdict.words
    if standing in _HEADS:
        head, words = _HEADS[standing], examined.audit.state.words
        if standing in _GONE:
            state = "gone"
        elif state != "fails":
            state = "over"
        else:
            head = f"{head}, and it does not hold"
    version = examined.sections[0].claims.version
    parts = [f"version {_clipped(version)} of the note"] if version else []
    parts += [f"checked {audit.when[11:16]} UTC", *_reviewed(examined)]
    altered = ((row.number, said) for row in audit.rows for said in _said(row))
    return Strip(state, head, tuple(parts), words, tuple(altered))


def _reviewed(examined: Examined) -> Iterator[str]:
    attesters = examined.record.attesters
    if not attesters:
        yield "picked by a machine, not reviewed"
    for one in attesters:
        when = f", {day_and_clock(readable(one.time)[:10])[0]}" if one.time else ""
        yield f"attested by {_clipped(one.party) or 'somebody not named'}{when}"


def _clipped(words: str) -> str:
    """What others wrote, as it has room on a line; signs that turn the direction of reading are left out."""
    kept = "".join(sign for sign in displayed(words) if unicodedata.category(sign) != "Cf")
    return kept if len(kept) <= _ROOM else kept[:_ROOM] + "…"


def _said(row: AuditRow) -> Iterator[tuple[str, ...]]:
    """What differs in a sentence and in what stands around it."""
    places = [(place.ok, place.said) for place in row.places]
    around = [(piece.ok, piece.said) for piece in (*row.before, *row.after)]
    for ok, said in (*places, *around):
        if said and not ok:
            yield said


def _number(text: str, row: AuditRow) -> str:
    return number_before(text, row.places[0].start) if row.places and row.places[0].ok else ""


def _lengths(audit: AuditPage, picked: Picked | None, total: int) -> tuple[LengthChoice, ...]:
    """The lengths that differ; none where there is no choice."""
    shown, kept = picked.length if picked else "", len(audit.rows)
    choices = []
    for words, length in _LENGTHS:
        count = min(wanted_sentences(kept, length), total) if length else kept
        if length and count == kept:
            continue
        url = f"/note/{audit.key}" + (f"?length={length}" if length else "")
        choices.append(LengthChoice(words, url, count, length == shown))
    return tuple(choices) if len(choices) > 1 else ()


def new_sentences(before: str, now: str) -> list[str]:
    """The sentences of a text that another did not have, as they are shown, in their order."""
    known = set(_sentences(before))
    return [sentence for sentence in dict.fromkeys(_sentences(now)) if sentence not in known]


def _sentences(text: str) -> list[str]:
    return [displayed(text[one.start : one.end]) for one in segment(text).sentences]


def picked_rows(text: str, sentences: Sequence[SelectedSentence]) -> tuple[AuditRow, ...]:
    """Sentences that were just cut out of a text, as rows: they stand where they stand."""
    rows: list[AuditRow] = []
    for number, one in enumerate(sentences, 1):
        shown = [(displayed(text[one.start : one.end]), False)]
        place = Place(one.start, one.end, one.score, True, f"c{one.start}-{one.end}", shown, "")
        around = [
            Around(
                kind=piece.kind.value.replace("-", " "),
                start=piece.start,
                end=piece.end,
                ok=True,
                shown=[(displayed(text[piece.start : piece.end]), False)],
                text=[],
                said=(),
            )
            for piece in one.context
        ]
        before, after = _in(around, 0, one.start), _in(around, one.start, len(text))
        rows.append(under(AuditRow(number, shown, (place,), tuple(before), tuple(after)), rows))
    return tuple(rows)


def _in(pieces: Iterable[Around], first: int, last: int) -> list[Around]:
    return [piece for piece in pieces if first <= piece.start < last]


def picked_from(summary: Summary, length: str) -> Picked:
    """What a summary of another length picks."""
    return Picked(length, summary.model.name, tuple(summary.summary))
