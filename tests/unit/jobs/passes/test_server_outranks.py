"""What the server holds outranks what the ledger remembers, and what a search index says of it."""

import asyncio
import itertools
import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import SandboxSettings
from fhir_adapter.writing.lifecycle import is_attested
from jobs.cli import run
from jobs.ledger.ledger import Ledger
from jobs.ledger.looks import held, some_held
from jobs.ledger.rows import NoteRow
from jobs.passes import standing
from jobs.passes.outcome import Outcome, Totals
from jobs.passes.standing import LOOK
from jobs.runtime import open_ledger
from jobs.schedule import reconcile
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.lives import command, ended, only, revised, signed
from tests.contract.passes import Site, reference
from tests.unit.jobs.passes.faulty import Fault, Faulty

Json = dict[str, Any]
Use = Callable[[Fault], list[Faulty]]


@pytest.fixture(params=[True, False], ids=["our ids", "its own ids"])
def either(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site on a server that takes ids from clients, and on one that gives out its own."""
    with running_embedded(SandboxSettings(update_create=request.param)) as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Site(fhir, tmp_path / "ledger.sqlite")


def filed(site: Site, **changed: Any) -> Json:
    """A note, on a server that may give out the ids itself."""
    note = Site(_Unsent(site.fhir.server), site.database).document(**changed)
    del note["id"]
    answer = site.fhir.send("POST", "DocumentReference", note)
    assert answer.status_code == 201
    found: Json = answer.json()
    return found


class _Unsent(Fhir):
    """Gives back what is put, and sends nothing."""

    def put(self, resource: Json) -> Json:
        return resource


def deleted(site: Site, composition: Json) -> None:
    site.fhir.send("DELETE", reference(composition)).raise_for_status()


def walked(site: Site) -> tuple[dict[str, Outcome], Totals]:
    found: dict[str, Outcome] = {}
    with open_ledger(site.settings) as ledger:
        totals = asyncio.run(
            reconcile(site.settings, ledger, None, None, lambda one: found.update({one.source: one}))
        )
    return found, totals


def test_summaries_that_the_server_lost_are_written_again_by_the_next_pass(
    either: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "LOOK", 4)
    notes = [filed(either) for _ in range(4 + 3)]  # more than a pass looks at
    either.poll()
    for note in notes:
        deleted(either, only(either, note))

    ended_so, _ = either.poll()

    assert {ended_so[reference(note)].status for note in notes} == {"written"}
    assert all(either.one_audit(reference(only(either, note))).ok for note in notes)
    assert "written" not in {one.status for one in either.poll()[0].values()}


def test_a_walk_finds_the_one_summary_that_somebody_deleted(either: Site) -> None:
    note, *_ = [filed(either) for _ in range(3)]
    either.poll()
    deleted(either, only(either, note))

    found, totals = walked(either)

    assert (totals.missed, found[reference(note)].status) == (1, "written")
    assert walked(either)[1].missed == 0


def test_a_summary_of_an_earlier_version_is_brought_up_to_date(site: Site) -> None:
    note = site.document()
    site.poll()
    before = only(site, note)
    note = revised(site, note, "The fever is gone.")
    site.poll()
    after = only(site, note)
    site.fhir.put(before)  # as a backup has it

    assert site.poll()[0][reference(note)].status == "written"
    assert only(site, note)["section"] == after["section"]


def test_a_summary_that_should_have_ended_ends_again(site: Site) -> None:
    note = site.document()
    site.poll()
    before = only(site, note)
    revised(site, note, status="entered-in-error")
    site.poll()
    site.fhir.put(before)

    found, totals = walked(site)

    assert (totals.missed, found[reference(note)].reason) == (1, "entered-in-error")
    assert ended(only(site, note)) == "entered-in-error"


def test_what_was_withdrawn_stays_withdrawn_and_is_looked_at_once(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site(site.fhir, site.database, {"PIPELINE": "withdrawn"})
    note = site.document()
    site.poll()
    command(site, capsys, "withdraw", "--source", reference(note))

    found, _ = walked(site)
    again, totals = walked(site)

    assert found[reference(note)].reason == again[reference(note)].reason == "withdrawn"
    assert (again[reference(note)].status, totals.missed) == ("unchanged", 0)
    assert ended(only(site, note)) == "source-withdrawn"


def test_where_all_is_well_a_look_reads_no_note(site: Site, faulty: Use) -> None:
    note = site.document()
    site.poll()
    asked: list[str] = []
    faulty(lambda request: asked.append(request.url.path))

    site.poll()

    assert not [path for path in asked if path.endswith(reference(note))]


def test_a_server_that_refuses_to_be_asked_is_left_alone(site: Site, faulty: Use) -> None:
    note = site.document()
    site.poll()
    deleted(site, only(site, note))

    def refuses(request: httpx.Request) -> httpx.Response | None:
        searched = request.method == "GET" and "/Composition" in request.url.path
        batch = request.method == "POST" and b'"type":"batch"' in request.content
        return httpx.Response(403, request=request) if searched or batch else None

    faulty(refuses)
    assert {one.status for one in site.poll()[0].values()} <= {"unchanged"}
    faulty(lambda _: None)
    assert site.poll()[0][reference(note)].status == "written"


def test_a_server_that_refuses_the_search_alone_has_its_summaries_read(site: Site, faulty: Use) -> None:
    note = site.document()
    site.poll()
    deleted(site, only(site, note))

    def refuses(request: httpx.Request) -> httpx.Response | None:
        searched = request.method == "GET" and request.url.path.endswith("/Composition")
        return httpx.Response(403, request=request) if searched else None

    faulty(refuses)
    assert site.poll()[0][reference(note)].status == "written"


def test_what_a_person_attested_stays_whatever_a_search_says(either: Site, faulty: Use) -> None:
    """The index still has the version before, without a word of which version it is; or finds nothing."""
    note = filed(either)
    either.poll()
    stale = only(either, note)
    theirs = signed(either, stale)
    stale["meta"] = {name: value for name, value in stale["meta"].items() if name != "versionId"}
    found: list[Json] = [{"resource": stale, "search": {"mode": "match"}}]

    def behind(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET" or not request.url.path.endswith("/Composition"):
            return None
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": found}
        return httpx.Response(200, json=bundle, request=request)

    for text in ("The fever is back.", "The fever is gone again."):
        note = revised(either, note, text)
        faulty(behind)
        either.poll()
        found.clear()
        assert either.fhir.get(reference(theirs)) == theirs

    faulty(lambda _: None)
    assert sorted(map(is_attested, either.written(reference(note)))) == [False, True]


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1601-01-01"])
def test_a_watermark_out_of_range_stops_no_pass(site: Site, stamp: str) -> None:
    with open_ledger(site.settings) as ledger:
        ledger.move_watermark("DocumentReference", stamp)
    note = site.document()

    assert site.poll()[0][reference(note)].status == "written"


def test_a_servers_clock_that_was_set_back_hides_no_note(site: Site) -> None:
    site.document()
    site.poll()
    ahead = datetime.now(UTC) + timedelta(hours=2)
    with open_ledger(site.settings) as ledger:  # its clock was two hours ahead then
        ledger.move_watermark("DocumentReference", ahead.isoformat())
    note = site.document()

    assert site.poll()[0][reference(note)].status == "written"
    with open_ledger(site.settings) as ledger:
        stamp = ledger.watermark("DocumentReference")
    assert stamp
    assert datetime.fromisoformat(stamp) < ahead - timedelta(hours=1)


def test_an_older_ledger_and_a_lost_one_write_nothing_twice(site: Site, tmp_path: Path) -> None:
    note = site.document()
    site.poll()
    shutil.copy(site.database, tmp_path / "older.sqlite")
    note = revised(site, note, "The fever is gone.")
    late = site.document()
    site.poll()
    there = [only(site, one)["meta"]["versionId"] for one in (note, late)]

    for name in ("older.sqlite", "lost.sqlite"):
        again = Site(site.fhir, tmp_path / name)
        statuses = {one.status for one in again.poll()[0].values()}
        assert statuses == {"unchanged"}
        assert [only(site, one)["meta"]["versionId"] for one in (note, late)] == there


def test_doctor_says_what_the_server_lost(either: Site, capsys: pytest.CaptureFixture[str]) -> None:
    notes = [filed(either) for _ in range(3)]
    sets = [
        f"--set={name}={getattr(either.settings, name.lower())}" for name in ("FHIR_BASE_URL", "DATABASE_URL")
    ]

    def known() -> list[tuple[str, str]]:
        capsys.readouterr()
        run(["doctor", "--json", "--set=ENGINE=lead", *sets])
        checks = json.loads(capsys.readouterr().out)["checks"]
        return [(one["status"], one["value"]) for one in checks if one["name"] == "known summaries"]

    assert known() == []
    either.poll()
    assert known() == [("ok", "3 looked at, all as they were written")]
    deleted(either, only(either, notes[0]))
    ((status, value),) = known()
    assert (status, "lacks 1" in value) == ("warning", True)


def test_a_look_takes_the_latest_rows_and_some_of_all_others(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = itertools.count()  # chance draws every place at some time; here each has its turn
    monkeypatch.setattr(secrets, "randbelow", lambda bound: next(draws) % bound)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        NoteRow(
            f"DocumentReference/{n}",
            "1",
            "p",
            "failed" if n == 99 else "written",
            composition="c" if n % 2 else "",
            handled_at=start + timedelta(minutes=n),
        )
        for n in range(100)
    ]
    with Ledger(database_url, server="s", pipeline="p") as ledger:
        assert some_held(ledger, LOOK) == []
        ledger.record(rows)
        looks = [{row.source for row in some_held(ledger, 10)} for _ in range(200)]
        last, page = held(ledger, 0, 30)
        _, rest = held(ledger, last, 30)

    latest = {f"DocumentReference/{n}" for n in (97, 95, 93, 91, 89)}
    assert all(latest <= look and len(look) <= 10 for look in looks)
    every = {f"DocumentReference/{n}" for n in range(1, 98, 2)}
    assert set().union(*looks) == {row.source for row in (*page, *rest)} == every
