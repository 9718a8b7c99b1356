"""What the service needs, and whether it is there: model, and for their pages FHIR server and ledger."""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhir_adapter.errors import FhirAdapterError
from jobs.ledger.ledger import LedgerError
from jobs.web.batching import ModelState, ModelWorker

if TYPE_CHECKING:
    from jobs.web.service import Service

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


async def readiness(service: "Service") -> Readiness:
    """Looks at every part now; servers at most every ten seconds."""
    model = model_part(service.model, preload=service.options.preload)
    if service.options.demo:
        return Readiness((model,))
    return Readiness((model, *await service.outside.parts(service)))


def model_part(model: ModelWorker, *, preload: bool) -> PartState:
    """The model: ready once loaded, and also before where it loads on first use."""
    lazy = model.state in (ModelState.NOT_LOADED, ModelState.LOADING) and not preload
    return PartState("model", model.state is ModelState.READY or lazy, True, model.state.value)


class Outside:
    """The FHIR server and the ledger's database, remembered for a short while."""

    def __init__(self) -> None:
        self._seen: tuple[PartState, ...] = ()
        self._at = -_FRESH
        self._lock = asyncio.Lock()

    async def parts(self, service: "Service") -> tuple[PartState, ...]:
        """Both parts; any number of callers share one look."""
        async with self._lock:
            if time.monotonic() - self._at >= _FRESH:
                self._seen = tuple(await asyncio.gather(_server(service), _database(service)))
                self._at = time.monotonic()
            return self._seen


async def _server(service: "Service") -> PartState:
    name = "fhir-server"
    try:
        async with asyncio.timeout(_PATIENCE):
            # Nothing is there, and that is an answer; /metadata may be a megabyte and is kept by the client.
            await service.client.read_if_there("Composition/clinsum-ready")
    except (FhirAdapterError, TimeoutError):
        return PartState(name, False, False, "no answer, or not one that it should give")
    return PartState(name, True, False, "answers")


async def _database(service: "Service") -> PartState:
    try:
        await asyncio.to_thread((await service.ledger()).watermark, "DocumentReference")
    except LedgerError:
        return PartState("database", False, False, "cannot be used")
    return PartState("database", True, False, "answers")
