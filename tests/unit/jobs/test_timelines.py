"""Why notes have no summary, as the passes left it in the ledger."""

import asyncio
from pathlib import Path

from fhir_adapter.note import SourceNote
from fhir_adapter.reasons import Reason
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError, NoteRow
from jobs.timelines import ledger_reasons


def a_note(ident: str, version: str = "1") -> SourceNote:
    return SourceNote("DocumentReference", ident, version, "2026-01-01T00:00:00Z")


def test_the_ledger_says_why_a_note_of_this_version_has_no_summary(tmp_path: Path) -> None:
    with Ledger(
        f"sqlite:///{tmp_path / 'l.sqlite'}", server="http://s/fhir", pipeline="extractive"
    ) as ledger:
        ledger.record(
            [
                NoteRow("DocumentReference/scan", "1", "p", "skipped", Reason.SCANNED_IMAGE.value),
                NoteRow("DocumentReference/broken", "1", "p", "failed", Reason.MALFORMED.value),
                NoteRow("DocumentReference/mended", "1", "p", "failed", Reason.MALFORMED.value),
                NoteRow("DocumentReference/odd", "1", "p", "failed", "a-reason-of-another-version"),
                NoteRow("DocumentReference/done", "1", "p", "written"),
            ]
        )

        async def opened() -> Ledger:
            return ledger

        names = ("scan", "broken", "odd", "done", "unseen")
        asked = [*map(a_note, names), a_note("mended", version="2")]
        found = asyncio.run(ledger_reasons(opened)(asked))

    assert found == {
        "DocumentReference/scan": Reason.SCANNED_IMAGE,
        "DocumentReference/broken": Reason.MALFORMED,
    }


def test_a_ledger_that_cannot_be_used_leaves_the_reasons_unknown() -> None:
    async def broken() -> Ledger:
        raise LedgerError("The database cannot be reached.")

    assert asyncio.run(ledger_reasons(broken)([a_note("scan")])) == {}
