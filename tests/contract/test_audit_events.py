"""Reads and writes leave AuditEvents, after IHE's Basic Audit Log Patterns, where that is switched on."""

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from fhir_adapter.rest.recording_client import AuditedClient, Trail
from tests.contract.contract_fhir import Fhir, new_id
from tests.contract.passes import Site, encoded, reference
from tests.contract.timelines import Chart, a_chart

Resource = dict[str, Any]
PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
NAME = "Quillfeather"
TEXT = "Seen for a cough of three weeks. Home with fluids."


@pytest.fixture
def chart(fhir: Fhir, tmp_path: Path) -> Chart:
    """A patient with a name on a site that records."""
    chart = a_chart(Site(fhir, tmp_path / "ledger.sqlite", {"AUDIT_EVENTS": "true"}))
    ident = chart.patient.partition("/")[2]
    fhir.put({"resourceType": "Patient", "id": ident, "name": [{"family": NAME}]})
    return chart


def events(fhir: Fhir, **params: str) -> list[Resource]:
    return fhir.matches(fhir.get("AuditEvent", _count="200", **params))


def kinds(found: list[Resource]) -> Counter[str]:
    return Counter(event["meta"]["profile"][0].removeprefix(PROFILE) for event in found)


def entity(event: Resource, code: str) -> Resource:
    """The entity of one type: 1 a person, 2 a system object; there is just one of each."""
    (found,) = [e for e in event["entity"] if e["type"]["code"] == code]
    assert isinstance(found, dict)
    return found


def check(event: Resource, base_url: str, patient: str = "") -> None:
    """What the profiles of BALP ask of every AuditEvent of a client."""
    AuditEvent.model_validate(event)
    name = event["meta"]["profile"][0].removeprefix(PROFILE)
    verb = name.removeprefix("Patient")
    reading = verb == "Read"
    assert event["type"]["code"] == "rest"
    assert event["action"] == {"Read": "R", "Query": "E", "Create": "C", "Update": "U"}[verb]
    assert event["outcome"] == "0"
    codes = {"Read": {"read", "vread"}, "Query": {"search"}, "Create": {"create"}, "Update": {"update"}}
    assert {subtype["code"] for subtype in event["subtype"]} <= codes[verb]
    client, server = event["agent"]
    roles = ("110152", "110153") if reading else ("110153", "110152")
    assert tuple(agent["type"]["coding"][0]["code"] for agent in (client, server)) == roles
    assert client["who"]["identifier"]["value"].startswith("clinsum-")
    assert client["network"]["type"] == "1"
    assert (server["network"]["type"], server["network"]["address"]) == ("5", base_url)
    assert event["source"]["observer"] == client["who"]
    data = entity(event, "2")
    if verb == "Query":
        assert data["role"]["code"] == "24"
        assert "?" in base64.b64decode(data["query"]).decode()
        assert "what" not in data
    else:
        assert data["role"]["code"] == "4"
        assert data["what"]["reference"]
    if name.startswith("Patient"):
        person = entity(event, "1")
        assert person["role"]["code"] == "1"
        assert person["what"] == {"reference": patient}


def test_a_pass_records_what_it_reads_and_writes_and_no_word_of_it(chart: Chart) -> None:
    fhir, site = chart.site.fhir, chart.site
    labels = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]
    note = site.document(TEXT, subject={"reference": chart.patient}, meta={"security": labels})

    ended, _ = site.poll([reference(note)])

    found = events(fhir, patient=chart.patient)
    assert kinds(found) == {"PatientRead": 1, "PatientCreate": 2}
    for event in found:
        check(event, fhir.server.base_url, chart.patient)
    written = {entity(event, "2")["what"]["reference"].partition("/")[0] for event in found}
    assert written == {"DocumentReference", "Composition", "Provenance"}
    (read,) = events(fhir, patient=chart.patient, action="R")
    assert entity(read, "2")["what"]["reference"].startswith(reference(note))
    assert entity(read, "2")["securityLabel"] == labels
    device = ended[reference(note)].composition
    author = fhir.get(f"Composition/{device}")["author"][0]["reference"]
    assert {event["source"]["observer"]["reference"] for event in found} == {author}
    everything = json.dumps(found)
    assert NAME not in everything
    assert "cough" not in everything


def test_how_a_writer_looks_for_its_own_summary_is_not_recorded(chart: Chart) -> None:
    site = chart.site
    note = site.document(TEXT, subject={"reference": chart.patient})
    site.poll([reference(note)])
    note["content"][0]["attachment"]["data"] = encoded("The cough is gone.")
    site.fhir.put(note)

    assert site.poll([reference(note)])[0][reference(note)].status == "written"

    read = events(site.fhir, patient=chart.patient, action="R")
    whats = [entity(event, "2")["what"]["reference"].partition("/")[0] for event in read]
    assert whats == ["DocumentReference"] * 2


