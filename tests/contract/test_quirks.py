"""Servers that do something otherwise: a pass ends right all the same, nothing lost and nothing doubled."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import ON_DOCUMENTS, Quirk, SandboxSettings
from jobs.cli import run
from jobs.diagnosis import Check, server_checks
from jobs.runtime import make_pipeline, make_summarizer
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.copied import WORDS, report, whole
from tests.contract.copied import versions as links_and_summaries
from tests.contract.passes import Site, encoded, polled_in_thread, reference

NOTES = 9


def html(number: int) -> dict[str, object]:
    words = f"<p>Mild. Stable today.</p><p>Home on day {number}.</p>"
    return {"content": [{"attachment": {"contentType": "text/html", "data": encoded(words)}}]}


@pytest.fixture(params=[one for one in Quirk if one not in ON_DOCUMENTS])
def quirk(request: pytest.FixtureRequest) -> Quirk:
    found: Quirk = request.param
    return found


@pytest.fixture
def site(quirk: Quirk, tmp_path: Path) -> Iterator[Site]:
    """A server with the quirk, and notes on it, every third of which has its text written beside it."""
    plain = SandboxSettings(database=tmp_path / "fhir.sqlite")
    with running_embedded(plain) as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            filled = Site(fhir, tmp_path / "none.sqlite")
            for number in range(NOTES):
                patient = fhir.put({"resourceType": "Patient", "id": f"p{number % 2}"})
                beside = {} if number % 3 else html(number)
                filled.document(id=f"n{number}", subject={"reference": reference(patient)}, **beside)
    with running_embedded(SandboxSettings(database=plain.database, quirks=frozenset([quirk]))) as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            yield Site(fhir, tmp_path / "ledger.sqlite", {"PAGE_SIZE": "2"})


def standing(site: Site) -> Counter[str]:
    """How many summaries stand of each note, over all that is on the server."""
    compositions = site.fhir.matches(site.fhir.get("Composition"))
    current = [one for one in compositions if one["status"] == "preliminary"]
    return Counter(one["section"][0]["entry"][0]["reference"] for one in current)


EACH_ONCE = Counter(f"DocumentReference/n{number}" for number in range(NOTES))


def test_every_note_has_one_summary_that_is_proven_and_a_second_pass_writes_nothing(site: Site) -> None:
    ended, totals = site.poll()

    assert {source: one.status for source, one in ended.items()} == dict.fromkeys(EACH_ONCE, "written")
    assert standing(site) == EACH_ONCE
    proofs = site.audit()
    assert len(proofs) == NOTES
    assert [proof.findings for proof in proofs if not proof.ok] == []
    kept = {type_: versions(site, type_) for type_ in ("Composition", "Device")}
    again, _ = site.poll(list(EACH_ONCE))
    assert {one.status for one in again.values()} == {"unchanged"}
    assert standing(site) == EACH_ONCE
    assert {type_: versions(site, type_) for type_ in kept} == kept
    assert totals.by_status["failed"] == 0


def test_copies_have_one_summary_that_names_them_all_and_stays_as_it_is(site: Site) -> None:
    whose = {"subject": {"reference": "Patient/p0"}}
    copies = [site.document(WORDS, **whose), site.document(WORDS, **whose), report(site, **whose)]

    site.poll()
    owner = whole(site, *copies)
    before = links_and_summaries(site, *copies)
    site.poll([reference(one) for one in copies])

    assert whole(site, *copies) == owner
    assert links_and_summaries(site, *copies) == before


def test_compositions_of_others_are_neither_audited_nor_touched(site: Site) -> None:
    theirs = {
        "resourceType": "Composition",
        "id": "of-others",
        "status": "final",
        "type": {"text": "Letter"},
        "date": "2026-01-02",
        "author": [{"display": "A person"}],
        "title": "Letter",
        "subject": {"reference": "Patient/p1"},
        "section": [{"title": "Letter", "entry": [{"reference": "DocumentReference/n1"}]}],
    }
    answer = site.fhir.send("PUT", "Composition/of-others", theirs)
    ident = answer.json()["id"]
    site.poll()

    assert len(site.audit()) == NOTES
    assert site.fhir.get(f"Composition/{ident}")["meta"]["versionId"] == "1"


def versions(site: Site, resource_type: str) -> dict[str, str]:
    found = site.fhir.matches(site.fhir.get(resource_type))
    return {one["id"]: one["meta"]["versionId"] for one in found}


def test_a_note_that_ends_takes_its_summary_along_and_no_other(site: Site) -> None:
    site.poll()
    site.fhir.put({**site.fhir.get("DocumentReference/n3"), "status": "entered-in-error"})

    site.poll()

    assert standing(site) == EACH_ONCE - Counter(["DocumentReference/n3"])


def test_what_came_from_a_note_is_withdrawn_and_nothing_else(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site.poll()
    monkeypatch.chdir(tmp_path)
    for name, value in site.options.items():
        monkeypatch.setenv(f"CLINSUM_{name}", value)
    monkeypatch.setenv("CLINSUM_ENGINE", "lead")
    monkeypatch.setenv("CLINSUM_FHIR_BASE_URL", site.fhir.server.base_url)
    monkeypatch.setenv("CLINSUM_DATABASE_URL", f"sqlite:///{site.database}")

    assert run(["withdraw", "--source", "DocumentReference/n4", "--yes"]) == 0

    assert standing(site) == EACH_ONCE - Counter(["DocumentReference/n4"])
    assert run(["withdraw", "--source", "DocumentReference/n4", "--undo", "--yes"]) == 0
    assert standing(site) == EACH_ONCE


@pytest.mark.parametrize("quirk", [Quirk.OWN_IDS], indirect=True)
def test_of_two_summaries_that_one_create_made_one_stays(site: Site) -> None:
    """hapifhir/hapi-fhir#3141: a conditional create, sent twice at a time, makes two."""
    site.poll()
    (one,) = site.written("DocumentReference/n4")
    second = {name: value for name, value in one.items() if name != "id"}
    site.fhir.send("POST", "Composition", second).raise_for_status()
    assert standing(site) == EACH_ONCE + Counter(["DocumentReference/n4"])

    site.poll()

    assert standing(site) == EACH_ONCE
    current = [c for c in site.written("DocumentReference/n4") if c["status"] == "preliminary"]
    assert site.one_audit(current[0]["id"]).findings == ()
    before = versions(site, "Composition")
    site.poll()
    assert versions(site, "Composition") == before


