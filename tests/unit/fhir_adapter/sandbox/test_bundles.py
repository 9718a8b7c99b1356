"""Transactions and batches."""

import httpx
import pytest

from tests.unit.fhir_adapter.sandbox.builders import (
    Serve,
    bundle,
    diagnostics,
    entry,
    found,
    note,
    patient,
    put,
)

URN = "urn:uuid:00000000-0000-4000-8000-00000000000"


def statuses(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["response"]["status"][:3] for one in answer.json()["entry"]]


def test_a_transaction_creates_and_links(server: httpx.Client) -> None:
    linked = note(
        subject={"reference": f"{URN}1"},
        content=[{"attachment": {"url": f"{URN}2"}}],
        extension=[{"url": "urn:x", "valueUri": f"{URN}1"}, {"url": "urn:x", "valueString": f"{URN}1"}],
        text={"div": f'<div><a href="{URN}1">{URN}1</a></div>'},
        identifier=[{"system": "urn:ietf:rfc:3986", "value": f"{URN}1"}],
    )
    answer = server.post(
        "",
        json=bundle(
            "transaction",
            entry("POST", "DocumentReference", linked, f"{URN}3"),
            entry("POST", "Patient", {"resourceType": "Patient"}, f"{URN}1"),
            entry("POST", "Binary", {"resourceType": "Binary", "data": "YQ=="}, f"{URN}2"),
        ),
    )
    assert statuses(answer) == ["201", "201", "201"]
    responses = [one["response"] for one in answer.json()["entry"]]
    assert answer.json()["type"] == "transaction-response"
    assert {one["etag"] for one in responses} == {'W/"1"'}
    assert len({one["lastModified"] for one in responses}) == 1
    doc, person, binary = (one["location"].removesuffix("/_history/1") for one in responses)
    got = server.get(doc).json()
    assert got["subject"]["reference"] == person
    assert got["content"][0]["attachment"]["url"] == binary
    assert got["extension"][0]["valueUri"] == person
    assert got["extension"][1]["valueString"] == f"{URN}1"
    assert got["identifier"] == linked["identifier"]
    assert got["text"]["div"] == f'<div><a href="{person}">{URN}1</a></div>'
    assert found(server, f"DocumentReference?patient={person}") == [doc.split("/")[1]]


def test_the_same_puts_again_change_nothing(server: httpx.Client) -> None:
    sent = bundle(
        "transaction",
        entry("PUT", "Composition/t-c", {"resourceType": "Composition", "id": "t-c"}, f"{URN}1"),
        entry(
            "PUT",
            "Provenance/t-p",
            {"resourceType": "Provenance", "id": "t-p", "target": [{"reference": f"{URN}1"}]},
        ),
    )
    first, second = server.post("", json=sent), server.post("", json=sent)
    assert statuses(first) == ["201", "201"]
    assert statuses(second) == ["200", "200"]
    assert [one["response"]["etag"] for one in second.json()["entry"]] == ['W/"1"'] * 2
    assert server.get("Provenance/t-p").json()["target"] == [{"reference": "Composition/t-c"}]


def test_a_failing_entry_undoes_the_rest_and_is_named(server: httpx.Client) -> None:
    put(server, patient("t-old"))
    answer = server.post(
        "",
        json=bundle(
            "transaction",
            entry("DELETE", "Patient/t-old"),
            entry("PUT", "Patient/t-new", patient("t-new")),
            entry("PUT", "Patient/t-bad", patient("t-bad"), ifMatch='W/"4"'),
        ),
    )
    assert answer.status_code == 412
    assert diagnostics(answer).startswith("Bundle.entry[2]: ")
    assert server.get("Patient/t-old").status_code == 200
    assert server.get("Patient/t-new").status_code == 404


