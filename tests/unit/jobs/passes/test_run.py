"""`clinsum run` from the inside: what nobody expected, and the walk over everything beside the passes."""

import asyncio
import os
import signal
import time

import pytest
import structlog.testing

import jobs.schedule
from jobs.exits import Exit
from jobs.passes.one_pass import Pass
from jobs.passes.outcome import Totals
from jobs.runtime import open_ledger
from jobs.schedule import make_trigger, run_schedule
from tests.contract.passes import Site, reference

SECRET = "Smith, John, born 1950"


def run(site: Site) -> tuple[Exit, list[dict[str, object]]]:
    """Runs a pass a second until something in the test sends SIGTERM; the exit code and what was logged."""
    settings = site.settings
    with structlog.testing.capture_logs() as events, open_ledger(settings) as ledger:
        ended = asyncio.run(run_schedule(settings, ledger, make_trigger("1s", None)))
    return ended, [dict(event) for event in events]


@pytest.mark.parametrize("failing", [1, 2], ids=["the-first-pass", "a-later-pass"])
def test_an_error_that_nobody_expected_reaches_the_log_and_the_exit_code(
    site: Site, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    note, passes = reference(site.document()), 0
    real = Pass.run

    async def broken(self: Pass, resource_types: tuple[str, ...]) -> Totals:
        nonlocal passes
        passes += 1
        if passes == failing:
            raise RuntimeError(SECRET)
        if passes == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return await real(self, resource_types)

    monkeypatch.setattr(Pass, "run", broken)
    ended, events = run(site)

    assert ended is Exit.SOMETHING_FAILED
    failures = [event for event in events if event["event"] == "pass-failed"]
    assert [event["error"] for event in failures] == ["RuntimeError"]
    assert SECRET not in str(events)
    assert events[-1] == {"event": "stopped", "exit": 1, "log_level": "info"}
    assert len(site.written(note)) == 1  # the other passes did their work


def test_an_error_of_the_scheduler_itself_reaches_them_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, passes = jobs.schedule._Schedule._one_pass, 0

    async def one_pass(self: jobs.schedule._Schedule) -> None:
        nonlocal passes
        passes += 1
        if passes == 2:
            os.kill(os.getpid(), signal.SIGTERM)
            raise RuntimeError(SECRET)
        await real(self)

    monkeypatch.setattr(jobs.schedule._Schedule, "_one_pass", one_pass)
    ended, events = run(site)

    assert ended is Exit.SOMETHING_FAILED
    assert {"event": "schedule-failed", "error": "RuntimeError", "log_level": "error"} in events
    assert SECRET not in str(events)


def test_the_walk_beside_the_passes_handles_what_they_missed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.schedule, "_FIRST_WALK", 0.2)
    site.options = {"OVERLAP": "0.001s"}
    missed = reference(site.document())
    time.sleep(0.05)
    site.document()
    site.poll()
    with open_ledger(site.settings) as ledger, ledger.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM note WHERE source = ?", (missed,))

    real = jobs.schedule._Schedule._one_walk

    async def one_walk(self: jobs.schedule._Schedule, seconds: float) -> None:
        await real(self, seconds)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(jobs.schedule._Schedule, "_one_walk", one_walk)
    ended, events = run(site)

    (walk,) = [event for event in events if event["event"] == "reconcile"]
    assert ended is Exit.DONE
    assert (walk["seen"], walk["missed"], walk["failed"]) == (2, 1, 0)
    with open_ledger(site.settings) as ledger:
        assert missed in ledger.known([missed])


def test_a_walk_that_fails_is_logged_and_reaches_the_exit_code(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.schedule, "_FIRST_WALK", 0.1)

    async def broken(self: Pass, *_: object) -> Totals:
        os.kill(os.getpid(), signal.SIGTERM)
        raise RuntimeError(SECRET)

    monkeypatch.setattr(Pass, "reconcile", broken)
    ended, events = run(site)

    assert ended is Exit.SOMETHING_FAILED
    assert {"event": "reconcile-failed", "error": "RuntimeError", "log_level": "error"} in events
    assert SECRET not in str(events)
