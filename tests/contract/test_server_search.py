"""The searches that the adapter and an integrator's audit use (R4, section 3.1.1)."""

from typing import Any

import pytest

from tests.contract.contract_fhir import Fhir, composition, document, new_id, next_link, provenance

TAGS = "https://example.org/tags"


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


@pytest.fixture
def documents(fhir: Fhir, patient: str) -> list[str]:
    """Seven documents of one patient, written one after the other."""
    return [fhir.put(document(patient))["id"] for _ in range(7)]


def test_by_a_list_of_ids(fhir: Fhir, documents: list[str]) -> None:
    wanted = [documents[0], documents[3], "never-there"]
    assert fhir.search("DocumentReference", _id=",".join(wanted)) == sorted(wanted[:2])


def test_by_patient_and_subject(fhir: Fhir, patient: str, documents: list[str]) -> None:
    bare = patient.partition("/")[2]
    for query in ({"patient": patient}, {"patient": bare}, {"subject": patient}):
        assert fhir.search("DocumentReference", **query) == sorted(documents)


def test_pages_by_next_hold_every_match_once(fhir: Fhir, patient: str, documents: list[str]) -> None:
    since = fhir.get(f"DocumentReference/{documents[0]}")["meta"]["lastUpdated"]
    query = {"_lastUpdated": f"ge{since}", "_sort": "_lastUpdated", "patient": patient, "_count": "3"}
    pages = list(fhir.pages(fhir.get("DocumentReference", **query)))
    assert [len(page) for page in pages] == [3, 3, 1]
    found = [resource for page in pages for resource in page]
    assert sorted(resource["id"] for resource in found) == sorted(documents)
    stamps = [resource["meta"]["lastUpdated"] for resource in found]
    assert stamps == sorted(stamps)


def test_pages_are_a_snapshot(fhir: Fhir, patient: str, documents: list[str]) -> None:
    first = fhir.get("DocumentReference", patient=patient, _count="3", _sort="_id")
    assert fhir.send("DELETE", f"DocumentReference/{max(documents)}").status_code in {200, 204}
    later = document(patient, id="a" + new_id("doc"))
    fhir.put(later)
    found = {resource["id"] for resource in fhir.matches(first)}
    assert later["id"] not in found
    assert set(sorted(documents)[:-1]) <= found


def test_a_page_nobody_knows_is_gone(fhir: Fhir, documents: list[str], patient: str) -> None:
    url = next_link(fhir.get("DocumentReference", patient=patient, _count="3"))
    assert url is not None
    token = next(part for part in url.partition("?")[2].split("&") if part.startswith("_getpages="))
    expired = url.replace(token, "_getpages=00000000-0000-0000-0000-000000000000")
    answer = fhir.send("GET", expired)
    assert answer.status_code == 410
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_last_updated_bounds(fhir: Fhir, patient: str, documents: list[str]) -> None:
    stamps = [fhir.get(f"DocumentReference/{one}")["meta"]["lastUpdated"] for one in documents]
    middle = stamps[3]
    expected = {
        prefix: sorted(one for one, stamp in zip(documents, stamps, strict=True) if keep(stamp))
        for prefix, keep in {
            "ge": lambda stamp: stamp >= middle,
            "gt": lambda stamp: stamp > middle,
            "le": lambda stamp: stamp <= middle,
            "lt": lambda stamp: stamp < middle,
        }.items()
    }
    for prefix, wanted in expected.items():
        found = fhir.search("DocumentReference", patient=patient, _lastUpdated=f"{prefix}{middle}")
        assert found == wanted, prefix


def test_sorted_downwards(fhir: Fhir, patient: str, documents: list[str]) -> None:
    found = fhir.matches(fhir.get("DocumentReference", patient=patient, _sort="-_lastUpdated"))
    stamps = [resource["meta"]["lastUpdated"] for resource in found]
    assert stamps == sorted(stamps, reverse=True)
    assert len(stamps) == len(documents)


def test_by_tag(fhir: Fhir, patient: str) -> None:
    code = new_id("tag")
    tagged = fhir.put(document(patient, meta={"tag": [{"system": TAGS, "code": code}]}))["id"]
    assert fhir.search("DocumentReference", _tag=f"{TAGS}|{code}") == [tagged]
    assert fhir.search("DocumentReference", _tag=code) == [tagged]
    assert fhir.search("DocumentReference", _tag=f"https://example.org/other|{code}") == []


def test_by_security_label(fhir: Fhir, patient: str) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
    labelled = fhir.put(document(patient, meta={"security": [{"system": system, "code": "AIAST"}]}))["id"]
    assert fhir.search("DocumentReference", _security=f"{system}|AIAST", patient=patient) == [labelled]


