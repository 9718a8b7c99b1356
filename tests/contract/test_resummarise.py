"""`clinsum poll --resummarise` brings summaries along to a new version of the pipeline."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.writing.lifecycle import stamp_of
from jobs.passes.outcome import Outcome
from jobs.passes.pace import Pace
from jobs.runtime import open_ledger
from jobs.schedule import bring_along
from tests.contract.lives import another, command, only, revised, signed, state
from tests.contract.passes import Site, reference


def with_setting(site: Site, database: Path, budget: str = "1") -> Site:
    return another(site, database, BUDGET=budget)


def pipelines(site: Site, notes: list[dict[str, Any]]) -> set[str]:
    return {stamp_of(only(site, note)).pipeline for note in notes}


def test_old_summaries_get_a_new_version_and_a_second_walk_finds_nothing(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = [site.document(f"Note {number}. Seen today. Stable.") for number in range(3)]
    sources = {reference(note) for note in notes}
    site.poll(sorted(sources))
    before = [only(site, note) for note in notes]
    newer = with_setting(site, site.database)
    same_code, same, _ = command(site, capsys, "poll", "--resummarise")

    code, lines, summary = command(newer, capsys, "poll", "--resummarise", "--rate", "600/min")
    again_code, again, again_summary = command(newer, capsys, "poll", "--resummarise")

    assert (same_code, same) == (0, [])
    assert code == again_code == 0
    assert {(line["source"], line["status"]) for line in lines} == {(source, "written") for source in sources}
    assert summary["written"] == 3
    assert (again, again_summary["seen"]) == ([], 0)
    for note, old in zip(notes, before, strict=True):
        now = only(site, note)
        assert (now["id"], state(now)) == (old["id"], ("preliminary", None))
        assert int(now["meta"]["versionId"]) == int(old["meta"]["versionId"]) + 1
        assert now["author"] != old["author"]
        (made,) = site.fhir.matches(site.fhir.get("Provenance", target=f"Composition/{now['id']}"))
        assert made["agent"][0]["who"] == now["author"][0]
        assert site.one_audit(now["id"]).ok
        kept = site.fhir.get(f"Composition/{old['id']}/_history/{old['meta']['versionId']}")
        assert kept["author"] == old["author"]


def test_what_a_person_attested_and_what_ended_stays_as_it_is(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    attested, mistaken, plain = site.document(), site.document(), site.document()
    site.poll([reference(note) for note in (attested, mistaken, plain)])
    theirs = signed(site, only(site, attested))
    revised(site, mistaken, status="entered-in-error")
    site.poll([reference(mistaken)])

    code, lines, _ = command(with_setting(site, tmp_path / "new.sqlite"), capsys, "poll", "--resummarise")

    assert code == 0
    assert [(line["source"], line["status"]) for line in lines] == [(reference(plain), "written")]
    assert only(site, attested)["meta"]["versionId"] == theirs["meta"]["versionId"]
    assert state(only(site, mistaken)) == ("entered-in-error", "entered-in-error")


def test_a_walk_that_was_stopped_goes_on_where_it_was(site: Site, tmp_path: Path) -> None:
    notes = [site.document(f"Note {number}. Seen today. Stable.") for number in range(5)]
    site.poll([reference(note) for note in notes])
    newer = with_setting(site, tmp_path / "new.sqlite")
    done: list[str] = []

    class StoppedError(Exception):
        pass

    def stop_after_two(outcome: Outcome) -> None:
        done.append(outcome.source)
        if len(done) == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        asyncio.run(walk_at(newer, Pace(0.6), stop_after_two))
    rest: list[str] = []
    asyncio.run(walk_at(newer, None, lambda outcome: rest.append(outcome.source)))

    assert len(pipelines(site, notes)) == 1
    assert len(rest) == 3
    assert {*rest, *done} == {reference(note) for note in notes}


async def walk_at(site: Site, pace: Any, emit: Any) -> None:
    with open_ledger(site.settings) as ledger:
        await bring_along(site.settings, ledger, pace, emit)


@pytest.mark.parametrize("arguments", [("--rate", "10/min"), ("--resummarise", "--rate", "fast")])
def test_a_rate_that_makes_no_sense_is_wrong_use(
    site: Site, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code, lines, _ = command(site, capsys, "poll", *arguments)

    assert (code, lines) == (2, [])
