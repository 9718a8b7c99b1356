"""Create, read, update, delete (R4, section 3.1.0)."""

import json

import pytest

from tests.contract.contract_fhir import Fhir, document, new_id


def issue(answer_json: dict) -> dict:
    assert answer_json["resourceType"] == "OperationOutcome"
    return answer_json["issue"][0]


def test_create_gives_the_id_and_the_first_version(fhir: Fhir, patient: str) -> None:
    sent = document(patient)
    del sent["id"]
    answer = fhir.send("POST", "DocumentReference", sent)
    assert answer.status_code == 201
    created = answer.json()
    assert created["meta"]["versionId"] == "1"
    assert created["meta"]["lastUpdated"]
    assert f"DocumentReference/{created['id']}/_history/1" in answer.headers["Location"]
    assert answer.headers["ETag"] == 'W/"1"'
    read = fhir.get(f"DocumentReference/{created['id']}")
    assert read["content"] == sent["content"]
    assert read["subject"] == sent["subject"]


def test_update_creates_under_the_clients_id(fhir: Fhir, patient: str) -> None:
    sent = document(patient)
    assert fhir.send("PUT", f"DocumentReference/{sent['id']}", sent).status_code == 201
    again = fhir.send("PUT", f"DocumentReference/{sent['id']}", {**sent, "description": "second"})
    assert (again.status_code, again.headers["ETag"]) == (200, 'W/"2"')


def test_a_numeric_id_of_the_client_is_taken(fhir: Fhir) -> None:
    sent = {"resourceType": "Patient", "id": str(int(new_id("x")[2:], 16))}
    assert fhir.put(sent)["id"] == sent["id"]


def test_the_same_put_again_makes_no_new_version(fhir: Fhir, patient: str) -> None:
    sent = document(patient)
    first = fhir.put(sent)
    again = fhir.send("PUT", f"DocumentReference/{sent['id']}", sent)
    assert again.status_code == 200
    assert again.json()["meta"]["versionId"] == "1"
    assert fhir.get(f"DocumentReference/{sent['id']}")["meta"]["lastUpdated"] == first["meta"]["lastUpdated"]


def test_earlier_versions_can_be_read(fhir: Fhir, patient: str) -> None:
    sent = document(patient, description="first")
    fhir.put(sent)
    fhir.put({**sent, "description": "second"})
    path = f"DocumentReference/{sent['id']}"
    assert fhir.get(f"{path}/_history/1")["description"] == "first"
    assert fhir.get(f"{path}/_history/2")["description"] == "second"
    assert fhir.send("GET", f"{path}/_history/9").status_code == 404
    versions = [e["resource"]["meta"]["versionId"] for e in fhir.get(f"{path}/_history")["entry"]]
    assert versions == ["2", "1"]


def test_delete_is_gone_and_a_put_revives(fhir: Fhir, patient: str) -> None:
    sent = document(patient)
    path = f"DocumentReference/{sent['id']}"
    fhir.put(sent)
    assert fhir.send("DELETE", path).status_code in {200, 204}
    gone = fhir.send("GET", path)
    assert gone.status_code == 410
    assert issue(gone.json())["severity"] == "error"
    assert fhir.search("DocumentReference", _id=sent["id"]) == []
    assert fhir.get(f"{path}/_history/1")["meta"]["versionId"] == "1"
    assert fhir.send("PUT", path, sent).status_code in {200, 201}
    assert int(fhir.get(path)["meta"]["versionId"]) > 2  # the deletion was a version too
    assert fhir.search("DocumentReference", _id=sent["id"]) == [sent["id"]]


def test_a_stale_if_match_is_refused(fhir: Fhir, patient: str) -> None:
    sent = document(patient)
    path = f"DocumentReference/{sent['id']}"
    fhir.put(sent)
    fhir.put({**sent, "description": "second"})
    # 412 by the specification; HAPI says 409
    stale = fhir.send("PUT", path, {**sent, "description": "third"}, If_Match='W/"1"')
    assert stale.status_code in {409, 412}
    assert fhir.get(path)["description"] == "second"
    assert fhir.send("PUT", path, {**sent, "description": "third"}, If_Match='W/"2"').status_code == 200


def test_conditional_update(fhir: Fhir, patient: str) -> None:
    system, value = "https://example.org/docs", new_id()
    sent = document(patient, identifier=[{"system": system, "value": value}])
    del sent["id"]
    url = f"DocumentReference?identifier={system}|{value}"
    first = fhir.send("PUT", url, sent)
    assert first.status_code == 201
    second = fhir.send("PUT", url, {**sent, "description": "changed"})
    assert second.status_code == 200
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["meta"]["versionId"] == "2"
    fhir.put({**sent, "id": new_id("doc")})
    assert fhir.send("PUT", url, sent).status_code == 412


