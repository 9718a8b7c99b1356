"""The demo's notes as FHIR R4 transaction Bundles, one for each stage."""

import base64
import uuid

from fhir_adapter import canonical
from fhir_adapter.lenient import JsonObject
from jobs.demo.notes import DemoNote, Encounter, Manifest, Patient, manifest

FOREIGN_HOST = "https://files.example.org/notes"
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_CLASS_NAMES = {"IMP": "inpatient encounter", "AMB": "ambulatory"}


def demo_bundle(stage: int) -> JsonObject:
    """What comes to the server at one stage.

    Args:
        stage: 1 for the hospital as the first pass finds it, 2 for what changes before the second.

    Returns:
        A transaction Bundle of updates by id: loading it twice changes nothing.

    Raises:
        ValueError: there is no such stage.
    """
    stated = manifest()
    notes = stated.stage(stage)
    if not notes:
        raise ValueError(f"the demo has no stage {stage}")
    resources = _hospital(stated) if stage == 1 else []
    for note in notes:
        if note.carrier == "binary":
            resources.append(_binary(note))
        encounter = stated.encounter(note.encounter)
        build = _document if note.kind == "DocumentReference" else _report
        resources.append(build(note, encounter, stated.organization_id))
    return {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(r) for r in resources]}


def _entry(resource: JsonObject) -> JsonObject:
    url = f"{resource['resourceType']}/{resource['id']}"
    full_url = uuid.uuid5(uuid.NAMESPACE_URL, f"{canonical.CANONICAL_BASE}/demo/{url}")
    return {
        "fullUrl": f"urn:uuid:{full_url}",
        "resource": resource,
        "request": {"method": "PUT", "url": url},
    }


def _hospital(stated: Manifest) -> list[JsonObject]:
    organization = {
        "resourceType": "Organization",
        "id": stated.organization_id,
        "name": stated.organization_name,
    }
    encounters = (_encounter(e, stated.organization_id) for e in stated.encounters)
    return [organization, *map(_patient, stated.patients), *encounters]


def _patient(patient: Patient) -> JsonObject:
    return {
        "resourceType": "Patient",
        "id": patient.id,
        "identifier": [_number(patient.number)],
        "name": [{"use": "official", "family": patient.family, "given": [patient.given]}],
        "gender": patient.gender,
        "birthDate": patient.birth_date,
    }


def _number(value: str) -> JsonObject:
    """A medical record number, as the hospital counts its patients."""
    coding = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}
    return {
        "type": {"coding": [coding], "text": "Medical record number"},
        "system": f"{canonical.CANONICAL_BASE}/demo/patient-number",
        "value": value,
    }


def _encounter(encounter: Encounter, organization: str) -> JsonObject:
    return {
        "resourceType": "Encounter",
        "id": encounter.id,
        "status": "finished",
        "class": {
            "system": _ACT_CODE,
            "code": encounter.class_code,
            "display": _CLASS_NAMES[encounter.class_code],
        },
        "subject": {"reference": f"Patient/{encounter.patient}"},
        "period": {"start": encounter.start, "end": encounter.end},
        "serviceProvider": {"reference": f"Organization/{organization}"},
    }


def _type(note: DemoNote) -> JsonObject:
    coding = {"system": canonical.LOINC, "code": note.loinc, "display": note.display}
    return {"coding": [coding], "text": note.title}


def _document(note: DemoNote, encounter: Encounter, organization: str) -> JsonObject:
    identifier = uuid.uuid5(uuid.NAMESPACE_URL, f"{canonical.CANONICAL_BASE}/demo/{note.id}")
    replaced = {"code": "replaces", "target": {"reference": f"DocumentReference/{note.replaces}"}}
    label = {"system": canonical.CONFIDENTIALITY, "code": note.confidentiality}
    resource = {
        "resourceType": "DocumentReference",
        "id": note.id,
        "masterIdentifier": {"system": canonical.URI, "value": f"urn:uuid:{identifier}"},
        "status": note.status,
        "docStatus": note.doc_status,
        "type": _type(note),
        "subject": {"reference": f"Patient/{encounter.patient}"},
        "date": note.date,
        "custodian": {"reference": f"Organization/{organization}"},
        "relatesTo": [replaced] if note.replaces else None,
        "securityLabel": [{"coding": [label]}] if note.confidentiality else None,
        "content": [{"attachment": _attachment(note)}],
        "context": {
            "encounter": [{"reference": f"Encounter/{encounter.id}"}],
            "period": {"start": encounter.start, "end": encounter.end},
        },
    }
    return _filled(resource)


def _report(note: DemoNote, encounter: Encounter, organization: str) -> JsonObject:
    resource = {
        "resourceType": "DiagnosticReport",
        "id": note.id,
        "status": note.status,
        "code": _type(note),
        "subject": {"reference": f"Patient/{encounter.patient}"},
        "encounter": {"reference": f"Encounter/{encounter.id}"},
        "effectiveDateTime": note.date,
        "issued": note.date,
        "performer": [{"reference": f"Organization/{organization}"}],
    }
    if note.carrier == "conclusion":
        resource["conclusion"] = note.text.strip()
    else:
        resource["presentedForm"] = [_attachment(note)]
    return resource


def _attachment(note: DemoNote) -> JsonObject:
    data = url = None
    if note.carrier == "inline":
        data = base64.b64encode(note.data).decode("ascii")
    elif note.carrier == "bad-base64":
        # As a careless export leaves it: the text itself where its base64 should be.
        data = note.text
    elif note.carrier == "binary":
        url = f"Binary/{note.id}"
    elif note.carrier == "foreign-url":
        url = f"{FOREIGN_HOST}/{note.id}.txt"
    return _filled({"contentType": note.content_type, "data": data, "url": url, "title": note.title})


def _binary(note: DemoNote) -> JsonObject:
    data = base64.b64encode(note.data).decode("ascii")
    return {"resourceType": "Binary", "id": note.id, "contentType": note.content_type, "data": data}


def _filled(resource: JsonObject) -> JsonObject:
    return {name: value for name, value in resource.items() if value is not None}
