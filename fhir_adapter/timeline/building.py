"""Verified summaries in, a Timeline out: the order of the notes, and each sentence told once."""

from collections.abc import Iterable, Sequence
from typing import Any

from fhir_adapter.timeline.clinical_time import Calendar
from fhir_adapter.timeline.pieces import Place
from fhir_adapter.timeline.timeline import (
    BareNote,
    LeftOut,
    Remark,
    Timeline,
    TimelineEntry,
    TimelineNote,
    TimelineScope,
    TimelineSentence,
)
from summarizer.selection.repeats import RepeatFinder


def build(
    scope: TimelineScope,
    notes: Iterable[TimelineNote],
    left_out: Sequence[LeftOut] = (),
    remarks: Sequence[Remark] = (),
    bare: Iterable[BareNote] = (),
) -> Timeline:
    """Orders notes, keeps those inside the window of the scope, and tells each sentence once.

    A note whose time is unknown, or stated so vaguely that it may lie inside the window, is kept.

    Args:
        scope: whose timeline, and from when to when.
        notes: one for each source.
        left_out: what the reader left out already.
        remarks: what the audit found.
        bare: notes that no summary is shown of.
    """
    ordered = in_order(notes)
    calendar = Calendar([*_values(ordered), scope.since, scope.until])
    within, outside = [], list(left_out)
    for note in ordered:
        if inside(calendar, scope.since, scope.until, note.times.clinical.value):
            within.append(note)
        else:
            outside.append(LeftOut(note.composition, note.note.reference, "outside-window"))
    shown = [one for one in bare if inside(calendar, scope.since, scope.until, one.time)]
    return Timeline(
        scope, tuple(_told_once(within)), tuple(outside), tuple(remarks), tuple(_sorted(shown, calendar))
    )


def woven(timeline: Timeline) -> list[TimelineEntry | BareNote]:
    """Notes with a summary and notes without one, in one order."""
    calendar = Calendar(
        time.value
        for times in (*(e.note.times for e in timeline.entries), *(b.times for b in timeline.bare))
        for time in (times.clinical, times.written)
    )
    notes: list[tuple[Any, TimelineEntry | BareNote]] = [
        (_key(e.note, calendar), e) for e in timeline.entries
    ]
    notes += [(_key(bare, calendar), bare) for bare in timeline.bare]
    return [note for _, note in sorted(notes, key=lambda pair: pair[0])]


def in_order(notes: Iterable[TimelineNote]) -> list[TimelineNote]:
    """The notes by clinical time, then by the time they were written, then by reference."""
    found = list(notes)
    calendar = Calendar(_values(found))

    return sorted(found, key=lambda note: (*_key(note, calendar), note.composition))


def _sorted(notes: Iterable[BareNote], calendar: Calendar) -> list[BareNote]:
    return sorted(notes, key=lambda note: _key(note, calendar))


def _key(note: TimelineNote | BareNote, calendar: Calendar) -> tuple[Any, ...]:
    times = note.times
    return calendar.key(times.clinical.value), calendar.key(times.written.value), note.note.reference


def _values(notes: Iterable[TimelineNote]) -> list[str]:
    return [time.value for note in notes for time in (note.times.clinical, note.times.written)]


def inside(calendar: Calendar, since: str, until: str, time: str) -> bool:
    """Whether a time may lie within two dates, inclusive to their last moment; "" is no bound."""
    span, first, last = (calendar.span(value) for value in (time, since, until))
    if span is None:
        return True
    return (first is None or span[1] > first[0]) and (last is None or span[0] < last[1])


def _told_once(notes: Iterable[TimelineNote]) -> list[TimelineEntry]:
    told = RepeatFinder()
    sentences: list[list[Place]] = []
    shown: list[tuple[TimelineNote, list[int], int]] = []
    for note in notes:
        new: list[int] = []
        repeated = 0
        for place in note.sentences:
            number = told.find(place.text)
            # Two sentences of one note are two sentences, however alike: the summary chose both. And the
            # same words under another heading are no repeat: `Warfarin` under `STOP` is not `Warfarin`.
            if number is None or number in new or sentences[number][0].setting != place.setting:
                new.append(len(sentences))
                told.add(place.text)
                sentences.append([place])
            else:
                sentences[number].append(place)
                repeated += 1
        shown.append((note, new, repeated))
    return [
        TimelineEntry(note, tuple(TimelineSentence(tuple(sentences[i])) for i in new), repeated)
        for note, new, repeated in shown
    ]
