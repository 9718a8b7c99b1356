"""The pieces of a backfill as batches for a pass, with its places kept in the ledger."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

import structlog

from fhir_adapter.bulk.export import Exports
from fhir_adapter.errors import FhirAdapterError
from jobs.backfill.pieces import Piece, PieceError, Place
from jobs.backfill.plan import Plan
from jobs.ledger.backfills import Reached, drop, keep, reached
from jobs.passes.changes import Changes
from jobs.passes.parts import Parts
from jobs.passes.work import Batch

log = structlog.get_logger("clinsum.backfill")

_KEEP = 1_000  # lines after which a place is kept: what is read once more at most after a kill


async def piece_batches(
    piece: Piece, walk: str, parts: Parts, changes: Changes, before: Reached, stop: asyncio.Event
) -> AsyncIterator[Batch | Place]:
    """A piece's batches; how far it is goes to the ledger by some of them (`Batch.then`).

    Args:
        piece: which.
        walk: names the backfill.
        parts: of the process.
        changes: makes the batches.
        before: how far it was.
        stop: when set, what was to be done may be left out, so that nothing more is kept; nor is it while
            another process has notes of it in hand.

    Raises:
        PieceError: it cannot be read to its end.
    """
    kept = int(before.place or 0)
    async for found in piece.batches(parts, changes, kept):
        yield found
        if isinstance(found, Place) and found.lines - kept >= _KEEP:
            kept = found.lines
            async for batch in _settled(changes, walk, piece, Reached(str(kept)), stop):
                yield batch
    async for batch in _settled(changes, walk, piece, Reached(str(kept), finished=True), stop):
        yield batch


async def _settled(
    changes: Changes, walk: str, piece: Piece, now: Reached, stop: asyncio.Event
) -> AsyncIterator[Batch]:
    async for batch in changes.settled():
        yield batch
    if changes.whole and not stop.is_set():
        yield Batch(then=partial(keep, walk=walk, piece=piece.name, now=now))


class Backfill:
    """One backfill in this process.

    Args:
        parts: of the process.
        walk: names it.
        pieces: what it is divided into.
        stop: when set, no further piece is begun, and the one under way ends.
        tell: told which share of the whole is read, and which of it in this run.

    Attributes:
        broken: pieces that could not be read to their end, in words.
    """

    def __init__(
        self,
        parts: Parts,
        walk: str,
        pieces: Sequence[Piece],
        stop: asyncio.Event,
        tell: Callable[[float, float], None],
    ) -> None:
        self._parts, self._walk, self._pieces, self._stop, self._tell = parts, walk, pieces, stop, tell
        self._whole = sum(piece.weight for piece in pieces)
        self.broken: list[str] = []

    async def batches(self, changes: Changes) -> AsyncIterator[Batch]:
        """All of it, less what an earlier run has done."""
        before = await asyncio.to_thread(reached, self._parts.ledger, self._walk)
        skipped = done = sum(p.weight for p in self._pieces if before.get(p.name, Reached("")).finished)
        for piece in self._pieces:
            start = before.get(piece.name, Reached(""))
            if start.finished:
                continue
            try:
                async for found in piece_batches(piece, self._walk, self._parts, changes, start, self._stop):
                    if isinstance(found, Batch):
                        yield found
                        continue
                    self._tell((done + found.done) / self._whole, (done + found.done - skipped) / self._whole)
                    if self._stop.is_set():
                        return
            except PieceError as error:
                self.broken.append(str(error))
                log.error("piece", message=str(error))
            if self._stop.is_set():
                return
            done += piece.weight
            self._tell(done / self._whole, (done - skipped) / self._whole)
        async for batch in changes.left_by_others():
            yield batch


async def finish(parts: Parts, plan: Plan, walk: str) -> None:
    """Says how far passes need not look any more; removes the export, then the places."""
    for mark, stamp in plan.marks:
        if await asyncio.to_thread(parts.ledger.watermark, mark) is None:
            await asyncio.to_thread(parts.ledger.move_watermark, mark, stamp)
    if plan.export:
        try:
            await Exports(parts.client).delete(plan.export)
        except FhirAdapterError as error:  # it is the server's to clear; nothing of ours depends on it
            log.warning("export-kept", message=str(error))
    await asyncio.to_thread(drop, parts.ledger, walk)
