"""Passes on a schedule until told to stop; never two at once."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from jobs.exits import EXPECTED, Exit, exit_code
from jobs.health import Heart
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import PassRunningError
from jobs.passes.one_pass import Pass
from jobs.passes.outcome import Outcome, Totals
from jobs.passes.pace import Pace
from jobs.passes.parts import Parts
from jobs.passes.resummarise import outdated
from jobs.runtime import runtime
from jobs.settings import Settings, SettingsError
from jobs.values import parse_duration

if TYPE_CHECKING:  # a single pass does without the scheduler
    from apscheduler.events import JobExecutionEvent
    from apscheduler.triggers.base import BaseTrigger

log = structlog.get_logger("clinsum.run")

_SPREAD = 0.5  # share of the time between two walks that one takes, if the server holds what the ledger knows
_SLOWEST = 1.0  # notes a second
_FIRST_WALK = 600.0  # seconds after the start: a process that is restarted again and again walks too
_SHORTEST_PAUSE = 60.0  # seconds between two walks, whatever the settings say


def make_trigger(every: str | None, cron: str | None) -> "BaseTrigger":
    """The trigger of `--every 60s` or `--cron "*/5 * * * *"`.

    Raises:
        SettingsError: neither can be read, or both are given.
    """
    if every and cron:
        raise SettingsError("Give either --every or --cron, not both.")
    from apscheduler.triggers.cron import CronTrigger
    from apscheduler.triggers.interval import IntervalTrigger

    try:
        if cron:
            return CronTrigger.from_crontab(cron)
        return IntervalTrigger(seconds=parse_duration(every or "60s").total_seconds())
    except ValueError as error:
        raise SettingsError(f"The schedule cannot be read: {error}.") from None


def stop_on_signals(stop: asyncio.Event) -> None:
    """SIGTERM and SIGINT let the notes in hand be finished; a second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def asked(number: signal.Signals) -> None:
        log.info("stopping", signal=number.name)
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number)


async def one_pass(
    settings: Settings, ledger: Ledger, sources: list[str] | None, emit: Callable[[Outcome], None]
) -> Totals:
    """One pass over what changed, or over the given sources; SIGTERM ends it after the notes in hand.

    Raises:
        PassRunningError, ServerUnreachableError, NotFhirError, LedgerError, SummarizerError.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    with ledger.one_pass():
        async with runtime(settings, ledger) as parts:
            one = Pass(parts, emit, stop)
            if sources is None:
                return await one.run(settings.resource_types)
            return await one.handle(sources)


async def bring_along(
    settings: Settings, ledger: Ledger, pace: Pace | None, emit: Callable[[Outcome], None]
) -> Totals:
    """Summarises the notes again whose summary is of a former pipeline version; see `one_pass`.

    It may take days at a slow pace, so passes over what changes can run beside it: two writers are safe.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    with ledger.one_pass("resummarise"):
        async with runtime(settings, ledger) as parts:
            sources = await outdated(parts.client, parts.pipeline, settings.page_size)
            return await Pass(parts, emit, stop).handle(sources, pace)


async def reconcile(
    settings: Settings,
    ledger: Ledger,
    since: str | None,
    pace: Pace | None,
    emit: Callable[[Outcome], None],
) -> Totals:
    """One walk over everything, beside the passes; see `one_pass` and `Pass.reconcile`."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    with ledger.one_pass("reconcile"):
        async with runtime(settings, ledger) as parts:
            return await Pass(parts, emit, stop).reconcile(settings.resource_types, since, pace)


async def run_schedule(settings: Settings, ledger: Ledger, trigger: "BaseTrigger") -> Exit:
    """Runs a pass at once and then by the trigger, until SIGTERM or SIGINT.

    A pass that cannot reach the server or the database is logged, and the next one tries again.

    Returns:
        0; 3 where the last pass could not be completed because the server or the database could not be
        used, 1 where an error that nobody expected ended a pass or kept one from beginning.

    Raises:
        ServerUnreachableError, NotFhirError, SettingsError, SummarizerError: at the start only.
        PassRunningError: another process works on the same server and pipeline.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    with ledger.one_pass():
        async with runtime(settings, ledger) as parts:
            ended = await _Schedule(parts, stop).run(trigger)
    log.info("stopped", exit=int(ended))
    return ended


