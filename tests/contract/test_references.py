"""Every form of reference in a source comes through in a form that the server takes."""

from typing import Any

from lives import extracted, html_document, only
from passes import Site, reference


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
        "logical": ({"subject": {"identifier": number}}, {"identifier": number}),
        "words": ({"subject": {"display": "by word of mouth"}}, {"display": "by word of mouth"}),
        "contained": (
            {"subject": {"reference": "#p"}, "contained": [{**person, "identifier": [number]}]},
            {"type": "Patient", "identifier": number},
        ),
        "contained, nameless": ({"subject": {"reference": "#p"}, "contained": [person]}, None),
    }


def test_every_form_of_reference_comes_through_in_a_form_that_the_server_takes(
    site: Site, patient: str
) -> None:
    cases = subjects(patient, site.fhir.server.base_url)
    notes = {name: html_document(site, **elements) for name, (elements, _) in cases.items()}
    if site.fhir.server.engine == "embedded":  # HAPI takes no note with such a subject
        name = "urn:uuid:6f1c3c2e-2b8e-4f0e-9a7f-2d3b1c0a9e11"
        cases["urn"] = ({}, {"identifier": {"system": "urn:ietf:rfc:3986", "value": name}})
        notes["urn"] = html_document(site, subject={"reference": name})

    ends, _ = site.poll()

    for name, (_, expected) in cases.items():
        assert ends[reference(notes[name])].status == "written", name
        summary = only(site, notes[name])
        assert summary.get("subject") == expected, name
        assert extracted(site, summary).get("subject") == expected, name
        assert site.one_audit(summary["id"]).ok, name
