"""Who works on which note, where several processes share one ledger.

Each process takes a lease on a note before it works on it. What another one holds is left to it, and looked
after at the end of the walk: either the other has recorded it by then, or its lease has run out, because it
was killed, and the note is taken over. The watermark moves only behind notes that are recorded.

Where it can be seen that the other process has ended, its lease runs out sooner: after the time for which a
process waits for an answer of the server (`grace`). A request that the dead had sent may still be at work
there. So may that of a process that lives, whose answer was lost or late: after just this time it asks again.
Nothing can happen behind the grace that could not happen to a single process, and what keeps its second
request from doing anything twice keeps the other process's too: the id that follows from the note, the look
at what is there before each write, `If-Match`.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from jobs.ledger.holders import new_holder
from jobs.ledger.leases import claim, handled_since, release, renew, shorten
from jobs.ledger.ledger import Ledger

LEASE = timedelta(seconds=120)
_RENEWALS = 4  # in the time of one lease
_LOOK = 1.0  # seconds between two looks at what others hold


class Leases:
    """The leases of one pass.

    Args:
        ledger: the one that is shared.
        length: how long one holds unless it is renewed.
        look: seconds between two looks at what others hold.
        holder: in whose name, where processes pass notes on to each other; a name of its own if not given.
        grace: how long the lease of a process lasts that is seen to have ended.
    """

    def __init__(
        self,
        ledger: Ledger,
        length: timedelta = LEASE,
        look: float = _LOOK,
        holder: str = "",
        *,
        grace: timedelta = LEASE,
    ) -> None:
        self._ledger, self._length, self._look, self._grace = ledger, length, look, grace
        self.holder = holder or new_holder()
        self._left: dict[str, datetime] = {}

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Renews what is held for as long as the block lasts, and gives back what is left of it."""
        renewing = asyncio.create_task(self._renew(), name="leases")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await asyncio.to_thread(release, self._ledger, self.holder)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._length.total_seconds() / _RENEWALS)
            await asyncio.to_thread(renew, self._ledger, self.holder, self._length)

    async def take(self, sources: Sequence[str]) -> set[str]:
        """Those of the sources that this pass may work on now; the others are remembered."""
        asked = datetime.now(UTC)
        mine = await asyncio.to_thread(claim, self._ledger, sources, self.holder, self._length)
        others = [source for source in sources if source not in mine]
        if others:
            await asyncio.to_thread(shorten, self._ledger, others, self._grace)
        self._left.update((source, asked) for source in others)
        return mine

    async def give_back(self, sources: Sequence[str]) -> None:
        """Ends the leases of notes that are recorded."""
        await asyncio.to_thread(release, self._ledger, self.holder, sources)

    @property
    def open(self) -> bool:
        """Whether there are notes that others held and that are not known to be recorded."""
        return bool(self._left)

    async def left(self, stop: asyncio.Event, *, wait: bool = True) -> AsyncIterator[list[str]]:
        """What others held and did not record, as their leases run out; ends when nothing is open.

        Args:
            stop: when set, it ends too.
            wait: for those still at work; else it looks once.
        """
        while self._left and not stop.is_set():
            known = await asyncio.to_thread(handled_since, self._ledger, self._left)
            for source in known:
                del self._left[source]
            if not self._left:
                return
            await asyncio.to_thread(shorten, self._ledger, list(self._left), self._grace)
            mine = await asyncio.to_thread(claim, self._ledger, list(self._left), self.holder, self._length)
            for source in mine:
                del self._left[source]
            if mine:
                yield sorted(mine)
            if not wait:
                return
            if not mine:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._look)
