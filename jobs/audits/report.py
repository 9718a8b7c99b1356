"""The audit as files for people: an HTML page that needs no network, and a table for a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import TextIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fhir_adapter.audit.verdict import Audit
from fhir_adapter.narrative import CAVEAT
from fhir_adapter.reasons import reason_words
from fhir_adapter.writing.sections import left_out_words, notice_words
from jobs.audits.checks import headline
from jobs.audits.coverage import Coverage
from jobs.audits.view import difference, said
from jobs.ledger.rows import NoteRow

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
    "title",
    "patient",
    "status",
)
_FOLDER = Path(str(files("jobs")))
_NO_SUMMARY = {"skipped": "The note was skipped.", "failed": "The note could not be summarised."}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Head:
    """What stands at the head of a report.

    Attributes:
        server: base address that was audited.
        when: the time of the audit.
        asked: which summaries, in words, where not all of them.
    """

    server: str
    when: datetime
    asked: str = ""

    @property
    def moment(self) -> str:
        """The time as people read it."""
        return self.when.strftime("%Y-%m-%d %H:%M UTC")


def environment() -> Environment:
    """The templates of reports; everything is escaped."""
    made = Environment(
        loader=FileSystemLoader([_FOLDER / "audits", _FOLDER / "web" / "templates"]),  # parts of the page
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["difference"] = difference
    made.filters["said"] = said
    made.filters["headline"] = headline
    made.filters["left_out"] = left_out_words
    made.filters["reading"] = notice_words
    return made


def write_html(
    audits: Sequence[Audit],
    head: Head,
    file: TextIO,
    coverage: Coverage | None = None,
    place: str = "",
    index: str = "",
) -> None:
    """Writes a page: a table of verdicts, then each Composition with its findings and sentences.

    Args:
        audits: those with findings are listed first.
        head: what stands above them.
        file: to write to.
        coverage: of the notes; None where that is not known, or stands on another page.
        place: of a page of several, which it is, in words.
        index: of a page of several, the address of the list of all.
    """
    parts = (
        environment()
        .get_template("audit_report.html")
        .generate(
            audits=sorted(audits, key=lambda audit: (audit.sound, audit.ok and audit.state.current)),
            head=head,
            sums=Sums().plus(audits),
            caveat=CAVEAT,
            coverage=coverage,
            place=place,
            index=index,
        )
    )
    file.writelines(parts)


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts over audits."""

    summaries: int = 0
    wrong: int = 0
    over: int = 0
    sentences: int = 0
    proven: int = 0
    lines: int = 0
    lines_proven: int = 0

    def plus(self, audits: Iterable[Audit]) -> "Sums":
        """With these counted too."""
        found = [*map(_sums, audits)]
        values = zip(*(tuple(getattr(s, f.name) for f in fields(Sums)) for s in (self, *found)), strict=True)
        return Sums(*map(sum, values))


def _sums(audit: Audit) -> Sums:
    lines = audit.pinned.lines if audit.pinned else ()
    return Sums(
        summaries=1,
        wrong=int(not audit.sound),
        over=int(not audit.state.current),
        sentences=len(audit.sentences),
        proven=sum(sentence.ok for sentence in audit.sentences),
        lines=len(lines),
        lines_proven=sum(line.ok for line in lines),
    )


class CsvReport:
    """A table, one row a finding, written as the audits come; no words of a note.

    Args:
        file: to write to.
    """

    def __init__(self, file: TextIO) -> None:
        self._table = csv.writer(file)
        self._table.writerow(COLUMNS)

    def add(self, audit: Audit) -> None:
        """One row for each finding, or one where there is none."""
        proven = sum(sentence.ok for sentence in audit.sentences)
        start = (audit.composition, audit.source, audit.version, audit.author)
        counts = ("yes" if audit.ok else "no", len(audit.sentences), proven)
        state = (audit.state.standing.value, audit.state.words)
        filed = (audit.filed.title, audit.filed.patient, audit.filed.status)
        for row in [(f.value, detail, f.words) for f, detail in audit.findings] or [("", "", "")]:
            self._write((*start, *counts, *row, *state, *_beside(audit), *filed))

    def add_without(self, rows: Iterable[NoteRow]) -> None:
        """One row for each note that has no summary, with the reason in the place of a finding."""
        for row in rows:
            why = (row.reason, row.detail, reason_words(row.reason))
            start = ("", row.source, row.version, "", "", "", "")
            self._write((*start, *why, "no summary", _NO_SUMMARY.get(row.status, ""), *[""] * 8))

    def _write(self, values: Sequence[object]) -> None:
        self._table.writerow([_cell(value) for value in values])


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
