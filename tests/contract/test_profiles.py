"""What we write is valid by its profiles on real HAPI, whatever the source; what differs is not."""

import asyncio
import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fhir_adapter import canonical
from fhir_adapter.profiles import definitions, upload
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.writing.authorship import author
from fhir_adapter.writing.provenance import provenance
from fhir_adapter.writing.summary import composition, extracted_text
from tests.contract.contract_fhir import Fhir, FhirServer
from tests.contract.kinds_of_source import KINDS
from tests.contract.lives import (
    codes,
    command,
    extracted,
    html_document,
    of_its_own,
    only,
    revised,
    signed,
    state,
)
from tests.contract.passes import Site, encoded, reference
from tests.contract.timelines import COPIED, a_chart, html
from tests.unit.fhir_adapter.builders import MODEL, a_draft, a_pipeline, a_reading

pytestmark = pytest.mark.hapi

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


@pytest.fixture
def hapi(hapi_server: FhirServer) -> Iterator[Fhir]:
    fhir = Fhir(hapi_server)
    with fhir.http:
        yield fhir


@pytest.fixture
def site(hapi: Fhir, tmp_path: Path) -> Site:
    return Site(hapi, tmp_path / "ledger.sqlite")


def of_source(site: Site, source: str) -> list[Resource]:
    """All that was written for a source, the Composition first."""
    (summary,) = site.written(source)
    found = {"Composition": summary}
    device = site.fhir.get(summary["author"][0]["reference"])
    beside = summary["section"][0]["extension"][0]["extension"][0]["valueReference"]["reference"]
    if beside != source:
        found["text"] = site.fhir.get(beside)
    found["card"] = site.fhir.get(device["extension"][0]["valueReference"]["reference"])
    provenances = site.fhir.matches(site.fhir.get("Provenance", entity=source))
    return [*found.values(), device, *provenances]


@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_written_of_every_kind_of_source_is_valid(site: Site, kind: str) -> None:
    source = reference(KINDS[kind](site))

    ended, _ = site.poll([source])

    assert (ended[source].status, ended[source].reason) == ("written", "")
    resources = of_source(site, source)
    assert {"Composition", "Device", "Provenance"} <= {r["resourceType"] for r in resources}
    for resource in resources:
        assert PROFILES & set(resource["meta"]["profile"]), resource["resourceType"]
        assert issues(site.fhir, resource) == []
    proof = site.one_audit(resources[0]["id"])
    assert proof.ok, proof.findings


@pytest.mark.parametrize("kind", ["plain", "html", "narrative", "labelled"])
def test_the_document_of_a_summary_is_valid(site: Site, kind: str) -> None:
    source = reference(KINDS[kind](site))
    site.poll([source])
    (summary,) = site.written(source)

    document = site.fhir.get(f"Composition/{summary['id']}/$document")

    assert (document["type"], document["identifier"]["system"]) == ("document", "urn:ietf:rfc:3986")
    held = [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in document["entry"]]
    assert held[0] == f"Composition/{summary['id']}"
    assert len(held) == len(set(held))
    span = summary["section"][0]["extension"][0]["extension"][0]["valueReference"]["reference"]
    assert {source, span, summary["author"][0]["reference"]} <= set(held)
    found = issues(site.fhir, document)
    of_others = [n for n, e in enumerate(document["entry"]) if not PROFILES & profiles_of(e["resource"])]
    theirs = tuple(f"Bundle.entry[{number}].resource" for number in of_others)
    assert [issue for issue in found if not issue.location.startswith(theirs)] == []


def profiles_of(resource: Resource) -> set[str]:
    return set(resource.get("meta", {}).get("profile", []))


def valid(site: Site, *resources: Resource) -> None:
    for resource in resources:
        assert PROFILES & profiles_of(resource), resource["resourceType"]
        assert issues(site.fhir, resource) == []


def provenances(site: Site, composition: Resource) -> list[Resource]:
    target = f"Composition/{composition['id']}"
    found: list[Resource] = site.fhir.matches(site.fhir.get("Provenance", target=target))
    assert found
    return found


def test_a_timeline_of_notes_of_several_kinds_is_valid(site: Site) -> None:
    chart = a_chart(of_its_own(site))
    chart.add_stay()
    chart.add("", date="2025-03-06", **html(COPIED + " Mild &amp; stable cough at night."))
    chart.add("Something of an unknown day was noted.")

    _, kept = chart.keep()

    written = site.fhir.get(kept.composition)
    spans = [
        part["url"] for s in written["section"] for e in s.get("extension", []) for part in e["extension"]
    ]
    assert canonical.EXTRACT_TEXT in spans
    devices = [site.fhir.get(author["reference"]) for author in written["author"]]
    valid(site, written, *devices, *provenances(site, written))
    document = site.fhir.get(f"{kept.composition}/$document")
    assert {f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in document["entry"]} >= {
        kept.composition,
        *chart.notes,
    }

    signed(site, written)
    chart.add("Something new was noted on another day.", date="2025-03-07")
    _, after = chart.keep()
    later = site.fhir.get(after.composition)
    assert later["relatesTo"]
    valid(site, later, *provenances(site, later))