def test_order_is_delete_create_update_read(server: httpx.Client) -> None:
    put(server, patient("t-gone", identifier=[{"value": "t-key"}]))
    answer = server.post(
        "",
        json=bundle(
            "transaction",
            entry("GET", "Patient/t-put"),
            entry("GET", "Patient?identifier=t-key"),
            entry("PUT", "Patient/t-put", patient("t-put", identifier=[{"value": "t-key"}])),
            entry("DELETE", "Patient/t-gone"),
            entry("GET", "/Patient/t-gone/_history/1"),
        ),
    )
    assert statuses(answer) == ["200", "200", "201", "204", "200"]
    read, search, _, _, old = answer.json()["entry"]
    assert read["resource"]["id"] == "t-put"
    assert [one["resource"]["id"] for one in search["resource"]["entry"]] == ["t-put"]
    assert old["resource"]["id"] == "t-gone"


def test_conditional_creates_and_references(server: httpx.Client) -> None:
    practitioner = {"resourceType": "Practitioner", "identifier": [{"system": "urn:npi", "value": "7"}]}
    sent = bundle(
        "transaction",
        entry("POST", "DocumentReference", note(author=[{"reference": "Practitioner?identifier=urn:npi|7"}])),
        entry("POST", "Practitioner", practitioner, f"{URN}1", ifNoneExist="identifier=urn:npi|7"),
        entry(
            "POST", "Practitioner", practitioner, f"{URN}2", ifNoneExist="Practitioner?identifier=urn:npi|7"
        ),
        entry("POST", "DocumentReference", note(author=[{"reference": f"{URN}2"}])),
    )
    first, second = server.post("", json=sent), server.post("", json=sent)
    assert statuses(first) == ["201", "201", "200", "201"]
    assert statuses(second) == ["201", "200", "200", "201"]
    (id_,) = found(server, "Practitioner?identifier=urn:npi|7")
    assert len(found(server, f"DocumentReference?author=Practitioner/{id_}")) == 4


def test_conditional_updates(server: httpx.Client) -> None:
    def sent(**more: object) -> dict[str, object]:
        device = {"resourceType": "Device", "identifier": [{"value": "t-dev"}], **more}
        return bundle(
            "transaction",
            entry("PUT", "Device?identifier=t-dev", device, f"{URN}1"),
            entry("PUT", "Patient/t-cu", patient("t-cu", link=[{"other": {"reference": f"{URN}1"}}])),
        )

    assert statuses(server.post("", json=sent())) == ["201", "201"]
    assert statuses(server.post("", json=sent())) == ["200", "200"]
    changed = server.post("", json=sent(status="active"))
    assert [one["response"]["etag"] for one in changed.json()["entry"]] == ['W/"2"', 'W/"1"']
    (id_,) = found(server, "Device?identifier=t-dev")
    assert server.get("Patient/t-cu").json()["link"][0]["other"]["reference"] == f"Device/{id_}"
    server.post("Device", json={"resourceType": "Device", "identifier": [{"value": "t-dev"}]})
    assert server.post("", json=sent()).status_code == 412


def test_conditional_references_that_match_nothing(server: httpx.Client, serve: Serve) -> None:
    unmatched = note("t-u", subject={"reference": "Patient?identifier=nobody"})
    sent = bundle("transaction", entry("PUT", "DocumentReference/t-u", unmatched))
    assert statuses(server.post("", json=sent)) == ["201"]
    assert server.get("DocumentReference/t-u").json()["subject"] == {"reference": "Patient?identifier=nobody"}
    strict = serve(refuse_unmatched=True)
    refused = strict.post("", json=sent)
    assert refused.status_code == 404
    assert diagnostics(refused) == "Bundle.entry[0]: No Patient matches a conditional reference."
    put(strict, *(patient(id_, identifier=[{"value": "nobody"}]) for id_ in ("a", "b")))
    assert strict.post("", json=sent).status_code == 412


