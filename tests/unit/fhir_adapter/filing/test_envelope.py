"""A summary in a document and out of it again, and what servers and people may have made of it."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from fhir_adapter import canonical
from fhir_adapter.filed import MARK, is_own, is_own_text
from fhir_adapter.filing.envelope import Filed, Parts, data_of, document_of, stored_in, version_name
from fhir_adapter.filing.finding import in_force
from fhir_adapter.filing.readable import readable
from fhir_adapter.reasons import Reason
from fhir_adapter.writing.bundles import summary_resources
from fhir_adapter.writing.lifecycle import Withdrawal, ended, is_attested, is_ours
from fhir_adapter.writing.pipeline import device
from fhir_adapter.writing.validity import validate
from tests.unit.fhir_adapter.builders import BASE_URL, TEXT, a_draft

Json = dict[str, Any]


def some_parts() -> Parts:
    draft = a_draft()
    composition, *others = summary_resources(draft)
    return Parts(composition, (*others, device(draft.pipeline)))


def filed(parts: Parts, ident: str = "d1", **changed: Any) -> Filed:
    """As a server gives it back."""
    replaced = changed.pop("replaced", ())
    document: Json = {**document_of(parts, replaced, BASE_URL), "id": ident, **changed}
    text, whole = (data_of(content["attachment"]) for content in document["content"])
    stored = stored_in(whole or b"")
    assert stored is not None
    return Filed(document, stored, (text or b"").decode())


def test_what_goes_in_comes_out_to_the_letter() -> None:
    parts = some_parts()
    found = filed(parts)

    validate(found.document)
    assert found.stored == parts
    assert is_ours(found.composition)
    assert found.differs(BASE_URL) == ()


def test_the_readable_part_shows_each_sentence_and_where_it_is_from() -> None:
    text = readable(some_parts().composition)

    lines = text.splitlines()
    assert lines[0] == MARK
    for sentence in (TEXT[0:22], TEXT[23:44]):
        assert any(sentence in line for line in lines)
    assert f"Source: {BASE_URL}/DocumentReference/123/_history/3" in lines


@pytest.mark.parametrize("why", [Reason.ENTERED_IN_ERROR, Withdrawal.SOURCE])
def test_of_a_summary_that_was_wrong_nothing_is_shown_but_that(why: str) -> None:
    parts = some_parts()
    composition = ended(parts.composition, why)
    found = filed(replace(parts, composition=composition))

    assert "DO NOT USE" in readable(composition)
    assert TEXT[0:22] not in readable(composition)
    assert found.document["status"] == found.document["docStatus"] == "entered-in-error"


def test_one_that_is_out_of_date_says_so_above_its_sentences() -> None:
    composition = ended(some_parts().composition, Reason.SUPERSEDED)

    assert readable(composition).splitlines()[1] == "OUT OF DATE (superseded)."
    assert TEXT[0:22] in readable(composition)


def test_an_end_that_the_server_took_without_the_rest_counts() -> None:
    parts = some_parts()
    marks = ended(parts.composition, Reason.DELETED)["extension"][-1:]
    found = filed(parts, status="entered-in-error", extension=marks)

    assert found.composition["status"] == "entered-in-error"
    assert is_ours(found.composition)
    assert not is_ours(filed(parts, status="entered-in-error").composition), "somebody else said it"


@pytest.mark.parametrize(
    "signed", [{"docStatus": "final"}, {"authenticator": {"reference": "Practitioner/1"}}], ids=str
)
def test_what_a_person_signed_is_a_persons(signed: Json) -> None:
    assert is_attested(filed(some_parts(), **signed).composition)


def test_what_a_person_wrote_into_the_readable_part_makes_it_theirs() -> None:
    found = filed(some_parts())
    changed = replace(found, text=f"{found.text}Seen, agreed.")

    assert not is_ours(changed.composition)
    assert changed.differs(BASE_URL) == ("content",)
    assert is_ours(replace(found, text=found.text and found.text.replace("\n", "\r\n")).composition)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"meta": {}, "securityLabel": []}, "meta.security"),
        ({"subject": {"reference": "Patient/other"}}, "subject"),
        ({"context": {"encounter": [{"reference": "Encounter/other"}]}}, "context.encounter"),
    ],
    ids=["labels", "patient", "encounter"],
)
def test_what_the_document_says_otherwise_is_named(changed: Json, named: str) -> None:
    assert named in filed(some_parts(), **changed).differs(BASE_URL)


def test_an_end_that_the_document_does_not_show_is_named() -> None:
    parts = some_parts()
    over = replace(parts, composition=ended(parts.composition, Reason.DELETED))

    assert "status" in filed(over, status="current").differs(BASE_URL)


def test_a_content_has_one_name_in_one_place() -> None:
    parts = some_parts()
    stamped = {**parts.composition, "meta": {**parts.composition["meta"], "versionId": "7"}}

    assert version_name(parts, ()) == version_name(replace(parts, composition=stamped), ())
    assert version_name(parts, ()) != version_name(parts, ("DocumentReference/1",))


def test_of_several_documents_the_one_that_nothing_replaces_counts() -> None:
    parts = some_parts()
    first, second = filed(parts, "z"), filed(parts, "a", replaced=["DocumentReference/z"])
    newer = filed(parts, "b", meta={"lastUpdated": "2026-02-01T00:00:00Z"})
    older = filed(parts, "c", meta={"lastUpdated": "2026-01-01T00:00:00Z"})
    error = filed(parts, "d", status="entered-in-error", meta={"lastUpdated": "2026-03-01T00:00:00Z"})

    assert in_force([first, second], BASE_URL) == [second]
    assert in_force([older, error, newer], BASE_URL) == [newer]
    circle = [
        filed(parts, "a", replaced=["DocumentReference/b"]),
        filed(parts, "b", replaced=["DocumentReference/a"]),
    ]
    assert [one.reference for one in in_force(circle, BASE_URL)] == ["DocumentReference/a"]


def test_it_is_known_as_ours_by_whatever_a_server_keeps() -> None:
    document = filed(some_parts()).document
    by = {
        "tag": {"meta": document["meta"]},
        "identifier": {"identifier": document["identifier"][:1]},
        "Device": {"contained": document["contained"]},
        "text": {"content": document["content"][:1]},
    }

    assert {
        name: is_own({"resourceType": "DocumentReference", **kept}) for name, kept in by.items()
    } == dict.fromkeys(by, True)
    assert is_own_text(f"\ufeff{MARK}".lstrip("\ufeff"))
    assert is_own_text(MARK.replace(" ", "\r\n"))


def test_a_note_is_not_taken_for_ours() -> None:
    data = base64.b64encode(f"He asked what {MARK} means.".encode()).decode()
    note = {
        "resourceType": "DocumentReference",
        "identifier": [{"system": "https://hospital.example/notes", "value": "1"}],
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }

    assert not is_own(note)
    assert not is_own_text(f"He asked what {MARK} means.")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"entry": 3}', b'{"entry": [{"resource": {"id": "1"}}]}', b"\xff"]
)
def test_what_is_no_such_bundle_holds_nothing(data: bytes) -> None:
    assert stored_in(data) is None


def test_it_is_searched_for_by_what_it_holds() -> None:
    stated = {(i["system"], i["value"]) for i in filed(some_parts()).document["identifier"]}
    composition = some_parts().composition

    assert (canonical.FILED, f"Composition/{composition['id']}") in stated
    assert (canonical.FILED_SOURCES, "DocumentReference/123") in stated
    assert (canonical.SUMMARIES, composition["identifier"]["value"]) in stated
