"""What a HAPI that holds our profiles says of a resource, and what stays."""

from typing import Any, NamedTuple

from fhir_adapter import canonical
from tests.contract.contract_fhir import Fhir

Resource = dict[str, Any]

# The warnings that stay. Two because a guide asks for a code outside of R4's extensible value set: AI
# Transparency for the label as a reason, IHE mXDE for the activity. One because HAPI 8.8 finds an error in
# every extension whose context is of the type `element` ("Unable to resolve package id"): ours is a path.
STAYING = {
    ("StructureDefinition.context[0]", "context type should be 'element' not 'fhirpath'"),
    ("Provenance.reason[0]", "http://terminology.hl7.org/CodeSystem/v3-ObservationValue#AIAST"),
    ("Provenance.activity", "http://hl7.org/fhir/w3c-provenance-activity-type#Derivation"),
}
PROFILES = {
    canonical.SUMMARY_PROFILE,
    canonical.TIMELINE_PROFILE,
    canonical.TIMELINE_PROVENANCE_PROFILE,
    canonical.PROVENANCE_PROFILE,
    canonical.DEVICE_PROFILE,
    canonical.DEFINITION_PROFILE,
    canonical.EXTRACTED_TEXT_PROFILE,
    canonical.MODEL_CARD_PROFILE,
}


class Issue(NamedTuple):
    severity: str
    location: str
    words: str


def issues(fhir: Fhir, resource: Resource) -> list[Issue]:
    """Errors and warnings of `$validate`, but those that stay."""
    answer = fhir.send("POST", f"{resource['resourceType']}/$validate", resource).json()
    assert answer["resourceType"] == "OperationOutcome"
    found = [
        Issue(issue["severity"], issue.get("location", [""])[0], issue["diagnostics"])
        for issue in answer["issue"]
        if issue["severity"] != "information"
    ]
    return [
        issue
        for issue in found
        if not any(issue.location == place and code in issue.words for place, code in STAYING)
    ]
