"""Who wrote a note, where it names them by a reference alone."""

from typing import Any

import pytest

from fhir_adapter.note import SourceNote
from fhir_adapter.reading.authors import Authors
from fhir_adapter.reading.source_note import read_source
from tests.unit.fhir_adapter.rest.scripted_server import Answer, ScriptedServer, client_for, fhir

Json = dict[str, Any]
HELD: dict[str, Json] = {
    "Practitioner/1": {"name": [{"family": "Okafor", "given": ["Ada"], "suffix": ["MD"]}]},
    "Practitioner/nameless": {},
    "Organization/1": {"name": "Ward  7"},
    "Device/1": {"deviceName": [{"name": "Dictation", "type": "user-friendly-name"}]},
    "PractitionerRole/shown": {"practitioner": {"reference": "Practitioner/1", "display": "Dr Okafor"}},
    "PractitionerRole/held": {"practitioner": {"reference": "Practitioner/1"}},
    "PractitionerRole/place": {
        "practitioner": {"reference": "Practitioner/gone"},
        "organization": {"reference": "Organization/1"},
    },
    "Patient/1": {"name": [{"family": "Never shown"}]},
}


class Staff(ScriptedServer):
    """Holds some persons; refuses whatever is called secret."""

    def __init__(self) -> None:
        super().__init__(self.answer)

    def answer(self, request: Any) -> Answer:
        reference = "/".join(request.path.split("/")[-2:])
        if reference.endswith("secret"):
            return Answer(403)
        kind, _, ident = reference.partition("/")
        held = HELD.get(reference)
        return Answer(404) if held is None else fhir({"resourceType": kind, "id": ident, **held})


def written_by(*references: str, **more: Any) -> SourceNote:
    author = [{"reference": one} for one in references]
    return read_source(
        {"resourceType": "DocumentReference", "id": "n", "status": "current", "author": author, **more}
    )


async def names(*notes: SourceNote) -> tuple[list[tuple[str, ...]], list[str]]:
    """Their authors, and which resources were asked for."""
    async with Staff() as server, client_for(server, retries=0) as client:
        found = await Authors(client).named(notes)
    return [note.authors for note in found], ["/".join(r.path.split("/")[-2:]) for r in server.requests]


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("Practitioner/1", "Ada Okafor MD"),
        ("Practitioner/1/_history/4", "Ada Okafor MD"),
        ("Organization/1", "Ward 7"),
        ("Device/1", "Dictation"),
        ("PractitionerRole/shown", "Dr Okafor"),
        ("PractitionerRole/held", "Ada Okafor MD"),
        ("PractitionerRole/place", "Ward 7"),
        ("Practitioner/nameless", ""),
        ("Practitioner/gone", ""),
        ("Practitioner/secret", ""),
        ("Patient/1", ""),
        ("https://elsewhere.example/fhir/Practitioner/1", ""),
        ("urn:uuid:0", ""),
    ],
)
async def test_a_reference_is_followed_to_a_name(reference: str, name: str) -> None:
    (found,), _ = await names(written_by(reference))
    assert found == ((name,) if name else ())


async def test_each_is_asked_for_once_and_a_displayed_name_costs_nothing() -> None:
    shown = written_by(author=[{"reference": "Practitioner/1", "display": "Dr A. Okafor"}])
    both = written_by("Practitioner/1", "Organization/1")
    found, asked = await names(both, shown, both, written_by("PractitionerRole/held"))
    who = ("Ada Okafor MD", "Ward 7")
    assert found == [who, ("Dr A. Okafor",), who, ("Ada Okafor MD",)]
    assert sorted(asked) == ["Organization/1", "Practitioner/1", "PractitionerRole/held"]


async def test_there_is_a_bound_for_one_note_and_for_all() -> None:
    notes = [written_by(*(f"Practitioner/{note}-{author}" for author in range(9))) for note in range(60)]
    _, asked = await names(*notes)
    assert len(asked) == 200
    assert not any(one.endswith(("-5", "-8")) for one in asked)


def test_a_contained_author_is_named_without_a_request() -> None:
    person = {"resourceType": "Practitioner", "id": "p", "name": [{"family": "Okafor"}]}
    place = {"resourceType": "Organization", "id": "#o", "name": "Ward 7"}
    note = written_by("#p", "#o", "#nobody", contained=[person, place])
    assert note.authors == ("Okafor", "Ward 7")
