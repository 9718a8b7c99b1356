"""Search parameters, modifiers and result options, over HTTP."""

import httpx
import pytest

from tests.unit.fhir_adapter.sandbox.builders import Serve, diagnostics, found, note, patient, put

LOINC = "http://loinc.org"


@pytest.fixture(scope="module")
def stocked(server: httpx.Client) -> httpx.Client:
    """Notes whose ids begin with `s-`, tagged so that no other test's resources are found."""

    def tagged(id_: str, **more: object) -> dict[str, object]:
        meta = {"tag": [{"system": "urn:tags", "code": "stocked"}], **more.pop("meta", {})}  # type: ignore[dict-item]
        return note(id_, meta=meta, **more)

    put(
        server,
        tagged(
            "s-1",
            subject={"reference": "Patient/p1"},
            date="2024-05-01T10:00:00Z",
            type={"coding": [{"system": LOINC, "code": "11506-3"}, {"code": "local"}]},
            category=[{"coding": [{"system": "urn:c", "code": "note"}]}],
            masterIdentifier={"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2"},
            identifier=[{"system": "urn:a", "value": "1,2|3"}, {"value": "bare"}],
            context={"encounter": [{"reference": "Encounter/e1"}], "period": {"start": "2024-04-01"}},
            description="Visite à l'hôpital",
            author=[{"reference": "Device/d1"}, {"identifier": {"system": "urn:b", "value": "dr"}}],
            meta={"security": [{"system": "urn:conf", "code": "R"}], "profile": ["http://x/profile"]},
        ),
        tagged(
            "s-2",
            status="superseded",
            subject={"reference": "Group/p1"},
            date="2024-05-02",
            type={"coding": [{"system": LOINC, "code": "18842-5"}]},
            relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/s-1"}}],
            content=[{"attachment": {"contentType": "text/plain", "url": "http://x/1", "language": "de"}}],
        ),
        tagged(
            "s-3",
            subject={"reference": "http://elsewhere/fhir/Patient/p1"},
            date="2024-06",
            description="visite",
        ),
    )
    return server


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("_id=s-1", ["s-1"]),
        ("_id=s-1,s-3,nobody", ["s-1", "s-3"]),
        ("status=current", ["s-1", "s-3"]),
        ("status=current,superseded", ["s-1", "s-2", "s-3"]),
        ("status:not=current", ["s-2"]),
        ("status=current&_id=s-1", ["s-1"]),
        ("subject=Patient/p1", ["s-1"]),
        ("subject=p1", ["s-1", "s-2"]),
        ("subject:Group=p1", ["s-2"]),
        ("subject:Patient=Patient/p1", ["s-1"]),
        ("patient=p1", ["s-1"]),
        ("patient=Patient/p1", ["s-1"]),
        ("subject=http://elsewhere/fhir/Patient/p1", ["s-3"]),
        ("patient=Patient/p1/_history/4", ["s-1"]),
        ("encounter=Encounter/e1", ["s-1"]),
        ("encounter=e1,e2", ["s-1"]),
        ("encounter:missing=true", ["s-2", "s-3"]),
        ("encounter:missing=false", ["s-1"]),
        ("location:missing=false", ["s-2"]),
        ("author:identifier=urn:b|dr", ["s-1"]),
        ("author=Device/d1", ["s-1"]),
        (f"type={LOINC}|11506-3", ["s-1"]),
        (f"type={LOINC}|", ["s-1", "s-2"]),
        ("type=|local", ["s-1"]),
        ("type=11506-3,18842-5", ["s-1", "s-2"]),
        ("type=urn:wrong|11506-3", []),
        ("category=note", ["s-1"]),
        (r"identifier=urn:a|1\,2\|3", ["s-1"]),
        (r"identifier=1\,2\|3", ["s-1"]),
        ("identifier=|bare", ["s-1"]),
        ("identifier=urn:oid:1.2", ["s-1"]),
        ("identifier=urn:ietf:rfc:3986|urn:oid:1.2", ["s-1"]),
        ("relation=replaces", ["s-2"]),
        ("relatesto=DocumentReference/s-1", ["s-2"]),
        ("contenttype=text/plain", ["s-2"]),
        ("location=http://x/1", ["s-2"]),
        ("language=de", ["s-2"]),
        ("description=VISITE", ["s-1", "s-3"]),
        ("description=visite a l", ["s-1"]),
        ("description:exact=visite", ["s-3"]),
        ("description:contains=hopital", ["s-1"]),
        ("_security=urn:conf|R", ["s-1"]),
        ("_profile=http://x/profile", ["s-1"]),
        ("date=2024-05", ["s-1", "s-2"]),
        ("date=2024-05-01", ["s-1"]),
        ("date=eq2024-05-01T10:00:00Z", ["s-1"]),
        ("date=eq2024-05-01T12:00:00%2B02:00", ["s-1"]),
        ("date=ne2024-05-01", ["s-2", "s-3"]),
        ("date=ge2024-05-02", ["s-2", "s-3"]),
        ("date=gt2024-05-02", ["s-3"]),
        ("date=lt2024-05-02", ["s-1"]),
        ("date=le2024-05-02", ["s-1", "s-2"]),
        ("date=sa2024-05-01", ["s-2", "s-3"]),
        ("date=eb2024-05-02", ["s-1"]),
        ("date=ap2024-05", ["s-1", "s-2"]),
        ("date=ge2024-05-02&date=lt2024-06", ["s-2"]),
        ("date=2024-05-01,2024-06", ["s-1", "s-3"]),
        ("period=ge2030", ["s-1"]),
        ("_lastUpdated=ge2020&_lastUpdated=lt2999", ["s-1", "s-2", "s-3"]),
        ("_lastUpdated=lt2020,gt2999", []),
        ("status=", ["s-1", "s-2", "s-3"]),
        ("_format=json&_pretty=true", ["s-1", "s-2", "s-3"]),
        ("_sort=date", ["s-1", "s-2", "s-3"]),
        ("_sort=-date", ["s-3", "s-2", "s-1"]),
        ("_sort=-_lastUpdated", ["s-3", "s-2", "s-1"]),
        ("_sort=_id", ["s-1", "s-2", "s-3"]),
        ("_sort=-status,-_id", ["s-2", "s-3", "s-1"]),
        ("_sort=description", ["s-3", "s-1", "s-2"]),
        ("_sort=encounter,-_id", ["s-1", "s-3", "s-2"]),
    ],
)  # fmt: skip
def test_what_a_query_finds(stocked: httpx.Client, query: str, ids: list[str]) -> None:
    assert found(stocked, f"DocumentReference?_tag=urn:tags|stocked&{query}") == ids


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("bogus=1", 'Unknown search parameter "bogus"'),
        ("subject.name=x", "Unknown search parameter"),
        ("_has:x=1", "Unknown search parameter"),
        ("date=yesterday", "not a date"),
        ("date=2024-05-01T10:00:00 02:00", "%2B"),
        ("_lastUpdated=xx2024", "not a date"),
        ("status:text=x", "modifier"),
        ("subject:Foo=x", "modifier"),
        ("subject:Patient=Group/x", "another type"),
        ("date:exact=2024", "modifier"),
        ("_id:exact=1", "modifier"),
        ("_lastUpdated:missing=true", "modifier"),
        ("encounter:missing=maybe", "true or false"),
        ("_count=-1", "whole number"),
        ("_count=many", "whole number"),
        ("_sort=bogus", "Unknown search parameter"),
        ("_summary=true", "_summary"),
        ("_total=some", "_total"),
        ("_include=Patient:organization", "_include"),
        ("_include=DocumentReference:status", "not a reference"),
        ("_include=DocumentReference:bogus", "Unknown search parameter"),
    ],
)
def test_what_a_query_may_not_say(server: httpx.Client, query: str, words: str) -> None:
    answer = server.get(f"DocumentReference?{query}")
    assert answer.status_code == 400
    assert words in diagnostics(answer)


