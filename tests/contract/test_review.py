"""What a reader says stays on the server as said: no pass overwrites it, and an erasure takes it along."""

import asyncio
from typing import Any

import pytest

from fhir_adapter import canonical
from fhir_adapter.writing.erasure import erase, find
from fhir_adapter.writing.review import ReviewError, Reviews, Served
from jobs.runtime import make_client
from tests.contract.lives import only
from tests.contract.passes import Site, reference

NAME, WHEN = "Dr. Imre Halloran", "2026-11-29T07:00:00+00:00"


def version_of(composition: dict[str, Any]) -> str:
    found: str = composition["meta"]["versionId"]
    return found


async def reviewed(site: Site, composition: dict[str, Any], served: Served | None, version: str = "") -> None:
    mine, seen = f"Composition/{composition['id']}", version or version_of(composition)
    async with make_client(site.settings) as client:
        if served:
            await Reviews(client).tell(mine, seen, served, NAME, WHEN)
        else:
            await Reviews(client).attest(mine, seen, NAME, WHEN)


def test_an_attested_summary_stays_when_its_note_has_a_new_version(site: Site) -> None:
    note = site.document()
    site.poll()
    before = only(site, note)
    asyncio.run(reviewed(site, before, None))
    with pytest.raises(ReviewError):
        asyncio.run(reviewed(site, before, None, version_of(before)))  # that version is gone
    assert site.one_audit(before["id"]).ok
    site.fhir.put({**note, "description": "another version"})
    site.poll()
    attested = site.fhir.get(f"Composition/{before['id']}")
    assert (attested["status"], attested["attester"][0]["party"]) == ("final", {"display": NAME})
    assert attested["section"] == before["section"]
    others = [one for one in site.written(reference(note)) if one["id"] != before["id"]]
    assert [one["relatesTo"][0]["code"] for one in others] == ["replaces"]


def test_what_was_said_is_one_for_each_reader_and_goes_with_the_summary(site: Site) -> None:
    note = site.document()
    site.poll()
    composition = only(site, note)
    for served in (Served.MISLEADING, Served.USEFUL):
        asyncio.run(reviewed(site, composition, served))

    async def gone() -> list[str]:
        async with make_client(site.settings) as client:
            found = await find(client, source=reference(note))
            (said,) = found.feedback
            kept = await client.read(said)
            assert kept["category"][0]["coding"][0]["code"] == "useful"
            assert canonical.FEEDBACK_TAG[1] in str(kept["meta"]["tag"])
            fates = [one.fate async for one in erase(client, found)]
            assert await client.read_if_there(said) is None
            assert await client.read_if_there(f"Composition/{composition['id']}") is None
            return [str(fate) for fate in fates]

    assert set(asyncio.run(gone())) == {"deleted"}
