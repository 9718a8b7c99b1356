"""Which notes have no summary, as the ledger says: what an audit of summaries alone cannot show."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from fhir_adapter.reasons import reason_words
from jobs.ledger.ledger import Ledger
from jobs.ledger.pages import NoteFilter
from jobs.ledger.rows import NoteRow
from jobs.ledger.schema import note

_NAMED = 200  # notes without a summary that a page names one by one


@dataclass(frozen=True, slots=True)
class Coverage:
    """The notes of a ledger by whether they have a summary.

    Attributes:
        notes: all that were handled.
        summarised: of these.
        without: the others by (status, reason), the most frequent first.
        named: some of the others, the first handled first.
    """

    notes: int
    summarised: int
    without: tuple[tuple[str, str, int], ...]
    named: tuple[NoteRow, ...]

    @property
    def words(self) -> str:
        """In a sentence."""
        return f"{self.summarised} of {self.notes} notes that were handled have a summary."

    @property
    def reasons(self) -> list[tuple[str, str, str, int]]:
        """(status, reason, its words, notes) of those without one."""
        return [(status, reason, reason_words(reason), count) for status, reason, count in self.without]

    @property
    def more(self) -> int:
        """How many of those without one are not named."""
        return self.notes - self.summarised - len(self.named)


def coverage(ledger: Ledger, since: datetime | None) -> Coverage:
    """The coverage of the notes handled since an instant (aware), or of all. Blocks."""
    where = NoteFilter(since=since).where()
    columns = (note.c.status, note.c.reason)
    query = sa.select(*columns, sa.func.count()).where(*where).group_by(*columns)
    counts = [(str(s), str(r), int(n)) for s, r, n in ledger.select(query)]
    without = [row for row in counts if row[0] in ("skipped", "failed")]
    return Coverage(
        notes=sum(count for _, _, count in counts),
        summarised=sum(count for status, _, count in counts if status not in ("skipped", "failed")),
        without=tuple(sorted(without, key=lambda row: (-row[2], row[:2]))),
        named=tuple(islice(without_summary(ledger, since), _NAMED)),
    )


def without_summary(ledger: Ledger, since: datetime | None) -> Iterator[NoteRow]:
    """The notes without a summary, in pages, so that any number fits in memory. Blocks."""
    where = [note.c.status.in_(("skipped", "failed")), *NoteFilter(since=since).where()]
    return ledger.notes(where=where)