def test_refusals_do_not_repeat_values(server: httpx.Client) -> None:
    for query in ("birthdate=Zaphod", "Zaphod <b>=1", "_count=Zaphod", "_total=Zaphod"):
        text = server.get(f"Patient?{query}").text
        assert "OperationOutcome" in text
        assert "<b>" not in text
    assert "Zaphod" not in server.get("Patient?birthdate=Zaphod").text


def test_last_updated_at_the_millisecond(fresh: httpx.Client) -> None:
    put(fresh, patient("a"))
    stamp = fresh.get("Patient/a").json()["meta"]["lastUpdated"].replace("+00:00", "Z")
    expected = {"": 1, "eq": 1, "ge": 1, "le": 1, "gt": 0, "lt": 0, "ne": 0, "sa": 0, "eb": 0, "ap": 1}
    got = {p: fresh.get(f"Patient?_lastUpdated={p}{stamp}").json()["total"] for p in expected}
    assert got == expected
    assert fresh.get(f"Patient?_lastUpdated=ge{stamp}&_lastUpdated=le{stamp}").json()["total"] == 1
    assert fresh.get(f"Patient?_lastUpdated={stamp[:19]}Z").json()["total"] == 1


def test_a_server_without_last_updated(serve: Serve) -> None:
    client = serve(last_updated_search=False)
    put(client, patient("a"))
    assert client.get("Patient?_lastUpdated=ge2020").status_code == 400
    assert client.get("Patient?_sort=_lastUpdated").status_code == 400
    assert found(client, "Patient?_id=a") == ["a"]
    names = {
        parameter["name"]
        for one in client.get("metadata").json()["rest"][0]["resource"]
        for parameter in one["searchParam"]
    }
    assert "_lastUpdated" not in names
    assert "_id" in names


def test_names_addresses_and_contacts_of_patients(server: httpx.Client) -> None:
    put(
        server,
        patient(
            "names",
            name=[{"family": "Müller-Öz", "given": ["Anna", "Eva"]}],
            address=[{"line": ["Weg 1"], "city": "Bern"}],
            telecom=[{"system": "phone", "value": "555"}, {"system": "email", "value": "a@b.c"}],
            birthDate="1970-03-04",
            gender="female",
            active=True,
        ),
    )
    for query in (
        "name=muller", "family=MULLER", "given=eva", "address=weg", "address-city=bern", "phone=555",
        "email=a@b.c", "telecom=555", "birthdate=1970", "gender=female&active=true",
    ):  # fmt: skip
        assert "names" in found(server, f"Patient?{query}"), query
    assert "names" not in found(server, "Patient?email=555")


