"""Every form of reference in a source comes through in a form that the server takes."""

import asyncio
from typing import Any

from fhir_adapter.note import NoteText, Reading
from fhir_adapter.reading.source_note import read_source
from fhir_adapter.text.recipe import recipe
from fhir_adapter.writing.summary import SummaryDraft
from jobs.runtime import open_ledger, runtime
from summarizer.types import ModelInfo, SelectedSentence, Summary
from tests.contract.lives import extracted, html_document, only
from tests.contract.passes import Site, reference

URN = "urn:uuid:6f1c3c2e-2b8e-4f0e-9a7f-2d3b1c0a9e11"
AS_IDENTIFIER = {"system": "urn:ietf:rfc:3986", "value": URN}


def subjects(patient: str, base_url: str) -> dict[str, tuple[dict[str, Any], dict[str, Any] | None]]:
    number = {"system": "urn:oid:1.2.3", "value": "7"}
    person = {"resourceType": "Patient", "id": "p"}
    return {
        "relative": ({"subject": {"reference": patient}}, {"reference": patient}),
        "absolute": ({"subject": {"reference": f"{base_url}/{patient}"}}, {"reference": patient}),
        "versioned": ({"subject": {"reference": f"{patient}/_history/1"}}, {"reference": patient}),
        "elsewhere": (
            {"subject": {"reference": "https://other.example.org/fhir/Patient/9"}},
            {"reference": "https://other.example.org/fhir/Patient/9"},
        ),
        "logical by URN": ({"subject": {"identifier": AS_IDENTIFIER}}, {"identifier": AS_IDENTIFIER}),
        "logical": ({"subject": {"identifier": number}}, {"identifier": number}),
        "words": ({"subject": {"display": "by word of mouth"}}, {"display": "by word of mouth"}),
        "contained": (
            {"subject": {"reference": "#p"}, "contained": [{**person, "identifier": [number]}]},
            {"type": "Patient", "identifier": number},
        ),
    }


def test_every_form_of_reference_comes_through_in_a_form_that_the_server_takes(
    site: Site, patient: str
) -> None:
    cases = subjects(patient, site.fhir.server.base_url)
    notes = {name: html_document(site, f"<p>{name}</p>", **elements) for name, (elements, _) in cases.items()}
    if site.fhir.server.engine == "embedded":  # HAPI takes no note with such a subject
        cases["urn"] = ({}, {"identifier": AS_IDENTIFIER})
        notes["urn"] = html_document(site, "<p>urn</p>", subject={"reference": URN})

    ends, _ = site.poll()

    for name, (_, expected) in cases.items():
        assert ends[reference(notes[name])].status == "written", name
        summary = only(site, notes[name])
        assert summary.get("subject") == expected, name
        assert extracted(site, summary).get("subject") == expected, name
        assert site.one_audit(summary["id"]).ok, name


def test_a_contained_patient_without_an_identifier_gets_no_summary_in_nobodys_chart(site: Site) -> None:
    person = {"resourceType": "Patient", "id": "p", "name": [{"family": "Example"}]}
    note = html_document(site, subject={"reference": "#p"}, contained=[person])

    ends, _ = site.poll()

    assert (ends[reference(note)].status, ends[reference(note)].reason) == ("failed", "malformed")
    assert not site.written(reference(note))


def test_a_urn_is_written_as_an_identifier_which_both_servers_take(site: Site) -> None:
    """HAPI stores no note of such a subject (HAPI-0505), but a summary of one that it could not store."""
    there = html_document(site)
    urn = {"reference": URN}
    note = read_source({**there, "subject": urn, "context": {"encounter": [urn]}, "custodian": urn})
    reading = Reading(note, note.attachments[0], NoteText("Seen today.", recipe("html"), "text/html"))
    chosen = SelectedSentence(0, 11, "Seen today.", 0.5)
    summary = Summary(ModelInfo("lead", "", "lead"), "", 11, (chosen,), ())

    async def write() -> None:
        with open_ledger(site.settings) as ledger:
            async with runtime(site.settings, ledger) as shared:
                await shared.writer.register()
                written = SummaryDraft(reading, summary, shared.pipeline, shared.client.base_url)
                await shared.writer.write(written, ())

    asyncio.run(write())

    composition = only(site, there)
    beside = extracted(site, composition)
    for resource, names in ((composition, ("subject", "encounter", "custodian")), (beside, ("subject",))):
        assert [resource[name] for name in names] == [{"identifier": AS_IDENTIFIER}] * len(names)
