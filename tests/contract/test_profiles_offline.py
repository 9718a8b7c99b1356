"""What would be written of an invented note is valid by its profiles on real HAPI; what differs is not."""

import copy
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from fhir_adapter import canonical
from fhir_adapter.profiles import definitions
from fhir_adapter.writing.authorship import author
from fhir_adapter.writing.provenance import provenance
from fhir_adapter.writing.summary import composition, extracted_text
from tests.contract.contract_fhir import Fhir
from tests.contract.validity import Resource, issues
from tests.unit.fhir_adapter.builders import MODEL, a_draft, a_pipeline, a_reading

pytestmark = pytest.mark.hapi


def made_offline(**changed: Any) -> dict[str, Resource]:
    """What is written for one invented note, by what it is; nothing of it is on the server."""
    written = dataclasses.replace(a_draft(verbatim=False), **changed)
    card, device = author(written.pipeline)
    return {
        "summary": without_urns(composition(written)),
        "text": extracted_text(written),
        "provenance": without_urns(provenance(written)),
        "card": card,
        "device": device,
    }


def without_urns(resource: Resource) -> Resource:
    """References as a server leaves them."""
    text = json.dumps(resource).replace('"reference": "urn:uuid:', '"reference": "DocumentReference/')
    found: Resource = json.loads(text)
    return found


def test_a_model_calibrated_on_articles_states_no_confidence_and_is_valid(hapi: Fhir) -> None:
    model = dataclasses.replace(MODEL, calibrated=True)
    made = made_offline(pipeline=a_pipeline(model=model))
    parts = {part["url"] for part in spans(made["summary"])[0]["extension"]}
    assert canonical.EXTRACT_SCORE in parts
    assert canonical.AI_CONFIDENCE not in parts
    assert [issues(hapi, resource) for resource in made.values()] == [[]] * 5


URN = "urn:uuid:4a3a1c60-6c2d-4f0e-9a55-6f1b0f0e8f11"
NUMBERED = {
    "reference": "#p",
    "display": "A patient",
    "identifier": {"system": "urn:oid:2.16.840.1.113883.3.1", "value": "17"},
}


@pytest.mark.parametrize(
    "reference",
    [{"reference": URN}, {"reference": URN, "type": "Patient"}, NUMBERED],
    ids=["urn", "urn with type", "contained"],
)
def test_a_reference_that_resolves_in_the_source_alone_becomes_a_valid_one(
    hapi: Fhir, reference: Resource
) -> None:
    """HAPI takes no source whose subject is a URN, other servers do; an identifier keeps a contained one."""
    reading = a_reading(subject=reference, encounter=reference, custodian=reference, verbatim=False)
    made = made_offline(reading=reading)
    assert made["summary"]["subject"] != reference
    assert [issues(hapi, resource) for resource in made.values()] == [[]] * 5


def spans(resource: Resource) -> list[Resource]:
    found: list[Resource] = resource["section"][0]["extension"]
    return found


def part(resource: Resource, name: str) -> Resource:
    """A part of the first sentence's offsets, or of the description of the text."""
    parts = spans(resource)[0]["extension"] + resource["extension"][0]["extension"]
    return next(p for p in parts if p["url"].endswith(name))


def confidence(value: float) -> Resource:
    return {"url": canonical.AI_CONFIDENCE, "valueDecimal": value}


def score() -> Resource:
    return {"url": canonical.EXTRACT_SCORE, "valueDecimal": 0.5}


