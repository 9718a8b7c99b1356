"""The audit as files for people: one HTML page that needs no network, and a table for a spreadsheet."""

import csv
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TextIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fhir_adapter.audit.verdict import Audit
from fhir_adapter.writing.sections import left_out_words, notice_words
from jobs.audits.checks import CAVEAT, headline
from jobs.audits.view import difference, said

COLUMNS = (
    "composition",
    "source",
    "version",
    "author",
    "ok",
    "sentences",
    "proven",
    "code",
    "detail",
    "finding",
    "standing",
    "standing_words",
    "lines_by_rule",
    "lines_proven",
    "sections_not_chosen",
    "sentences_not_placed",
    "reading",
)
_FOLDER = Path(str(files("jobs")))
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def open_private(path: Path) -> TextIO:
    """Opens a file that its owner alone may read, since it will hold parts of notes; keeps what is in it.

    Raises:
        OSError: it cannot be written.
    """
    return open(path, "a", encoding="utf-8", newline="", opener=lambda p, flags: os.open(p, flags, 0o600))


def _emptied(file: TextIO) -> TextIO:
    if file.seekable():  # a pipe is not
        file.truncate(0)
    return file


def write_html(audits: Sequence[Audit], server: str, file: TextIO, when: datetime | None = None) -> None:
    """Writes the page: a table of verdicts, then each Composition with its findings and sentences.

    Args:
        audits: in the order to be shown; those with findings are listed first.
        server: base address that was audited.
        file: from `open_private`; what was in it is replaced.
        when: the time of the audit; now, if not given.
    """
    environment = Environment(
        loader=FileSystemLoader([_FOLDER / "audits", _FOLDER / "web" / "templates"]),  # parts of the page
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["difference"] = difference
    environment.filters["said"] = said
    environment.filters["headline"] = headline
    environment.filters["left_out"] = left_out_words
    environment.filters["reading"] = notice_words
    template = environment.get_template("audit_report.html")
    sentences = [sentence for audit in audits for sentence in audit.sentences]
    lines = [line for audit in audits if audit.pinned for line in audit.pinned.lines]
    parts = template.generate(
        audits=sorted(audits, key=lambda audit: (audit.sound, audit.ok and audit.state.current)),
        server=server,
        when=(when or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M UTC"),
        wrong=sum(not audit.sound for audit in audits),
        over=sum(not audit.state.current for audit in audits),
        caveat=CAVEAT,
        sentences=len(sentences),
        lines=len(lines),
        lines_proven=sum(line.ok for line in lines),
        proven=sum(sentence.ok for sentence in sentences),
    )
    _emptied(file).writelines(parts)


def write_csv(audits: Iterable[Audit], file: TextIO) -> None:
    """Writes one row for each finding, and one for each Composition without any; no text of a note."""
    table = csv.writer(_emptied(file))
    table.writerow(COLUMNS)
    for audit in audits:
        proven = sum(sentence.ok for sentence in audit.sentences)
        start = (audit.composition, audit.source, audit.version, audit.author)
        counts = ("yes" if audit.ok else "no", len(audit.sentences), proven)
        for row in [(f.value, detail, f.words) for f, detail in audit.findings] or [("", "", "")]:
            state = (audit.state.standing.value, audit.state.words)
            beside = _beside(audit)
            table.writerow([_cell(value) for value in (*start, *counts, *row, *state, *beside)])


def _beside(audit: Audit) -> tuple[object, ...]:
    """What stands beside the sentences, in numbers: no words of a note."""
    lines = audit.pinned.lines if audit.pinned else ()
    sections = len(audit.left_out.sections)
    proven = sum(line.ok for line in lines)
    return (len(lines), proven, sections, audit.left_out.sentences, audit.reading)


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula, whoever wrote what is in it."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
