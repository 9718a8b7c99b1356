"""`clinsum timeline`: what many notes say, in the order in which it happened."""

import asyncio
from collections import Counter
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from fhir_adapter.timeline.building import woven
from fhir_adapter.timeline.clinical_time import readable
from fhir_adapter.timeline.pieces import Place
from fhir_adapter.timeline.timeline import BareNote, Timeline, TimelineEntry, TimelineSentence
from fhir_adapter.writing.sections import left_out_words, notice_words
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError
from jobs.timelines import timeline_of


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum timeline Patient/123 --since 2025-01 --until 2025-06")(timeline)


def timeline(
    subject: Annotated[str, typer.Argument(metavar="Patient/ID|Encounter/ID", help="Whose notes.")],
    since: Annotated[str, typer.Option(metavar="DATE", help="Not before: 2024, 2024-05, 2024-05-31.")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Not after that day, month or year.")] = "",
    write: Annotated[
        bool, typer.Option("--write", help="Keep it on the server as one Composition; a rerun renews it.")
    ] = False,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Shows the chosen sentences of all notes of a patient or an encounter, by clinical time.

    Each sentence is verified against its note first. What notes copy forward is shown once. Exit code 1
    where a summary has a finding.
    """
    settings = settings_from(sets)
    try:
        found, kept = asyncio.run(timeline_of(settings, subject, since, until, write))
    except ValueError as error:
        raise UsageError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
    if json:
        print_json(found.to_json() | {"written": kept.to_json() if kept else None})
    else:
        out = console()
        show(found, out)
        if kept:
            out.print(f"{kept.composition + ': ' if kept.composition else ''}{kept.status.words}")
    raise typer.Exit(Exit.DONE if found.ok else Exit.SOMETHING_FAILED)


def show(found: Timeline, out: Console) -> None:
    """The timeline as people read it."""
    for words in found.scope.told:
        out.print(words)
    for note in woven(found):
        if isinstance(note, BareNote):
            _show_bare(note, out)
        else:
            _show_entry(note, out)
    out.print()
    out.print(
        f"{_count(len(found.entries), 'note')}, {_count(found.sentences, 'sentence')} in "
        f"{_count(found.places, 'place')}, each verified in its note."
    )
    if found.bare:
        out.print(f"{_count(len(found.bare), 'note')} without a summary.")
    for reason, count in sorted(Counter(left.reason for left in found.left_out).items()):
        out.print(f"{_count(count, 'note')} left out: {reason}.")
    for remark in found.remarks:
        hint = f" ({remark.detail})" if remark.detail else ""
        words = f"{remark.finding.value}: {remark.finding.words}{hint}"
        out.print(f"{remark.composition} of {remark.source}: {words}", markup=False)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def _show_entry(entry: TimelineEntry, out: Console) -> None:
    head = Text(f"\n{readable(entry.time)}", style="bold")
    head.append(f"  {' '.join(entry.title.split())}", style="bold")
    head.append(f"  {entry.source}", style="dim")
    if entry.time_element:
        head.append(f"  by {entry.time_element.partition('.')[2]}", style="dim")
    out.print(head)
    known: list[tuple[int, int]] = []
    for sentence in entry.sentences:
        before = [(piece.start, piece.end) for piece in sentence.before]
        for piece in sentence.before if before != known else ():
            out.print(Padding(Text(_folded(piece.text), style="dim"), (0, 0, 0, 2), expand=False))
        known = before
        out.print(Padding(Text(_folded(sentence.text)), (0, 0, 0, 4 if before else 2), expand=False))
        for piece in sentence.after:
            out.print(Padding(Text(_folded(piece.text), style="dim"), (0, 0, 0, 4), expand=False))
        for line in _also(sentence):
            out.print(Padding(Text(line, style="dim"), (0, 0, 0, 4), expand=False))
    _show_beside(entry, out)
    if entry.repeated:
        more = "and " if entry.sentences else "nothing new; "
        out.print(
            Padding(
                Text(f"{more}{entry.repeated} shown above already", style="dim"), (0, 0, 0, 2), expand=False
            )
        )


def _show_beside(entry: TimelineEntry, out: Console) -> None:
    """What rules found in the note, what is not shown of it, and how it could be read."""
    words = ""
    for line in entry.note.pinned:
        if line.head != words:
            words = line.head
            out.print(Padding(Text(f"found by rule: {words}", style="bold"), (0, 0, 0, 2), expand=False))
        before, after = ([piece.text for piece in some] for some in (line.before, line.after))
        told = _folded(" ".join([*before, line.place.text, *after]))
        out.print(Padding(Text(told), (0, 0, 0, 4), expand=False))
    note = entry.note
    for said in filter(None, (left_out_words(note.left_out), notice_words(note.notice), note.copies_words)):
        out.print(Padding(Text(said, style="dim"), (0, 0, 0, 2), expand=False))


def _folded(text: str) -> str:
    return " ".join(text.split())


def _show_bare(bare: BareNote, out: Console) -> None:
    head = Text(f"\n{readable(bare.time)}  {_folded(bare.title)}", style="bold")
    out.print(head.append(f"  {bare.source}", style="dim"))
    out.print(Padding(Text(f"no summary: {bare.reason}", style="yellow"), (0, 0, 0, 2), expand=False))


def _also(sentence: TimelineSentence) -> list[str]:
    """Where else it stands; a near repeat is shown in its own words, since they may matter."""
    same = [place.source for place in sentence.repeats if place.text == sentence.text]
    lines = [f"also in {', '.join(dict.fromkeys(same))}"] if same else []
    return lines + [_variant(place) for place in sentence.repeats if place.text != sentence.text]


def _variant(place: Place) -> str:
    return f"in {place.source} as: {' '.join(place.text.split())}"
