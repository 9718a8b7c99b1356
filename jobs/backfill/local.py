"""A backfill in one process: the stages of a pass side by side, as ever."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from jobs.backfill.plan import Plan, Request, StoppedError, Wait, make_plan
from jobs.backfill.walk import Backfill, finish
from jobs.ledger.ledger import Ledger
from jobs.passes.one_pass import Pass
from jobs.passes.outcome import Outcome, Totals
from jobs.passes.pace import OwnRate
from jobs.passes.parts import Parts
from jobs.passes.watch import Watch
from jobs.runtime import runtime
from jobs.schedule import stop_on_signals
from jobs.settings import Settings


@dataclass(frozen=True, slots=True)
class Ended:
    """How a backfill ended.

    Attributes:
        broken: pieces that could not be read to their end, and what an export lacks, in words.
        stopped: it was told to stop; run again, it goes on.
    """

    totals: Totals
    broken: tuple[str, ...] = ()
    stopped: bool = False


async def run_local(
    settings: Settings, ledger: Ledger, request: Request, emit: Callable[[Outcome], None], watch: Watch
) -> Ended:
    """Works off everything in this process; SIGTERM ends it after the notes in hand.

    Passes may run beside it.

    Raises:
        PassRunningError, ServerUnreachableError, NotFhirError, LedgerError, SummarizerError, UsageError.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    with ledger.one_pass("backfill"):
        async with runtime(settings, ledger) as parts:
            try:
                plan = await make_plan(parts, request, Wait(stop, watch.waiting))
            except StoppedError:
                return Ended(Totals(), stopped=True)
            watch.planned(plan.way)
            return await over_pieces(parts, request, plan, stop, emit, watch)


async def over_pieces(
    parts: Parts,
    request: Request,
    plan: Plan,
    stop: asyncio.Event,
    emit: Callable[[Outcome], None],
    watch: Watch,
) -> Ended:
    """Works off what the ledger says is not done of a plan."""
    one = Backfill(parts, request.walk, plan.pieces, stop, watch.reached)
    rate = OwnRate(request.pace, stop) if request.pace else None
    totals = await Pass(parts, emit, stop, rate, watch).work(one.batches)
    if not stop.is_set() and not one.broken:
        await finish(parts, plan, request.walk)
    return Ended(totals, (*plan.lacks, *one.broken), stop.is_set())
