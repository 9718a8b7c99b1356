"""`clinsum audit`: proves every sentence of one or all Compositions."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fhir_adapter.audit.verdict import Audit, AuditedContext, AuditedSentence
from fhir_adapter.writing.sections import left_out_words, notice_words
from jobs.audits.checks import Outcome, headline
from jobs.audits.reports import Reports, reporting
from jobs.audits.view import said
from jobs.audits.walk import Asked, audits
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError
from jobs.settings import Settings
from jobs.values import parse_since


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum audit --all --html audit.html --csv audit.csv")(audit)


def audit(
    compositions: Annotated[
        list[str] | None, typer.Argument(metavar="[COMPOSITION]...", help="Composition/id or id.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every Composition that this product wrote.")] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="With --all: only those since 2026-01-31, 24h, 7d."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="With --all: only N of them, taken at random.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also a report; it holds sentences of the notes."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also a table, one row a finding; no text of notes.")
    ] = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Reads a Composition and its source again and verifies every sentence.

    Exit code 1 on any finding.
    """
    if bool(compositions) == all_:
        raise UsageError("Name a Composition, or give --all.")
    if (since or sample) and not all_:
        raise UsageError("--since and --sample go with --all.")
    try:
        asked = Asked(tuple(compositions or ()), parse_since(since) if since else None, sample)
    except ValueError as error:
        raise UsageError(f"--since: {error}.") from None
    settings = settings_from(sets)
    with reporting(settings, asked, html, csv) as reports:
        ended = asyncio.run(_audit(settings, asked, json, reports))
    raise typer.Exit(ended)


async def _audit(settings: Settings, asked: Asked, json: bool, reports: Reports) -> Exit:
    counts: Counter[str] = Counter()
    out = console()
    async for result in audits(settings, asked):
        counts["compositions"] += 1
        counts["sentences"] += len(result.sentences)
        counts["proven"] += sum(sentence.ok for sentence in result.sentences)
        counts["lines"] += len(result.pinned.lines) if result.pinned else 0
        counts["with findings"] += not result.ok
        counts["no longer current"] += not result.state.current
        reports.add(result)
        if json:
            print_json(result.to_json())
        elif asked.named or not result.ok or not result.state.current:
            _show(result, out)
    if not json:
        _show_counts(counts, out)
    return Exit.SOMETHING_FAILED if counts["with findings"] else Exit.DONE


def _show_counts(counts: Counter[str], out: Console) -> None:
    total, wrong = (
        f"{number} Composition{'' if number == 1 else 's'}"
        for number in (counts["compositions"], counts["with findings"])
    )
    out.print(
        f"{total}, {counts['sentences']} sentences, {counts['proven']} proven to stand in their source; "
        f"{wrong} with findings."
    )
    if counts["lines"]:
        out.print(f"Beside them {counts['lines']} lines found by rule.")
    if counts["no longer current"]:
        out.print(f"{counts['no longer current']} no longer current: withdrawn, superseded or out of date.")


_COLOURS = {Outcome.HOLDS: "green", Outcome.FAILS: "red"}


def _show(result: Audit, out: Console) -> None:
    found = headline(result)
    verdict = "ok" if found.outcome is Outcome.HOLDS else f"not ok: {found.headline}"
    if result.filed.title:
        patient = f", {result.filed.patient}" if result.filed.patient else ""
        out.print(f"{result.filed.title}{patient} ({result.filed.status})", style="bold", markup=False)
    out.print(f"{result.composition} of {result.source}: ", end="", markup=False)
    out.print(verdict, style=_COLOURS.get(found.outcome, "yellow"), markup=False)
    if not result.state.current:
        out.print(f"  {result.state.words} Do not rely on it.", style="yellow", markup=False)
    if result.reading:
        out.print(f"  {notice_words(result.reading)}", style="yellow", markup=False)
    _show_sentences(result.sentences, out)
    for words, lines in result.pinned.by_rule if result.pinned else []:
        out.print(f"  Found by rule: {words}", style="bold", markup=False)
        _show_sentences(lines, out)
    if words := left_out_words(result.left_out):
        out.print(f"  {words}", style="dim", markup=False)
    for finding, detail in result.findings:
        out.print(f"  {finding.value}: {finding.words}{f' ({detail})' if detail else ''}", markup=False)
    for notice in result.notices:
        out.print(f"  {notice}", style="dim", markup=False)


def _show_sentences(sentences: Sequence[AuditedSentence], out: Console) -> None:
    known: list[tuple[int, int]] = []
    for sentence in sentences:
        before = [(piece.start, piece.end) for piece in sentence.before]
        for piece in sentence.before:
            if before != known or not piece.ok:
                _show_piece(piece, out)
        known = before
        mark = "[green]✓[/]" if sentence.ok else "[red]✗[/]"
        score = "" if sentence.score is None else f" score {sentence.score:g}"
        of = f" {sentence.source}" if sentence.source else ""
        out.print(f"{'    ' if before else '  '}{mark}{of} {sentence.start}–{sentence.end}{score}  ", end="")
        out.print(" ".join(sentence.text.split()), markup=False)
        _show_said(sentence, out)
        for piece in sentence.after:
            _show_piece(piece, out)


def _show_piece(piece: AuditedContext, out: Console) -> None:
    words = " ".join((piece.text or piece.shown).split())
    out.print(f"  {' ' if piece.ok else '✗'} {words}", style="dim" if piece.ok else "red", markup=False)
    _show_said(piece, out)


def _show_said(piece: AuditedSentence | AuditedContext, out: Console) -> None:
    """What is shown and what the note says, where that is not the same."""
    words = said(piece)
    if words:
        out.print(f"    summary says “{words[0]}”, note says “{words[1]}”", style="red", markup=False)
