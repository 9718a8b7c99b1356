"""A note of every kind that can lie on a server, and with every odd part that a source can have."""

import json
from collections.abc import Callable
from typing import Any

from tests.contract.contract_fhir import new_id
from tests.contract.passes import TEXT, Site, encoded
from tests.faults import seeds

Resource = dict[str, Any]
LOINC = "http://loinc.org"
URI = "urn:ietf:rfc:3986"
REPORT: Resource = {"resourceType": "DiagnosticReport", "status": "final"}


def document(site: Site, attachment: Resource | None = None, **changed: Any) -> Resource:
    """A DocumentReference with everything that is carried over to its summary."""
    organization = site.fhir.put({"resourceType": "Organization", "id": new_id("org"), "name": "Clinic"})
    patient = site.fhir.put({"resourceType": "Patient", "id": new_id("patient")})
    encounter = site.fhir.put(
        {
            "resourceType": "Encounter",
            "id": new_id("encounter"),
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        }
    )
    resource: Resource = {
        "masterIdentifier": {"system": URI, "value": "urn:oid:1.2.840.99999.7"},
        "subject": {"reference": f"Patient/{patient['id']}"},
        "date": "2026-01-02T10:00:00Z",
        "custodian": {"reference": f"Organization/{organization['id']}"},
        "context": {
            "encounter": [{"reference": f"Encounter/{encounter['id']}"}],
            "period": {"start": "2026-01-01", "end": "2026-01-02T10:00:00Z"},
        },
    }
    if attachment is not None:
        resource["content"] = [{"attachment": attachment}]
    return site.document(**{**resource, **changed})


def report(site: Site, **changed: Any) -> Resource:
    code = {"coding": [{"system": LOINC, "code": "18748-4", "display": "Diagnostic imaging study"}]}
    return site.fhir.put({**REPORT, "id": new_id("report"), "code": code, **changed})


def of_format(name: str) -> Callable[[Site], Resource]:
    (seed,) = (seed for seed in seeds.seeds() if seed.name == name)
    return lambda site: document(site, {"contentType": seed.media_type, "data": encoded(seed.data)})


def several_attachments(site: Site) -> Resource:
    pdf = {"contentType": "application/pdf", "data": encoded(seeds.pdf())}
    html = {"contentType": "text/html", "data": encoded(seeds.html())}
    return document(site, content=[{"attachment": pdf}, {"attachment": html}])


def several_documents(site: Site) -> Resource:
    page = {
        "contentType": "text/plain",
        "title": "Page 2 [of 2]",
        "data": encoded("Home\x0c today. Call us."),
    }
    letter = {"contentType": "application/rtf", "data": encoded(seeds.rtf())}
    return document(site, content=[{"attachment": letter}, {"attachment": page}])


def conclusion_apart(site: Site) -> Resource:
    form = {"contentType": "text/html", "data": encoded("<p>Lungs clear.</p><p>Heart normal.</p>")}
    return report(site, presentedForm=[form], conclusion="A nodule on the left. CT in May.")


def several_forms(site: Site) -> Resource:
    plain = {"contentType": "text/plain", "data": encoded(TEXT)}
    return report(
        site, presentedForm=[{"contentType": "application/pdf", "data": encoded(seeds.pdf())}, plain]
    )


def by_url(site: Site) -> Resource:
    binary = {"resourceType": "Binary", "id": new_id("binary"), "contentType": "text/plain"}
    site.fhir.put({**binary, "data": encoded(TEXT)})
    return document(site, {"contentType": "text/plain", "url": f"Binary/{binary['id']}"})


def narrative(site: Site) -> Resource:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Lungs clear.</p><p>Heart normal.</p></div>'
    return report(site, text={"status": "generated", "div": div})


def fhir_narrative(site: Site) -> Resource:
    data = json.dumps(seeds.fhir_document())
    return document(site, {"contentType": "application/fhir+json", "data": encoded(data)})


