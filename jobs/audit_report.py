"""The audit as files for people: one HTML page that needs no network, and a table for a spreadsheet."""

import csv
import os
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from difflib import SequenceMatcher
from importlib.resources import files
from pathlib import Path
from typing import TextIO

from jinja2 import Environment, StrictUndefined

from fhir_adapter.audit import Audit, AuditedSentence
from fhir_adapter.narrative import displayed

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
)
_LONGEST_COMPARED = 2000  # code points; the comparison is quadratic
_ALIKE = 0.7  # share of common characters below which two sentences are simply different ones
_FEW = 3  # characters that a difference names one by one
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
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["difference"] = difference
    template = environment.from_string((files("jobs") / "audit_report.html").read_text("utf-8"))
    sentences = [sentence for audit in audits for sentence in audit.sentences]
    parts = template.generate(
        audits=sorted(audits, key=lambda audit: audit.ok),
        server=server,
        when=(when or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M UTC"),
        wrong=sum(not audit.ok for audit in audits),
        sentences=len(sentences),
        proven=sum(sentence.ok for sentence in sentences),
    )
    _emptied(file).writelines(parts)


Pieces = list[tuple[str, bool]]


def difference(sentence: AuditedSentence) -> tuple[Pieces, Pieces, str]:
    """A sentence as shown and as in the note, cut where they differ, and the first difference by name.

    Two letters can look the same and be different ones, so the name is what tells.

    Returns:
        Pieces of both as (text, differs), and words such as `U+0430 CYRILLIC SMALL LETTER A instead of ...`,
        or "" where a name says no more than the text.
    """
    shown, text = sentence.shown, displayed(sentence.text)
    if sentence.ok or not shown or not text or max(len(shown), len(text)) > _LONGEST_COMPARED:
        return [(shown, False)], [(text, False)], ""
    compared = SequenceMatcher(None, shown, text, autojunk=False)
    if compared.ratio() < _ALIKE:
        return [(shown, True)], [(text, True)], ""
    left: Pieces = []
    right: Pieces = []
    named = ""
    for tag, a, b, c, d in compared.get_opcodes():
        left.append((shown[a:b], tag != "equal"))
        right.append((text[c:d], tag != "equal"))
        if tag != "equal" and not named and b - a <= _FEW and d - c <= _FEW:
            named = f"{_names(shown[a:b])} instead of {_names(text[c:d])}"
    return left, right, named


def _names(characters: str) -> str:
    return " and ".join(f"U+{ord(c):04X} {unicodedata.name(c, '')}".strip() for c in characters) or "nothing"


def write_csv(audits: Iterable[Audit], file: TextIO) -> None:
    """Writes one row for each finding, and one for each Composition without any; no text of a note."""
    table = csv.writer(_emptied(file))
    table.writerow(COLUMNS)
    for audit in audits:
        proven = sum(sentence.ok for sentence in audit.sentences)
        start = (audit.composition, audit.source, audit.version, audit.author)
        counts = ("yes" if audit.ok else "no", len(audit.sentences), proven)
        for row in [(f.value, detail, f.words) for f, detail in audit.findings] or [("", "", "")]:
            table.writerow([_cell(value) for value in (*start, *counts, *row)])


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula, whoever wrote what is in it."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
