"""Passes on a schedule until told to stop; never two at once."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

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
from jobs.passes.watch import Watch
from jobs.runtime import runtime
from jobs.settings import Settings, SettingsError
from jobs.values import parse_duration

if TYPE_CHECKING:  # a single pass does without it
    from apscheduler.triggers.cron import CronTrigger

log = structlog.get_logger("clinsum.run")

_SPREAD = 0.5  # share of the time between two walks that one takes, if the server holds what the ledger knows
_SLOWEST = 1.0  # notes a second
_FIRST_WALK = 600.0  # seconds after the start: a process that is restarted again and again walks too
_CROWD = 1.0  # seconds
_SHORTEST_PAUSE = 60.0  # seconds between two walks, whatever the settings say


class Trigger(Protocol):
    """When the next pass begins."""

    @property
    def words(self) -> str:
        """The schedule in words."""

    def pause(self, now: datetime) -> float:
        """Seconds from the end of a pass (`now`, aware) to the begin of the next."""


@dataclass(frozen=True, slots=True)
class Every:
    """The same pause after each pass, however long that took."""

    seconds: float

    @property
    def words(self) -> str:
        """The schedule in words."""
        return f"a pause of {self.seconds:g} s after each"

    def pause(self, now: datetime) -> float:
        """Always the same."""
        return self.seconds


@dataclass(frozen=True, slots=True)
class Cron:
    """By the five fields of crontab; a time that comes while a pass is running is left out."""

    fields: str
    trigger: "CronTrigger"

    @property
    def words(self) -> str:
        """The schedule in words."""
        return f"by {self.fields!r}"

    def pause(self, now: datetime) -> float:
        """Until the fields name a time again."""
        coming: datetime = self.trigger.get_next_fire_time(None, now)
        return max((coming - now).total_seconds(), 0.0)


def make_trigger(every: str | None, cron: str | None) -> Trigger:
    """The trigger of `--every 60s` or `--cron "*/5 * * * *"`.

    Raises:
        SettingsError: neither can be read, or both are given.
    """
    if every and cron:
        raise SettingsError("Give either --every or --cron, not both.")
    try:
        if not cron:
            return Every(parse_duration(every or "60s").total_seconds())
        from apscheduler.triggers.cron import CronTrigger

        return Cron(cron, CronTrigger.from_crontab(cron))
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
    settings: Settings,
    ledger: Ledger,
    sources: list[str] | None,
    emit: Callable[[Outcome], None],
    watch: Watch | None = None,
) -> Totals:
    """One pass over what changed, or over the given sources; SIGTERM ends it after the notes in hand.

    Raises:
        PassRunningError, ServerUnreachableError, NotFhirError, LedgerError, SummarizerError.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    with ledger.one_pass():
        async with runtime(settings, ledger) as parts:
            one = Pass(parts, emit, stop, watch=watch or Watch())
            if sources is None:
                return await one.run(settings.resource_types)
            return await one.handle(sources)


async def bring_along(
    settings: Settings,
    ledger: Ledger,
    pace: Pace | None,
    emit: Callable[[Outcome], None],
    watch: Watch | None = None,
) -> Totals:
    """Summarises the notes again whose summary is of a former pipeline version; see `one_pass`.

    It may take days at a slow pace, so passes over what changes can run beside it: two writers are safe.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    with ledger.one_pass("resummarise"):
        async with runtime(settings, ledger) as parts:
            sources = await outdated(parts.client, parts.pipeline, settings.page_size)
            return await Pass(parts, emit, stop, watch=watch or Watch()).handle(sources, pace)


async def reconcile(
    settings: Settings,
    ledger: Ledger,
    since: str | None,
    pace: Pace | None,
    emit: Callable[[Outcome], None],
    watch: Watch | None = None,
) -> Totals:
    """One walk over everything, beside the passes; see `one_pass` and `Pass.reconcile`."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    with ledger.one_pass("reconcile"):
        async with runtime(settings, ledger) as parts:
            one = Pass(parts, emit, stop, watch=watch or Watch())
            return await one.reconcile(settings.resource_types, since, pace)


@dataclass(frozen=True, slots=True)
class Running:
    """What stands beside the passes of a schedule may look at.

    Attributes:
        parts: of the process.
        heart: when a pass was last completed.
        wake: when set, the next pass begins at once.
    """

    parts: Parts
    heart: Heart
    wake: asyncio.Event


Beside = Callable[[Running], AbstractAsyncContextManager[None]]
"""Something that lives as long as the schedule, such as a server of its metrics."""


@asynccontextmanager
async def nothing_beside(running: Running) -> AsyncIterator[None]:
    """The passes alone."""
    yield


async def run_schedule(
    settings: Settings, ledger: Ledger, trigger: Trigger, beside: Beside = nothing_beside
) -> Exit:
    """Runs a pass at once and then by the trigger, until SIGTERM or SIGINT.

    A pass that cannot reach the server or the database is logged, and the next one tries again.

    Args:
        settings: of the process.
        ledger: an open one.
        trigger: when passes begin.
        beside: what lives beside them.

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
            running = Running(parts, Heart(settings.health_file), asyncio.Event())
            log.info("started", **_begun(settings, ledger, parts, trigger))
            async with beside(running):
                ended = await _Schedule(running, stop).run(trigger)
    log.info("stopped", exit=int(ended))
    return ended


def _begun(settings: Settings, ledger: Ledger, parts: Parts, trigger: Trigger) -> dict[str, str]:
    """What this process will do, for whoever has started it."""
    model = parts.pipeline.model
    told = {
        "server": parts.client.base_url,
        "passes": trigger.words,
        "walk": f"every {settings.reconcile}" if settings.reconcile_every else "never",
        "model": f"{model.engine}: {model.name}",
        "ledger": ledger.dialect,
        "health_file": settings.health_file,
    }
    return told | ({"written_to": settings.written_to} if settings.write_base_url else {})


class _Schedule:
    def __init__(self, running: Running, stop: asyncio.Event) -> None:
        self._parts, self._heart, self._wake = running.parts, running.heart, running.wake
        self._stop = stop
        self._last = Exit.DONE
        self._broken = False

    async def run(self, trigger: Trigger) -> Exit:
        self._heart.begun()
        walks: asyncio.Task[None] | None = None
        while not self._stop.is_set():
            pause = await self._turn(trigger)
            if walks is None and self._parts.settings.reconcile_every:
                walks = asyncio.create_task(self._walks(), name="reconcile")
            await self._rest(pause)
        if walks:
            await walks
        return Exit.SOMETHING_FAILED if self._broken else self._last

    async def _turn(self, trigger: Trigger) -> float:
        """One pass, and the seconds until the next: counted from its end, so that a slow server gets rest."""
        self._wake.clear()  # what wakes us from now on may come too late for this pass
        try:
            await self._one_pass()
            return trigger.pause(datetime.now().astimezone())
        except Exception as error:  # its message may show what it should not
            self._broken = True
            log.error("schedule-failed", error=type(error).__name__)
            return _SHORTEST_PAUSE

    async def _rest(self, seconds: float) -> None:
        """Waits until the next pass is due, somebody wakes us, or the end is asked for."""
        waits = [asyncio.create_task(event.wait()) for event in (self._stop, self._wake)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self._wake.is_set():  # changes come in crowds: a moment later one pass does for all of them
            await asyncio.wait(waits[:1], timeout=_CROWD)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

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
