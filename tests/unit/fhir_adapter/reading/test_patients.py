"""Whose notes are read where the settings name a Group, and which of its members these are."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from fhir_adapter.errors import GoneError, RefusedError
from fhir_adapter.reading.patients import Patients
from fhir_adapter.rest.client import FhirClient

BASE = "http://h/fhir"
MRN = "urn:mrn"


def member(reference: str = "", **parts: Any) -> dict[str, Any]:
    entity = {"reference": reference} if reference else {}
    return {"entity": {**entity, **parts.pop("entity", {})}, **parts}


def by_number(value: str) -> dict[str, Any]:
    return member(entity={"identifier": {"system": MRN, "value": value}})


class Wards:
    """A server with Groups, and two patients with numbers."""

    def __init__(self, **groups: Sequence[dict[str, Any]]) -> None:
        self.groups = {name: list(members) for name, members in groups.items()}
        self.status: dict[str, int] = {}

    def answer(self, request: httpx.Request) -> httpx.Response:
        kind, _, ident = request.url.path.removeprefix("/fhir/").partition("/")
        if kind == "Group":
            if ident in self.status:
                return httpx.Response(self.status[ident])
            found = {"resourceType": "Group", "id": ident, "member": self.groups[ident]}
            return httpx.Response(200, json=found)
        value = request.url.params["identifier"].partition("|")[2]
        numbers = {"7": "a", "8": "b"}
        held = [
            {
                "resource": {
                    "resourceType": "Patient",
                    "id": numbers.get(value),
                    "identifier": [{"system": MRN, "value": value}],
                }
            }
        ]
        return httpx.Response(200, json={"resourceType": "Bundle", "entry": held if value in numbers else []})

    async def named(self, *names: str) -> list[str]:
        transport = httpx.MockTransport(self.answer)
        async with FhirClient(BASE, transport=transport, retries=0) as client:
            return await Patients(client, names).references()


@pytest.mark.parametrize(
    ("members", "read"),
    [
        ([], []),
        ([member("Patient/a"), member("Patient/b"), member("Patient/a")], ["Patient/a", "Patient/b"]),
        ([member("Patient/a", inactive=True), member("Patient/b", inactive=False)], ["Patient/b"]),
        # Listed twice, and left once: one entry is still in force.
        ([member("Patient/a", inactive=True), member("Patient/a")], ["Patient/a"]),
        ([member("Patient/a", period={"end": "2020-01-01"}), member("Patient/b")], ["Patient/b"]),
        ([member("Patient/a", period={"start": "2020", "end": "2999-01-01"})], ["Patient/a"]),
        ([member("Patient/a", period={"start": "2999-01-01"})], []),
        ([member("Patient/a", period={"end": "soon"})], ["Patient/a"]),
        ([member("Practitioner/p"), member("Device/d"), member("Medication/m")], []),
        ([by_number("7"), by_number("9")], ["Patient/a"]),
        ([by_number("7"), member("Patient/a")], ["Patient/a"]),
        ([member("HTTP://H/fhir/Patient/a/"), member("Patient/b/_history/3")], ["Patient/a", "Patient/b"]),
        ([member("https://elsewhere/fhir/Patient/a")], []),
        ([member(entity={"display": "Somebody"}), {"entity": None}, {}], []),
    ],
)
async def test_the_patients_of_a_group_are_its_members_in_force(
    members: Sequence[dict[str, Any]], read: Sequence[str]
) -> None:
    assert await Wards(g=members).named("Group/g") == read


async def test_groups_within_groups_are_read_each_once_and_in_circles_too() -> None:
    wards = Wards(
        g=[member("Group/h"), member("Patient/a"), member("Group/i", inactive=True)],
        h=[member("Patient/b"), member("Group/g"), member("Group/h")],
        i=[member("Patient/c")],
    )

    assert await wards.named("Group/g") == ["Patient/a", "Patient/b"]


async def test_a_group_that_cannot_be_read_ends_the_pass_rather_than_look_empty() -> None:
    for status, error in ((410, GoneError), (403, RefusedError)):
        wards = Wards(g=[member("Patient/a"), member("Group/h")], h=[])
        wards.status["h"] = status
        with pytest.raises(error):
            await wards.named("Patient/z", "Group/g")


async def test_who_leaves_a_group_is_read_no_more_and_who_comes_is() -> None:
    wards = Wards(g=[member("Patient/a"), member("Patient/b")])
    assert await wards.named("Group/g") == ["Patient/a", "Patient/b"]

    wards.groups["g"] = [member("Patient/b"), member("Patient/c")]

    assert await wards.named("Group/g") == ["Patient/b", "Patient/c"]
