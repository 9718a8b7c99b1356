"""Where each summary contains its author: what a reader of it does, on the embedded server alone."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import canonical
from fhir_adapter.audit.findings import Finding
from fhir_adapter.audit.verdict import Examined
from fhir_adapter.errors import PolicyError
from fhir_adapter.sandbox.running import running_embedded
from fhir_adapter.sandbox.settings import Quirk, SandboxSettings
from fhir_adapter.timeline.writer import WriteStatus
from fhir_adapter.writing.recall import RecalledError
from fhir_adapter.writing.review import Reviews, Served
from jobs.audits.parts import auditing
from jobs.runtime import make_client, open_ledger
from jobs.schedule import reconcile
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.lives import another, command, html_document, only, revised, signed, state
from tests.contract.partitioned import a_patient, held, maker, site_on, written
from tests.contract.passes import Site, encoded, reference
from tests.contract.test_two_servers import pair_of
from tests.contract.timelines import Chart, a_chart

Json = dict[str, Any]


@pytest.fixture(scope="module")
def embedded() -> Iterator[FhirServer]:
    """The embedded server with one partition for each patient."""
    with running_embedded(SandboxSettings(quirks=frozenset([Quirk.PATIENT_PARTITIONS]))) as base_url:
        yield FhirServer("embedded", base_url)


@pytest.fixture
def ward(embedded: FhirServer, tmp_path: Path) -> Iterator[Site]:
    """A site on the embedded server alone."""
    yield from site_on(embedded, tmp_path)


def test_a_recall_of_a_model_reaches_it_under_every_setting(
    ward: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also what all other tests have left on the server, some of it signed."""
    other = another(ward, tmp_path / "other.sqlite", BUDGET="1")
    notes = [(one, one.document(**a_patient(ward))) for one in (ward, other)]
    for one, note in notes:
        one.poll([reference(note)])
    stated = {v["type"]["text"]: v["value"] for v in maker(only(ward, notes[0][1]))["version"]}

    code, _, _ = command(ward, capsys, "withdraw", "--model", stated["model"])

    assert code in (0, 1)
    assert {state(only(ward, note)) for _, note in notes} == {("entered-in-error", "recalled")}
    for one, _ in notes:
        with pytest.raises(RecalledError):
            one.poll()
    assert command(ward, capsys, "withdraw", "--model", stated["model"], "--undo")[0] in (0, 1)
    assert {state(only(ward, note)) for _, note in notes} == {("preliminary", None)}


def test_a_summary_of_a_recalled_device_is_shown_in_no_timeline(ward: Site) -> None:
    """Also one that a person signed, which the recall leaves."""
    chart = a_chart(ward)
    note = chart.add("The lung is clear. No fever since Monday.", date="2025-03-01")
    assert chart.read().entries
    signed(ward, only(ward, note))
    shared = ward.fhir.get(maker(only(ward, note))["definition"]["reference"])
    mark = {"url": canonical.RECALL, "valueCode": "pipeline"}
    ward.fhir.put({**shared, "extension": [mark]})

    assert not chart.read().entries
    assert [one.reason for one in chart.read().left_out] == ["recalled"]
    assert ward.one_audit(reference(only(ward, note))).state.standing == "recalled"
    ward.fhir.put(shared)


def test_what_a_person_attests_and_says_is_kept(ward: Site) -> None:
    note = ward.document(**a_patient(ward))
    ward.poll()
    summary = only(ward, note)
    mine, seen = reference(summary), summary["meta"]["versionId"]

    async def said() -> None:
        async with make_client(ward.settings) as client:
            await Reviews(client).tell(mine, seen, Served.USEFUL, "A reader", "2026-01-02T10:00:00Z")
            await Reviews(client).attest(mine, seen, "A reader", "2026-01-02T10:00:00Z")

    asyncio.run(said())
    (feedback,) = ward.fhir.matches(ward.fhir.get("Communication", subject=note["subject"]["reference"]))
    assert [one["identifier"] for one in feedback["recipient"]] == maker(summary)["identifier"]
    assert "reference" not in feedback["recipient"][0]
    revised(ward, note, "Seen again. Better.")
    ward.poll()

    first, second = sorted(ward.written(reference(note)), key=lambda one: one["status"])
    assert (first["status"], second["status"]) == ("final", "preliminary")
    assert second["relatesTo"][-1]["targetReference"]["reference"] == mine
    assert held(ward, second)


