"""Processes that share a ledger: each note is one's at a time, and nobody's for good."""

import asyncio
from collections import Counter
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from fhir_adapter.sandbox.running import running_embedded
from jobs.bench.passes import generated_notes
from jobs.ledger.holders import is_dead, new_holder
from jobs.ledger.leases import claim, release, renew, shorten
from jobs.ledger.ledger import Ledger
from jobs.passes.leases import Leases
from jobs.passes.one_pass import Pass
from jobs.passes.outcome import Outcome
from jobs.runtime import open_ledger, runtime
from jobs.settings import Settings, load_settings
from tests.contract.contract_fhir import Fhir, FhirServer

MINUTE = timedelta(minutes=1)
NOTES = 24


@pytest.fixture
def ledger(database_url: str) -> Ledger:
    return Ledger(database_url, server="http://a/fhir", pipeline="extractive")


def test_a_note_is_leased_to_one_until_it_is_given_back(ledger: Ledger) -> None:
    assert claim(ledger, ["D/1", "D/2"], "a", MINUTE) == {"D/1", "D/2"}
    assert claim(ledger, ["D/2", "D/3"], "b", MINUTE) == {"D/3"}
    assert claim(ledger, ["D/1"], "a", MINUTE) == {"D/1"}

    release(ledger, "a", ["D/2"])

    assert claim(ledger, ["D/1", "D/2"], "b", MINUTE) == {"D/2"}
    ledger.close()


def test_a_lease_that_nobody_renews_runs_out(ledger: Ledger) -> None:
    claim(ledger, ["D/1", "D/2"], "killed", timedelta(seconds=-1))
    claim(ledger, ["D/3"], "alive", timedelta(seconds=-1))
    renew(ledger, "alive", MINUTE)

    assert claim(ledger, ["D/1", "D/2", "D/3"], "b", MINUTE) == {"D/1", "D/2"}
    ledger.close()


def test_what_a_killed_process_held_is_taken_over(ledger: Ledger) -> None:
    killed = partial(claim, ledger, ["DocumentReference/1"], "killed")
    killed(MINUTE)
    mine = Leases(ledger, look=0.05)

    async def left() -> list[list[str]]:
        assert await mine.take(["DocumentReference/1", "DocumentReference/2"]) == {"DocumentReference/2"}
        asyncio.get_running_loop().call_later(0.2, killed, timedelta(seconds=-1))  # a minute goes by
        return [sources async for sources in mine.left(asyncio.Event())]

    assert asyncio.run(left()) == [["DocumentReference/1"]]
    ledger.close()


def ended_process() -> str:
    """The name that a holder in a process would have that has ended."""
    at, _, started, number = new_holder().split(".")
    return f"{at}.{2**22 + 7:x}.{started}.{number}"  # above the largest process id that Linux gives


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="no /proc to see processes in")
def test_a_holder_is_dead_once_its_process_is_and_not_before() -> None:
    own = new_holder()
    at, pid, started, number = own.split(".")
    assert len(own) <= 32
    assert own != new_holder()
    assert not is_dead(own)
    assert is_dead(ended_process())
    assert is_dead(f"{at}.{pid}.{int(started, 16) - 1:x}.{number}")  # the number is another process's now
    assert not is_dead(f"{at}.1.{_started(1):x}.0")  # somebody else's, and there
    elsewhere = f"p{'0' * 8}.{2**22 + 7:x}.{started}.{number}"
    assert not any(map(is_dead, (elsewhere, "0" * 32, "", "killed")))


def _started(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def test_where_processes_cannot_be_seen_names_say_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ended = ended_process() if new_holder().startswith("p") and "." in new_holder() else "0" * 32
    monkeypatch.setattr("jobs.ledger.holders._PROC", tmp_path)

    assert len(new_holder()) == 32
    assert not is_dead(new_holder())
    assert not is_dead(ended)


@pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="no /proc to see processes in")
def test_what_a_dead_process_held_is_taken_over_after_the_grace_and_what_a_live_one_holds_is_not(
    ledger: Ledger,
) -> None:
    claim(ledger, ["D/1"], ended_process(), MINUTE)
    claim(ledger, ["D/2"], new_holder(), MINUTE)
    claim(ledger, ["D/3"], "of another machine", MINUTE)

    assert shorten(ledger, ["D/1", "D/2", "D/3"], timedelta(seconds=30)) == 1
    assert claim(ledger, ["D/1"], "b", MINUTE) == set()  # not at once: a request may be under way
    assert shorten(ledger, ["D/1"], timedelta(seconds=31)) == 0  # never longer than it was
    assert shorten(ledger, ["D/1", "D/2", "D/3"], timedelta(seconds=-1)) == 1

    assert claim(ledger, ["D/1", "D/2", "D/3"], "b", MINUTE) == {"D/1"}
    ledger.close()


def settings_for(base_url: str, database_url: str) -> Settings:
    return load_settings({"FHIR_BASE_URL": base_url, "DATABASE_URL": database_url, "ENGINE": "lead"})


async def passes(*several: Settings) -> list[dict[str, str]]:
    """One pass for each settings, all at once: how each note ended in each."""

    async def one(settings: Settings) -> dict[str, str]:
        ended: dict[str, str] = {}

        def emit(outcome: Outcome) -> None:
            ended[outcome.source] = outcome.status

        with open_ledger(settings) as ledger:
            async with runtime(settings, ledger) as parts:
                await Pass(parts, emit, asyncio.Event()).run(settings.resource_types)
        return ended

    return await asyncio.gather(*map(one, several))


@pytest.mark.parametrize("ledgers", [1, 2])
def test_pollers_at_once_write_each_note_once(database_url: str, tmp_path: Path, ledgers: int) -> None:
    with running_embedded() as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        for note in generated_notes(NOTES):
            fhir.put(note)
        own = settings_for(base_url, database_url)
        other = own if ledgers == 1 else settings_for(base_url, f"sqlite:///{tmp_path / 'other.sqlite'}")

        ended = asyncio.run(passes(own, own, other))

        versions = Counter(
            c["meta"]["versionId"] for p in fhir.pages(fhir.get("Composition", _count="200")) for c in p
        )
        fhir.http.close()
    written = Counter(source for one in ended for source, status in one.items() if status == "written")
    assert versions == {"1": NOTES}
    assert len(written) == NOTES
    if ledgers == 1:
        assert set(written.values()) == {1}
