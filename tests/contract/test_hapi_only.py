"""What only the real HAPI shows: validation against R4 with our terminology, and ids that it gives itself."""

from typing import Any

import pytest

from tests.contract.contract_fhir import Fhir, FhirServer, composition, document, new_id, provenance

pytestmark = pytest.mark.hapi

OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
AIAST = {"system": OBSERVATION_VALUE, "code": "AIAST", "display": "Artificial Intelligence asserted"}
AI_DEVICE = {
    "system": "http://hl7.org/fhir/uv/aitransparency/CodeSystem/AIdeviceTypeCS",
    "code": "Artificial-Intelligence",
}
DERIVATION = "http://hl7.org/fhir/StructureDefinition/derivation-reference"
NARRATIVE_LINK = "http://hl7.org/fhir/StructureDefinition/narrativeLink"


@pytest.fixture
def hapi(assigning_hapi: FhirServer) -> Any:
    fhir = Fhir(assigning_hapi)
    with fhir.http:
        yield fhir


def problems(fhir: Fhir, resource: dict[str, Any]) -> list[str]:
    """Diagnostics of the errors that `$validate` finds."""
    answer = fhir.send("POST", f"{resource['resourceType']}/$validate", resource)
    assert answer.json()["resourceType"] == "OperationOutcome"
    found = [issue for issue in answer.json()["issue"] if issue["severity"] in {"error", "fatal"}]
    return [issue["diagnostics"] for issue in found]


def summary_shaped(patient: str, device: str, source: str) -> dict[str, Any]:
    """A Composition of the shape that the product writes: labels, derivations, narrative, entry."""
    derivation = {
        "url": DERIVATION,
        "extension": [
            {"url": "reference", "valueReference": {"reference": source}},
            {"url": "path", "valueString": "DocumentReference.content[0].attachment.data"},
            {"url": "offset", "valueInteger": 0},
            {"url": "length", "valueInteger": 5},
            {"url": NARRATIVE_LINK, "valueUrl": "#s1"},
            {"url": "https://example.org/StructureDefinition/extract-score", "valueDecimal": 0.61},
        ],
    }
    section = {
        "extension": [derivation],
        "title": "Extracted sentences",
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml"><ol><li id="s1">Note.</li></ol></div>',
        },
        "mode": "snapshot",
        "entry": [{"reference": source}],
    }
    return composition(patient, device, meta={"security": [AIAST]}, section=[section])


def provenance_shaped(target: str, device: str, source: str) -> dict[str, Any]:
    participant = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
    agent = {
        "type": {"coding": [{"system": participant, "code": "assembler"}]},
        "role": [{"coding": [AI_DEVICE]}],
        "who": {"reference": device},
    }
    activity = {"system": "http://hl7.org/fhir/w3c-provenance-activity-type", "code": "Derivation"}
    return provenance(
        target,
        device,
        source,
        agent=[agent],
        reason=[{"coding": [AIAST]}],
        activity={"coding": [activity]},
        policy=["urn:ihe:iti:mxde:2023:document-provenance-policy"],
    )


def test_what_the_product_writes_is_valid(hapi: Fhir) -> None:
    source = "DocumentReference/a"
    device = {"resourceType": "Device", "status": "active", "type": {"coding": [AI_DEVICE]}}
    assert problems(hapi, device) == []
    assert problems(hapi, summary_shaped("Patient/a", "Device/a", source)) == []
    assert problems(hapi, provenance_shaped("Composition/a", "Device/a", source)) == []


@pytest.mark.parametrize("code", ["NO-SUCH-CODE", "aiast"])
def test_other_codes_of_that_system_are_still_checked(hapi: Fhir, code: str) -> None:
    label = {"system": OBSERVATION_VALUE, "code": code}
    found = problems(hapi, composition("Patient/a", "Device/a", meta={"security": [label]}))
    assert len(found) == 1
    assert code in found[0]


def test_a_wrong_shape_is_an_error(hapi: Fhir) -> None:
    assert problems(hapi, composition("Patient/a", "Device/a", status="bogus"))
    assert problems(hapi, composition("Patient/a", "Device/a", author=[]))


def create(fhir: Fhir, resource: dict[str, Any]) -> str:
    body = {name: value for name, value in resource.items() if name != "id"}
    answer = fhir.send("POST", body["resourceType"], body)
    assert answer.status_code == 201, answer.text
    return f"{body['resourceType']}/{answer.json()['id']}"


def test_a_validating_server_takes_the_summary(hapi: Fhir) -> None:
    patient = create(hapi, {"resourceType": "Patient"})
    device = create(hapi, {"resourceType": "Device", "type": {"coding": [AI_DEVICE]}})
    source = create(hapi, document(patient))
    written = create(hapi, summary_shaped(patient, device, source))
    create(hapi, provenance_shaped(written, device, source))
    assert hapi.search("Composition", entry=source) == [written.partition("/")[2]]


def test_a_validating_server_refuses_what_is_wrong(hapi: Fhir) -> None:
    wrong = composition("Patient/a", "Device/a", meta={"security": [{**AIAST, "code": "NO-SUCH-CODE"}]})
    del wrong["id"]
    assert hapi.send("POST", "Composition", wrong).status_code == 422


def test_no_ids_from_clients(hapi: Fhir) -> None:
    sent = {"resourceType": "Patient", "id": new_id()}
    answer = hapi.send("PUT", f"Patient/{sent['id']}", sent)
    assert answer.status_code == 404
    assert answer.json()["issue"][0]["diagnostics"].startswith("HAPI-0959")
