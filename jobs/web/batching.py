"""One model, two threads: requests are gathered into batches bounded by tokens, so that nothing else waits.

The event loop holds the queue and never computes; a thread computes and never waits for a client. A place
in the queue belongs to one request, from its coming until its summary is there or its client has left. Small
texts come before large ones, by a rule under which none waits for ever: each is due at the time of its coming
and as much later as it costs. Those of many pages have a thread of their own as well. What costs more than a
note may, or what nobody waits for any more, is ended in the middle.
"""

import asyncio
import time
from bisect import insort
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import structlog

from summarizer import Budget, Document, Summarizer, Summary
from summarizer.errors import LimitError, UnwantedError
from summarizer.limits import NoteLimits, Work, working

log = structlog.get_logger("clinsum.web")

_RELOAD_PAUSE = 10.0  # seconds after a failed load before it is tried again
_LONGEST_PAUSE = 30  # seconds; asked of a client that found no place
_SMOOTHING = 0.2  # weight of the latest batch in the speed of the model
_LARGE = 16_000  # characters from which a text has the thread of the large ones
_SECONDS_PER_TOKEN = 1e-3  # by which a text is due later for each of its tokens; about what it costs
_CHARACTERS_PER_TOKEN = 4  # of clinical English, roughly; only to keep batches and the queue of a size


class QueueFullError(Exception):
    """Every place in the queue is taken; `pause` seconds later one is likely to be free."""

    def __init__(self, pause: int = 1) -> None:
        super().__init__()
        self.pause = pause


class ClosedError(Exception):
    """The service is shutting down."""


class ModelUnavailableError(Exception):
    """The model cannot be loaded; the message is safe to show (a sentence of the summarizer's)."""


class ScoringError(Exception):
    """The model failed on this text; the message is the error's type alone."""


class ModelState(StrEnum):
    """Where the model is in its life."""

    NOT_LOADED = "loads on first use"
    LOADING = "loading"
    READY = "ready"
    FAILED = "could not be loaded"
    CLOSED = "shutting down"


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How much may wait, and how much goes to the model at once.

    Attributes:
        requests: places in the queue.
        tokens: about so many tokens may wait; one text alone may have more.
        batch_tokens: about so many go to the model at once; one text alone may have more.
        wait: seconds for which a batch that is not full waits for more.
    """

    requests: int = 64
    tokens: int = 200_000
    batch_tokens: int = 4096
    wait: float = 0.005


@dataclass(eq=False, slots=True)
class _Job:
    document: Document
    budget: Budget | None
    tokens: int
    due: float
    done: asyncio.Future[Summary]

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for it; asked from other threads too."""
        return not self.done.cancelled()


