"""One note on its way through a pass, and what the ledger is told of it in the end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fhir_adapter.errors import NoteError
from fhir_adapter.note import Reading, SourceNote
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.summary import SummaryDraft
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import NoteRow, next_retry
from jobs.passes.outcome import Outcome
from summarizer.types import Summary

_KEPT = "a summary that a person changed or attested stays"


@dataclass(slots=True)
class Job:
    """One note; each stage fills in its part, or the error.

    Attributes:
        composition: id of the summary, of a copy that of the one that names it.
        compositions: ids of all summaries made from it, as far as they were looked at.
        unsure: it was sent together with others, and a part of it may be there though that failed.
        looked_at: `Type/id` of other notes whose summaries of the same text were looked at.
    """

    note: SourceNote
    before: NoteRow | None
    error: NoteError | None = None
    reading: Reading | None = None
    summary: Summary | None = None
    composition: str = ""
    changed: bool = False
    kept: bool = False
    draft: SummaryDraft | None = None
    compositions: tuple[str, ...] = ()
    unsure: bool = False
    looked_at: set[str] = field(default_factory=set)
    started: float = field(default_factory=time.monotonic)

    def row(self, pipeline_version: str) -> NoteRow:
        """How it ended, for the ledger."""
        text = self.reading.text if self.reading else None
        row = NoteRow(
            source=self.note.reference,
            version=self.note.version_id,
            pipeline_version=pipeline_version,
            status="written" if self.changed else "unchanged",
            detail=text.notice if text else "",
            composition=self.composition or self._composition_before(),
            sentences=len(self.summary.summary) if self.summary else 0,
            text_sha256=text.sha256 if text else "",
            text_key=self.draft.text_key if self.draft else "",
            declared_type=text.declared_type if text else "",
            media_type=text.media_type if text else "",
            milliseconds=round((time.monotonic() - self.started) * 1000),
        )
        if not self.error:
            return row
        failed = failed_row(row, self.error, self.before)
        return replace(failed, detail=failed.detail or _KEPT) if self.kept else failed

    def _composition_before(self) -> str:
        """What the ledger names; a note that ended is named in no other's summary any more."""
        over = self.error is not None and not self.error.reason.failure
        named = self.before is not None and self.before.reason == Reason.COPY
        return self.before.composition if self.before and not (named and over) else ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs to do, and ends that need no work.

    Attributes:
        then: what the ledger is told once this and all before it are recorded: a watermark, a place.
    """

    jobs: tuple[Job, ...] = ()
    rows: tuple[NoteRow, ...] = ()
    unchanged: tuple[Outcome, ...] = ()
    then: Callable[[Ledger], None] | None = None


def failed_row(row: NoteRow, error: NoteError, before: NoteRow | None) -> NoteRow:
    """The row of a note that ends with a reason; a failure says when it is tried again."""
    earlier = before.attempts if before and before.version == row.version else 0
    failure = error.reason.failure
    return replace(
        row,
        status="failed" if failure else "skipped",
        reason=error.reason.value,
        detail=error.detail,
        sentences=0,
        attempts=earlier + 1,
        retry_at=next_retry(earlier + 1, passing=error.reason.transient) if failure else None,
    )