def test_old_addresses_of_a_collection_are_followed(server: httpx.Client) -> None:
    answer = server.post(
        "",
        json=bundle(
            "transaction",
            entry("POST", "Patient", patient("old"), "http://elsewhere/fhir/Patient/old"),
            entry("POST", "DocumentReference", note(subject={"reference": "Patient/old"})),
            entry(
                "POST", "DocumentReference", note(subject={"reference": "http://elsewhere/fhir/Patient/old"})
            ),
        ),
    )
    places = [one["response"]["location"].removesuffix("/_history/1") for one in answer.json()["entry"]]
    assert places[0] != "Patient/old"
    assert [server.get(place).json()["subject"]["reference"] for place in places[1:]] == [places[0]] * 2


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"resourceType": "Patient"}, 400),
        ({"resourceType": "Bundle", "type": "collection"}, 400),
        ({"resourceType": "Bundle", "type": "transaction", "entry": {}}, 400),
        (bundle("transaction", {"resource": patient("x")}), 400),
        (bundle("transaction", entry("PATCH", "Patient/x")), 400),
        (bundle("transaction", entry("PUT", "Patient/x")), 400),
        (bundle("transaction", entry("PUT", "Patient", patient("x"))), 400),
        (bundle("transaction", entry("PUT", "Patient/x_y", patient("x_y"))), 400),
        (bundle("transaction", entry("PUT", "Patient/x", note("x"))), 400),
        (bundle("transaction", entry("POST", "Patient/x", patient("x"))), 400),
        (bundle("transaction", entry("DELETE", "Patient?active=true")), 400),
        (bundle("transaction", entry("GET", "Patient/x/y")), 400),
        (bundle("transaction", entry("GET", "Patient?bogus=1")), 400),
        (bundle("transaction", entry("GET", "Patient/t-nobody")), 404),
        (bundle("transaction", entry("POST", "Bogus", {"resourceType": "Bogus"})), 404),
        (bundle("transaction", *[entry("PUT", "Patient/x", patient("x"))] * 2), 400),
    ],
)
def test_bad_bundles(server: httpx.Client, sent: dict[str, object], status: int) -> None:
    answer = server.post("", json=sent)
    assert answer.status_code == status
    assert diagnostics(answer)
    assert server.get("Patient/x").status_code == 404


def test_a_batch_carries_on_after_a_failure(server: httpx.Client) -> None:
    answer = server.post(
        "",
        json=bundle(
            "batch",
            entry("PUT", "Patient/b-1", patient("b-1")),
            entry("PUT", "Patient/b-2", note("b-2")),
            entry("GET", "Patient/b-1"),
            entry("DELETE", "Patient/b-1"),
            entry("DELETE", "Patient/b-never"),
            entry("POST", "Patient", patient("x"), ifNoneExist="_id=b-nobody"),
            {"request": None},
        ),
    )
    assert statuses(answer) == ["201", "400", "200", "204", "204", "201", "400"]
    outcome = answer.json()["entry"][1]["response"]["outcome"]
    assert outcome["resourceType"] == "OperationOutcome"
    assert server.get("Patient/b-1").status_code == 410


def test_prefer_representation_repeats_the_resources(server: httpx.Client) -> None:
    sent = bundle("transaction", entry("PUT", "Patient/rep", patient("rep", active=True)))
    plain = server.post("", json=sent)
    full = server.post("", json=sent, headers={"Prefer": "return=representation"})
    assert "resource" not in plain.json()["entry"][0]
    assert full.json()["entry"][0]["resource"]["active"] is True


def test_an_empty_transaction(server: httpx.Client) -> None:
    answer = server.post("", json={"resourceType": "Bundle", "type": "transaction"})
    assert answer.status_code == 200
    assert "entry" not in answer.json()


def test_a_document_of_a_composition(server: httpx.Client) -> None:
    composition = {
        "resourceType": "Composition",
        "id": "doc-c",
        "subject": {"reference": "Patient/doc-p"},
        "author": [{"reference": "Device/absent"}, {"reference": "http://elsewhere/Patient/doc-p"}],
        "section": [{"entry": [{"reference": "DocumentReference/doc-n"}]}],
    }
    put(server, patient("doc-p"), note("doc-n"), composition)
    document = server.get("Composition/doc-c/$document").json()
    assert document["type"] == "document"
    assert document["identifier"]["value"].startswith("urn:uuid:")
    assert document["timestamp"] == document["meta"]["lastUpdated"]
    assert not {"total", "link"} & set(document)
    again = server.get("Composition/doc-c/$document").json()
    assert again["identifier"] == document["identifier"], "one for each version"
    assert [one["resource"]["id"] for one in document["entry"]] == ["doc-c", "doc-p", "doc-n"]
    assert server.get("Composition/doc-none/$document").status_code == 404