class _Lane:
    """Jobs that wait for one thread, and that thread.

    Args:
        name: of the thread.
        wait: seconds for which a batch that is not full waits for more.
    """

    def __init__(self, name: str, wait: float) -> None:
        self.jobs: list[_Job] = []
        self.tokens = 0
        self.wake = asyncio.Event()
        self.wait = wait
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self.runner: asyncio.Task[None] | None = None

    def put(self, job: _Job) -> None:
        """Adds a job at its place: the one that is due first stands first, of equals the older."""
        insort(self.jobs, job, key=lambda one: one.due)
        self.tokens += job.tokens
        self.wake.set()

    def take(self, job: _Job | None = None) -> _Job:
        """Removes the first job, or this one."""
        job = job or self.jobs[0]
        self.jobs.remove(job)
        self.tokens -= job.tokens
        return job

    def batch(self, most: int) -> list[_Job]:
        """Takes the first jobs that together stay within a batch's tokens, at least one if there is any."""
        batch: list[_Job] = []
        tokens = 0
        while self.jobs and (not batch or tokens + self.jobs[0].tokens <= most):
            batch.append(self.take())
            tokens += batch[-1].tokens
        return batch


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has; at least 1."""
    return len(text) // _CHARACTERS_PER_TOKEN + 1


@dataclass(frozen=True, slots=True)
class BatchDone:
    """What is told of each batch: counts and seconds."""

    texts: int
    tokens: int
    seconds: float


class ModelWorker:
    """The queue and the threads. Made and used on one event loop; an async context manager.

    Args:
        load: makes the summarizer; called in the model's thread, once.
        limits: see `QueueLimits`.
        told: called on the event loop after each batch.
        note_limits: what one text may cost.
    """

    def __init__(
        self,
        load: Callable[[], Summarizer],
        limits: QueueLimits | None = None,
        told: Callable[[BatchDone], None] = lambda _: None,
        note_limits: NoteLimits | None = None,
    ) -> None:
        self._load, self._told = load, told
        self._limits = limits or QueueLimits()
        self._note_limits = note_limits or NoteLimits()
        self._small, self._large = _Lane("model", self._limits.wait), _Lane("model-large", 0)
        self._lanes = (self._small, self._large)
        self._freed = asyncio.Event()
        self._loading: asyncio.Task[Summarizer] | None = None
        self._failed_at = 0.0
        self._token_seconds = 0.0
        self.state = ModelState.NOT_LOADED

    async def __aenter__(self) -> "ModelWorker":
        for lane in self._lanes:
            lane.runner = asyncio.create_task(self._run(lane), name="model-queue")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Refuses what comes, finishes the batch in hand, lets those still waiting go."""
        self.state = ModelState.CLOSED
        for lane in self._lanes:
            while lane.jobs:
                self._fail(lane.take(), ClosedError())
            lane.wake.set()
        self._freed.set()
        for lane in self._lanes:
            if lane.runner:
                await lane.runner
            await asyncio.to_thread(lane.thread.shutdown)

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return sum(len(lane.jobs) for lane in self._lanes)

    @property
    def _waiting_tokens(self) -> int:
        return sum(lane.tokens for lane in self._lanes)

    @property
    def summarizer(self) -> Summarizer | None:
        """The model, once it is loaded."""
        loaded = self._loading
        if loaded is None or not loaded.done() or loaded.cancelled() or loaded.exception():
            return None
        return loaded.result()

    @property
    def accepts(self) -> bool:
        """Whether one more text finds a place."""
        return (
            self.state is not ModelState.CLOSED
            and self.waiting < self._limits.requests
            and self._small.tokens < self._limits.tokens  # large ones wait for their own thread
        )

    @property
    def pause(self) -> int:
        """Seconds after which a request that finds no place now should come again.

        By then half of what waits is done, at the speed of late. Coming too early costs the model time; if
        all came only when the queue is empty, it would have nothing to do.
        """
        return min(_LONGEST_PAUSE, max(1, round(self._waiting_tokens * self._token_seconds / 2)))

    async def preload(self) -> Summarizer:
        """The model, loaded now if it is not yet; any number of callers wait for the same loading.

        Raises:
            ModelUnavailableError: it cannot be loaded.
            ClosedError: the service is shutting down.
        """
        if self.state is ModelState.CLOSED:
            raise ClosedError
        if self._loading is None or self._may_retry():
            self.state = ModelState.LOADING
            self._loading = asyncio.create_task(self._loaded(), name="model-loading")
        return await asyncio.shield(self._loading)

    async def summarize(self, document: Document, budget: Budget | None, *, patient: bool = False) -> Summary:
        """Waits for the summary of one text; cancelling the call gives its place away.

        Args:
            document: the text.
            budget: how much the summary may hold.
            patient: waits for a place instead of being refused one.

        Raises:
            QueueFullError, ClosedError, ModelUnavailableError, ScoringError, LimitError.
        """
        while not self.accepts:
            if self.state is ModelState.CLOSED:
                raise ClosedError
            if not patient:
                raise QueueFullError(self.pause)
            self._freed.clear()
            await self._freed.wait()
        tokens = estimated_tokens(document.text)
        due = time.monotonic() + tokens * _SECONDS_PER_TOKEN
        job = _Job(document, budget, tokens, due, asyncio.get_running_loop().create_future())
        lane = self._large if len(document.text) >= _LARGE else self._small
        lane.put(job)
        try:
            return await job.done
        finally:
            if job in lane.jobs:  # the client has left
                lane.take(job)
                self._freed.set()

    def _may_retry(self) -> bool:
        return self.state is ModelState.FAILED and time.monotonic() - self._failed_at > _RELOAD_PAUSE

    def _move_to(self, state: ModelState) -> None:
        if self.state is not ModelState.CLOSED:  # which is for good
            self.state = state

    async def _loaded(self) -> Summarizer:
        started = time.monotonic()
        loop = asyncio.get_running_loop()
        try:
            summarizer = await loop.run_in_executor(self._small.thread, _warm, self._load)
        except Exception as error:
            self._failed_at = time.monotonic()
            self._move_to(ModelState.FAILED)
            log.error("model-not-loaded", error=type(error).__name__)
            raise ModelUnavailableError(type(error).__name__) from None
        self._move_to(ModelState.READY)
        log.info("model-loaded", engine=summarizer.model.engine, seconds=round(time.monotonic() - started, 2))
        return summarizer

    async def _run(self, lane: _Lane) -> None:
        while self.state is not ModelState.CLOSED:
            await lane.wake.wait()
            lane.wake.clear()
            while lane.jobs:
                await self._one_batch(lane)

    async def _one_batch(self, lane: _Lane) -> None:
        try:
            summarizer = await self.preload()
        except (ModelUnavailableError, ClosedError) as error:
            while lane.jobs:
                self._fail(lane.take(), error)
            self._freed.set()
            return
        if lane.wait and lane.tokens < self._limits.batch_tokens:
            await asyncio.sleep(lane.wait)
        batch = lane.batch(self._limits.batch_tokens)
        self._freed.set()
        if not batch:
            return
        started = time.monotonic()
        loop = asyncio.get_running_loop()
        work = Work(self._note_limits, lambda: any(job.wanted for job in batch))
        try:
            results = await loop.run_in_executor(lane.thread, _scored, summarizer, batch, work)
        except Exception as error:  # the queue goes on, whatever happened to this batch
            log.error("batch-failed", error=type(error).__name__)
            results = [ScoringError(type(error).__name__)] * len(batch)
        for job, result in zip(batch, results, strict=True):
            if not isinstance(result, Summary):
                self._fail(job, result)
            elif not job.done.done():
                job.done.set_result(result)
        self._account(batch, time.monotonic() - started)

    def _account(self, batch: Sequence[_Job], seconds: float) -> None:
        done = BatchDone(len(batch), sum(job.tokens for job in batch), seconds)
        speed = done.seconds / done.tokens
        self._token_seconds += _SMOOTHING * (speed - self._token_seconds) if self._token_seconds else speed
        self._told(done)

    @staticmethod
    def _fail(job: _Job, error: Exception) -> None:
        if not job.done.done():
            job.done.set_exception(error)


