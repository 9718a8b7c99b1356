"""`clinsum summarize` and `clinsum text`: one file, no server."""

import mimetypes
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from fhir_adapter.errors import NoteError
from fhir_adapter.lenient import as_dict
from fhir_adapter.note import Content, NoteText
from fhir_adapter.reasons import Reason
from fhir_adapter.text import extract
from fhir_adapter.writing.sections import left_out_words, rule_words
from jobs.commands.options import AsJson, Sets, console, print_json, settings_from
from jobs.exits import Exit, UsageError
from jobs.settings import Settings
from jobs.values import parse_budget
from summarizer.types import Budget, ContextSpan, Pinned, PinnedLine, Summary

FileArgument = Annotated[
    str, typer.Argument(metavar="FILE|-", help="Any supported kind of file; - reads standard input.")
]
MediaType = Annotated[str | None, typer.Option(help="The media type, where the name does not tell.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog="Example: clinsum summarize note.txt --sentences 5")(summarize)
    app.command(epilog="Example: clinsum text discharge.pdf --json")(text)


def summarize(
    file: FileArgument,
    engine: Annotated[
        Literal["bertsum", "kmeans", "lexrank", "lead"] | None, typer.Option(help="Which summarizer chooses.")
    ] = None,
    sentences: Annotated[int | None, typer.Option(help="At most so many sentences.")] = None,
    words: Annotated[int | None, typer.Option(help="At most so many words.")] = None,
    ratio: Annotated[float | None, typer.Option(help="At most this share of the sentences.")] = None,
    model: Annotated[str | None, typer.Option(help="A model folder or hub name.")] = None,
    media_type: MediaType = None,
    json: AsJson = False,
    sets: Sets = None,
) -> None:
    """Highlights one note; no server needed."""
    settings = settings_from(sets, engine=engine, model=model)
    budget = _budget(settings, sentences, words, ratio)
    note = _read(file, media_type, json)
    from jobs.runtime import for_readers, make_summarizer

    summary = make_summarizer(for_readers(settings)).summarize([note.document()], budget)[0]
    if json:
        told = {"notice": note.notice} if note.notice else {}
        shown = summary.to_json()
        print_json(shown | {"text": as_dict(shown["text"]) | told})
    else:
        _tell(note)
        _show(summary, note.text)


def _budget(
    settings: Settings, sentences: int | None, words: int | None, ratio: float | None
) -> Budget | None:
    try:
        given = Budget(sentences=sentences, words=words, ratio=ratio)
    except ValueError as error:
        raise UsageError(f"The budget: {error}.") from None
    return given if given != Budget() else parse_budget(settings.budget)


def text(file: FileArgument, media_type: MediaType = None, json: AsJson = False, sets: Sets = None) -> None:
    """What the text extraction gives, with sentences and what each must be read with."""
    settings_from(sets)
    note = _read(file, media_type, json)
    from summarizer.assertion.statements import with_neighbours
    from summarizer.segmentation.segment import segment

    document = note.document()
    parts = with_neighbours(note.text, segment(document.text, document.headings, document.marks))
    if json:
        from summarizer.assertion.flags import sentence_flags

        flags = [sentence_flags(note.text, s.start, s.end, s.context) for s in parts.sentences]
        print_json(
            {
                "media_type": note.media_type,
                "normalization": note.normalization,
                "sha256": note.sha256,
                "notice": note.notice or None,
                "notices": list(note.notices),
                "text": note.text,
                "sentences": [[s.start, s.end] for s in parts.sentences],
                "context": [[piece.to_json() for piece in s.context] for s in parts.sentences],
                "flags": [[flag.value for flag in found] for found in flags],
                "sections": [
                    {"title": s.title, "kind": s.kind.value, "start": s.start, "end": s.end}
                    for s in parts.sections
                ],
                "boilerplate": [[s.start, s.end] for s in parts.boilerplate],
            }
        )
        return
    out = console()
    out.print(f"{note.media_type}, {note.normalization}, {len(note.text)} characters", style="dim")
    _tell(note)
    for sentence in parts.sentences:
        out.print(f"[dim]{sentence.start:>7}–{sentence.end:<7}[/]", end="")
        for piece in sentence.context:
            out.print(f"{_folded(note.text[piece.start : piece.end])} › ", style="dim", markup=False, end="")
        out.print(f"{note.text[sentence.start : sentence.end]!r}", markup=False)


def _tell(note: NoteText) -> None:
    """What was remarkable in reading a note."""
    for notice in note.notices:
        console().print(f"Notice: {notice}.", markup=False)


def _read(file: str, media_type: str | None, json: bool) -> NoteText:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    declared = media_type or mimetypes.guess_type(file)[0] or ""
    try:
        note = extract(Content(path=file, data=data, media_type=declared))
        if not note.text.strip():
            raise NoteError(Reason.EMPTY_TEXT)
        return note
    except NoteError as error:
        if json:
            print_json({"reason": error.reason.value, "detail": error.detail or None})
        else:
            hint = f" ({error.detail})" if error.detail else ""
            sys.stderr.write(f"clinsum: {error.reason.value}: {error.reason.words}{hint}\n")
        raise typer.Exit(Exit.SOMETHING_FAILED) from None


def _show(summary: Summary, text: str) -> None:
    out = console()
    known: Sequence[ContextSpan] = ()
    for chosen in summary.summary:
        before = [piece for piece in chosen.context if piece.start < chosen.start]
        if before != known:
            _show_pieces(before, text, out)
        out.print(f"[dim]{chosen.start:>6}–{chosen.end:<6} {chosen.score:.2f}[/]")
        out.print(f"{'    ' if before else '  '}{_folded(chosen.text)}", markup=False)
        _show_pieces([piece for piece in chosen.context if piece.start >= chosen.end], text, out)
        known = before
    _show_pinned(summary.pinned, text, out)
    if words := left_out_words(summary.left_out):
        out.print(words, style="dim", markup=False)
    out.print(
        f"{len(summary.summary)} of {len(summary.sentences)} sentences, by {summary.model.engine} "
        f"({summary.model.name}). Extracted by a machine, unverified.",
        style="dim",
    )


def _show_pieces(pieces: Sequence[ContextSpan], text: str, out: Console) -> None:
    """What a sentence must be read with."""
    for piece in pieces:
        out.print(f"  {_folded(text[piece.start : piece.end])}", style="dim", markup=False)


def _show_pinned(pinned: Pinned, text: str, out: Console) -> None:
    """The lines that rules found, under the words of their rule; nothing where there are none."""
    words = {rule.rule: rule_words(rule) for rule in pinned.rules}
    for rule, lines in groupby(pinned.lines, lambda line: line.rule):
        out.print(f"Found by rule: {words[rule]}", style="bold", markup=False)
        for line in lines:
            out.print(f"[dim]{line.start:>6}–{line.end:<6}[/]", end=" ")
            out.print(_with_context(line, text), markup=False)


def _with_context(line: PinnedLine, text: str) -> str:
    before = [text[piece.start : piece.end] for piece in line.context if piece.start < line.start]
    after = [text[piece.start : piece.end] for piece in line.context if piece.start >= line.end]
    return _folded(" ".join([*before, line.text, *after]))


def _folded(text: str) -> str:
    return " ".join(text.split())
