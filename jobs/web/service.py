"""What the routes share: settings, model, text extraction, FHIR server, ledger; made once per process."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from fhir_adapter.auditing import Auditor
from fhir_adapter.note import Content, NoteText
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.text import Extractor
from fhir_adapter.timeline.proofs import Proofs
from jobs.audits.parts import make_auditor
from jobs.health import read_health
from jobs.ledger.ledger import Ledger
from jobs.monitoring.figures import Figures, Moments, Observer
from jobs.runtime import for_readers, make_client, make_extractor, make_summarizer, open_ledger
from jobs.settings import Settings
from jobs.web.azure.running import AzureJobs
from jobs.web.batching import ClosedError, ModelUnavailableError, ModelWorker, QueueFullError, QueueLimits
from jobs.web.cds.clients import CdsClients
from jobs.web.guard.shelf import LedgerShelf, OwnShelf, Shelf
from jobs.web.guard.sight import Sight
from jobs.web.metrics import Metrics
from jobs.web.readiness import Outside, Readiness, readiness
from jobs.web.retrying import Retrying
from jobs.web.smart import SmartApp

_PROOFS = 5000  # kept of what everybody reads with the service's own rights

_PATIENCE = 2.0  # seconds after which a file gives way to those of other clients


@dataclass(frozen=True, slots=True)
class Options:
    """How one process serves, beside the settings.

    Attributes:
        preload: loads the model at start; the service is not ready before.
        demo: only summaries of what is pasted: no FHIR server, no ledger, and no credentials asked for.
        hosts: names under which the service answers; empty for any.
    """

    preload: bool = False
    demo: bool = False
    hosts: frozenset[str] = frozenset()


@dataclass(slots=True)
class Service:
    """The parts, for as long as the process serves."""

    settings: Settings
    options: Options
    model: ModelWorker
    extractor: Extractor
    client: FhirClient
    auditor: Auditor
    metrics: Metrics
    outside: Outside = field(init=False)
    observer: Observer = field(init=False)
    azure: AzureJobs = field(init=False)
    cds_clients: CdsClients = field(init=False)
    shelf: Shelf = field(init=False)
    smart: SmartApp = field(init=False)
    sight: Sight = field(init=False)
    retrying: Retrying = field(init=False)
    _ledger: Ledger | None = None
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _reading: int = 0

    def __post_init__(self) -> None:
        self.outside = Outside(self.client, self.ledger)
        self.azure = AzureJobs(self.model)
        self.cds_clients = CdsClients(self.settings.cds_clients)
        secret = self.settings.session_secret.get_secret_value().encode()
        self.shelf = LedgerShelf(secret, self.ledger) if secret and not self.options.demo else OwnShelf()
        self.smart = SmartApp(self.settings, self.client, self.extractor, self.shelf)
        self.sight = Sight(self.client, self.auditor, proofs=Proofs(_PROOFS))
        self.observer = Observer(self.settings, self.client, self.ledger, self._moments)
        self.retrying = Retrying(self.settings, self.model, self.ledger)

    @property
    def framed(self) -> bool:
        """Whether pages of others may show ours in a frame."""
        return bool(self.settings.serve_frame_ancestors)

    def seen_by(self, request: Request) -> Sight:
        """What whoever asks may see: out of a record one patient, else what the service may."""
        return getattr(request.state.principal, "sight", None) or self.sight

    async def readiness(self) -> Readiness:
        """What the service needs and whether it is there now; a demonstration needs the model alone."""
        demo = self.options.demo
        return await readiness(self.model, None if demo else self.outside, preload=self.options.preload)

    async def figures(self) -> Figures:
        """The passes in figures; of a demonstration there are none."""
        return Figures() if self.options.demo else await self.observer.figures()

    def _moments(self) -> Moments:
        """As `clinsum run` left them in its file, where that is on this machine."""
        found, now = read_health(self.settings.health_file), time.time()
        good, sign = found.since_good, found.since_sign
        return Moments(None if good is None else now - good, None if sign is None else now - sign)

    async def read(self, content: Content) -> NoteText:
        """The text of a note's bytes; as many may wait for it as for the model.

        Raises:
            NoteError: the reason why there is none.
            QueueFullError: too many wait.
        """
        if self._reading >= self.settings.serve_queue:
            raise QueueFullError
        self._reading += 1
        try:
            return await self.extractor.extract(content)
        finally:
            self._reading -= 1

    async def ledger(self) -> Ledger:
        """The ledger, opened when it is first wanted; its calls block, so use `asyncio.to_thread`.

        Raises:
            LedgerError: its database cannot be used now.
        """
        async with self._opening:
            if self._ledger is None:
                self._ledger = await asyncio.to_thread(open_ledger, self.settings)
            return self._ledger

    def close(self) -> None:
        """Closes what was opened on the way."""
        if self._ledger is not None:
            self._ledger.close()


@asynccontextmanager
async def running(settings: Settings, options: Options, metrics: Metrics) -> AsyncIterator[Service]:
    """Makes the parts and takes them down again; neither the model nor the FHIR server is waited for."""
    limits = QueueLimits(
        requests=settings.serve_queue,
        tokens=settings.serve_queue_tokens,
        batch_tokens=settings.serve_batch_tokens,
        wait=settings.serve_wait / 1000,
    )
    model = ModelWorker(
        lambda: make_summarizer(for_readers(settings)), limits, metrics.batch_done, settings.note_limits
    )
    async with (
        make_client(settings, retries=1) as client,
        make_extractor(settings, _PATIENCE) as extractor,
        model,
    ):
        auditor = make_auditor(settings, client, extractor)
        metrics.watch(model)
        preloading = asyncio.create_task(_preload(model)) if options.preload else None
        service = Service(settings, options, model, extractor, client, auditor, metrics)
        try:
            yield service
        finally:
            await service.retrying.end()
            await service.azure.end()
            service.close()
            if preloading:
                await preloading


async def _preload(model: ModelWorker) -> None:
    with suppress(ModelUnavailableError, ClosedError):  # said in the log and by the readiness
        await model.preload()


def service_of(request: Request) -> Service:
    """The service of this process."""
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(service_of)]
"""What a route that needs the service takes."""