WRONG: dict[str, tuple[str, Callable[[Resource], object]]] = {
    "order": ("summary", lambda r: spans(r).reverse()),
    "offset below 0": ("summary", lambda r: part(r, "offset").update(valueInteger=-1)),
    "length of 0": ("summary", lambda r: part(r, "length").update(valueInteger=0)),
    "no length": ("summary", lambda r: spans(r)[0]["extension"].remove(part(r, "length"))),
    "no link": ("summary", lambda r: spans(r)[0]["extension"].remove(part(r, "narrativeLink"))),
    "two offsets": ("summary", lambda r: spans(r)[0]["extension"].append(part(r, "offset"))),
    "no score": ("summary", lambda r: spans(r)[0]["extension"].remove(part(r, "extract-score"))),
    "another part": ("summary", lambda r: spans(r)[0]["extension"].append({"url": "x", "valueCode": "y"})),
    "confidence above 1": ("summary", lambda r: spans(r)[0]["extension"].append(confidence(1.5))),
    "score elsewhere": ("summary", lambda r: r["extension"].append(score())),
    "no sentence": ("summary", lambda r: spans(r).clear()),
    "no description of the text": ("summary", lambda r: r.pop("extension")),
    "description twice": ("summary", lambda r: r["extension"].append(r["extension"][0])),
    "digest of no form": ("summary", lambda r: part(r, "sha256").update(valueString="abc")),
    "unknown unit": ("summary", lambda r: part(r, "unit").update(valueCode="byte")),
    "no label": ("summary", lambda r: r["meta"].pop("security")),
    "no tag": ("summary", lambda r: r["meta"].pop("tag")),
    "no kind": ("summary", lambda r: r.pop("category")),
    "another type": ("summary", lambda r: r["type"]["coding"][0].update(code="34109-9")),
    "two authors": ("summary", lambda r: r["author"].append(r["author"][0])),
    "no confidentiality": ("summary", lambda r: r.pop("confidentiality")),
    "two sections": ("summary", lambda r: r["section"].append({**r["section"][0], "id": "two"})),
    "no code of the section": ("summary", lambda r: r["section"][0].pop("code")),
    "no entry": ("summary", lambda r: r["section"][0].pop("entry")),
    "another mode": ("summary", lambda r: r["section"][0].update(mode="working")),
    "another activity": ("provenance", lambda r: r["activity"]["coding"][0].update(code="Invalidation")),
    "no reason": ("provenance", lambda r: r.pop("reason")),
    "no key": ("provenance", lambda r: r["meta"].pop("tag")),
    "another role": ("provenance", lambda r: r["entity"][0].update(role="quotation")),
    "no version": ("provenance", lambda r: r["entity"][0]["what"].pop("identifier")),
    "two entities": ("provenance", lambda r: r["entity"].append(r["entity"][0])),
    "no AI": ("provenance", lambda r: r["agent"][0].pop("role")),
    "no model card": ("device", lambda r: r.pop("extension")),
    "no software": ("device", lambda r: r.pop("version")),
    "another kind of device": ("device", lambda r: r["type"]["coding"][0].update(code="Robot")),
    "no source": ("text", lambda r: (r.pop("relatesTo"), r.pop("context"))),
    "no text": ("text", lambda r: r["content"][0]["attachment"].pop("data")),
    "another media type": ("text", lambda r: r["content"][0]["attachment"].update(contentType="text/html")),
    "text without tag": ("text", lambda r: r["meta"].pop("tag")),
    "no card": ("card", lambda r: r["content"][0]["attachment"].pop("data")),
    "card of no format": ("card", lambda r: r.pop("category")),
    "card in another format": ("card", lambda r: r["content"][0]["attachment"].update(contentType="a/b")),
}


def test_what_is_altered_offline_was_valid(hapi: Fhir) -> None:
    assert {name: issues(hapi, resource) for name, resource in made_offline().items()} == {
        name: [] for name in ("summary", "text", "provenance", "card", "device")
    }


@pytest.mark.parametrize("name", WRONG)
def test_what_breaks_a_profile_is_an_error(hapi: Fhir, name: str) -> None:
    what, alter = WRONG[name]
    resource = copy.deepcopy(made_offline()[what])
    alter(resource)
    assert "error" in {issue.severity for issue in issues(hapi, resource)}


@pytest.mark.parametrize("resource", definitions(), ids=lambda r: f"{r['resourceType']}-{r['id']}")
def test_each_definition_is_valid(hapi: Fhir, resource: Resource) -> None:
    assert issues(hapi, resource) == []