def test_summaries_of_an_earlier_pipeline_are_brought_along(
    ward: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = ward.document(**a_patient(ward))
    ward.poll()
    before = maker(only(ward, note))
    later = another(ward, tmp_path / "later.sqlite", BUDGET="1")

    code, lines, _ = command(later, capsys, "poll", "--resummarise")

    assert code == 0
    assert [line["status"] for line in lines if line["source"] == reference(note)] == ["written"]
    after = maker(only(ward, note))
    assert after["id"] != before["id"]
    assert held(later, only(ward, note))
    code, lines, _ = command(ward, capsys, "withdraw", "--pipeline", before["id"])
    assert (code, lines) == (0, [])


def model(composition: Json) -> None:
    composition["contained"][0]["version"][1]["value"] = "another-model"


def name(composition: Json) -> None:
    composition["contained"][0]["identifier"][0]["value"] = "clinsum-9-9-9-000000000000"


def removed(composition: Json) -> None:
    del composition["contained"]
    for holder in (composition, *composition["section"]):
        holder["author"] = [{"display": "Somebody"}]


def without_definition(composition: Json) -> None:
    del composition["contained"][0]["definition"]


def person(composition: Json) -> None:
    composition["contained"].append({"resourceType": "Practitioner", "id": "who"})
    composition["attester"] = [{"mode": "professional", "party": {"reference": "#who"}}]


@pytest.mark.parametrize(
    ("alteration", "finding"),
    [
        (model, Finding.MODEL_UNKNOWN),
        (name, Finding.MODEL_UNKNOWN),
        (without_definition, Finding.MODEL_UNKNOWN),
        (removed, Finding.AUTHOR_MISSING),
        (person, Finding.ELEMENT_DIFFERS),
    ],
)
def test_an_author_that_is_altered_is_found(
    ward: Site, alteration: Callable[[Json], None], finding: Finding
) -> None:
    note = ward.document(**a_patient(ward))
    ward.poll([reference(note)])
    summary = only(ward, note)
    alteration(summary)
    ward.fhir.put(summary)

    assert finding in {one for one, _ in ward.one_audit(reference(summary)).findings}


def test_a_device_that_is_insisted_on_ends_the_pass_with_the_servers_words(
    ward: Site, tmp_path: Path
) -> None:
    note = ward.document(**a_patient(ward))

    with pytest.raises(PolicyError, match="HAPI-1326"):
        another(ward, tmp_path / "other.sqlite", AUTHOR="device").poll([reference(note)])


def test_what_is_read_and_written_of_a_patient_is_recorded(ward: Site, tmp_path: Path) -> None:
    note = ward.document(**a_patient(ward))
    recording = another(ward, tmp_path / "recording.sqlite", AUDIT_EVENTS="true")

    assert recording.poll([reference(note)])[0][reference(note)].status == "written"

    found = ward.fhir.matches(ward.fhir.get("AuditEvent", patient=note["subject"]["reference"]))
    assert Counter(event["action"] for event in found) == {"R": 1, "C": 2}
    named = maker(only(ward, note))["identifier"][0]
    assert [event["source"]["observer"]["identifier"] for event in found] == [named] * 3


def test_it_is_read_and_another_server_written_to(ward: Site, tmp_path: Path) -> None:
    with pair_of(ward.fhir, tmp_path / "pair.sqlite", own_ids=False) as pair:
        note = pair.note()

        assert pair.site.poll([reference(note)])[0][reference(note)].status == "written"

        assert pair.only(note)["author"][0]["reference"].startswith("Device/")
        assert not pair.audited(pair.only(note))
        assert ward.written(reference(note)) == []


@pytest.mark.parametrize("quirks", [(), (Quirk.OWN_IDS,)])
def test_it_may_give_out_the_ids_too(
    quirks: tuple[Quirk, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = SandboxSettings(
        update_create=bool(quirks), quirks=frozenset([Quirk.PATIENT_PARTITIONS, *quirks])
    )
    with running_embedded(settings) as base_url:
        fhir = Fhir(FhirServer("embedded", base_url))
        with fhir.http:
            site = Site(fhir, tmp_path / "ledger.sqlite")
            patient = fhir.send("POST", "Patient", {"resourceType": "Patient"}).json()
            words = "The wound is dry. Home on Friday."
            attachment = {"contentType": "text/html", "data": encoded(f"<p>{words}</p>")}
            note = {"resourceType": "DocumentReference", "status": "current", "docStatus": "final"}
            note |= {"subject": {"reference": reference(patient)}, "content": [{"attachment": attachment}]}
            note = fhir.send("POST", "DocumentReference", note).json()

            assert site.poll()[0][reference(note)].status == "written"
            summary = only(site, note)
            assert held(site, summary)
            chart = Chart(site, reference(patient), [reference(note)])
            kept = [chart.keep()[1] for _ in range(2)]
            assert [one.status for one in kept] == [WriteStatus.WRITTEN, WriteStatus.UNCHANGED]
            assert site.one_audit(kept[0].composition).ok

            before = written(site)
            again = Site(fhir, tmp_path / "empty.sqlite")
            assert again.poll()[0][reference(note)].status == "unchanged"
            assert written(site) == before

            assert command(site, capsys, "withdraw", "--pipeline", maker(summary)["id"])[0] == 0
            assert state(fhir.get(reference(summary))) == ("entered-in-error", "recalled")


def test_a_pass_notices_a_deleted_note_though_no_history_names_it(ward: Site) -> None:
    """HAPI deletes no note that has a summary, unless it lets references lead nowhere."""
    stays, goes = ward.document(**a_patient(ward)), html_document(ward, **a_patient(ward))
    ward.poll()
    ward.fhir.send("DELETE", reference(goes)).raise_for_status()

    ended, _ = ward.poll()

    assert ended[reference(goes)].reason == "deleted"
    assert state(only(ward, goes)) == ("entered-in-error", "deleted")
    assert state(only(ward, stays)) == ("preliminary", None)
    assert reference(goes) not in ward.poll()[0]


def test_a_summary_that_somebody_deleted_is_missed_and_written_again(ward: Site) -> None:
    note = ward.document(**a_patient(ward))
    ward.poll([reference(note)])
    ward.fhir.send("DELETE", reference(only(ward, note))).raise_for_status()

    with open_ledger(ward.settings) as ledger:
        totals = asyncio.run(reconcile(ward.settings, ledger, None, None, lambda _: None))

    assert totals.missed
    assert held(ward, only(ward, note))


def test_what_a_page_says_of_the_maker_is_that_of_the_contained_device(ward: Site) -> None:
    note = ward.document(**a_patient(ward))
    ward.poll([reference(note)])
    device = maker(only(ward, note))

    async def examined() -> Examined | None:
        async with auditing(ward.settings) as (_, auditor):
            return await auditor.examine(reference(only(ward, note)))

    found = asyncio.run(examined())
    assert found
    (shown,) = found.makers
    assert shown.reference == device["definition"]["reference"]
    assert (shown.engine, shown.recalled) == ("lead", "")
    assert device["id"].endswith(shown.pipeline)
