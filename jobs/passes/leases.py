"""Who works on which note, where several processes share one ledger.

Each process takes a lease on a note before it works on it. What another one holds is left to it, and looked
after at the end of the walk: either the other has recorded it by then, or its lease has run out, because it
was killed, and the note is taken over. The watermark moves only behind notes that are recorded.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from jobs.ledger.leases import claim, handled_since, release, renew
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
    """

    def __init__(
        self, ledger: Ledger, length: timedelta = LEASE, look: float = _LOOK, holder: str = ""
    ) -> None:
        self._ledger, self._length, self._look = ledger, length, look
        self.holder = holder or uuid.uuid4().hex
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
        self._left.update((source, asked) for source in sources if source not in mine)
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