def test_compositions_and_provenances_are_found_by_what_they_point_at(server: httpx.Client) -> None:
    composition = {
        "resourceType": "Composition",
        "id": "c-1",
        "title": "Summary of a note",
        "section": [{"entry": [{"reference": "DocumentReference/src"}]}],
        "relatesTo": [{"code": "transforms", "targetIdentifier": {"system": "urn:i", "value": "v"}}],
    }
    provenance = {
        "resourceType": "Provenance",
        "id": "pr-1",
        "target": [{"reference": "Composition/c-1"}, {"reference": "Patient/p9"}],
        "entity": [{"role": "source", "what": {"reference": "DocumentReference/src/_history/2"}}],
        "agent": [{"type": {"coding": [{"code": "assembler"}]}, "who": {"reference": "Device/dev"}}],
        "recorded": "2024-05-01T00:00:00Z",
    }
    put(server, composition, provenance, note("src"))
    assert found(server, "Composition?entry=DocumentReference/src") == ["c-1"]
    assert found(server, "Composition?related-id=urn:i|v") == ["c-1"]
    assert found(server, "Composition?title=summary") == ["c-1"]
    for query in (
        "target=Composition/c-1", "entity=DocumentReference/src", "agent=Device/dev", "patient=p9",
        "agent-type=assembler", "recorded=2024-05",
    ):  # fmt: skip
        assert found(server, f"Provenance?{query}") == ["pr-1"], query
    assert found(server, "Provenance?patient=c-1") == []


def test_include_and_revinclude(fresh: httpx.Client) -> None:
    put(
        fresh,
        patient("p"),
        note("n1", subject={"reference": "Patient/p"}),
        note("n2", subject={"reference": "Patient/p"}),
        note("n3", subject={"reference": "Patient/absent"}),
    )
    answer = fresh.get("DocumentReference?_include=DocumentReference:subject").json()
    modes = [(one["resource"]["id"], one["search"]["mode"]) for one in answer["entry"]]
    assert modes == [("n1", "match"), ("n2", "match"), ("n3", "match"), ("p", "include")]
    answer = fresh.get("Patient?_revinclude=DocumentReference:subject").json()
    assert {one["resource"]["id"] for one in answer["entry"]} == {"p", "n1", "n2"}
    assert answer["total"] == 1


def test_counting_alone(stocked: httpx.Client) -> None:
    for option in ("_summary=count", "_count=0"):
        answer = stocked.get(f"DocumentReference?_tag=stocked&{option}").json()
        assert answer["total"] == 3
        assert "entry" not in answer


def test_elements_and_summaries(server: httpx.Client) -> None:
    text = {"status": "generated", "div": "<div>x</div>"}
    put(server, note("shape", text=text, description="d", meta={"tag": [{"code": "shape"}]}))
    some = server.get("DocumentReference?_tag=shape&_elements=status,DocumentReference.date").json()
    shown = some["entry"][0]["resource"]
    assert set(shown) == {"resourceType", "id", "meta", "status"}
    assert [tag["code"] for tag in shown["meta"]["tag"]] == ["shape", "SUBSETTED"]
    data = server.get("DocumentReference/shape?_summary=data").json()
    assert "text" not in data
    assert data["description"] == "d"
    assert set(server.get("DocumentReference/shape?_summary=text").json()) == {
        "resourceType",
        "id",
        "meta",
        "text",
    }


def test_search_by_post(stocked: httpx.Client) -> None:
    answer = stocked.post(
        "DocumentReference/_search?_tag=stocked", data={"status": "superseded", "_count": "5"}
    )
    assert [one["resource"]["id"] for one in answer.json()["entry"]] == ["s-2"]


def test_identical_searches_may_come_from_a_cache(serve: Serve) -> None:
    client = serve(search_cache=3600.0)
    put(client, patient("a"))
    assert found(client, "Patient?active:missing=true") == ["a"]
    put(client, patient("b"))
    cached = client.get("Patient?active:missing=true")
    assert cached.headers["x-cache"].startswith("HIT")
    assert cached.json()["total"] == 1
    new = client.get("Patient?active:missing=true", headers={"Cache-Control": "no-cache"})
    assert "x-cache" not in new.headers
    assert new.json()["total"] == 2


def test_an_update_is_found_by_its_new_values_alone(server: httpx.Client) -> None:
    put(server, patient("moved", gender="male", birthDate="1950"), patient("moved", gender="female"))
    assert found(server, "Patient?_id=moved&gender=female") == ["moved"]
    assert found(server, "Patient?_id=moved&gender=male") == []
    assert found(server, "Patient?_id=moved&birthdate=1950") == []
    server.delete("Patient/moved")
    assert found(server, "Patient?_id=moved") == []
    assert found(server, "Patient?gender=female&_id=moved") == []