class _Schedule:
    def __init__(self, parts: Parts, stop: asyncio.Event) -> None:
        self._parts, self._stop = parts, stop
        self._passing = asyncio.Lock()
        self._last = Exit.DONE
        self._broken = False
        self._heart = Heart(parts.settings.health_file)

    async def run(self, trigger: "BaseTrigger") -> Exit:
        self._heart.begun()
        await self._one_pass()
        from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        scheduler = AsyncIOScheduler()
        scheduler.add_listener(self._scheduler_error, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        scheduler.add_job(self._one_pass, trigger, max_instances=1, coalesce=True, misfire_grace_time=None)
        if self._parts.settings.reconcile_every:
            walks = asyncio.create_task(self._walks(), name="reconcile")
        else:
            walks = None
        scheduler.start()
        await self._stop.wait()
        scheduler.pause()
        if walks:
            await walks
        async with self._passing:  # the notes in hand are finished
            scheduler.shutdown(wait=False)
        return Exit.SOMETHING_FAILED if self._broken else self._last

    def _scheduler_error(self, event: "JobExecutionEvent") -> None:
        """What the scheduler reports of a job; its own log lines may show what an error's message holds."""
        self._broken = True
        log.error("schedule-failed", error=type(event.exception).__name__ if event.exception else "missed")

    async def _walks(self) -> None:
        """Walks over everything, one after the other, each spread thin over the time until the next."""
        every = self._parts.settings.reconcile_every
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), _FIRST_WALK)
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                await self._one_walk(every.total_seconds() if every else 0)
            except EXPECTED as error:
                log.error("reconcile-failed", error=type(error).__name__, message=str(error))
            except Exception as error:  # its message may show what it should not
                self._broken = True
                log.error("reconcile-failed", error=type(error).__name__)
            left = (every.total_seconds() if every else 0) - (time.monotonic() - started)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), max(left, _SHORTEST_PAUSE))

    async def _one_walk(self, seconds: float) -> None:
        ledger = self._parts.ledger
        rows = sum((await asyncio.to_thread(ledger.counts)).values())
        pace = Pace(max(rows / (seconds * _SPREAD), _SLOWEST))
        walk = Pass(self._parts, _log_outcome, self._stop)
        lock = ledger.one_pass("reconcile")
        try:
            await asyncio.to_thread(lock.__enter__)
        except PassRunningError:
            return
        try:
            totals = await walk.reconcile(self._parts.settings.resource_types, None, pace)
        finally:
            await asyncio.to_thread(lock.__exit__, None, None, None)
        log.info("reconcile", **totals.to_json()["summary"])

    async def _one_pass(self) -> None:
        async with self._passing:
            if self._stop.is_set():
                return
            good = False
            try:
                one = Pass(self._parts, self._told, self._stop)
                totals = await one.run(self._parts.settings.resource_types)
            except EXPECTED as error:
                self._last = exit_code(error)
                log.error("pass-failed", error=type(error).__name__, message=str(error))
            except Exception as error:  # its message may show what it should not
                self._broken = True
                log.error("pass-failed", error=type(error).__name__)
            else:
                self._last = Exit.DONE
                good = True
                log.info("pass", **totals.to_json()["summary"])
            finally:
                self._heart.passed(good=good)

    def _told(self, outcome: Outcome) -> None:
        self._heart.noted()
        _log_outcome(outcome)


def _log_outcome(outcome: Outcome) -> None:
    if outcome.status in ("failed", "skipped") and not outcome.waiting:
        log.info("note", source=outcome.source, status=outcome.status, reason=outcome.reason)