def test_a_walk_records_one_query_for_each_patient(chart: Chart) -> None:
    site = chart.site
    others = [a_chart(site) for _ in range(3)]
    for one in (chart, chart, *others):
        site.document(subject={"reference": one.patient})

    site.poll()

    for one in (chart, *others):
        queries = events(site.fhir, patient=one.patient, action="E")
        assert len(queries) == 1
        check(queries[0], site.fhir.server.base_url, one.patient)
        asked = base64.b64decode(entity(queries[0], "2")["query"]).decode()
        assert asked.startswith("DocumentReference?")


def test_a_timeline_records_whose_notes_it_read_and_what_it_kept(chart: Chart) -> None:
    chart.site.options["AUDIT_EVENTS"] = "false"
    chart.add(TEXT, date="2025-03-01")
    silent = events(chart.site.fhir, patient=chart.patient)
    chart.site.options["AUDIT_EVENTS"] = "true"

    chart.keep()

    assert silent == []
    found = events(chart.site.fhir, patient=chart.patient)
    assert kinds(found) == {"PatientRead": 2, "PatientQuery": 2, "PatientCreate": 2}
    for event in found:
        check(event, chart.site.fhir.server.base_url, chart.patient)


class Refusing(httpx.AsyncBaseTransport):
    """Passes everything on but what is posted with a mark, which it answers as told."""

    def __init__(self, status: int, mark: bytes = b"AuditEvent") -> None:
        self._status, self._mark, self._real = status, mark, httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and self._mark in await request.aread():
            return httpx.Response(self._status, json={"resourceType": "OperationOutcome"})
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()


@pytest.mark.parametrize("status", [403, 422, 503])
async def test_an_event_that_cannot_be_written_is_counted_and_stops_nothing(
    chart: Chart, status: int
) -> None:
    notes = [chart.site.document(subject={"reference": chart.patient}) for _ in range(3)]
    told: list[Trail] = []
    client = AuditedClient(
        chart.site.fhir.server.base_url,
        device="clinsum-test",
        report=told.append,
        transport=Refusing(status),
        retries=1,
        sleep=_at_once,
    )
    async with client:
        read = [await client.read(reference(note)) for note in notes]
        query = [("_id", ",".join(note["id"] for note in notes)), ("patient", chart.patient)]
        found = [r async for page in client.search("DocumentReference", query) for r in page.resources]

    assert [note["id"] for note in read] == [note["id"] for note in notes]
    assert len(found) == 3
    assert told == [Trail(written=0, failed=3, error=f"HTTP {status}")]


async def _at_once(_: float) -> None:
    return None


async def test_one_event_that_the_server_refuses_takes_no_other_along(chart: Chart) -> None:
    note, refused = (chart.site.document(subject={"reference": chart.patient}) for _ in range(2))
    told: list[Trail] = []
    client = AuditedClient(
        chart.site.fhir.server.base_url,
        device="clinsum-test",
        report=told.append,
        transport=Refusing(422, refused["id"].encode()),
        sleep=_at_once,
    )
    async with client:
        for what in (reference(note), reference(refused), chart.patient):
            await client.read(what)

    assert told == [Trail(written=2, failed=1, error="HTTP 422")]
    assert kinds(events(chart.site.fhir, patient=chart.patient)) == {"PatientRead": 2}


@pytest.mark.parametrize(
    "server", ["assigning_embedded", pytest.param("assigning_hapi", marks=pytest.mark.hapi)]
)
def test_a_server_that_gives_out_ids_takes_events_too(
    request: pytest.FixtureRequest, server: str, tmp_path: Path
) -> None:
    fhir = Fhir(request.getfixturevalue(server))
    with fhir.http:
        patient = reference(fhir.send("POST", "Patient", {"resourceType": "Patient"}).json())
        site = Site(fhir, tmp_path / "ledger.sqlite", {"AUDIT_EVENTS": "true"})
        note = {
            "resourceType": "DocumentReference",
            "status": "current",
            "subject": {"reference": patient},
            "content": [{"attachment": {"contentType": "text/plain", "data": encoded(TEXT)}}],
        }
        source = reference(fhir.send("POST", "DocumentReference", note).json())

        ended, _ = site.poll([source])

        assert ended[source].status == "written"
        found = events(fhir, patient=patient)
        if server == "assigning_hapi":  # it validates, and does not know the profiles of BALP
            assert [event["meta"].get("profile") for event in found] == [None] * 3
            assert Counter(event["action"] for event in found) == {"R": 1, "C": 2}
            return
        assert kinds(found) == {"PatientRead": 1, "PatientCreate": 2}
        for event in found:
            check(event, fhir.server.base_url, patient)


def test_without_the_setting_nothing_is_recorded(fhir: Fhir, tmp_path: Path) -> None:
    site = Site(fhir, tmp_path / "ledger.sqlite")
    patient = fhir.put({"resourceType": "Patient", "id": new_id("patient")})
    note = site.document(TEXT, subject={"reference": reference(patient)})
    site.poll([reference(note)])
    assert events(fhir, patient=reference(patient)) == []