def test_by_identifiers(fhir: Fhir, patient: str, device: str) -> None:
    system, values = "https://example.org/summaries", [new_id("key"), new_id("key")]
    written = [
        fhir.put(composition(patient, device, identifier={"system": system, "value": value}))["id"]
        for value in values
    ]
    assert fhir.search("Composition", identifier=f"{system}|{values[0]}") == written[:1]
    both = ",".join(f"{system}|{value}" for value in values)
    assert fhir.search("Composition", identifier=both) == sorted(written)


def test_by_encounter_status_type_and_date(fhir: Fhir, patient: str) -> None:
    visit = {"resourceType": "Encounter", "id": new_id("enc"), "status": "finished", "class": {"code": "AMB"}}
    encounter = f"Encounter/{fhir.put(visit)['id']}"
    common = {"date": "2026-01-02T10:00:00Z", "type": coded("http://loinc.org", "11506-3")}
    one = fhir.put(document(patient, context={"encounter": [{"reference": encounter}]}, **common))["id"]
    other = fhir.put(document(patient, status="superseded", date="2025-06-01T00:00:00Z"))["id"]
    for query, wanted in (
        ({"encounter": encounter}, [one]),
        ({"status": "superseded"}, [other]),
        ({"status": "current,superseded"}, sorted([one, other])),
        ({"type": "http://loinc.org|11506-3"}, [one]),
        ({"date": "ge2026-01-01"}, [one]),
        ({"date": "lt2026-01-01"}, [other]),
        ({"date": "2026-01-02"}, [one]),
    ):
        assert fhir.search("DocumentReference", patient=patient, **query) == wanted, query


def test_reports_by_code_and_date(fhir: Fhir, patient: str) -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "id": new_id("rep"),
        "status": "final",
        "code": coded("http://loinc.org", "18748-4"),
        "subject": {"reference": patient},
        "effectiveDateTime": "2026-03-04",
        "conclusion": "Nothing acute.",
    }
    fhir.put(report)
    for query in ({"code": "18748-4"}, {"date": "2026-03"}, {"status": "final"}):
        assert fhir.search("DiagnosticReport", patient=patient, **query) == [report["id"]], query
    assert fhir.search("DiagnosticReport", patient=patient, date="gt2026-03-05") == []


def test_compositions_by_entry_and_author(fhir: Fhir, patient: str, device: str) -> None:
    source = f"DocumentReference/{fhir.put(document(patient))['id']}"
    section = [{"title": "Sentences", "entry": [{"reference": source}]}]
    written = fhir.put(composition(patient, device, section=section))["id"]
    fhir.put(composition(patient, device))
    assert fhir.search("Composition", entry=source) == [written]
    assert len(fhir.search("Composition", author=device)) == 2


def test_documents_by_what_they_relate_to(fhir: Fhir, patient: str) -> None:
    old = [f"DocumentReference/{fhir.put(document(patient))['id']}" for _ in range(2)]
    new = [
        fhir.put(document(patient, relatesTo=[{"code": "replaces", "target": {"reference": one}}]))["id"]
        for one in old
    ]
    assert fhir.search("DocumentReference", relatesto=old[0]) == [new[0]]
    assert fhir.search("DocumentReference", relatesto=",".join(old)) == sorted(new)


def test_provenance_by_target_entity_and_agent(fhir: Fhir, patient: str, device: str) -> None:
    source = f"DocumentReference/{fhir.put(document(patient))['id']}"
    target = f"Composition/{fhir.put(composition(patient, device))['id']}"
    origin = fhir.put(provenance(target, device, source))["id"]
    for query in ({"target": target}, {"entity": source}, {"agent": device}):
        assert fhir.search("Provenance", **query) == [origin], query


def test_search_by_post(fhir: Fhir, patient: str, documents: list[str]) -> None:
    answer = fhir.http.post("DocumentReference/_search", data={"patient": patient, "_count": "50"})
    assert answer.status_code == 200
    assert sorted(resource["id"] for resource in fhir.matches(answer.json())) == sorted(documents)


def test_some_elements_only(fhir: Fhir, patient: str, documents: list[str]) -> None:
    found = fhir.matches(fhir.get("DocumentReference", patient=patient, _elements="status"))
    assert len(found) == len(documents)
    assert all("content" not in resource and resource["status"] == "current" for resource in found)


def test_number_of_matches(fhir: Fhir, patient: str, documents: list[str]) -> None:
    bundle = fhir.get("DocumentReference", patient=patient, _summary="count")
    assert bundle["total"] == len(documents)
    assert "entry" not in bundle


def test_provenance_comes_along(fhir: Fhir, patient: str, device: str) -> None:
    source = f"DocumentReference/{fhir.put(document(patient))['id']}"
    target = fhir.put(composition(patient, device))["id"]
    origin = fhir.put(provenance(f"Composition/{target}", device, source))["id"]
    bundle = fhir.get("Composition", _id=target, _revinclude="Provenance:target")
    modes = {e["resource"]["id"]: e["search"]["mode"] for e in bundle["entry"]}
    assert modes == {target: "match", origin: "include"}