def absolute(site: Site) -> Resource:
    note = document(site)
    base = site.fhir.server.base_url
    return site.fhir.put(
        {
            **note,
            "subject": {"reference": f"{base}/{note['subject']['reference']}"},
            "custodian": {"reference": "https://elsewhere.example.org/fhir/Organization/9"},
        }
    )


def versioned(site: Site) -> Resource:
    note = document(site)
    return site.fhir.put({**note, "subject": {"reference": f"{note['subject']['reference']}/_history/1"}})


def contained(site: Site) -> Resource:
    return document(
        site,
        contained=[
            {
                "resourceType": "Patient",
                "id": "p",
                "identifier": [{"system": "https://hospital.example.org/mrn", "value": "8"}],
            },
            {"resourceType": "Organization", "id": "o", "name": "Clinic"},
        ],
        subject={"reference": "#p", "display": "A patient"},
        custodian={"reference": "#o"},
    )


def logical(site: Site) -> Resource:
    patient = {"type": "Patient", "identifier": {"system": "https://hospital.example.org/mrn", "value": "7"}}
    return document(site, subject=patient, custodian={"display": "The clinic"})


def odd_parts(site: Site) -> Resource:
    """Parts that R4 does not allow and servers store all the same."""
    odd = {"type": "Person who was there", "identifier": {"system": URI, "value": "4711"}}
    return document(
        site,
        {"contentType": "text/plain", "language": "english", "data": encoded(TEXT)},
        masterIdentifier={"system": URI, "value": "4711"},
        subject=odd,
        custodian={"type": "Patient", "reference": document(site)["custodian"]["reference"]},
    )


def labelled(site: Site) -> Resource:
    confidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    restricted = {"system": confidentiality, "code": "R", "display": "restricted"}
    psychiatry = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}
    html = {"contentType": "text/html", "data": encoded("<p>Mild. Stable today.</p>")}
    return document(site, html, meta={"security": [psychiatry]}, securityLabel=[{"coding": [restricted]}])


def in_german(site: Site) -> Resource:
    text = {
        "contentType": "text/plain",
        "language": "de_CH",
        "data": encoded("Kein Fieber. Heute nach Hause."),
    }
    return document(site, text)


def without_parts(site: Site) -> Resource:
    """Nothing but the text."""
    html = {"contentType": "text/html", "data": encoded("<p>Mild. Stable today.</p>")}
    return site.document(type={"text": "Letter"}, content=[{"attachment": html}])


def untyped(site: Site) -> Resource:
    note = {name: value for name, value in document(site).items() if name != "type"}
    return site.fhir.put(note)


def control_characters(site: Site) -> Resource:
    return document(
        site, {"contentType": "text/plain", "data": encoded("No\x0c fever.\r\nHome\x00 today. \ufffe!")}
    )


KINDS: dict[str, Callable[[Site], Resource]] = {
    **{name: of_format(name) for name in ("plain", "windows-1252", "html", "rtf", "pdf", "cda", "docx")},
    **{name: of_format(name) for name in ("gzip-cda", "cda-embedded-pdf", "fhir-xml", "zip-html")},
    "fhir-json": fhir_narrative,
    "presented": lambda site: report(
        site, presentedForm=[{"contentType": "text/plain", "data": encoded(TEXT)}]
    ),
    "conclusion": lambda site: report(site, conclusion="No nodule.\r\nNo effusion. Stable."),
    "narrative": narrative,
    "several-attachments": several_attachments,
    "several-forms": several_forms,
    "several-documents": several_documents,
    "conclusion-apart": conclusion_apart,
    "by-url": by_url,
    "absolute": absolute,
    "versioned": versioned,
    "contained": contained,
    "logical": logical,
    "odd-parts": odd_parts,
    "labelled": labelled,
    "in-german": in_german,
    "without-parts": without_parts,
    "untyped": untyped,
    "control-characters": control_characters,
}