def test_every_state_of_the_life_cycle_is_valid(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site = of_its_own(site)
    signed_one, replaced, wrong = html_document(site), html_document(site), html_document(site)
    site.poll()
    signed(site, only(site, signed_one))
    revised(site, signed_one, "Seen again. Better.")
    relation = [{"code": "replaces", "target": {"reference": reference(replaced)}}]
    site.document("A better account. Stable.", relatesTo=relation)
    revised(site, wrong, status="entered-in-error")
    site.poll()

    first, later = sorted(site.written(reference(signed_one)), key=lambda c: c["status"])
    states = [first, later, only(site, replaced), only(site, wrong)]
    assert [state(one) for one in states] == [
        ("final", None),
        ("preliminary", None),
        ("preliminary", "superseded"),
        ("entered-in-error", "entered-in-error"),
    ]
    assert "needs-review" in codes(later, "tag")
    texts = [extracted(site, one) for one in (states[2], states[3])]
    assert [text["status"] for text in texts] == ["superseded", "entered-in-error"]
    valid(site, *states, *texts, *(p for one in states for p in provenances(site, one)))

    device = later["author"][0]["reference"]
    code, _, _ = command(site, capsys, "withdraw", "--pipeline", device)
    recalled, withdrawn = site.fhir.get(device), site.fhir.get(f"Composition/{later['id']}")
    assert (code, recalled["status"]) == (1, "inactive")
    assert state(withdrawn) == ("entered-in-error", "recalled")
    valid(site, recalled, withdrawn, *provenances(site, withdrawn))


def test_what_contains_its_author_is_valid(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """As on a server that keeps a partition for each patient, which takes no Device."""
    site = of_its_own(site, AUTHOR="contained")
    chart = a_chart(site)
    plain = chart.add(COPIED, date="2025-03-01")
    chart.summarise(html_document(site, subject={"reference": chart.patient}))
    _, kept = chart.keep()

    summary, timeline = chart.summary(plain), site.fhir.get(kept.composition)
    shared = [site.fhir.get(device["definition"]["reference"]) for device in timeline["contained"]]
    assert len(shared) == 2
    proofs = [*provenances(site, summary), *provenances(site, timeline)]
    assert all(proof["contained"] for proof in proofs)
    valid(site, summary, timeline, *shared, *proofs)

    (device,) = summary["contained"]
    code, _, _ = command(site, capsys, "withdraw", "--pipeline", device["id"], "--reason", "A trial.")
    recalled = site.fhir.get(device["definition"]["reference"])
    assert (code, canonical.RECALL in str(recalled["extension"])) == (0, True)
    valid(site, recalled, site.fhir.get(reference(summary)))


def test_a_timeline_that_ended_is_valid(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site = of_its_own(site)
    without, withdrawn = a_chart(site), a_chart(site)
    for chart in (without, withdrawn):
        note = chart.add("The only note there was.", date="2025-03-01")
        _, kept = chart.keep()
    revised(site, site.fhir.get(without.notes[0]), status="entered-in-error")
    _, gone = without.keep()
    command(site, capsys, "withdraw", "--source", reference(note))

    ended_ones = [site.fhir.get(one.composition) for one in (gone, kept)]
    assert [state(one) for one in ended_ones] == [
        ("entered-in-error", "no-note"),
        ("entered-in-error", "source-withdrawn"),
    ]
    valid(site, *ended_ones, *(p for one in ended_ones for p in provenances(site, one)))


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


def test_a_validating_server_takes_summaries_once_the_profiles_are_loaded(
    assigning_hapi: FhirServer, tmp_path: Path
) -> None:
    """By REST, onto a server that gives out ids itself and refuses what does not validate."""

    async def loaded() -> tuple[upload.Loaded, upload.Loaded, bool]:
        async with FhirClient(assigning_hapi.base_url) as client:
            return await upload.load(client), await upload.load(client), await upload.is_loaded(client)

    first, again, there = asyncio.run(loaded())
    assert (first.created + first.kept, again.created, there) == (len(definitions()), 0, True)

    fhir = Fhir(assigning_hapi)
    with fhir.http:
        note = {"resourceType": "DocumentReference", "status": "current"}
        html = {"contentType": "text/html", "data": encoded("<p>Mild. Stable today.</p>")}
        answer = fhir.send("POST", "DocumentReference", {**note, "content": [{"attachment": html}]})
        source = f"DocumentReference/{answer.json()['id']}"
        site = Site(fhir, tmp_path / "ledger.sqlite")
        ended, _ = site.poll([source])
        assert (ended[source].status, ended[source].reason) == ("written", "")
        (summary,) = site.written(source)
        assert site.one_audit(summary["id"]).ok
