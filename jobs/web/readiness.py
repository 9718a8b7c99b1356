"""What the service needs, and whether it is there: model, and for their pages FHIR server and ledger."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fhir_adapter.errors import FhirAdapterError
from fhir_adapter.rest.client import FhirClient
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError
from jobs.web.batching import ModelState, ModelWorker

_FRESH = 10.0  # seconds for which what was seen of a server is not asked for again
_PATIENCE = 3.0  # seconds to wait for an answer


@dataclass(frozen=True, slots=True)
class PartState:
    """One part; `required` where nothing works without it."""

    name: str
    ready: bool
    required: bool
    state: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """All parts."""

    parts: tuple[PartState, ...]

    @property
    def ready(self) -> bool:
        """Whether every part that is required is ready."""
        return all(part.ready for part in self.parts if part.required)


async def readiness(model: ModelWorker, outside: "Outside | None", *, preload: bool) -> Readiness:
    """Looks at every part now; servers at most every ten seconds.

    Args:
        model: the worker that has it, or will.
        outside: FHIR server and database; None where the service does without.
        preload: whether the model is loaded at start, so that the service is not ready before.
    """
    return Readiness((model_part(model, preload=preload), *(await outside.parts() if outside else ())))


def model_part(model: ModelWorker, *, preload: bool) -> PartState:
    """The model: ready once loaded, and also before where it loads on first use."""
    lazy = model.state in (ModelState.NOT_LOADED, ModelState.LOADING) and not preload
    return PartState("model", model.state is ModelState.READY or lazy, True, model.state.value)


class Outside:
    """The FHIR server and the ledger's database, remembered for a short while.

    Args:
        client: the server.
        open_ledger: gives the ledger, and opens it where it is not yet.
    """

    def __init__(self, client: FhirClient, open_ledger: Callable[[], Awaitable[Ledger]]) -> None:
        self._client, self._open_ledger = client, open_ledger
        self._seen: tuple[PartState, ...] = ()
        self._at = -_FRESH
        self._lock = asyncio.Lock()

    async def parts(self) -> tuple[PartState, ...]:
        """Both parts; any number of callers share one look."""
        async with self._lock:
            if time.monotonic() - self._at >= _FRESH:
                self._seen = tuple(await asyncio.gather(self._server(), self._database()))
                self._at = time.monotonic()
            return self._seen

    async def _server(self) -> PartState:
        name = "fhir-server"
        try:
            async with asyncio.timeout(_PATIENCE):
                # Nothing is there, and that is an answer. The client keeps /metadata, so it would not do.
                await self._client.read_if_there("Composition/clinsum-ready")
        except (FhirAdapterError, TimeoutError):
            return PartState(name, False, False, "no answer, or not one that it should give")
        return PartState(name, True, False, "answers")

    async def _database(self) -> PartState:
        try:
            await asyncio.to_thread((await self._open_ledger()).watermark, "DocumentReference")
        except LedgerError:
            return PartState("database", False, False, "cannot be used")
        return PartState("database", True, False, "answers")
