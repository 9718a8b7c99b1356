"""Shows a `DemoReport` with rich: on a terminal of any width, in a pipe, in a log.

All text from notes goes in as `Text`, never as markup, with line breaks turned into spaces.
"""

from collections.abc import Iterable, Sequence

from rich.box import HORIZONTALS
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from jobs.demo.report import DemoReport, DemoRow, Page, PassFigures, Selected

SENTENCES_SHOWN = 3
_WIDEST = 120
_NARROWEST = 60


def show(report: DemoReport, console: Console, *, clinsum: str = "clinsum", up: bool = False) -> None:
    """Prints the whole report: passes, summaries, one note in full, what was left out, what to do next.

    Args:
        report: what to print.
        console: where; its width is kept within what can be read.
        clinsum: how the reader types our command.
        up: the server stays up, so there is no need to start it again.
    """
    console.width = max(_NARROWEST, min(console.width, _WIDEST))
    marks = _Marks(console)
    summarised = [row for row in report.rows if row.composition]
    left_out = [row for row in report.rows if row.reason or not row.loaded]
    parts: list[RenderableType] = [
        _heading(
            f"{len(report.rows)} invented notes on the {report.server} at {report.base_url}",
            "Between the two passes one note was amended and one was new on the server.",
        ),
        _passes(report.passes),
        _heading("What was selected", "Each sentence is the note's own: text[start:end] of its source."),
        _summaries(summarised, marks, console.width),
    ]
    if report.page:
        parts += [
            _heading("One of them in full", "What was not selected stays where it was."),
            _page(report.page, marks),
        ]
    if left_out:
        parts += [_heading("What was not summarised, and why", ""), _left_out(left_out, console.width)]
    parts.append(_verdict(summarised, marks))
    console.print(Group(*parts))
    for line in _next_steps(report, clinsum, up):
        console.print(line, soft_wrap=True, highlight=False)  # commands must not be broken


class _Marks:
    """Signs that the console's encoding can show."""

    def __init__(self, console: Console) -> None:
        unicode = console.encoding.lower().startswith("utf")
        self.good = Text("✓" if unicode else "ok", style="green")
        self.bad = Text("✗" if unicode else "NO", style="bold red")
        self.arrow = "→" if unicode else "->"
        self.ellipsis = "…" if unicode else "..."
        colour = console.is_terminal and not console.no_color and console.color_system is not None
        self.brackets = ("", "") if colour else (("⟦", "⟧") if unicode else ("[[", "]]"))

    def of(self, ok: bool) -> Text:
        """The sign of a check."""
        return (self.good if ok else self.bad).copy()


def _heading(title: str, remark: str) -> Text:
    text = Text(f"\n{title}", style="bold")
    if remark:
        text.append(f"\n{remark}", style="not bold dim")
    return text


def _table() -> Table:
    return Table(box=HORIZONTALS, expand=True, pad_edge=False, header_style="dim", border_style="dim")


