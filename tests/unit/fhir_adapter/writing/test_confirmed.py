"""What an answer to a transaction confirms, and what it leaves open."""

from typing import Any

import pytest

from fhir_adapter.errors import ConflictError, HttpStatusError, UnconfirmedError
from fhir_adapter.writing.confirmed import confirmed, post
from tests.unit.fhir_adapter.rest.scripted_server import Answer, ScriptedServer, client_for

COMPOSITION, PROVENANCE = "Composition/c1", "Provenance/p1"


def a_bundle(*urls: str) -> dict[str, Any]:
    entries = [
        {"resource": {"resourceType": u.partition("/")[0]}, "request": {"method": "PUT", "url": u}}
        for u in urls
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def an_answer(*responses: dict[str, Any]) -> dict[str, Any]:
    entries = [{"response": response} for response in responses]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


@pytest.mark.parametrize(
    ("response", "reference"),
    [
        ({"status": "200 OK"}, COMPOSITION),
        ({"status": "201"}, COMPOSITION),
        ({"status": "201 Created", "location": "Composition/c1/_history/1"}, COMPOSITION),
        ({"location": "https://other.example/fhir/Composition/77/_history/1"}, "Composition/77"),
        ({"status": "201 Created", "location": "/fhir/Composition/77"}, "Composition/77"),
    ],
)
def test_the_answer_says_under_which_id_an_entry_stands(response: dict[str, Any], reference: str) -> None:
    assert confirmed(a_bundle(COMPOSITION), an_answer(response)) == [reference]


def test_an_id_of_the_servers_own_may_stand_in_the_resource() -> None:
    given = {"resource": {"resourceType": "Composition", "id": "77"}, "response": {"status": "201"}}
    answer = {"resourceType": "Bundle", "entry": [given]}
    assert confirmed(a_bundle(COMPOSITION), answer) == ["Composition/77"]


def test_answers_in_another_order_go_by_the_ids_that_they_name() -> None:
    bundle = a_bundle("Composition/c1", "Provenance/p1", "Composition/c2", "Provenance/p2")
    urls = [entry["request"]["url"] for entry in bundle["entry"]]
    made = [{"status": "201 Created", "location": f"{url}/_history/1"} for url in urls]

    assert confirmed(bundle, an_answer(*reversed(made))) == urls
    unnamed = [{"status": "201 Created"} if "c2" in one["location"] else one for one in reversed(made)]
    assert confirmed(bundle, an_answer(*unnamed)) == urls


def test_a_refusal_in_another_order_is_that_of_the_one_entry_that_is_not_named() -> None:
    refused = {"status": "422", "outcome": {"resourceType": "OperationOutcome"}}
    made = {"status": "201", "location": "http://s.example/fhir/Composition/c1/_history/1"}
    with pytest.raises(HttpStatusError, match="Provenance"):
        confirmed(a_bundle(COMPOSITION, PROVENANCE), an_answer(refused, made))


@pytest.mark.parametrize(
    "locations", [("Composition/c2", "", ""), ("Composition/c2", "Composition/c2", "Composition/c1")]
)
def test_answers_in_an_order_that_cannot_be_told_confirm_nothing(locations: tuple[str, ...]) -> None:
    answers = [
        {"status": "201", "location": f"{one}/_history/1"} if one else {"status": "201"} for one in locations
    ]
    with pytest.raises(UnconfirmedError):
        confirmed(a_bundle("Composition/c1", "Composition/c2", "Composition/c3"), an_answer(*answers))


@pytest.mark.parametrize(
    "answer",
    [
        an_answer(),
        an_answer({"status": "200"}),
        an_answer({"status": "200"}, {}),
        an_answer({"status": "200"}, {"status": "fine"}),
        {"resourceType": "Bundle", "entry": [None, 5]},
    ],
)
def test_an_entry_of_which_nothing_is_said_is_not_confirmed(answer: dict[str, Any]) -> None:
    with pytest.raises(UnconfirmedError):
        confirmed(a_bundle(COMPOSITION, PROVENANCE), answer)


def test_each_entry_of_a_batch_ends_for_itself_and_the_compositions_error_comes_first() -> None:
    refused = {"status": "422 Unprocessable Entity", "outcome": _outcome("code-invalid")}
    conflict = {"status": "412 Precondition Failed"}
    with pytest.raises(ConflictError):
        confirmed(a_bundle(PROVENANCE, COMPOSITION), an_answer(refused, conflict))
    with pytest.raises(HttpStatusError) as error:
        confirmed(a_bundle(PROVENANCE, COMPOSITION), an_answer({"status": "201"}, refused))
    assert (error.value.status, error.value.codes) == (422, ("code-invalid",))


def _outcome(code: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


@pytest.mark.parametrize(
    "answer", [Answer(204), Answer(202), Answer(200, b""), Answer(200, b"<html>Accepted</html>"), Answer(201)]
)
async def test_an_answer_that_says_nothing_leaves_it_open(answer: Answer) -> None:
    async with ScriptedServer([answer]) as server, client_for(server) as client:
        with pytest.raises(UnconfirmedError):
            await post(client, a_bundle(COMPOSITION))