def test_conditional_create(fhir: Fhir, patient: str) -> None:
    system, value = "https://example.org/docs", new_id()
    sent = document(patient, identifier=[{"system": system, "value": value}])
    del sent["id"]
    condition = f"identifier={system}|{value}"
    first = fhir.send("POST", "DocumentReference", sent, If_None_Exist=condition)
    again = fhir.send("POST", "DocumentReference", sent, If_None_Exist=condition)
    assert (first.status_code, again.status_code) == (201, 200)
    assert fhir.search("DocumentReference", identifier=f"{system}|{value}") == [first.json()["id"]]


@pytest.mark.parametrize(
    ("method", "url", "body", "status"),
    [
        ("GET", "Patient/never-there", None, 404),
        ("GET", "NoSuchType/1", None, 404),
        ("GET", "Patient?no-such-parameter=1", None, 400),
        ("POST", "Patient", "{not json", 400),
        ("POST", "Patient", json.dumps({"resourceType": "Observation"}), 400),
        ("PUT", "Patient/a", json.dumps({"resourceType": "Patient", "id": "b"}), 400),
        ("PUT", "Patient/a", json.dumps({"resourceType": "Patient"}), 400),
        ("PUT", "Patient/a_b", json.dumps({"resourceType": "Patient", "id": "a_b"}), 400),
        ("PUT", "Patient/" + 65 * "a", json.dumps({"resourceType": "Patient", "id": 65 * "a"}), 400),
    ],
    ids=[
        "never there", "unknown type", "unknown parameter", "not JSON", "another type",
        "two ids", "no id in the body", "underscore in the id", "id too long",
    ],
)  # fmt: skip
def test_errors_are_operation_outcomes(
    fhir: Fhir, method: str, url: str, body: str | None, status: int
) -> None:
    answer = fhir.send(method, url, body)
    assert answer.status_code == status
    assert issue(answer.json())["severity"] in {"error", "fatal"}
    assert issue(answer.json())["code"]


def test_version_is_stripped_from_references(fhir: Fhir, patient: str) -> None:
    """HAPI's default, and why the version of a source is carried a second time as plain data."""
    source = fhir.put(document(patient))
    sent = document(
        patient,
        relatesTo=[
            {"code": "appends", "target": {"reference": f"DocumentReference/{source['id']}/_history/1"}}
        ],
    )
    fhir.put(sent)
    read = fhir.get(f"DocumentReference/{sent['id']}")
    assert read["relatesTo"][0]["target"]["reference"] == f"DocumentReference/{source['id']}"


def test_a_new_tag_is_there_whatever_becomes_of_the_old(fhir: Fhir, patient: str) -> None:
    """HAPI keeps the tags of earlier versions beside it; a client must do with either."""
    sent = document(patient, meta={"tag": [{"system": "https://example.org/tags", "code": "one"}]})
    fhir.put(sent)
    fhir.put({**sent, "meta": {"tag": [{"system": "https://example.org/tags", "code": "two"}]}})
    tags = {tag["code"] for tag in fhir.get(f"DocumentReference/{sent['id']}")["meta"]["tag"]}
    assert "two" in tags
    assert tags <= {"one", "two"}


def test_capability_statement_says_what_is_supported(fhir: Fhir) -> None:
    statement = fhir.get("metadata")
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["software"]["name"]
    rest = statement["rest"][0]
    assert "transaction" in {interaction["code"] for interaction in rest["interaction"]}
    documents = next(resource for resource in rest["resource"] if resource["type"] == "DocumentReference")
    if fhir.server.engine == "hapi":
        assert "updateCreate" not in documents  # it never says, so a client has to try
    else:
        assert documents["updateCreate"] is True
    assert documents["conditionalUpdate"] is True
    wanted = {
        "_id",
        "_lastUpdated",
        "_tag",
        "identifier",
        "patient",
        "encounter",
        "date",
        "status",
        "type",
        "relatesto",
    }
    assert wanted <= {parameter["name"] for parameter in documents["searchParam"]}


def test_part_of_the_capability_statement(fhir: Fhir) -> None:
    part = fhir.get("metadata", _elements="fhirVersion,software")
    assert part["fhirVersion"] == "4.0.1"
    assert "rest" not in part
