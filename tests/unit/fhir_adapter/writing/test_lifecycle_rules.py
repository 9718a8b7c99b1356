import copy
import json
from typing import Any

import pytest

from fhir_adapter import canonical
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.lifecycle import (
    NO_NOTE,
    Withdrawal,
    content_digest,
    ended,
    ended_text,
    extracted_texts,
    is_ours,
    sealed,
)
from fhir_adapter.writing.summary import composition
from tests.places import ROOT
from tests.unit.fhir_adapter.builders import a_draft

Json = dict[str, Any]
PROFILES = ROOT / "fhir_adapter" / "profiles"


@pytest.fixture
def summary() -> Json:
    return json.loads(json.dumps(sealed(composition(a_draft(verbatim=False)))))


def ids_given_by_the_server(resource: Json) -> None:
    resource["id"] = "17"
    resource["author"][0]["reference"] = "Device/4"
    for span in resource["section"][0]["extension"]:
        span["extension"][0]["valueReference"]["reference"] = "DocumentReference/18"


def stamps_and_labels(resource: Json) -> None:
    resource["meta"] |= {"versionId": "9", "lastUpdated": "2026-01-01T00:00:00Z", "source": "#x"}
    resource["meta"]["security"].append({"system": "http://example.org", "code": "PSY"})
    resource["meta"]["tag"] = []


def dates_in_another_form(resource: Json) -> None:
    assert resource["date"] == "2026-01-02T10:00:05Z"
    resource["date"] = "2026-01-02T11:00:05.000+01:00"


def references_in_another_form(resource: Json) -> None:
    resource["subject"]["reference"] = f"https://fhir.example.org/fhir/{resource['subject']['reference']}"


def numbers_in_another_form(resource: Json) -> None:
    parts = resource["section"][0]["extension"][0]["extension"]
    parts[2]["valueInteger"] = float(parts[2]["valueInteger"])


def attributes_in_another_order(resource: Json) -> None:
    div = resource["section"][0]["text"]["div"]
    resource["section"][0]["text"]["div"] = div.replace(
        ' lang="en" xml:lang="en"', ' xml:lang="en" lang="en"'
    )


def elements_in_another_order(resource: Json) -> None:
    items = list(resource.items())[::-1]
    resource.clear()
    resource.update(items)


@pytest.mark.parametrize(
    "served",
    [
        ids_given_by_the_server,
        stamps_and_labels,
        dates_in_another_form,
        references_in_another_form,
        numbers_in_another_form,
        attributes_in_another_order,
        elements_in_another_order,
    ],
)
def test_what_servers_change_is_nobodys_change(summary: Json, served: Any) -> None:
    before = json.dumps(summary)
    served(summary)

    assert json.dumps(summary) != before
    assert is_ours(summary)


def leaves(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(node, dict):
        return [found for name, value in node.items() for found in leaves(value, (*path, name))]
    if isinstance(node, list):
        return [found for number, value in enumerate(node) for found in leaves(value, (*path, number))]
    return [path]


def changed_at(resource: Json, path: tuple[Any, ...]) -> None:
    *way, last = path
    holder: Any = resource
    for step in way:
        holder = holder[step]
    value = holder[last]
    holder[last] = value + 1 if isinstance(value, int | float) else f"{value}x".replace("</div>x", "x</div>")


def test_a_change_to_any_element_that_is_told_is_found(summary: Json) -> None:
    quiet = []
    for path in leaves(summary):
        other = copy.deepcopy(summary)
        changed_at(other, path)
        if is_ours(other):
            quiet.append(path)

    told = {path[0] for path in quiet}
    assert told <= {"resourceType", "id", "meta", "author", "section"}
    inside = [path for path in quiet if path[0] == "section"]
    assert inside
    assert all("author" in path or path[-1] == "id" or "valueReference" in path for path in inside)


@pytest.mark.parametrize(
    "persons",
    [
        {"status": "final"},
        {"status": "amended"},
        {"status": "entered-in-error"},
        {"attester": [{"mode": "personal"}]},
        {"title": "Mine"},
        {"extension": []},
        {"section": []},
        {"text": {"status": "generated", "div": "<div>not well-formed"}},
    ],
)
def test_what_a_person_did_makes_it_theirs(summary: Json, persons: Json) -> None:
    assert is_ours(summary)
    assert not is_ours({**summary, **persons})


@pytest.mark.parametrize("odd", [{}, {"extension": "x"}, {"section": [7], "text": 5, "meta": None}])
def test_odd_resources_are_not_ours_and_no_error(odd: Json) -> None:
    assert not is_ours({"resourceType": "Composition", "status": "preliminary", **odd})


@pytest.mark.parametrize("why", [*Reason, *Withdrawal])
def test_an_end_of_ours_is_ours_and_can_be_taken_back(summary: Json, why: str) -> None:
    marked = ended(summary, why)
    again = ended(ended(marked, Reason.SUPERSEDED), why)

    assert is_ours(marked)
    assert marked == again
    assert content_digest(marked) == content_digest(summary)
    assert (marked["status"] == "entered-in-error") == (ended_text({}, why) == {"status": "entered-in-error"})
    assert ended(marked, Reason.SUPERSEDED)["status"] == "preliminary"


def test_the_texts_beside_the_source_are_known_from_the_spans() -> None:
    spans = composition(a_draft())["section"][0]["extension"]

    assert extracted_texts(composition(a_draft())) == []
    for span in spans:
        span["extension"][0]["valueReference"]["reference"] = "DocumentReference/text/_history/2"
    section = {"extension": spans, "entry": [{"reference": "DocumentReference/123"}]}
    assert extracted_texts({"section": [section]}) == ["DocumentReference/text"]


def test_every_end_has_its_code_in_the_published_code_system() -> None:
    published = json.loads((PROFILES / "CodeSystem-ended-because.json").read_text("utf-8"))
    codes = {concept["code"] for concept in published["concept"]}

    of_notes = {r.value for r in Reason if not r.failure and r is not Reason.WITHDRAWN}
    assert codes == of_notes | set(Withdrawal) | {NO_NOTE}
    assert published["url"].replace("{base}", canonical.CANONICAL_BASE).endswith("CodeSystem/ended-because")
