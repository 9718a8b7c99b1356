"""Whose resources are known: by the settings, and by the notes in the ledger, which are read for that."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager

import sqlalchemy as sa
import structlog

from fhir_adapter.errors import FhirAdapterError
from fhir_adapter.lenient import as_dict, relative
from fhir_adapter.reading.patients import SEEN, Patients
from fhir_adapter.rest.client import FhirClient
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError
from jobs.ledger.schema import note

log = structlog.get_logger("clinsum.patients")

_KEPT = 60.0  # seconds for which the answers count
_AT_ONCE = 8
_IN_ONE = 500

_OTHERS = "the server answers for one patient at a time: what is filed of others than these is not found"

Opened = Callable[[], AbstractContextManager[Ledger | None]]


class PatientsOfLedger:
    """As `fhir_adapter.rest.known.KnownPatients`.

    A ledger holds no patient, so the notes say whose they are: `Group/id` and `open-encounters` name those
    of today, and summaries of the others have to be found too.

    Args:
        client: the server of the notes.
        names: as `Patients` has them.
        ledger: opens it, where there is one.
        address: puts a patient's name into the form in which the other server has it.
    """

    def __init__(
        self,
        client: FhirClient,
        names: Sequence[str],
        ledger: Opened,
        address: Callable[[str], str] = lambda name: name,
    ) -> None:
        # Whose notes were summarised is what the server is asked for by these.
        self._named = Patients(client, [name for name in names if name != SEEN])
        self._client, self._ledger, self._address = client, ledger, address
        self._kept: dict[str, tuple[float, list[str]]] = {}

    async def named(self) -> Sequence[str]:
        """Those that the settings name."""
        return await self._once("named", self._named.references)

    async def everyone(self) -> Sequence[str]:
        """Those, and those of all notes with a summary."""
        return await self._once("everyone", self._everyone)

    async def notes_of(self, compositions: Iterable[str]) -> Sequence[str]:
        """The notes of these Compositions, by the ledger."""
        ids = [name.partition("/")[2] for name in compositions if name.startswith("Composition/")]
        found: list[str] = []
        for begin in range(0, len(ids), _IN_ONE):
            found += await self._sources(note.c.composition.in_(ids[begin : begin + _IN_ONE]))
        return found

    async def _once(self, name: str, look: Callable[[], Awaitable[list[str]]]) -> list[str]:
        at, found = self._kept.get(name, (0.0, []))
        if not at or time.monotonic() - at > _KEPT:
            found = list(dict.fromkeys(map(self._address, await look())))
            self._kept[name] = (time.monotonic(), found)
        return found

    async def _everyone(self) -> list[str]:
        slots = asyncio.Semaphore(_AT_ONCE)
        sources = await self._sources(note.c.composition != "")
        whose = await asyncio.gather(*(self._whose(source, slots) for source in sources))
        found = list(dict.fromkeys([*await self._named.references(), *filter(None, whose)]))
        log.warning("by-patient", patients=len(found), message=_OTHERS)
        return found

    async def _whose(self, source: str, slots: asyncio.Semaphore) -> str:
        async with slots:
            try:
                resource = await self._client.read_if_there(source)
            except FhirAdapterError:
                return ""  # of a note that cannot be had nothing is told; the others are looked at
        found = relative(as_dict((resource or {}).get("subject")).get("reference"), self._client.base_url)
        return found if found.startswith("Patient/") else ""

    async def _sources(self, condition: sa.ColumnElement[bool]) -> list[str]:
        def looked() -> list[str]:
            try:
                with self._ledger() as ledger:
                    rows = ledger.select(sa.select(note.c.source).where(condition)) if ledger else ()
                    return [str(source) for (source,) in rows if "/" in source]
            except LedgerError:
                return []

        return await asyncio.to_thread(looked)