_Result = Summary | ScoringError | LimitError


def _warm(load: Callable[[], Summarizer]) -> Summarizer:
    """In the model's thread: loads it, and all that loads when it is first used."""
    summarizer = load()
    summarizer.summarize(["The first sentence. The second one."])
    return summarizer


def _scored(summarizer: Summarizer, batch: Sequence[_Job], work: Work) -> list[_Result]:
    """In the model's thread: the texts of one budget together; a text's failure is its own."""
    results: dict[int, _Result] = {}
    by_budget: dict[Budget | None, list[int]] = {}
    for index, job in enumerate(batch):
        by_budget.setdefault(job.budget, []).append(index)
    for budget, indices in by_budget.items():
        with working(work):
            found = _attempt(summarizer, [batch[i].document for i in indices], budget)
        results.update(zip(indices, found, strict=True))
    return [results[i] for i in range(len(batch))]


def _attempt(summarizer: Summarizer, documents: list[Document], budget: Budget | None) -> list[_Result]:
    try:
        return list(summarizer.summarize(documents, budget))
    except UnwantedError as error:
        return [error] * len(documents)
    except Exception as error:  # whatever a model may raise; its message may hold note text
        if len(documents) > 1:
            return [result for document in documents for result in _attempt(summarizer, [document], budget)]
        if isinstance(error, LimitError):
            log.warning("text-over-limit", reason=error.code)
            return [error]
        log.error("text-failed", error=type(error).__name__)
        return [ScoringError(type(error).__name__)]
