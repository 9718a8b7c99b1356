"""Another try of notes, asked for through the service: at once where no other process runs the passes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress

import structlog

from fhir_adapter.errors import FhirAdapterError
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError, PassRunningError
from jobs.passes.one_pass import Pass
from jobs.passes.outcome import Outcome
from jobs.passes.parts import Parts
from jobs.runtime import runtime
from jobs.settings import Settings
from jobs.web.batching import ClosedError, ModelUnavailableError, ModelWorker
from summarizer import Budget, Document, ModelInfo, Summary

log = structlog.get_logger("clinsum.web")

_AT_A_TIME = 500  # notes


class Retrying:
    """The pass over the notes that are due, one at a time; an async context manager.

    What is to be tried again is marked in the ledger first, so that nothing is lost where the process ends,
    or where `clinsum run` has the passes: it takes these notes along in its next one.

    Args:
        settings: of the process.
        model: the queue that every text waits in.
        open_ledger: gives the ledger, and opens it where it is not yet.
    """

    def __init__(
        self, settings: Settings, model: ModelWorker, open_ledger: Callable[[], Awaitable[Ledger]]
    ) -> None:
        self._settings, self._model, self._open_ledger = settings, model, open_ledger
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether this process tries notes again now."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begins, unless it runs already; what was marked meanwhile is taken along."""
        if not self.running and not self._stop.is_set():
            self._task = asyncio.create_task(self._run(), name="retry")

    async def settled(self, seconds: float) -> None:
        """Waits until it has ended, at most so long."""
        if self._task:
            await asyncio.wait((self._task,), timeout=seconds)

    async def end(self) -> None:
        """Finishes the notes in hand."""
        self._stop.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        try:
            handled = await self._passes(await self._open_ledger())
        except PassRunningError:
            log.info("retry-left", message="another process has the passes")
        except (FhirAdapterError, LedgerError, ModelUnavailableError, ClosedError) as error:
            log.error("retry-failed", error=type(error).__name__)
        except Exception as error:  # nobody waits for this task; its message may show what it should not
            log.error("retry-failed", error=type(error).__name__)
        else:
            log.info("retry", notes=handled)

    async def _passes(self, ledger: Ledger) -> int:
        loaded = await self._model.preload()
        queued = QueuedSummarizer(self._model, loaded.model, asyncio.get_running_loop())
        lock = ledger.one_pass()
        await asyncio.to_thread(lock.__enter__)
        try:
            async with runtime(self._settings, ledger, queued) as parts:
                return await self._until_none_is_due(parts)
        finally:
            await asyncio.to_thread(lock.__exit__, None, None, None)

    async def _until_none_is_due(self, parts: Parts) -> int:
        tried: dict[str, None] = {}
        while not self._stop.is_set():
            due = await asyncio.to_thread(parts.ledger.due, _AT_A_TIME)
            sources = [row.source for row in due if row.source not in tried]
            if not sources:
                break
            tried.update(dict.fromkeys(sources))
            await Pass(parts, _ignore, self._stop).handle(sources)
        return len(tried)


def _ignore(_: Outcome) -> None:
    """How a note ended stands in the ledger."""


class QueuedSummarizer:
    """The service's model as a pass uses it: from another thread, behind the same queue as everybody's texts.

    Args:
        worker: the queue.
        model: what it has loaded.
        loop: on which the queue lives.
    """

    def __init__(self, worker: ModelWorker, model: ModelInfo, loop: asyncio.AbstractEventLoop) -> None:
        self._worker, self._loop = worker, loop
        self.model = model

    def summarize(self, texts: Sequence[str | Document], budget: Budget | None = None) -> list[Summary]:
        """As `Summarizer.summarize`; waits for places in the queue. Raises what the queue raises."""
        documents = [text if isinstance(text, Document) else Document(text) for text in texts]
        asked: list[Future[Summary]] = [
            asyncio.run_coroutine_threadsafe(self._worker.summarize(d, budget, patient=True), self._loop)
            for d in documents
        ]
        try:
            return [one.result() for one in asked]
        finally:
            for one in asked:
                with suppress(RuntimeError):  # the loop may be closed by now
                    one.cancel()
