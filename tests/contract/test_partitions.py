"""A server that keeps a partition for each patient: it takes no Device, so each summary contains its own.

All readers have to hold with that: audit and checker, recall, timelines, copies, persons, erasure.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import canonical
from fhir_adapter.sandbox.hapi import Hapi, HapiSettings
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import Quirk, SandboxSettings
from fhir_adapter.timeline.writer import WriteStatus
from fhir_adapter.writing.recall import RecalledError
from jobs.cli import run
from tests.contract.contract_fhir import FhirServer
from tests.contract.copied import WORDS, report, whole
from tests.contract.lives import another, command, html_document, only, revised, state
from tests.contract.partitioned import a_patient, held, maker, provenances, site_on, written
from tests.contract.passes import Site, reference
from tests.contract.statements import read_once
from tests.contract.timelines import a_chart, checked

Json = dict[str, Any]


@pytest.fixture(scope="module", params=["embedded", pytest.param("hapi", marks=pytest.mark.hapi)])
def server(request: pytest.FixtureRequest) -> Iterator[FhirServer]:
    """A server that keeps one partition for each patient."""
    if request.param == "embedded":
        with running_embedded(SandboxSettings(quirks=frozenset([Quirk.PATIENT_PARTITIONS]))) as base_url:
            yield FhirServer("embedded", base_url)
        return
    hapi: Hapi = request.getfixturevalue("hapi_process")
    partitioned = HapiSettings(placeholders=False, patient_partitions=True)
    with hapi.another(partitioned) as base_url, read_once(base_url):
        yield FhirServer("hapi", base_url)


@pytest.fixture
def site(server: FhirServer, tmp_path: Path) -> Iterator[Site]:
    yield from site_on(server, tmp_path)


def test_each_summary_contains_its_author_and_a_second_pass_writes_nothing(
    site: Site, tmp_path: Path
) -> None:
    one, other = a_patient(site), a_patient(site)
    plain, rich, theirs = site.document(**one), html_document(site, **one), site.document(**other)

    ended, _ = site.poll()

    assert {reference(note): ended[reference(note)].status for note in (plain, rich, theirs)} == {
        reference(note): "written" for note in (plain, rich, theirs)
    }
    for note in (plain, rich, theirs):
        summary = only(site, note)
        device = maker(summary)
        stated = {version["type"]["text"]: version["value"] for version in device["version"]}
        assert stated["engine"] == "lead"
        assert {"software", "model", "pipeline", "form", "rules"} <= set(stated)
        (proof,) = provenances(site, summary)
        assert proof["target"][-1] == note["subject"]
        assert [agent["who"] for agent in proof["agent"]] == summary["author"]
        assert held(site, summary)
    shared = site.fhir.get(device["definition"]["reference"])
    assert shared["identifier"] == device["identifier"]
    assert "Intended use" in shared["note"][0]["text"]
    assert site.fhir.search("Device") == []

    before = written(site)
    for again in (site, another(site, tmp_path / "empty.sqlite")):
        ended, _ = again.poll([reference(note) for note in (plain, rich, theirs)])
        assert {one.status for one in ended.values()} == {"unchanged"}
    assert written(site) == before


def test_a_note_that_changes_and_one_that_ends_take_their_summary_along(site: Site) -> None:
    changing, ending = site.document(**a_patient(site)), html_document(site, **a_patient(site))
    site.poll()
    revised(site, changing, "Seen again. Better. Home on Friday.")
    revised(site, ending, status="entered-in-error")

    site.poll()

    now = only(site, changing)
    assert "Seen again" in now["section"][0]["text"]["div"]
    assert held(site, now)
    assert state(only(site, ending)) == ("entered-in-error", "entered-in-error")


def test_copies_have_one_summary_that_names_them_all(site: Site) -> None:
    whose = a_patient(site)
    copies = [site.document(WORDS, **whose), site.document(WORDS, **whose), report(site, **whose)]

    site.poll()

    owner = whole(site, *copies)
    (composition,) = site.written(owner)
    assert all(whose["subject"] in proof["target"] for proof in provenances(site, composition))
    before = written(site)
    site.poll([reference(note) for note in copies])
    assert written(site) == before


def test_a_recall_finds_what_contains_the_device_and_is_taken_back(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = [site.document(**a_patient(site)), html_document(site, **a_patient(site))]
    site.poll(list(map(reference, notes)))
    device = maker(only(site, notes[0]))

    code, lines, _ = command(site, capsys, "withdraw", "--pipeline", device["id"], "--reason", "A trial.")

    assert code == 0
    found = {line["composition"] for line in lines if line["status"] == "withdrawn"}
    assert found == {reference(only(site, note)) for note in notes}
    assert {state(only(site, note)) for note in notes} == {("entered-in-error", "recalled")}
    shared = site.fhir.get(device["definition"]["reference"])
    assert canonical.RECALL in {e["url"] for e in shared["extension"]}
    assert site.one_audit(reference(only(site, notes[0]))).state.standing == "withdrawn"
    with pytest.raises(RecalledError):
        site.poll()

    code, lines, _ = command(site, capsys, "withdraw", "--pipeline", device["id"], "--undo")

    assert code == 0
    assert {state(only(site, note)) for note in notes} == {("preliminary", None)}
    assert "extension" not in site.fhir.get(device["definition"]["reference"])
    ended, _ = site.poll(list(map(reference, notes)))
    assert {one.status for one in ended.values()} == {"unchanged"}


def test_a_timeline_contains_what_put_it_together_and_what_chose(site: Site, tmp_path: Path) -> None:
    chart = a_chart(site)
    chart.add("The lung is clear. No fever since Monday.", date="2025-03-01")
    later = another(site, tmp_path / "later.sqlite", BUDGET="1")
    chart.site = later
    note = chart.add("No fever since Monday. Home tomorrow.", date="2025-03-02")

    _, kept = chart.keep()
    again = chart.keep()[1]

    assert (kept.status, again.status) == (WriteStatus.WRITTEN, WriteStatus.UNCHANGED)
    timeline = site.fhir.get(kept.composition)
    contained = [f"#{device['id']}" for device in timeline["contained"]]
    assert [author["reference"] for author in timeline["author"]] == contained
    assert len(contained) == 3
    (proof,) = provenances(site, timeline)
    assert proof["target"][-1] == note["subject"]
    assert site.one_audit(kept.composition).ok
    assert checked(chart, kept.composition) == 0

    revised(site, note, "Worse again. Stays.")
    later.poll([reference(note)])
    assert chart.keep()[1].status is WriteStatus.WRITTEN
    assert site.one_audit(kept.composition).ok


def test_what_was_written_of_a_patient_is_erased(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whose, other = a_patient(site), a_patient(site)
    notes = [site.document(WORDS, **whose), report(site, **whose), html_document(site, **whose)]
    stays = site.document(**other)
    site.poll()
    patient = whose["subject"]["reference"]
    sets = [f"--set=FHIR_BASE_URL={site.fhir.server.base_url}", "--set=ENGINE=lead"]
    sets.append(f"--set=DATABASE_URL=sqlite:///{site.database}")

    assert run(["erase", "--patient", patient, "--yes", "--json", *sets]) == 0
    capsys.readouterr()

    assert [site.written(reference(note)) for note in notes] == [[], [], []]
    assert site.fhir.search("Provenance", target=patient) == []
    assert held(site, only(site, stays))


def test_doctor_says_how_the_author_is_named(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = [f"--set=FHIR_BASE_URL={site.fhir.server.base_url}", "--set=ENGINE=lead", "--set=TIMEOUT=300"]
    sets.append(f"--set=DATABASE_URL=sqlite:///{tmp_path / 'doctor.sqlite'}")

    assert run(["doctor", "--json", "--write-test", *sets]) == 0

    checks = {one["name"]: one for one in json.loads(capsys.readouterr().out)["checks"]}
    assert "deletions by a look" in checks["changes of DocumentReference"]["value"]
    assert checks["partitions"]["status"] == "ok"
    assert "contains" in checks["partitions"]["value"]
    assert checks["writing"]["status"] == "ok"
    assert site.fhir.search("Device") == []
