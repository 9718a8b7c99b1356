"""Transactions (R4, section 3.1.0.11): all or nothing, references between the entries, repeated safely."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx

from tests.contract.contract_fhir import Fhir, composition, document, new_id, provenance

SYSTEM = "https://example.org/summaries"


def put(resource: dict[str, Any], full_url: str | None = None) -> dict[str, Any]:
    url = f"{resource['resourceType']}/{resource['id']}"
    entry = {"resource": resource, "request": {"method": "PUT", "url": url}}
    return {"fullUrl": full_url, **entry} if full_url else entry


def conditional(resource: dict[str, Any], full_url: str, method: str, criteria: str) -> dict[str, Any]:
    body = {name: value for name, value in resource.items() if name != "id"}
    kind = body["resourceType"]
    put_request = {"method": "PUT", "url": f"{kind}?{criteria}"}
    post_request = {"method": "POST", "url": kind, "ifNoneExist": criteria}
    return {
        "fullUrl": full_url,
        "resource": body,
        "request": put_request if method == "PUT" else post_request,
    }


def urn() -> str:
    return f"urn:uuid:{uuid4()}"


def results(bundle: dict[str, Any]) -> list[tuple[str, str]]:
    """(status, location without the base) of each entry."""
    answers = [entry["response"] for entry in bundle["entry"]]
    return [(a["status"][:3], "/".join(a["location"].split("/")[-4:])) for a in answers]


def test_put_by_id_with_references_between_entries(fhir: Fhir, patient: str, device: str) -> None:
    source = fhir.put(document(patient))
    summary, summary_urn = composition(patient, device), urn()
    origin = provenance(summary_urn, device, f"DocumentReference/{source['id']}")
    entries = [put(summary, summary_urn), put(origin, urn())]

    first = fhir.transaction(*entries)
    assert first.status_code == 200
    assert first.json()["type"] == "transaction-response"
    expected = [f"Composition/{summary['id']}/_history/1", f"Provenance/{origin['id']}/_history/1"]
    assert results(first.json()) == [("201", location) for location in expected]
    assert fhir.get(f"Provenance/{origin['id']}")["target"] == [{"reference": f"Composition/{summary['id']}"}]

    again = fhir.transaction(*entries)
    assert results(again.json()) == [("200", location) for location in expected]


def test_posts_refer_to_each_other(fhir: Fhir, device: str) -> None:
    person, summary = urn(), composition("", device)
    summary["subject"] = {"reference": person}
    del summary["id"]
    answer = fhir.transaction(
        {"fullUrl": urn(), "resource": summary, "request": {"method": "POST", "url": "Composition"}},
        {
            "fullUrl": person,
            "resource": {"resourceType": "Patient"},
            "request": {"method": "POST", "url": "Patient"},
        },
    )
    assert answer.status_code == 200
    (_, written), (_, patient) = results(answer.json())
    assert fhir.get("/".join(written.split("/")[:2]))["subject"]["reference"] == "/".join(
        patient.split("/")[:2]
    )


def test_one_bad_entry_and_nothing_is_written(fhir: Fhir, patient: str) -> None:
    good, bad = document(patient), {"resourceType": "Patient", "id": "not_allowed"}
    answer = fhir.transaction(put(good), put(bad))
    assert 400 <= answer.status_code < 500
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert fhir.send("GET", f"DocumentReference/{good['id']}").status_code == 404


def test_conditional_put_of_composition_and_provenance(fhir: Fhir, patient: str, device: str) -> None:
    written_twice(fhir, patient, device, "PUT")


def test_conditional_create_of_composition_and_provenance(fhir: Fhir, patient: str, device: str) -> None:
    written_twice(fhir, patient, device, "POST")


def written_twice(fhir: Fhir, patient: str, device: str, method: str) -> None:
    """A Composition found by identifier and a Provenance found by tag, the one referring to the other."""
    source = fhir.put(document(patient))
    key, summary_urn = new_id("key"), urn()
    summary = composition(patient, device, identifier={"system": SYSTEM, "value": key})
    origin = provenance(summary_urn, device, f"DocumentReference/{source['id']}")
    origin["meta"] = {"tag": [{"system": SYSTEM, "code": key}]}

    def write() -> list[tuple[str, str]]:
        answer = fhir.transaction(
            conditional(summary, summary_urn, method, f"identifier={SYSTEM}|{key}"),
            conditional(origin, urn(), method, f"_tag={SYSTEM}|{key}"),
        )
        assert answer.status_code == 200, answer.text
        return results(answer.json())

    first = write()
    assert [status for status, _ in first] == ["201", "201"]
    assert write() == [("200", location) for _, location in first]
    (written,) = fhir.search("Composition", identifier=f"{SYSTEM}|{key}")
    (origin_id,) = fhir.search("Provenance", _tag=f"{SYSTEM}|{key}")
    assert fhir.get(f"Provenance/{origin_id}")["target"] == [{"reference": f"Composition/{written}"}]


def test_a_version_in_a_transactions_answer(fhir: Fhir, patient: str) -> None:
    sent = document(patient)
    (entry,) = fhir.transaction(put(sent)).json()["entry"]
    assert entry["response"]["etag"].removeprefix("W/").strip('"') == "1"


def test_delete_in_a_transaction(fhir: Fhir, patient: str) -> None:
    sent = document(patient)
    fhir.put(sent)
    path = f"DocumentReference/{sent['id']}"
    assert fhir.transaction({"request": {"method": "DELETE", "url": path}}).status_code == 200
    assert fhir.send("GET", path).status_code == 410


def at_once(times: int, act: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(act, range(times)))


def test_an_unchanged_device_in_parallel_transactions(fhir: Fhir, patient: str, device: str) -> None:
    """Every summary carries its author along; that must not make the writers wait for each other."""
    author = {"resourceType": "Device", "id": device.partition("/")[2]}
    answers = at_once(6, lambda _: fhir.transaction(put(author), put(composition(patient, device))))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert fhir.get(device)["meta"]["versionId"] == "1"


def test_conditional_creates_at_once_leave_one(fhir: Fhir, patient: str, device: str) -> None:
    """The losers may get a conflict. HAPI leaves two now and then where these are conditional PUTs."""
    key = new_id("key")
    summary = composition(patient, device, identifier={"system": SYSTEM, "value": key})
    entry = conditional(summary, urn(), "POST", f"identifier={SYSTEM}|{key}")
    answers = at_once(6, lambda _: fhir.transaction(entry))
    assert {answer.status_code for answer in answers} <= {200, 409, 412}
    assert len(fhir.search("Composition", identifier=f"{SYSTEM}|{key}")) == 1
