"""The files that an audit leaves, written as it goes on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from fhir_adapter.audit.verdict import Audit
from jobs.audits.coverage import coverage, without_summary
from jobs.audits.paged import HtmlReport
from jobs.audits.report import CsvReport, Head
from jobs.audits.walk import Asked
from jobs.exits import UsageError
from jobs.runtime import ledger_if_there
from jobs.settings import Settings
from summarizer.files import replaced


@dataclass(frozen=True, slots=True)
class Reports:
    """Those that were asked for."""

    html: HtmlReport | None = None
    csv: CsvReport | None = None

    def add(self, audit: Audit) -> None:
        """Takes one audit into each."""
        if self.html:
            self.html.add(audit)
        if self.csv:
            self.csv.add(audit)


@contextmanager
def reporting(settings: Settings, asked: Asked, html: Path | None, csv: Path | None) -> Iterator[Reports]:
    """The reports for as long as the block lasts; they are where they belong once it is done, or not at all.

    Args:
        settings: of the process.
        asked: which Compositions; notes without a summary are told where these are all, or all since a time.
        html: where the page goes; None for none.
        csv: where the table goes.

    Raises:
        UsageError: a file cannot be made, before anything was audited.
        OSError: the disk takes no more.
    """
    head = Head(settings.written_to, datetime.now(UTC), _words(asked))
    with ExitStack() as opened:
        page, table = (_opened(opened, path) for path in (html, csv))
        reports = Reports(
            HtmlReport(html, page, head) if html and page else None, CsvReport(table) if table else None
        )
        if reports.html:
            opened.callback(reports.html.abandon)
        yield reports
        _end(settings, asked, reports)


def _end(settings: Settings, asked: Asked, reports: Reports) -> None:
    whole = not asked.named and asked.sample is None
    with ExitStack() as opened:
        ledger = opened.enter_context(ledger_if_there(settings)) if whole else None
        if reports.csv and ledger:
            reports.csv.add_without(without_summary(ledger, asked.since))
        if reports.html:
            reports.html.finish(coverage(ledger, asked.since) if ledger else None)


def _opened(opened: ExitStack, path: Path | None) -> TextIO | None:
    """Opened before the audit begins: nobody waits for hours to be told that a folder is missing."""
    if path is None:
        return None
    try:
        return opened.enter_context(replaced(path))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


def _words(asked: Asked) -> str:
    parts = []
    if asked.sample:
        parts.append(f"a sample of {asked.sample}, taken at random")
    if asked.since:
        parts.append(f"since {asked.since:%Y-%m-%d %H:%M} UTC")
    return ", ".join(parts)
