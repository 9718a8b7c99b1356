"""Whether the server still holds what the ledger says: what a server has outranks what is remembered of it.

A server that was restored from a backup, or on which somebody deleted a Composition, shows nothing of that in
a search for changes. So each pass looks at a few summaries, and at all of them once one of these is amiss; a
walk over everything (`clinsum reconcile`) looks at those of all the notes that it meets.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from enum import Enum, auto

import structlog

from fhir_adapter.errors import DamagedError, HttpStatusError
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.copies import Copies
from fhir_adapter.writing.holding import doubles, single
from fhir_adapter.writing.lifecycle import Existing
from fhir_adapter.writing.writer import Chain, Writer
from jobs.ledger.ledger import Ledger
from jobs.ledger.looks import held, some_held
from jobs.ledger.rows import NoteRow

log = structlog.get_logger("clinsum.poll")

LOOK = 24  # summaries that a pass looks at: what one search asks for
_PAGE = 480
_VERSION = 64  # characters of a version that the ledger keeps


class Stand(Enum):
    """How a note's summary on the server stands to the ledger's row."""

    AGREES = auto()
    OTHERWISE = auto()  # the note has to be read again: somebody ended its summary, or the version is another
    LOST = auto()  # gone, or older than what was written: the server has forgotten


def stand(row: NoteRow, chain: Chain, named_in: Existing | None = None) -> Stand:
    """What the server's summaries of a note say to its row.

    Args:
        row: of a note that did not fail.
        chain: the summaries under the pipeline's name, oldest first.
        named_in: of a copy, the summary of another note that names it.
    """
    head = single(chain)[-1] if chain else None
    if doubles(chain):
        return Stand.OTHERWISE
    if row.reason == Reason.COPY:
        counts = named_in is not None and not named_in.ended and not named_in.in_error
        if named_in is None or not counts or named_in.stamp.sha256 != row.text_sha256:
            return Stand.OTHERWISE
    if row.status == "skipped":  # its summary has ended, unless a person has taken it over
        over = row.reason == Reason.WITHDRAWN or head is None or not head.ours or bool(head.ended)
        return Stand.AGREES if over else Stand.OTHERWISE
    if head is None:
        return Stand.LOST
    if head.ended:
        return Stand.OTHERWISE
    made = head.stamp.version_id[:_VERSION]
    if made == row.version:
        return Stand.AGREES
    if not (made.isdecimal() and row.version.isdecimal()):
        return Stand.OTHERWISE
    # A newer one is another process's, with a ledger of its own: the changes bring the note here too.
    return Stand.AGREES if int(made) > int(row.version) else Stand.LOST


async def disagreeing(
    writer: Writer, rows: Sequence[NoteRow], copies: Copies | None = None
) -> list[tuple[NoteRow, Stand]]:
    """Those of the rows with which the server does not agree; none where it cannot be asked.

    Args:
        writer: to the server.
        rows: to hold against it.
        copies: asked whether a text has a second summary, where that is to be looked at too.

    Raises:
        RecalledError, ServerUnreachableError, NotFhirError: as the writer raises it.
    """
    # One that is due is read again anyway.
    looked = [row for row in rows if row.composition and row.status != "failed" and row.retry_at is None]
    if not looked:
        return []
    try:
        chains = await writer.chains([row.source for row in looked])
        for row in looked:
            if row.source not in chains:  # a search may be behind what was just written
                with suppress(
                    DamagedError
                ):  # nothing to hold against the row; its note says so when it changes
                    chains[row.source] = await writer.chain(row.source, row.composition)
        looked = [row for row in looked if row.source in chains]
        ids = dict.fromkeys(row.composition for row in looked if row.reason == Reason.COPY)
        named_in = {ident: await writer.existing(ident) for ident in ids}
        second = await _second(copies, looked) if copies else set()
    except HttpStatusError as error:
        log.warning("summaries-not-looked-at", status=error.status)
        return []
    found = [(row, stand(row, chains[row.source], named_in.get(row.composition))) for row in looked]
    found = [(row, Stand.OTHERWISE if row.source in second else how) for row, how in found]
    return [(row, how) for row, how in found if how is not Stand.AGREES]


async def _second(copies: Copies, rows: Sequence[NoteRow]) -> set[str]:
    """The sources of summaries that may have to end for another one of the same text."""
    owners = await copies.owners([row.text_key for row in rows if not row.reason])
    ending = {
        one.source for some in owners.values() for one in some if any(one.yields_to(other) for other in some)
    }
    return {row.source for row in rows if not row.reason and row.source in ending}


async def fallen(writer: Writer, ledger: Ledger) -> AsyncIterator[list[NoteRow]]:
    """Rows with which the server does not agree: of a few, and of all once it has forgotten one of these."""
    wrong = await disagreeing(writer, await asyncio.to_thread(some_held, ledger, LOOK))
    if wrong:
        yield [row for row, _ in wrong]
    if not any(how is Stand.LOST for _, how in wrong):
        return
    log.warning(
        "summaries-lost", message="the server lacks summaries; those of all known notes are looked at"
    )
    first = {row.source for row, _ in wrong}  # these are under way
    last, rows = await asyncio.to_thread(held, ledger, 0, _PAGE)
    while rows:
        wrong = await disagreeing(writer, [row for row in rows if row.source not in first])
        if wrong:
            log.warning("summaries-lost", notes=len(wrong))
            yield [row for row, _ in wrong]
        last, rows = await asyncio.to_thread(held, ledger, last, _PAGE)
