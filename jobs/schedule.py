"""Passes on a schedule until told to stop; never two at once."""

import asyncio
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from fhir_adapter.errors import FhirAdapterError
from jobs.ledger.ledger import Ledger
from jobs.ledger.rows import LedgerError
from jobs.passes.one_pass import Pass
from jobs.passes.outcome import Outcome, Totals
from jobs.passes.pace import Pace
from jobs.passes.parts import Parts
from jobs.passes.resummarise import outdated
from jobs.runtime import runtime
from jobs.settings import Settings, SettingsError, parse_duration

if TYPE_CHECKING:  # a single pass does without the scheduler
    from apscheduler.triggers.base import BaseTrigger

log = structlog.get_logger("clinsum.run")


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


async def run_schedule(settings: Settings, ledger: Ledger, trigger: "BaseTrigger") -> None:
    """Runs a pass at once and then by the trigger, until SIGTERM or SIGINT.

    A pass that cannot reach the server or the database is logged, and the next one tries again.

    Raises:
        ServerUnreachableError, NotFhirError, SettingsError, SummarizerError: at the start only.
        PassRunningError: another process works on the same server and pipeline.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    with ledger.one_pass():
        async with runtime(settings, ledger) as parts:
            await _Schedule(parts, stop).run(trigger)
    log.info("stopped")


class _Schedule:
    def __init__(self, parts: Parts, stop: asyncio.Event) -> None:
        self._parts, self._stop = parts, stop
        self._passing = asyncio.Lock()

    async def run(self, trigger: "BaseTrigger") -> None:
        await self._one_pass()
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        scheduler = AsyncIOScheduler()
        scheduler.add_job(self._one_pass, trigger, max_instances=1, coalesce=True, misfire_grace_time=None)
        scheduler.start()
        await self._stop.wait()
        scheduler.pause()
        async with self._passing:  # the notes in hand are finished
            scheduler.shutdown(wait=False)

    async def _one_pass(self) -> None:
        async with self._passing:
            if self._stop.is_set():
                return
            try:
                one = Pass(self._parts, _log_outcome, self._stop)
                totals = await one.run(self._parts.settings.resource_types)
            except (FhirAdapterError, LedgerError) as error:
                log.error("pass-failed", error=type(error).__name__, message=str(error))
            else:
                log.info("pass", **totals.to_json()["summary"])


def _log_outcome(outcome: Outcome) -> None:
    if outcome.status in ("failed", "skipped") and not outcome.waiting:
        log.info("note", source=outcome.source, status=outcome.status, reason=outcome.reason)
