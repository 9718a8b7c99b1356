"""An HTML report of any length: one page, or a list with a folder of pages beside it; in flat memory."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from fhir_adapter.audit.verdict import Audit
from jobs.audits.coverage import Coverage
from jobs.audits.report import Head, Sums, environment, write_html
from summarizer.files import replaced

ONE_PAGE = 300  # summaries up to which a report is one page
A_PAGE = 200  # summaries on a page of several
_NAMED = 500  # summaries with findings that the list names one by one


@dataclass(frozen=True, slots=True)
class PageRow:
    """A page in the list of pages: its address, and what is on it."""

    href: str
    first: str
    last: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Wrong:
    """A summary with findings, for the list: how it is called and where it is shown."""

    composition: str
    title: str
    patient: str
    source: str
    codes: str
    href: str


class HtmlReport:
    """Takes audits one by one; the file is written at the end, the pages beside it on the way.

    Args:
        path: of the file; its pages lie in a folder of its name beside it.
        file: what will be at `path` (`summarizer.files.replaced`).
        head: what stands above the audits.
    """

    def __init__(self, path: Path, file: TextIO, head: Head) -> None:
        target = path.resolve()
        self._file, self._head = file, head
        self._folder = target.with_name(f"{target.stem}-pages")
        self._making = target.with_name(f".{self._folder.name}.{os.getpid()}.part")
        self._index = f"../{target.name}"
        self._held: list[Audit] = []
        self._pages: list[PageRow] = []
        self._wrong: list[Wrong] = []
        self._sums = Sums()

    def add(self, audit: Audit) -> None:
        """Takes one; at most a page of them is kept."""
        self._held.append(audit)
        if len(self._held) > ONE_PAGE or (self._pages and len(self._held) >= A_PAGE):
            self._flush(A_PAGE)

    def _flush(self, count: int) -> None:
        part, self._held = self._held[:count], self._held[count:]
        if not part:
            return
        self._making.mkdir(mode=0o700, exist_ok=True)
        name = f"{len(self._pages) + 1:05d}.html"
        with replaced(self._making / name) as file:
            place = f"Page {len(self._pages) + 1}"
            write_html(part, self._head, file, place=place, index=self._index)
        href = f"{self._folder.name}/{name}"
        self._pages.append(PageRow(href, part[0].composition, part[-1].composition, Sums().plus(part)))
        self._sums = self._sums.plus(part)
        for audit in part:
            if not audit.sound and len(self._wrong) < _NAMED:
                codes = ", ".join(dict.fromkeys(finding.value for finding, _ in audit.findings))
                filed = audit.filed
                self._wrong.append(
                    Wrong(audit.composition, filed.title, filed.patient, audit.source, codes, href)
                )

    def finish(self, coverage: Coverage | None) -> None:
        """Writes the file, and puts the pages where it says they are."""
        if not self._pages:
            write_html(self._held, self._head, self._file, coverage)
            return
        while self._held:
            self._flush(A_PAGE)
        template = environment().get_template("audit_index.html")
        self._file.writelines(
            template.generate(
                head=self._head,
                sums=self._sums,
                pages=self._pages,
                wrong=self._wrong,
                coverage=coverage,
            )
        )
        shutil.rmtree(self._folder, ignore_errors=True)
        self._making.replace(self._folder)

    def abandon(self) -> None:
        """Takes away pages of a report that was not finished; after `finish` there are none."""
        shutil.rmtree(self._making, ignore_errors=True)
