"""`clinsum audit`: proves every sentence of one or all Compositions."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console

from fhir_adapter.audit.verdict import Audit, AuditedContext, AuditedSentence
from fhir_adapter.writing.sections import left_out_words, notice_words
from jobs.audits.checks import Outcome, headline
from jobs.audits.report import open_private, write_csv, write_html
from jobs.audits.view import said
from jobs.audits.walk import audits
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError
from jobs.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: clinsum audit --all --html audit.html --csv audit.csv")(audit)


def audit(
    compositions: Annotated[
        list[str] | None, typer.Argument(metavar="[COMPOSITION]...", help="Composition/id or id.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every Composition that this product wrote.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also a report as one page; it holds sentences of the notes."),
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
    settings = settings_from(sets)
    with ExitStack() as opened:
        page, table = (opened.enter_context(_writable(path)) if path else None for path in (html, csv))
        kept: list[Audit] | None = [] if page or table else None
        ended = asyncio.run(_audit(settings, compositions or [], json, kept))
        if page:
            write_html(kept or [], settings.written_to, page)
        if table:
            write_csv(kept or [], table)
    raise typer.Exit(ended)


def _writable(path: Path) -> TextIO:
    """Opened before the audit begins: nobody waits for hours to be told that a folder is missing."""
    try:
        return open_private(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


async def _audit(settings: Settings, compositions: list[str], json: bool, kept: list[Audit] | None) -> Exit:
    counts: Counter[str] = Counter()
    out = console()
    async for result in audits(settings, compositions):
        counts["compositions"] += 1
        counts["sentences"] += len(result.sentences)
        counts["proven"] += sum(sentence.ok for sentence in result.sentences)
        counts["lines"] += len(result.pinned.lines) if result.pinned else 0
        counts["with findings"] += not result.ok
        counts["no longer current"] += not result.state.current
        if kept is not None:
            kept.append(result)
        if json:
            print_json(result.to_json())
        elif compositions or not result.ok or not result.state.current:
            _show(result, out)
    if not json:
        out.print(
            f"{counts['compositions']} Compositions, {counts['sentences']} sentences, {counts['proven']} "
            f"proven to stand in their source; {counts['with findings']} Compositions with findings."
        )
        if counts["lines"]:
            out.print(f"Beside them {counts['lines']} lines found by rule.")
        if counts["no longer current"]:
            out.print(
                f"{counts['no longer current']} no longer current: withdrawn, superseded or out of date."
            )
    return Exit.SOMETHING_FAILED if counts["with findings"] else Exit.DONE


_COLOURS = {Outcome.HOLDS: "green", Outcome.FAILS: "red"}


def _show(result: Audit, out: Console) -> None:
    found = headline(result)
    verdict = "ok" if found.outcome is Outcome.HOLDS else f"not ok: {found.headline}"
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
        for piece in sentence.before:
            if (piece.start, piece.end) not in known or not piece.ok:
                _show_piece(piece, out)
        known = [(piece.start, piece.end) for piece in sentence.before]
        mark = "[green]✓[/]" if sentence.ok else "[red]✗[/]"
        score = "" if sentence.score is None else f" score {sentence.score:g}"
        of = f" {sentence.source}" if sentence.source else ""
        out.print(f"  {mark}{of} {sentence.start}–{sentence.end}{score}  ", end="")
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