def _passes(passes: Iterable[PassFigures]) -> Table:
    table = _table()
    table.add_column("Pass", ratio=1)
    for name in ("seen", "written", "unchanged", "skipped", "failed", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for done in passes:
        counts = (done.seen, done.written, done.unchanged, done.skipped, done.failed)
        table.add_row(Text(done.title), *map(str, counts), f"{done.seconds:.1f}")
    return table


def _summaries(rows: Sequence[DemoRow], marks: _Marks, width: int) -> Table:
    digits = max((len(str(s.end)) for row in rows for s in row.selected), default=1)
    span = max(2 * digits + 1, len("start:end"))
    middle = width - span - len("Score") - len("Audit") - 3 * 3 - 2  # gaps between columns, edges
    table = _table()
    table.add_column("start:end", justify="right", no_wrap=True, width=span)
    table.add_column("Source, its Composition, and the sentences", ratio=1, overflow="fold")
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("Audit", justify="center", no_wrap=True)
    for row in rows:
        good = sum(sentence.ok for sentence in row.selected)
        verdict = Text(f"{good}/{len(row.selected)}", style="green" if row.ok else "bold red")
        table.add_row("", _source(row, marks, middle), "", verdict)
        for sentence in _foremost(row.selected):
            table.add_row(
                Text(f"{sentence.start}:{sentence.end}", style="cyan"),
                _with_context(sentence, middle, marks),
                "" if sentence.score is None else f"{sentence.score:.2f}",
                marks.of(sentence.ok),
            )
        more = len(row.selected) - SENTENCES_SHOWN
        if more > 0:
            table.add_row("", Text(f"and {more} more", style="dim"), "", "")
        for problem in row.problems:
            table.add_row("", Text(problem, style="red"), "", "")
        table.add_section()
    return table


def _source(row: DemoRow, marks: _Marks, width: int) -> Text:
    """Title and kind, then both addresses: on one line where they fit."""
    arrow = f" {marks.arrow} "
    text = Text.assemble((row.title, "bold"), (f"  {row.kind}\n", "dim"), row.source)
    composition = row.composition or ""
    fits = len(row.source) + len(arrow) + len(composition) <= width
    return text.append(arrow if fits else f"\n{arrow.lstrip()}").append(composition, style="blue")


def _salience(sentence: Selected) -> float:
    return -1.0 if sentence.score is None else sentence.score


def _foremost(selected: Sequence[Selected]) -> list[Selected]:
    """The highest scores, back in the order of the note."""
    best = sorted(selected, key=_salience, reverse=True)[:SENTENCES_SHOWN]
    return sorted(best, key=lambda sentence: sentence.start)


def _with_context(sentence: Selected, width: int, marks: _Marks) -> Text:
    """What is around a sentence in grey, before and after it as in the note; each piece on a line."""
    lines = [_clipped(words, width, marks) for words in (*sentence.before, sentence.text, *sentence.after)]
    for number, line in enumerate(lines):
        if number != len(sentence.before):
            line.stylize("dim")
    return Text("\n", no_wrap=True, overflow="crop").join(lines)


def _clipped(sentence: str, width: int, marks: _Marks) -> Text:
    line = " ".join(sentence.split())
    if len(line) > width:
        line = line[: width - len(marks.ellipsis)].rstrip() + marks.ellipsis
    return Text(line, no_wrap=True, overflow="crop")


def _page(page: Page, marks: _Marks) -> Panel:
    before, after = marks.brackets
    text, at = Text(), 0
    for sentence in page.selected:
        text.append(page.text[at : sentence.start], style="dim")
        text.append(before + page.text[sentence.start : sentence.end] + after, style="black on yellow")
        at = sentence.end
    text.append(page.text[at:].rstrip(), style="dim")
    return Panel(text, title=Text(page.title), title_align="left", border_style="dim", padding=(0, 1))


def _left_out(rows: Sequence[DemoRow], width: int) -> Table:
    table = _table()
    longest = max(len(row.source) for row in rows)
    table.add_column("Source", width=min(longest, width - 35), overflow="fold")
    table.add_column("Why", ratio=1)
    for row in rows:
        source = Text.assemble((f"{row.title}\n", "bold"), row.source)
        table.add_row(source, _why(row))
        table.add_section()
    return table


def _why(row: DemoRow) -> Text:
    if row.reason is None:
        return Text.assemble(("not stored\n", "yellow"), "This server refused to take the note as it is.")
    colour = "red" if row.reason.failure else "yellow"
    return Text.assemble((f"{row.reason.value}\n", colour), row.reason.words)


def _verdict(rows: Sequence[DemoRow], marks: _Marks) -> Text:
    sentences = [sentence for row in rows for sentence in row.selected]
    good = sum(sentence.ok for sentence in sentences)
    bad = [row for row in rows if not row.ok]
    text = Text("\n").append_text(marks.of(not bad)).append(" Audit: ", style="bold")
    text.append(f"{good} of {len(sentences)} sentences stand in their sources, character for character;\n  ")
    return text.append(f"{len(rows) - len(bad)} of {len(rows)} Compositions hold.")


def _next_steps(report: DemoReport, clinsum: str, up: bool) -> list[Text]:
    """The last lines: what to type next."""
    steps: list[tuple[str, str]] = []
    if not up and report.start_again:
        steps.append(("Start the same server again, in another terminal:", f"{clinsum} {report.start_again}"))
    elif not up:
        steps.append(
            ("This server keeps nothing. To have it stay up for what follows:", f"{clinsum} demo --keep")
        )
    shown = next((row for row in report.rows if row.composition and row.verbatim), None)
    if shown and shown.composition:
        address = f"{report.base_url}/{shown.composition}"
        here = f"CLINSUM_FHIR_BASE_URL={report.base_url}"
        steps += [
            (
                "See a summary as the server holds it. For each sentence section.extension has a\n"
                "derivation-reference with offset, length and a narrativeLink to the sentence:",
                f"curl -s {address}",
            ),
            ("Check it again:", f"{here} {clinsum} audit {shown.composition.partition('/')[2]}"),
            ("Check all of it without this software:", f"python3 docs/check_offsets.py {address}"),
            ("Check one offset without this software:", one_offset(report.base_url, shown)),
            ("See how each note ended:", f"{here} CLINSUM_DATABASE_URL={report.ledger} {clinsum} notes"),
        ]
    if report.engine == "embedded":
        steps.append(("The same on a real HAPI FHIR server:", "make demo FHIR=hapi"))
    own = "On a server of your own (start with a test server; see README.md):"
    steps.append((own, f"CLINSUM_FHIR_BASE_URL=https://your.server/fhir {clinsum} poll"))
    lines = [Text("\nTo look further", style="bold")]
    for remark, command in steps:
        lines += [Text(f"\n{remark}", style="dim"), Text(command)]
    return [*lines, Text("")]


def one_offset(base_url: str, row: DemoRow) -> str:
    """A shell command of two lines of standard-library Python that prints the row's best sentence.

    Args:
        base_url: the server's base.
        row: a DocumentReference with the text inline, as UTF-8.
    """
    best = max(row.selected, key=_salience)
    url = f"{base_url}/{row.source}"
    return (
        "python3 -c '\n"
        f'import base64, json, urllib.request as web; note = json.load(web.urlopen("{url}"))\n'
        'print(base64.b64decode(note["content"][0]["attachment"]["data"]).decode()'
        f"[{best.start}:{best.end}])'"
    )