@pytest.mark.parametrize("quirk", [Quirk.OFFSET_PAGES], indirect=True)
def test_notes_that_slip_from_page_to_page_are_found(site: Site) -> None:
    """Notes of the first pages change while the pass reads, so that all behind them move up."""
    done = threading.Event()

    def edit() -> None:
        with httpx.Client(base_url=site.fhir.server.base_url, trust_env=False, timeout=600) as http:
            for number in range(40):
                note = http.get(f"DocumentReference/n{number % 4}").json()
                http.put(f"DocumentReference/{note['id']}", json={**note, "description": f"edit {number}"})
            done.set()

    editor = threading.Thread(target=edit)
    editor.start()
    polled_in_thread(site)
    editor.join()
    assert done.is_set()
    site.poll()

    assert standing(site) == EACH_ONCE


def checks(site: Site) -> dict[str, Check]:
    settings = site.settings
    pipeline = make_pipeline(settings, make_summarizer(settings, defer=True))
    found, _ = asyncio.run(server_checks(settings, pipeline, write=True))
    return {check.name: check for check in found}


def test_doctor_says_what_a_server_does_otherwise(site: Site, quirk: Quirk) -> None:
    found = checks(site)

    assert [check for check in found.values() if check.status == "failure"] == []
    words = {
        Quirk.IGNORE_PARAMETERS: ("search parameters", "ignores"),
        Quirk.BATCHES: ("transactions", "as batches"),
        Quirk.OWN_IDS: ("ids from clients", "gives ids of its own"),
    }
    if quirk in words:
        name, said = words[quirk]
        assert found[name].status == "warning"
        assert said in found[name].value


@pytest.mark.parametrize("quirk", [Quirk.IGNORE_PARAMETERS], indirect=True)
def test_a_timeline_holds_the_patients_notes_alone_and_says_what_it_could_not_ask(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.poll()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLINSUM_ENGINE", "lead")
    monkeypatch.setenv("CLINSUM_FHIR_BASE_URL", site.fhir.server.base_url)
    monkeypatch.setenv("CLINSUM_DATABASE_URL", f"sqlite:///{site.database}")

    assert run(["timeline", "Patient/p1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert {entry["source"] for entry in found["entries"]} == {
        f"DocumentReference/n{number}" for number in range(1, NOTES, 2)
    }
    assert (found["without_summary"], found["left_out"], found["findings"]) == ([], [], [])
    assert found["merges_searched"] is False
    assert run(["timeline", "Patient/p1"]) == 0
    assert "cannot be searched for patients by link" in " ".join(capsys.readouterr().out.split())
